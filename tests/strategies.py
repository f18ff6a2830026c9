"""Hypothesis strategies: quantities, and whole systems that hang together."""

from __future__ import annotations

from hypothesis import strategies as st

from archcheck import (
    Absent,
    Autoscale,
    Bulkhead,
    Burst,
    Cached,
    Call,
    CircuitBreaker,
    Closed,
    Constant,
    Consumer,
    CustomRuntime,
    CutLink,
    Docker,
    Endpoint,
    Errors,
    Fallback,
    Fault,
    FlushCache,
    Gamma,
    Go,
    Grpc,
    Hedge,
    Http1,
    Journey,
    Kafka,
    KeySpace,
    Kill,
    Kubernetes,
    Load,
    LoadShedding,
    LocalCache,
    Lognormal,
    Mmpp,
    MySQL,
    Named,
    Network,
    NodeJs,
    Parallel,
    Poisson,
    Pool,
    Probe,
    Publish,
    Queue,
    RateLimit,
    Read,
    Redis,
    Release,
    Repeat,
    Retry,
    RetryBudget,
    Scenario,
    Service,
    Slo,
    Slow,
    SpringBoot,
    Step,
    System,
    Topic,
    WithProbability,
    Work,
    Write,
    ZoneLoss,
)
from archcheck.units import Duration, Fraction, ms, percent, s

durations = st.floats(1e-6, 10.0).map(Duration)
probabilities = st.floats(0.0, 1.0).map(Fraction)
short_times = st.one_of(
    st.floats(1e-4, 0.02).map(Duration),
    st.floats(1e-4, 0.02).map(lambda x: Constant(Duration(x))),
    st.floats(1e-4, 0.02).map(lambda x: Lognormal(Duration(x), Duration(x * 4))),
    st.floats(1e-4, 0.02).map(lambda x: Gamma(Duration(x), 2.5)),
)
timeouts = st.one_of(
    st.none(), st.floats(0.005, 0.2).map(Duration), st.just(Absent("the mesh does it"))
)
retries = st.one_of(
    st.none(),
    st.builds(
        Retry,
        attempts=st.integers(1, 3),
        backoff=st.one_of(st.none(), st.just(5 * ms)),
        jitter=st.one_of(st.none(), st.booleans()),
        on=st.sampled_from([("timeout", "rejected", "failed"), ("timeout", "broken")]),
        budget=st.sampled_from([None, RetryBudget(10 * percent, minimum=1 / s)]),
    ),
)
breakers = st.one_of(
    st.none(),
    st.builds(
        CircuitBreaker,
        failure_rate=st.sampled_from([20 * percent, 50 * percent]),
        window=st.sampled_from([5, 20, 2 * s]),
        minimum_calls=st.just(5),
        open_for=st.sampled_from([None, 200 * ms]),
        half_open_calls=st.integers(1, 3),
        slow_call=st.sampled_from([None, 5 * ms]),
        slow_call_rate=st.just(50 * percent),
    ),
)
bulkheads = st.one_of(
    st.none(),
    st.builds(Bulkhead, max_concurrent=st.integers(1, 5), max_wait=st.sampled_from([None, 5 * ms])),
)
rate_limits = st.one_of(
    st.none(),
    st.builds(
        RateLimit,
        rate=st.floats(5, 200).map(lambda rate: rate / s),
        burst=st.sampled_from([None, 1, 10]),
        per=st.sampled_from(["replica", "service", "client"]),
    ),
)
hedges = st.one_of(
    st.none(), st.builds(Hedge, after=st.just(3 * ms), max_attempts=st.integers(2, 3))
)
runtimes = st.one_of(
    st.none(),
    st.builds(SpringBoot, threads=st.integers(1, 8), accept_queue=st.integers(0, 20)),
    st.builds(Go, parallelism=st.integers(1, 4)),
    st.just(NodeJs(accept_queue=50)),
    st.builds(
        CustomRuntime,
        concurrency=st.sampled_from(["blocking", "event_loop", "lightweight"]),
        threads=st.integers(1, 5),
        parallelism=st.integers(1, 5),
        scheduling=st.sampled_from([None, "fifo", "processor_sharing"]),
        accept_queue=st.sampled_from([None, 3]),
        deadline_propagation=st.sampled_from([None, True]),
    ),
)
deployments = st.one_of(
    st.none(),
    st.builds(Docker, replicas=st.integers(1, 3)),
    st.builds(
        Kubernetes,
        image=st.just("shop/x:1.0"),
        replicas=st.integers(1, 3),
        zones=st.sampled_from([(), ("a", "b")]),
        readiness=st.sampled_from([None, Probe("tcp", period=200 * ms, failure_threshold=1)]),
    ),
    st.builds(
        Kubernetes,
        image=st.just("shop/x:1.0"),
        autoscale=st.just(Autoscale(min=1, max=4, target_cpu=50 * percent, start_up=1 * s)),
    ),
)
shedding = st.sampled_from(
    [None, LoadShedding(max_utilisation=80 * percent, priorities=["gold", "bronze"])]
)


@st.composite
def steps_to(draw: st.DrawFn, callees: list[str], depth: int = 0) -> Step:
    """A step that may talk to ``callees``, the stores, and the topic."""
    leaves = [
        short_times.map(Work),
        st.builds(Read, target=st.just("db"), timeout=timeouts, optional=st.booleans()),
        st.builds(Write, target=st.just("db"), timeout=timeouts, retry=retries),
        st.builds(Publish, target=st.just("events")),
    ]
    if callees:
        leaves.append(
            st.builds(
                Call,
                target=st.sampled_from(callees),
                timeout=timeouts,
                retry=retries,
                optional=st.booleans(),
                breaker=breakers,
                bulkhead=bulkheads,
                rate_limit=rate_limits,
                hedge=hedges,
                balancing=st.sampled_from(
                    [None, "round_robin", "random", "least_outstanding", "power_of_two"]
                ),
                propagates_deadline=st.sampled_from([None, True, False]),
                fallback=st.sampled_from(
                    [None, Fallback("static"), Fallback("cache", target="cache")]
                ),
            )
        )
    if depth == 2:
        return draw(st.one_of(leaves))
    inner = st.lists(steps_to(callees, depth + 1), min_size=1, max_size=2)
    groups = [
        st.builds(Parallel, steps=inner),
        st.builds(WithProbability, probability=probabilities, steps=inner),
        st.builds(Repeat, times=st.integers(1, 3), steps=inner),
        st.builds(
            Cached,
            cache=st.just("cache"),
            steps=inner,
            hit_ratio=st.one_of(st.none(), probabilities),
        ),
        st.builds(
            Cached,
            cache=st.sampled_from(["cache", "local"]),
            steps=inner,
            keys=st.builds(KeySpace, count=st.integers(1, 50), skew=st.sampled_from([0.0, 1.0])),
        ),
    ]
    return draw(st.one_of(*leaves, *leaves, *groups))


@st.composite
def consumers_of(draw: st.DrawFn, topic: str, dead: str) -> list[Consumer]:
    """Consumers that work, or sometimes fail, with or without dead letters."""
    failing: list[Step] = [Work(1 * ms), Read("db", timeout=draw(st.sampled_from([None, 1 * ms])))]
    return [
        Consumer(
            topic,
            steps=draw(st.sampled_from([[Work(1 * ms)], failing])),
            concurrency=draw(st.sampled_from([None, 2])),
            max_deliveries=draw(st.sampled_from([None, 1, 3])),
            dead_letter=draw(st.sampled_from([None, dead])),
        ),
        Consumer(dead, name="bury", steps=[Work(1 * ms)]),
    ]


@st.composite
def faults(draw: st.DrawFn, names: list[str], end: float = 2.0) -> list[Fault]:
    """Up to four faults of any kind that begin within ``end`` seconds."""
    when = st.floats(0, end * 0.8)
    found: list[Fault] = []
    for _ in range(draw(st.integers(0, 4))):
        start = draw(when)
        window: dict[str, Duration] = {
            "start": Duration(start),
            "end": Duration(start + draw(st.floats(0.05, end * 0.2))),
        }
        name = draw(st.sampled_from(names))
        found.append(
            draw(
                st.sampled_from(
                    [
                        Slow(name, factor=5.0, **window),
                        Errors(name, rate=40 * percent, **window),
                        Kill(name, **window),
                        Burst(3.0, **window),
                        ZoneLoss("a", **window),
                        CutLink(name, draw(st.sampled_from([*names, "db"])), **window),
                        FlushCache("cache", **window),
                        Release(name, start_up=100 * ms, start=window["start"]),
                    ]
                )
            )
        )
    return found


@st.composite
def systems(draw: st.DrawFn) -> System:
    """Up to four services that call each other downwards, a database, a cache, a topic."""
    count = draw(st.integers(1, 4))
    elements: list[Named] = [
        MySQL("db", read=1 * ms, write=2 * ms, max_connections=draw(st.integers(1, 50))),
        Redis(
            "cache",
            read=0.1 * ms,
            ttl=draw(st.sampled_from([None, 500 * ms])),
            max_entries=draw(st.sampled_from([None, 10])),
            coalesced=draw(st.booleans()),
        ),
        LocalCache("local", ttl=300 * ms),
        Kafka("kafka", nodes=3),
        Topic("events", broker="kafka", partitions=draw(st.integers(1, 4))),
        Queue("dead", broker="kafka"),
    ]
    callees: list[str] = []
    for index in range(count):
        name = f"svc{index}"
        steps = draw(st.lists(steps_to(list(callees)), max_size=3))
        pools = [Pool("db", draw(st.integers(1, 10)))] if draw(st.booleans()) else []
        protocol = draw(st.sampled_from([None, Grpc(), Http1("GET", "/x", format="json")]))
        endpoint = Endpoint(
            "run",
            protocol,
            steps=steps,
            error_rate=draw(st.sampled_from([None, 5 * percent])),
            idempotent=draw(st.sampled_from([None, True, False])),
        )
        consumers = draw(consumers_of("events", "dead")) if index == 0 else []
        elements.append(
            Service(
                name,
                boundary=draw(st.sampled_from([None, "a", "b"])),
                owner=draw(st.sampled_from([None, "team"])),
                runtime=draw(runtimes),
                deployment=draw(deployments),
                endpoints=[endpoint],
                consumers=consumers,
                pools=pools,
                shedding=draw(shedding),
            )
        )
        callees.append(f"{name}.run")
    journey = Journey(
        "go",
        callees[-1],
        critical=draw(st.sampled_from([None, True])),
        slo=Slo(p99=draw(durations)),
        timeout=draw(st.sampled_from([None, 100 * ms])),
        priority=draw(st.sampled_from([None, "gold", "bronze"])),
    )
    arrivals = draw(
        st.one_of(
            st.floats(1.0, 150.0).map(lambda rate: Poisson(rate / s)),
            st.integers(1, 10).map(lambda users: Closed(users, think=50 * ms)),
            st.just(Mmpp(20 / s, 150 / s, calm_lasts=500 * ms, busy_lasts=200 * ms)),
        )
    )
    return System(
        "generated",
        elements,
        journeys=[journey],
        scenarios=[Scenario("load", load=[Load("go", arrivals)])],
        network=draw(st.sampled_from([None, Network(delay=0.2 * ms)])),
    )
