"""Rules about one call after another: waits, attempts, and who works for nobody."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import replace
from itertools import pairwise
from typing import Any

from differential.compare import Collected
from opinions.common import NONE, ROOMY, Case, Draw, Opinion, constant, good, run, system, web

from archcheck import (
    Absent,
    Bulkhead,
    Call,
    CircuitBreaker,
    Client,
    CustomRuntime,
    Deterministic,
    Endpoint,
    Errors,
    External,
    Fallback,
    Fault,
    Hedge,
    Journey,
    Kubernetes,
    Load,
    Mesh,
    MySQL,
    Poisson,
    Read,
    Repeat,
    Retry,
    RetryBudget,
    Scenario,
    Service,
    Slo,
    Slow,
    Step,
    System,
    Work,
    Write,
)
from archcheck.simulation.compiling import compile_plan
from archcheck.simulation.engines import fast
from archcheck.simulation.plan import Plan
from archcheck.simulation.results import SimulationResult
from archcheck.simulation.trace import Span, SpanKind
from archcheck.units import ms, percent, s

HUNG = 1e6
"""What hangs takes so many times as long."""


def hung(name: str, seconds: float = 1e6) -> Fault:
    return Slow(name, factor=HUNG, start=0 * s, end=seconds * s)


def failing(name: str, share: float = 1.0) -> Fault:
    return Errors(name, rate=share * 100 * percent, start=0 * s, end=1e6 * s)


def spans_of(model: System, *faults: Fault, seconds: float = 30.0) -> tuple[Plan, Sequence[Span]]:
    """Everything that happened, by name."""
    plan = compile_plan(model, replace(model.scenarios[0], faults=faults))
    tracer = Collected()
    fast.run(plan, seed=7, duration=seconds, warmup=0.0, tracer=tracer)
    return plan, tracer.spans


# -- timeouts --------------------------------------------------------------------------------------


AT_ONCE = Retry(attempts=2, backoff=0 * s)


def mesh(draw: Draw) -> Mesh | None:
    return draw.pick(
        None,
        None,
        Mesh("istio"),
        Mesh("istio", timeout=300 * ms),
        Mesh("istio", timeout=300 * ms, per_try_timeout=80 * ms, retry=AT_ONCE),
        Mesh("istio", retry=AT_ONCE, per_try_timeout=80 * ms),
    )


def unguarded(draw: Draw) -> Case:
    """What is asked hangs: does the one who asks hang with it?"""
    bound = draw.pick(None, None, NONE, 100 * ms, 1 * s)
    asks: list[tuple[Step, str]] = [
        (Call("bank", timeout=bound, retry=NONE), "bank"),
        (Read("db", timeout=bound, retry=NONE), "db"),
        (Write("db", timeout=bound), "db"),
        (Call("inner.get", timeout=bound, retry=draw.pick(NONE, Retry(attempts=2))), "inner"),
        (Call("bank", timeout=bound, hedge=Hedge(50 * ms)), "bank"),
        (Repeat(2, [Call("bank", timeout=bound, optional=True)]), "bank"),
        (
            Call("quick", timeout=50 * ms, retry=NONE, fallback=Fallback("call", target="bank")),
            "bank",
        ),
    ]
    step, asked = draw.pick(*asks)
    client = draw.pick([], [], [Client(timeout=200 * ms)], [Client("bank", timeout=200 * ms)])
    served = web(step, mesh=mesh(draw), clients=client)
    members = [
        served,
        External("bank", latency=constant(0.01)),
        External("quick", latency=constant(0.2)),
        MySQL("db", read=constant(0.01), write=constant(0.01), max_connections=5000),
        Service("inner", runtime=ROOMY, endpoints=[Endpoint("get", steps=[Work(constant(0.01))])]),
    ]

    def hangs(model: System) -> float:
        """The share of the requests of the first ten seconds that have no answer at the end."""
        result = run(model, hung(asked), seconds=60, warmup=0)
        (journey,) = result.journeys
        return journey.in_flight / journey.started

    return Case(system(members, Deterministic(2 / s)), hangs)


def worked(model: System, *faults: Fault) -> float:
    """The longest that ``orders`` works on a request, in seconds."""
    plan, spans = spans_of(model, *faults)
    return max(
        span.end - span.start
        for span in spans
        if span.kind == SpanKind.REQUEST and plan.operations[span.place].name == "orders.place"
    )


def impatient(draw: Draw) -> Case:
    """``web`` waits for ``orders``, which waits for what hangs: who gives up first?"""
    attempts, inner = draw.pick(1, 1, 2, 3), draw.pick(50, 100, 200)
    backoff = draw.pick(0, 20)
    is_read = draw.chance(0.3)
    on: tuple[Any, ...] = ("timeout", "rejected", "failed")
    if not is_read:  # a query may wait for a connection before it is rejected, and never fails late
        on = draw.pick(on, ("rejected",), ("failed",))
    below = draw.pick(None, None, mesh(draw)) if on != ("failed",) else None
    if on == ("rejected",):
        backoff = 0  # nothing rejects here, so that nobody waits before the attempt that lasts
    retry = Retry(attempts=attempts, backoff=backoff * ms, jitter=False, on=on)
    hedge = draw.pick(None, None, Hedge(30 * ms))
    tries = attempts if "timeout" in on else 1
    waits = sum(backoff * 2**n for n in range(tries - 1))
    longest = tries * (inner + (30 if hedge else 0)) + waits
    outer = draw.around(longest)
    ask: Step = (
        Read("db", timeout=inner * ms, retry=retry)
        if is_read
        else Call("bank", timeout=inner * ms, retry=retry, hedge=hedge)
    )
    if draw.chance(0.2):
        ask = Repeat(2, [ask])
    orders = Service(
        "orders", runtime=ROOMY, mesh=below, endpoints=[Endpoint("place", steps=[ask])]
    )
    call = Call("orders.place", timeout=outer * ms, retry=NONE)
    members = [
        web(call),
        orders,
        External("bank", latency=constant(0.01)),
        MySQL("db", read=constant(0.01), max_connections=5000),
    ]

    def outlived(model: System) -> float:
        """Above one: what ``orders`` works on for longer than ``web`` waits, while all hangs."""
        late = failing_after(inner / 1000 - 1e-6)
        bank = Service("bank", runtime=ROOMY, endpoints=[late])
        failing_late = replace(model, elements=[*members[:2], bank, members[3], VOID])
        waits = [worked(model, hung("db" if is_read else "bank")), worked(failing_late)]
        return max(waits) / (outer / 1000)

    return Case(system(members, Deterministic(2 / s)), outlived)


# -- attempts --------------------------------------------------------------------------------------


def retries(draw: Draw) -> Retry | Absent:
    return draw.pick(
        NONE,
        Retry(attempts=2, backoff=10 * ms),
        Retry(attempts=3, backoff=10 * ms, jitter=True),
        Retry(attempts=3, backoff=10 * ms, on=["rejected"]),
        Retry(attempts=3, backoff=10 * ms, on=["timeout"]),
        Retry(attempts=2, backoff=10 * ms, on=["failed"]),
        Retry(attempts=1),
    )


def twice(draw: Draw) -> Case:
    """What is not idempotent must not be carried out twice, whoever repeats it."""
    is_safe = draw.pick(False, False, True)
    key = draw.pick(None, None, True)
    hedge = draw.pick(None, None, None, Hedge(50 * ms))
    call = Call(
        "pay.charge", timeout=100 * ms, retry=retries(draw), hedge=hedge, idempotency_key=key
    )
    through = draw.pick(None, None, Mesh("istio", retry=Retry(attempts=2), per_try_timeout=40 * ms))
    charge = Endpoint("charge", steps=[Work(constant(0.005)), Write("db")], idempotent=is_safe)
    members = [
        web(call, mesh=through),
        Service("pay", runtime=ROOMY, endpoints=[charge]),
        MySQL("db", write=constant(0.005), max_connections=5000),
    ]

    def repeated(model: System) -> float:
        """Charges for each call beyond the first, where a repetition is not recognised."""
        if is_safe or key:
            return 0.0
        worst = 0.0
        for fault in (hung("pay"), failing("pay")):
            result = run(model, fault, seconds=30, warmup=0)
            started = sum(o.started for o in result.operations if o.name == "pay.charge")
            worst = max(worst, started / result.journeys[0].started - 1)
        return worst

    return Case(system(members, Deterministic(5 / s)), repeated)


def pauses(model: System, name: str) -> list[list[float]]:
    """For each journey the waits between the attempts that one call makes while ``name`` fails."""
    plan, spans = spans_of(model, failing(name), seconds=20)
    by_root: dict[int, list[Span]] = defaultdict(list)
    for span in spans:
        if span.kind == SpanKind.ATTEMPT and plan.calls[span.place].name.endswith(f"-> {name}"):
            by_root[span.root].append(span)
    found = []
    for each in by_root.values():
        ordered = sorted(each, key=lambda span: span.start)
        found.append([b.start - a.end for a, b in pairwise(ordered)])
    whole = max(map(len, found), default=0)  # the last one is cut off by the end of the run
    return [waits for waits in found if waits and len(waits) == whole]


def retrying(draw: Draw, *waits: int) -> Retry:
    attempts = draw.pick(1, 2, 3, 4)
    return Retry(
        attempts=attempts,
        backoff=draw.pick(*waits) * ms,
        factor=draw.pick(1.0, 1.5, 2.0),
        jitter=draw.pick(False, True),
        max_backoff=draw.pick(None, None, 10 * ms, 100 * ms),
        on=draw.pick(("timeout", "rejected", "failed"), ("failed",)),
    )


def again(draw: Draw, *waits: int) -> System:
    bank = External("bank", latency=constant(0.005))
    asked = Call("bank", timeout=50 * ms, retry=retrying(draw, *waits))
    return system([web(asked), bank], Deterministic(10 / s))


def backing_off(draw: Draw) -> Case:
    def steady(model: System) -> float:
        """One where attempts follow without a wait, or mean waits that do not grow."""
        waits = pauses(model, "bank")
        if not waits:
            return 0.0
        means = [sum(each) / len(waits) for each in zip(*waits, strict=True)]
        if min(means) < 1e-6:
            return 1.0
        grows = all(b > a * 1.1 for a, b in pairwise(means))
        return 0.0 if grows else 1.0

    return Case(again(draw, 0, 10, 20), steady)


def in_step(draw: Draw) -> Case:
    def together(model: System) -> float:
        """One where all who failed wait equally long."""
        waits = [round(each[0], 9) for each in pauses(model, "bank")]
        return float(len(waits) > 1 and len(set(waits)) == 1)

    return Case(again(draw, 10, 20), together)  # no wait at all is rule RES005's


def layered(draw: Draw) -> System:
    """Services that each ask the next, and may try again, in the code or in the mesh."""
    names = ["web", "b", "c"][: draw.pick(2, 3)]
    members = [Service("last", runtime=ROOMY, endpoints=[Endpoint("go", idempotent=True)])]
    for name, below in zip(names, [*names[1:], "last"], strict=True):
        budget = draw.pick(None, None, None, RetryBudget(20 * percent))
        tried = Retry(attempts=draw.pick(2, 3, 4), backoff=1 * ms, jitter=True, budget=budget)
        step = Call(
            below,
            timeout=draw.random.uniform(150, 500) * ms,  # never two that are over at once
            retry=draw.pick(NONE, tried),
            optional=draw.chance(0.1),
            fallback=draw.pick(None, None, None, None, Fallback("static")),
        )
        through = draw.pick(
            None, None, None, Mesh("istio", retry=Retry(attempts=2, backoff=1 * ms))
        )
        endpoint = Endpoint("go", steps=[step], idempotent=True)
        members.append(Service(name, runtime=ROOMY, mesh=through, endpoints=[endpoint]))
    return system(members, Deterministic(5 / s))


DELAYS = (0.0, 0.045, 0.06, 0.095, 0.19, 0.39, 1000.0)
"""An element may fail at once, after a while, or never answer."""


def failing_after(seconds: float) -> Endpoint:
    """It gives up on something after so long, and fails for that reason."""
    if not seconds:
        return Endpoint("go", error_rate=100 * percent)
    return Endpoint("go", steps=[Call("void", timeout=seconds * s, retry=NONE)])


VOID = External("void", latency=constant(1e6))


def failed(model: System) -> Iterator[tuple[SimulationResult, str]]:
    """Runs in which one of the elements below the entry fails, in each of these ways."""
    for at, element in enumerate(model.elements):
        for delay in DELAYS if element.name != "web" else ():
            broken = replace(element, endpoints=[failing_after(delay)], mesh=None)
            others = [VOID, *model.elements[:at], broken, *model.elements[at + 1 :]]
            yield run(replace(model, elements=others), seconds=30, warmup=0), element.name


def amplified(draw: Draw) -> Case:
    model = layered(draw)

    def most(drawn: System) -> float:
        """Attempts on what fails for each journey, whichever it is, over the bound of ten."""
        return max(arrived(result, name) for result, name in failed(drawn)) / 10

    return Case(model, most)


def arrived(result: SimulationResult, name: str) -> float:
    """Requests that reach an element for each journey."""
    asked = {call.name: call for call in result.calls if f"-> {name}." in call.name}
    last = [each for at, each in asked.items() if f"{at} (mesh)" not in asked]
    sent = sum(call.calls + call.retries + call.hedges for call in last)
    return sent / result.journeys[0].started


def layers(draw: Draw) -> Case:
    model = layered(draw)

    def trying(drawn: System) -> float:
        """How many call sites of the path try again while something on it fails, less one."""
        trying_again = [
            sum(call.amplification > 1.001 for call in result.calls) for result, _ in failed(drawn)
        ]
        return max(trying_again) - 1

    has_mesh = any(service.mesh for service in model.services)
    return Case(model, trying, "the mesh stops trying when the code gives up" if has_mesh else "")


# -- breakers, bulkheads, fallbacks ----------------------------------------------------------------


BREAKER = CircuitBreaker(failure_rate=50 * percent, window=20, minimum_calls=10)


def broken_circuit(draw: Draw) -> Case:
    """A party of somebody else fails for minutes: is it asked as often as before?"""
    breaker = draw.pick(NONE, None, BREAKER)
    through = draw.pick(None, Mesh("istio"), Mesh("istio", outlier_detection=True))
    client = draw.pick([], [], [Client("bank", breaker=BREAKER)])
    instead = draw.chance(0.3)
    common = {"timeout": 50 * ms, "retry": NONE}
    asked: Step = (
        Call("ledger", breaker=BREAKER, fallback=Fallback("call", target="bank"), **common)
        if instead
        else Call("bank", breaker=breaker, **common)
    )
    twice = Kubernetes(replicas=2)  # a mesh ejects instances, which an External does not have
    get = Endpoint("get", steps=[Work(constant(0.001))])
    members = [
        web(asked, mesh=through, clients=client, boundary="shop"),
        Service("ledger", runtime=ROOMY, boundary="shop", endpoints=[get]),
        Service("bank", runtime=ROOMY, boundary="money", deployment=twice, endpoints=[get]),
    ]

    def still_asked(model: System) -> float:
        """The share of the journeys that reach a party that fails all the time."""
        faults = [failing("bank"), *([failing("ledger")] if instead else [])]
        result = run(model, *faults, seconds=200, warmup=50)
        reached = result.operation("bank.get").started
        return reached / result.journeys[0].started

    ejects = through is not None and through.outlier_detection
    margin = "When all instances fail, calls go on." if ejects else ""
    return Case(system(members, Deterministic(5 / s)), still_asked, margin)


def slow_to_open(draw: Draw) -> Case:
    replicas, minimum = draw.whole(1, 3), draw.pick(5, 20, 50)
    window, seconds = draw.pick((10 * s, 10), (30 * s, 30), (100, 60), (10, 60))
    needed = minimum if seconds < 60 else min(minimum, window)
    seen = draw.pick(needed * draw.random.uniform(0.3, 0.9) - 1.5, needed * 1.1 + 1.5)
    rate = max(seen, 0.5) / seconds * replicas
    breaker = CircuitBreaker(failure_rate=50 * percent, window=window, minimum_calls=minimum)
    asked = Call("bank", timeout=200 * ms, retry=NONE, breaker=breaker)
    members = [
        web(asked, deployment=Kubernetes(replicas=replicas)),
        External("bank", latency=constant(0.005)),
    ]

    def never(model: System) -> float:
        """Breakers that stay closed in a minute in which all fails, of those that there are."""
        result = run(model, failing("bank"), seconds=62, warmup=0)
        opened = sum(n for name, n in result.counts.items() if "open" in name)
        return 1 - min(opened, replicas) / replicas

    return Case(system(members, Deterministic(rate / s)), never)


def without_bulkhead(draw: Draw) -> Case:
    """One endpoint waits for what hangs; the other one shares its threads."""
    threads = draw.pick(10, 20)
    bulkhead = draw.pick(
        None,
        NONE,
        Bulkhead(threads // 2),
        Bulkhead(threads),
        Bulkhead(2 * threads),
        Bulkhead(threads // 2, max_wait=10 * s),
        Bulkhead(threads // 2, max_wait=50 * ms),
    )
    timeout = draw.pick(NONE, 30 * s)
    kind = draw.pick("blocking", "blocking", "lightweight")
    runtime = CustomRuntime(concurrency=kind, threads=threads, parallelism=1000, accept_queue=1000)
    asked = Call("bank", timeout=timeout, retry=NONE, bulkhead=bulkhead)
    served = Service(
        "web",
        runtime=runtime,
        deployment=Kubernetes(replicas=1),
        endpoints=[Endpoint("go", steps=[Work(constant(0.001))]), Endpoint("pay", steps=[asked])],
    )
    bank = External("bank", latency=constant(0.01))
    base = system([served, bank], 20, timeout=5 * s)
    model = replace(
        base,
        journeys=[Journey("use", "web.go", timeout=5 * s), Journey("pay", "web.pay")],
        scenarios=[
            Scenario("day", load=[Load("use", Poisson(20 / s)), Load("pay", Poisson(20 / s))])
        ],
    )

    def taken(drawn: System) -> float:
        """The share of the requests that never need the bank, and fail while it hangs."""
        result = run(drawn, hung("bank"), seconds=120, warmup=60)
        journey = result.journey("use")
        return 1 - journey.ok / max(journey.finished, 1)

    return Case(model, taken)


def promised(draw: Draw) -> Case:
    """Errors that parties make by themselves, and what is promised all the same."""
    share = draw.pick(1, 5, 10) / 100
    attempts = draw.pick(1, 1, 2)
    retry = Retry(attempts=attempts, backoff=1 * ms) if attempts > 1 else NONE
    times = draw.pick(1, 2, 3)
    rate = share**attempts
    lost = 1 - (1 - rate) ** times
    fallback = draw.pick(None, None, None, Fallback("static"))
    calls = [Call("bank", timeout=1 * s, retry=retry, fallback=fallback)] * times
    bank = External(
        "bank",
        latency=constant(0.005),
        error_rate=share * 100 * percent,
        availability=100 * percent,
    )
    bound = draw.around(lost)
    always = Kubernetes(replicas=2, availability=100 * percent)
    model = system(
        [web(*calls, deployment=always), bank],
        100,
        slo=Slo(availability=(1 - bound) * 100 * percent),
    )

    def missed(drawn: System) -> float:
        """Failures over those that the promise allows."""
        return (1 - good(run(drawn, seconds=600, warmup=0))) / bound

    return Case(model, missed)


OPINIONS = [
    Opinion("RES001", "requests that hang with what they ask", unguarded, 0.2, 0.8, "none"),
    Opinion(
        "RES002",
        "how long the callee works, over the caller's wait",
        impatient,
        0.999,
        1.001,
        "rounding",
    ),
    Opinion("RES004", "charges for each call beyond the first", twice, 0.01, 0.5, "none"),
    Opinion("RES005", "whether waits grow", backing_off, 0.1, 0.9, "none"),
    Opinion("RES006", "whether all wait equally long", in_step, 0.1, 0.9, "none"),
    Opinion(
        "RES007",
        "attempts on what fails, over ten",
        amplified,
        0.5,
        1.001,
        "of all the moments at which something can fail, a run has six",
    ),
    Opinion("RES008", "layers that try again, less one", layers, 0.1, 0.9, "none"),
    Opinion(
        "RES009", "journeys that ask what fails", broken_circuit, 0.3, 0.7, "probes of a breaker"
    ),
    Opinion("RES010", "breakers that stay closed", slow_to_open, 0.1, 0.9, "one replica of three"),
    Opinion(
        "RES018", "others that fail while the bank hangs", without_bulkhead, 0.05, 0.3, "the start"
    ),
    Opinion("RES015", "failures over those promised", promised, 0.9, 1.1, "60,000 requests"),
]
