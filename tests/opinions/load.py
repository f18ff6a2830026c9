"""Rules about load: what is full, what grows, what waits."""

from __future__ import annotations

import math
from dataclasses import replace

from opinions.common import (
    FULL,
    NONE,
    ROOMY,
    Case,
    Draw,
    Opinion,
    constant,
    pressure,
    run,
    system,
    web,
)

from archcheck import (
    Autoscale,
    Bulkhead,
    Cached,
    Call,
    Consumer,
    CustomRuntime,
    Deterministic,
    Endpoint,
    External,
    Kill,
    Kubernetes,
    MySQL,
    Parallel,
    Pool,
    Probe,
    Publish,
    Queue,
    RateLimit,
    RateStep,
    Read,
    Recreate,
    Redis,
    Release,
    Repeat,
    Resources,
    RollingUpdate,
    Service,
    ShardKey,
    Slo,
    Step,
    Stepped,
    System,
    Topic,
    Wait,
    WithProbability,
    Work,
    Write,
    ZoneLoss,
)
from archcheck.units import cores, ms, percent, s

ALL = 0.8
"""The limit of the rules for what may be busy."""
NEAR = {"calm": ALL * 0.96, "broken": ALL * 1.04, "tolerance": "a minute's mean strays by 4%"}


def blocking(threads: int) -> CustomRuntime:
    return CustomRuntime(concurrency="blocking", threads=threads, accept_queue=NONE)


def held(draw: Draw) -> tuple[list[Step], float]:
    """Steps that hold a thread, and for how long, in seconds."""
    first = draw.pick(5, 10, 20) / 1000
    asked = Call("bank", timeout=draw.pick(None, 2 * s), retry=NONE)
    ways: list[tuple[list[Step], float]] = [
        ([Work(constant(first))], first),
        ([Work(constant(first)), asked], first + 0.05),
        ([Wait(constant(first)), asked], first + 0.05),
        ([Work(constant(first)), Repeat(2, [asked])], first + 0.1),
        ([Parallel([asked, asked])], 0.05),
        ([Work(constant(first)), WithProbability(50 * percent, [asked])], first + 0.025),
        ([Call("inner.get", timeout=2 * s, retry=NONE), asked], 0.08),
        ([Call("quick", timeout=20 * ms, retry=NONE, optional=True)], 0.02),
        (
            [Call("bank", timeout=1 * s, bulkhead=Bulkhead(500)), Work(constant(first))],
            first + 0.05,
        ),
    ]
    return draw.pick(*ways)


def others() -> list[object]:
    inner = Endpoint("get", steps=[Work(constant(0.03))])
    return [
        External("bank", latency=constant(0.05)),
        External("quick", latency=constant(0.5)),
        Service("inner", runtime=ROOMY, deployment=spread(3, 3), endpoints=[inner]),
    ]


def threads(draw: Draw) -> Case:
    count, replicas = draw.whole(2, 12), draw.whole(1, 3)
    steps, seconds = held(draw)
    rate = draw.around(count * replicas / seconds)
    served = web(*steps, runtime=blocking(count), deployment=Kubernetes(replicas=replicas))
    return Case(system([served, *others()], rate), lambda s: pressure(run(s, seconds=120), "web"))


def consumers(draw: Draw) -> Case:
    replicas, slots, partitions = draw.whole(1, 3), draw.whole(1, 3), draw.pick(1, 2, 4, 12)
    is_queue, times = draw.chance(0.4), draw.pick(1, 1, 2)
    channel = Queue("placed") if is_queue else Topic("placed", partitions=partitions)
    steps, seconds = held(draw)
    most = replicas * slots if is_queue else min(replicas * slots, partitions)
    rate = draw.around(most / seconds / times)
    mails = Service(
        "mails",
        runtime=ROOMY,
        deployment=Kubernetes(replicas=replicas),
        consumers=[Consumer("placed", concurrency=slots, steps=steps)],
    )
    sent = [Publish("placed")] * times
    return Case(
        system([web(*sent), channel, mails, *others()], Deterministic(rate / s)),
        lambda s: pressure(run(s, seconds=300), "mails.consume"),
    )


def queries(draw: Draw) -> Case:
    """Writes and fresh reads to the primary, stale reads to the copies."""
    shards, copies, parallelism = draw.pick(1, 1, 2, 4), draw.whole(1, 3), draw.pick(1, 2, 4)
    read, write = draw.pick(2, 5) / 1000, draw.pick(2, 8) / 1000
    stale = draw.pick(None, False, True)
    reads, writes = draw.pick(0, 1, 3), draw.pick(0, 1)
    steps: list[Step] = [Read("db", stale=stale)] * reads + [Write("db")] * writes
    busy = max(read * reads, write * writes, 0.002)
    db = MySQL(
        "db",
        read=constant(read),
        write=constant(write),
        shards=shards,
        shard_key="id" if shards > 1 else None,
        copies=copies,
        parallelism=parallelism,
        max_connections=100_000,
    )
    if not steps:
        steps = [Cached("hot", [Read("db")], hit_ratio=50 * percent)]
        busy = read / 2
    hot = Redis("hot", read=constant(0.0001))
    rate = draw.around(shards * parallelism / busy)
    return Case(
        system([web(*steps), db, hot], rate),
        lambda s: pressure(run(s, seconds=40), "db", "db replicas"),
    )


def skewed(draw: Draw) -> Case:
    shards, skew, keys = draw.pick(2, 4, 8), draw.pick(0.0, 0.5, 1.0, 2.0), draw.pick(100, 1000)
    weights = [rank**-skew for rank in range(1, keys + 1)]
    first = weights[0] / sum(weights)
    hottest = first + (1 - first) / shards
    rate = draw.around(ALL / 0.005 / hottest)
    key = ShardKey(name="tenant", skew=skew, cardinality=keys)
    db = MySQL("db", write=constant(0.005), shards=shards, shard_key=key, parallelism=1)

    def busiest(model: System) -> float:
        return run(model, seconds=40).resource("db").busiest

    return Case(system([web(Write("db")), db], rate), busiest)


READY = Probe("http", period=1 * s, failure_threshold=1)


def spread(replicas: int, zones: int, **others: object) -> Kubernetes:
    names = ["a", "b", "c", "d"][:zones]
    return Kubernetes(replicas=replicas, zones=names, readiness=READY, **others)  # type: ignore[arg-type]


def zone_loads(model: System, *names: str) -> float:
    """The highest pressure, with all zones and with any one of them lost."""
    zones = sorted({z for service in model.services for z in service.deployment.zones})
    calm = [pressure(run(model, seconds=120), *names)]
    if len(zones) < 2:
        return calm[0]
    lost = [ZoneLoss(zone) for zone in zones]
    return max(calm + [pressure(run(model, fault, seconds=120), *names) for fault in lost])


def utilised(draw: Draw) -> Case:
    count, replicas, zones = draw.whole(3, 8), draw.whole(3, 7), draw.whole(1, 3)
    steps, seconds = held(draw)
    left = replicas - math.ceil(replicas / zones) if zones > 1 else replicas
    rate = draw.around(ALL * count * left / seconds)
    served = web(*steps, runtime=blocking(count), deployment=spread(replicas, zones))
    return Case(system([served, *others()], rate), lambda s: zone_loads(s, "web"))


def autoscaled(draw: Draw) -> Case:
    count, most, zones = draw.whole(3, 8), draw.whole(3, 7), draw.whole(2, 3)
    steps, seconds = held(draw)
    rate = draw.around(count * (most - math.ceil(most / zones)) / seconds)
    runtime = blocking(count)
    scale = Autoscale(min=1, max=most, target_cpu=60 * percent)
    up = Kubernetes(autoscale=scale, zones=["a", "b", "c"][:zones], readiness=READY)
    served = web(*steps, runtime=runtime, deployment=up)
    full = web(*steps, runtime=runtime, deployment=spread(most, zones))

    def lost(_: System) -> float:
        scaled = system([full, *others()], rate)
        return max(pressure(run(scaled, ZoneLoss(zone), seconds=120), "web") for zone in up.zones)

    return Case(system([served, *others()], rate), lost)


def limited_calls(draw: Draw) -> Case:
    """A bulkhead, or a pool, of each replica: what is lost or waits beyond what must be."""
    size, replicas = draw.whole(3, 15), draw.whole(1, 3)
    seconds = draw.pick(20, 50) / 1000
    rate = draw.around(size * replicas / seconds)
    up = Kubernetes(replicas=replicas)
    db = MySQL("db", read=constant(seconds), parallelism=1000, max_connections=5000)
    bank = External("bank", latency=constant(seconds))
    if draw.chance(0.5):
        served = web(Read("db"), pools=[Pool("db", size)], deployment=up)
        return Case(
            system([served, db], rate), lambda s: pressure(run(s, seconds=120), "web -> db")
        )
    asked = Call("bank", bulkhead=Bulkhead(size), retry=NONE, timeout=2 * s)
    served = web(asked, deployment=up)

    free = replace(asked, bulkhead=Bulkhead(1000))
    unlimited = system([web(free, deployment=up), bank], rate)

    def needed(_: System) -> float:
        """Calls in progress where nothing limits them, over what the bulkhead holds."""
        return run(unlimited, seconds=120).resource("web -> bank").busy / replicas / size

    return Case(system([served, bank], rate), needed)


def admitted(draw: Draw) -> Case:
    """All that an endpoint's limit lets through, asked for."""
    count, replicas = draw.whole(2, 8), draw.whole(1, 3)
    steps, seconds = held(draw)
    limit = draw.around(count * replicas / seconds)
    endpoint = Endpoint("go", steps=steps, rate_limit=RateLimit(limit / s))
    served = Service(
        "web",
        runtime=blocking(count),
        deployment=Kubernetes(replicas=replicas),
        endpoints=[endpoint],
    )
    free = replace(served, endpoints=[replace(endpoint, rate_limit=None)])
    full = system([free, *others()], limit)
    return Case(
        system([served, *others()], limit / 10),
        lambda _: pressure(run(full, seconds=120)),
    )


def idle(draw: Draw) -> Case:
    count, replicas = draw.whole(3, 10), draw.whole(4, 8)
    steps, seconds = held(draw)
    rate = draw.around(0.1 * count * replicas / seconds)
    served = web(*steps, runtime=blocking(count), deployment=Kubernetes(replicas=replicas))

    def unused(model: System) -> float:
        """How often the floor fits into what is busy, upside down: above one is idle."""
        return 0.1 / max(run(model, seconds=60).resource("web").utilisation, 1e-6)

    return Case(system([served, *others()], rate), unused)


def headroom(draw: Draw) -> Case:
    count, replicas = draw.whole(2, 8), draw.whole(1, 3)
    steps, seconds = held(draw)
    rate = draw.around(count * replicas / seconds / 2)
    served = web(*steps, runtime=blocking(count), deployment=Kubernetes(replicas=replicas))
    twice = system([served, *others()], 2 * rate)
    return Case(system([served, *others()], rate), lambda _: pressure(run(twice, seconds=120)))


def throttled(draw: Draw) -> Case:
    limit = draw.pick(0.1, 0.2, 0.5, 0.8, 1.0, 2.0)
    work = draw.around(limit * 0.1)
    asleep = draw.pick([], [Work(constant(0.05), blocking=True)], [Wait(constant(0.1))])
    split = draw.chance(0.3)
    works = [Work(constant(work / 2)), *asleep, Work(constant(work / 2))]
    steps = works if split else [Work(constant(work)), *asleep]
    resources = Resources(cpu=limit * cores, cpu_limit=limit * cores)
    served = web(
        *steps,
        runtime=draw.pick(ROOMY, blocking(10)),
        deployment=Kubernetes(replicas=1, resources=resources),
    )
    alone = system([served], Deterministic(0.4937 / s))  # at another moment of a period each time

    def stands_still(_: System) -> float:
        """Seconds more than its steps that a request takes, alone, over a tenth of the work."""
        alone_takes = run(alone, seconds=60, warmup=0).journeys[0].latency.mean
        given = sum(float(step.time.value) for step in steps)
        return (alone_takes - given) / work

    return Case(alone, stands_still, "computing that waits interrupt" if split and asleep else "")


def cold(draw: Draw) -> Case:
    parallelism, seconds = draw.whole(2, 8), draw.pick(5, 10) / 1000
    hits = draw.pick(0.5, 0.9, 0.99)
    rate = draw.around(parallelism / seconds)
    rate = min(rate, 0.9 * parallelism / seconds / (1 - hits))
    ask = Cached("hot", [Read("db", timeout=NONE)], hit_ratio=hits * 100 * percent)
    miss = Cached("hot", [Read("db", timeout=NONE)], hit_ratio=0 * percent)
    db = MySQL("db", read=constant(seconds), parallelism=parallelism, max_connections=10_000)
    hot = Redis("hot", read=constant(0.0001))
    empty = system([web(miss), db, hot], rate)
    return Case(system([web(ask), db, hot], rate), lambda _: pressure(run(empty, seconds=40), "db"))


def bare_times(draw: Draw) -> Case:
    steps, seconds = held(draw)
    bound = draw.around(seconds)
    slo = Slo(p99=bound * s)
    model = system([web(*steps), *others()], 2, slo=slo)

    def over(drawn: System) -> float:
        return run(drawn, seconds=600, warmup=0).journeys[0].latency.mean / bound

    return Case(model, over)


def slow_branches(draw: Draw) -> Case:
    """Branches with exponential times: how many requests are late, over the share allowed."""
    count, mean = draw.whole(2, 12), draw.pick(5, 10, 20) / 1000
    critical = -mean * math.log(1 - 0.99 ** (1 / count))
    bound = draw.around(critical)
    bank = External("bank", latency=mean * s)
    steps: list[Step] = [Parallel([Call("bank")] * count)]
    if draw.chance(0.3):
        steps = [Work(constant(0.001)), *steps]
    model = system([web(*steps), bank], 50, slo=Slo(p99=bound * s))

    def late(drawn: System) -> float:
        return run(drawn, seconds=600, warmup=0).journeys[0].latency.p99 / bound

    return Case(model, late)


def drained(draw: Draw) -> Case:
    """A consumer that was down: how long its topic takes to be empty, over what it promises."""
    slots, seconds = draw.whole(1, 4), 0.5
    busy = draw.pick(0.3, 0.5, 0.7)
    rate = slots / seconds * busy
    outage = 300.0
    takes = rate * outage / (slots / seconds - rate)
    freshness = draw.around(takes)
    mails = Service(
        "mails",
        runtime=ROOMY,
        deployment=Kubernetes(replicas=1),
        consumers=[
            Consumer(
                "placed",
                concurrency=slots,
                freshness=freshness * s,
                steps=[Work(constant(seconds))],
            )
        ],
    )
    model = system([web(Publish("placed")), Queue("placed"), mails], Deterministic(rate / s))

    def until_empty(drawn: System) -> float:
        length = outage + 3 * takes
        down = Kill("mails", start=0 * s, end=outage * s)
        result = run(drawn, down, seconds=length, warmup=0)
        waiting = result.waiting_series["mails.consume"]
        bucket = length / len(waiting)
        last = max((at for at, count in enumerate(waiting) if count > 1), default=0)
        return ((last + 1) * bucket - outage) / freshness

    return Case(model, until_empty)


def promised(draw: Draw) -> Case:
    """A percentile that is promised, against runs with other seeds than the rule's own."""
    count = draw.whole(1, 4)
    mean = 0.01
    busy = draw.pick(0.3, 0.6, 0.8)
    free = Kubernetes(replicas=1, resources=Resources(cpu_limit=NONE))
    served = web(Work(mean * s), runtime=blocking(count), deployment=free)
    rate = busy * count / mean
    calm = run(system([served], rate), seconds=300).journeys[0].latency.p95
    bound = draw.around(calm)
    model = system([served], rate, slo=Slo(p95=bound * s))

    def missed(drawn: System) -> float:
        return run(drawn, seconds=600, seed=99).journeys[0].latency.p95 / bound

    return Case(model, missed)


def scaling(draw: Draw) -> Case:
    """A load that rises at once while new replicas start: how much of it waits."""
    target, start = draw.pick(50, 70, 90), draw.pick(5, 30)
    seconds, cpus = 0.05, 4
    first = draw.pick(80, 200, 400)
    factor = draw.random.uniform(1.1, 3.0)
    least = draw.pick(1, 3, 8)
    scale = Autoscale(min=least, max=40, target_cpu=target * percent, start_up=start * s)
    up = Kubernetes(autoscale=scale, resources=Resources(cpu=cpus * cores), readiness=READY)
    runtime = CustomRuntime(concurrency="lightweight", parallelism=cpus, accept_queue=NONE)
    served = web(Work(constant(seconds)), runtime=runtime, deployment=up)
    rise = Stepped([RateStep(first / s, 1200 * s), RateStep(first * factor / s, 300 * s)])

    def waits(drawn: System) -> float:
        """The longest queue after the rise, in seconds of what comes."""
        waiting = run(drawn, seconds=1500, warmup=0).waiting_series["web"]
        return max(waiting[48:]) / (first * factor)

    needed = first * seconds / cpus / (target / 100)
    kept = math.ceil(needed)
    is_near = needed / (kept + 1) > 0.88 or math.ceil(needed * 1.15) > kept  # its usage is noisy
    margin = "it may keep a replica more" if is_near else ""
    return Case(system([served], rise), waits, margin)


def released(draw: Draw) -> Case:
    count, replicas = draw.whole(3, 8), draw.whole(2, 8)
    steps, seconds = held(draw)
    away = draw.pick(None, 0, 1, 2, 50 * percent)
    rollout = None if away is None else RollingUpdate(max_surge=1, max_unavailable=away)
    if draw.chance(0.2):
        rollout = Recreate()
    missing = (rollout or RollingUpdate()).unavailable(replicas)
    rate = draw.around(count * max(replicas - missing, 1) / seconds)
    rate = min(rate, 0.95 * count * replicas / seconds)
    up = Kubernetes(replicas=replicas, rollout=rollout, readiness=READY)
    served = web(*steps, runtime=blocking(count), deployment=up)
    model = system([served, *others()], Deterministic(rate / s))

    def left(drawn: System) -> float:
        """What comes over what the fewest replicas of a release serve."""
        result = run(drawn, Release("web", start=20 * s), seconds=120, warmup=0)
        fewest = min(result.servers_series["web"][5:])
        return rate * seconds / max(fewest, 1e-6)

    return Case(model, left)


def chatty(draw: Draw) -> Case:
    below, outer = draw.whole(1, 4), draw.whole(3, 20)
    ask: list[Step] = [Call(f"inner{n % 5}") for n in range(outer)]  # few to each: BND010
    if draw.chance(0.3):
        ask = [WithProbability(50 * percent, ask), *ask]
    reads = [Read("db") for _ in range(below)]
    if draw.chance(0.3):
        reads = [Cached("hot", reads, hit_ratio=50 * percent)]
    inner = Endpoint("get", steps=reads)
    members = [
        web(*ask),
        *[Service(f"inner{n}", runtime=ROOMY, endpoints=[inner]) for n in range(5)],
        MySQL("db", read=constant(0.0001), parallelism=1000, max_connections=5000),
        Redis("hot", read=constant(0.00001)),
    ]

    def calls(drawn: System) -> float:
        """Calls and queries of each journey, over the thirty that the rule allows."""
        result = run(drawn, seconds=60, warmup=0)
        asked = sum(call.calls for call in result.calls if not call.name.startswith("use"))
        return asked / result.journeys[0].started / 30

    return Case(system(members, 10), calls)


OPINIONS = [
    Opinion("PRF003", "p95 of a long run over the promise", promised, 0.93, 1.07, "two runs"),
    Opinion(
        "DEP006",
        "seconds of load that wait after it rises",
        scaling,
        0.1,
        2.0,
        "steps of the autoscaler",
    ),
    Opinion(
        "DEP007",
        "what comes over what the fewest replicas serve",
        released,
        0.999,
        1.02,
        "the mean of two seconds",
    ),
    Opinion("PRF012", "calls of each journey over the limit", chatty, 0.98, 1.02, "600 journeys"),
    Opinion("TEC002", "threads busy, or requests over what they serve", threads, **FULL),
    Opinion("PRF008", "consumers busy, or messages over what they take", consumers, **FULL),
    Opinion("DAT002", "queries at a time of the database", queries, **FULL),
    Opinion(
        "DAT004",
        "how busy the hottest shard is",
        skewed,
        ALL * 0.75,
        ALL * 1.2,
        "a run has one of many placements of the keys",
    ),
    Opinion("PRF001", "how busy, in all zones and with one lost", utilised, **NEAR),
    Opinion("DEP005", "how busy at the largest scale with a zone lost", autoscaled, **FULL),
    Opinion(
        "PRF004", "how full the pool is, calls in progress over the bulkhead", limited_calls, **FULL
    ),
    Opinion("PRF005", "what is full when all comes that the limit lets in", admitted, **FULL),
    Opinion("PRF009", "how little is busy", idle, 0.95, 1.05, "a minute's mean strays by 5%"),
    Opinion("PRF010", "what is full at twice the load", headroom, **FULL),
    Opinion("DEP015", "time for which a request stands still", throttled, 1e-6, 1e-3, "rounding"),
    Opinion("RES024", "queries at a time when each request misses", cold, **FULL),
    Opinion(
        "PRF002",
        "mean latency of an idle system over the objective",
        bare_times,
        0.94,
        1.06,
        "shares of 1,200 requests",
    ),
    Opinion(
        "PRF006",
        "p99 of an idle system over the objective",
        slow_branches,
        0.95,
        1.05,
        "a p99 of 30,000 requests",
    ),
    Opinion(
        "PRF011",
        "time until the topic is empty over its freshness",
        drained,
        0.93,
        1.07,
        "a sixtieth of the run",
    ),
]
