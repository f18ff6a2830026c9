"""Rules about what is lost: a replica, a zone, a party outside, a limit."""

from __future__ import annotations

from dataclasses import replace

from opinions.calls import failing
from opinions.common import NONE, ROOMY, Case, Draw, Opinion, constant, good, run, system, web

from archcheck import (
    Cached,
    Call,
    Client,
    CustomRuntime,
    Deterministic,
    Endpoint,
    External,
    Fallback,
    Kill,
    Kubernetes,
    LoadShedding,
    MySQL,
    Probe,
    RateLimit,
    Read,
    Redis,
    Retry,
    Service,
    Step,
    System,
    Work,
    Write,
    ZoneLoss,
)
from archcheck.units import ms, percent, s

READY = Probe("http", period=1 * s, failure_threshold=1)


def soft(draw: Draw) -> dict[str, object]:
    """How a step may do without its answer."""
    return draw.pick(
        {},
        {},
        {"optional": True, "fallback": Fallback("omit")},
        {"fallback": Fallback("static")},
        {"fallback": Fallback("call", target="spare")},
    )


def placed(draw: Draw) -> Kubernetes:
    count = draw.whole(1, 3)
    zones = ["a", "b", "c"][: draw.whole(1, 3)]
    return Kubernetes(replicas=count, zones=zones, readiness=READY)


def critical(draw: Draw) -> System:
    """A critical journey over services, a store and a cache, each with some copies somewhere."""
    common = {"timeout": 100 * ms, "retry": NONE}
    ways: list[Step] = [Call("inner", **common, **soft(draw))]
    copies = draw.whole(1, 3)
    if draw.chance(0.4):
        ways.append(draw.pick(Read, Write)("db", **common))
    if draw.chance(0.3):
        miss = Read("db", **common)
        ways.append(Cached("hot", [miss], hit_ratio=50 * percent, timeout=100 * ms))
    get = [Endpoint("get", steps=[Work(constant(0.001))])]
    elements = [
        web(*ways, deployment=placed(draw)),
        Service("inner", runtime=ROOMY, deployment=placed(draw), endpoints=get),
        Service("spare", runtime=ROOMY, deployment=placed(draw), endpoints=get),
        MySQL(
            "db",
            read=constant(0.001),
            write=constant(0.001),
            copies=copies,
            zones=["a", "b", "c"][:copies],
            failover=draw.pick("automatic", "automatic", "none"),
        ),
        Redis("hot", read=constant(0.0001), copies=draw.whole(1, 2), zones=["a", "b"]),
    ]
    return system(elements, Deterministic(20 / s), critical=True)


def lost_for_good(model: System, fault: object) -> float:
    """The share of bad answers once everybody can have noticed."""
    return 1 - good(run(model, fault, seconds=120, warmup=80))


def zones_lost(draw: Draw) -> Case:
    def worst(model: System) -> float:
        zones = {zone for service in model.services for zone in service.deployment.zones}
        return max(lost_for_good(model, ZoneLoss(z, start=0 * s)) for z in sorted(zones))

    return Case(critical(draw), worst)


def single(draw: Draw) -> Case:
    """Each service loses one replica; datastores are rule DAT001's."""
    model = critical(draw)
    no_store = [step for step in model.services[0].endpoints[0].steps if isinstance(step, Call)]
    first = model.services[0]
    first = replace(first, endpoints=[Endpoint("go", steps=no_store)])
    model = replace(model, elements=[first, *model.services[1:]])

    def worst(drawn: System) -> float:
        names = [service.name for service in drawn.services]
        asked = {str(step.target) for step in no_store} | {"web"}
        if any(step.fallback and step.fallback.target for step in no_store):
            asked.add("spare")
        return max(lost_for_good(drawn, Kill(name, start=0 * s)) for name in names if name in asked)

    return Case(model, worst)


def outside(draw: Draw) -> Case:
    """The party outside is down, and with it a fallback that asks the same."""
    instead = draw.pick(
        {},
        {"fallback": Fallback("static")},
        {"fallback": Fallback("call", target="bank")},
        {"fallback": Fallback("call", target="spare")},
        {"optional": True},
    )
    ask: Step = Call("bank", timeout=50 * ms, retry=draw.pick(NONE, Retry(attempts=2)), **instead)
    if draw.chance(0.3):
        ask = Call("inner", timeout=500 * ms, retry=NONE, **soft(draw))
    inner = Endpoint("get", steps=[Call("bank", timeout=50 * ms, retry=NONE, **instead)])
    get = [Endpoint("get", steps=[Work(constant(0.001))])]
    clients = [Client(timeout=50 * ms)]
    elements = [
        web(ask, clients=clients),
        Service("inner", runtime=ROOMY, clients=clients, endpoints=[inner]),
        Service("spare", runtime=ROOMY, endpoints=get),
        External("bank", latency=constant(0.005)),
    ]

    def down(model: System) -> float:
        return 1 - good(run(model, failing("bank"), seconds=30, warmup=0))

    return Case(system(elements, Deterministic(20 / s), critical=True), down)


def waiting_room(draw: Draw) -> Case:
    """Three times what a service can do: how much longer its queue is after twice the time."""
    queue = draw.pick(NONE, NONE, 0, 10, 100)
    kind = draw.pick("blocking", "lightweight")
    runtime = CustomRuntime(concurrency=kind, threads=5, parallelism=5, accept_queue=queue)
    shedding = draw.pick(None, None, LoadShedding(max_utilisation=80 * percent))
    served = web(Work(constant(0.05)), runtime=runtime, shedding=shedding)
    full = system([served], 300)

    def grows(_: System) -> float:
        waiting = [
            run(full, seconds=length, warmup=length - 1).resource("web").waiting
            for length in (30, 60)
        ]
        return waiting[1] / max(waiting[0], 1.0) - 1

    return Case(system([served], 20), grows)


def flooded(draw: Draw) -> Case:
    """One client in a loop: what is let in of a thousand a second."""
    per = draw.pick("service", "client", "replica")
    limit = draw.pick(NONE, RateLimit(20 / s, burst=20, per=per))
    entry = Endpoint("go", steps=[Work(constant(0.0001))], public=True, rate_limit=limit)
    served = Service("web", runtime=ROOMY, endpoints=[entry], deployment=Kubernetes(replicas=2))
    base = system([served], 1000)
    load = replace(base.scenarios[0].load[0], clients=1)
    model = replace(
        base,
        journeys=[replace(base.journeys[0], public=True)],
        scenarios=[replace(base.scenarios[0], load=[load])],
    )

    def let_in(drawn: System) -> float:
        (found,) = run(drawn, seconds=60, warmup=10).journeys
        return found.ok / found.finished

    return Case(model, let_in)


OPINIONS = [
    Opinion("RES013", "bad answers while any zone is lost", zones_lost, 0.01, 0.1, "the start"),
    Opinion("RES012", "bad answers while one replica is lost", single, 0.01, 0.1, "the start"),
    Opinion("RES026", "bad answers while the party is down", outside, 0.01, 0.9, "none"),
    Opinion(
        "RES017",
        "growth of the queue in twice the time",
        waiting_room,
        0.2,
        0.6,
        "the mean of a second",
    ),
    Opinion(
        "RES019", "how much of a flood is let in", flooded, 0.2, 0.8, "both limits of two replicas"
    ),
]
