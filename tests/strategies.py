"""Hypothesis strategies: quantities, and whole systems that hang together."""

from __future__ import annotations

from hypothesis import strategies as st

from archcheck import (
    Absent,
    Cached,
    Call,
    CircuitBreaker,
    Closed,
    Constant,
    Consumer,
    CustomRuntime,
    Docker,
    Endpoint,
    Gamma,
    Go,
    Grpc,
    Http1,
    Journey,
    Kafka,
    Kubernetes,
    Load,
    Lognormal,
    MySQL,
    Named,
    Network,
    NodeJs,
    Parallel,
    Poisson,
    Pool,
    Publish,
    Read,
    Redis,
    Repeat,
    Retry,
    Scenario,
    Service,
    Slo,
    Sometimes,
    SpringBoot,
    Step,
    System,
    Topic,
    Work,
    Write,
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
    ),
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
    ),
)
deployments = st.one_of(
    st.none(),
    st.builds(Docker, replicas=st.integers(1, 3)),
    st.builds(Kubernetes, image=st.just("shop/x:1.0"), replicas=st.integers(1, 3)),
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
                breaker=st.one_of(st.none(), st.just(CircuitBreaker(failure_rate=50 * percent))),
            )
        )
    if depth == 2:
        return draw(st.one_of(leaves))
    inner = st.lists(steps_to(callees, depth + 1), min_size=1, max_size=2)
    groups = [
        st.builds(Parallel, steps=inner),
        st.builds(Sometimes, probability=probabilities, steps=inner),
        st.builds(Repeat, times=st.integers(1, 3), steps=inner),
        st.builds(
            Cached,
            cache=st.just("cache"),
            steps=inner,
            hit_ratio=st.one_of(st.none(), probabilities),
        ),
    ]
    return draw(st.one_of(*leaves, *leaves, *groups))


@st.composite
def systems(draw: st.DrawFn) -> System:
    """Up to four services that call each other downwards, a database, a cache, a topic."""
    count = draw(st.integers(1, 4))
    elements: list[Named] = [
        MySQL("db", read=1 * ms, write=2 * ms, max_connections=draw(st.integers(1, 50))),
        Redis("cache", read=0.1 * ms),
        Kafka("kafka", replicas=3),
        Topic("events", broker="kafka", partitions=draw(st.integers(1, 4))),
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
        consumers = [Consumer("events", steps=[Work(1 * ms)])] if index == 0 else []
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
            )
        )
        callees.append(f"{name}.run")
    journey = Journey(
        "go",
        callees[-1],
        critical=draw(st.sampled_from([None, True])),
        slo=Slo(p99=draw(durations)),
        timeout=draw(st.sampled_from([None, 100 * ms])),
    )
    arrivals = draw(
        st.one_of(
            st.floats(1.0, 150.0).map(lambda rate: Poisson(rate / s)),
            st.integers(1, 10).map(lambda users: Closed(users, think=50 * ms)),
        )
    )
    return System(
        "generated",
        elements,
        journeys=[journey],
        scenarios=[Scenario("load", load=[Load("go", arrivals)])],
        network=draw(st.sampled_from([None, Network(delay=0.2 * ms)])),
    )
