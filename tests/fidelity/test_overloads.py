"""Half a percent too much is an overload, whatever is too little; a percent of room is none."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import pytest

from archcheck import (
    Absent,
    Bulkhead,
    Call,
    Consumer,
    CustomRuntime,
    Endpoint,
    Journey,
    Kafka,
    Kubernetes,
    Load,
    MySQL,
    Named,
    Network,
    Poisson,
    Pool,
    Publish,
    Read,
    Resources,
    Scenario,
    Service,
    Step,
    System,
    Topic,
    Work,
)
from archcheck.simulation import simulate
from archcheck.units import cores, ms, s

NO = Absent("not in these systems")
WORK = Work(10 * ms)


def service(
    name: str,
    *steps: Step,
    replicas: int = 1,
    limit: float | None = None,
    pool: int | None = None,
    **runtime: int | str,
) -> Service:
    kind = {"concurrency": "blocking", **runtime}
    resources = Resources(cpu_limit=limit * cores) if limit else None
    return Service(
        name,
        deployment=Kubernetes(replicas=replicas, resources=resources),
        runtime=CustomRuntime(accept_queue=NO, **kind),  # type: ignore[arg-type]
        endpoints=[Endpoint("run", steps=steps, idempotent=True)],
        pools=[Pool("db", size=pool)] if pool else [],
    )


def store(parallelism: int) -> MySQL:
    return MySQL("db", read=10 * ms, parallelism=parallelism, max_connections=10_000)


READ = Read("db", timeout=NO, retry=NO)
ASK = Call("b.run", timeout=NO, retry=NO)
PATIENT = Bulkhead(4, max_wait=3600 * s)
CASES: dict[str, tuple[float, str, Callable[[], list[Named]]]] = {
    "threads": (400, "a", lambda: [service("a", WORK, threads=4)]),
    "threads of replicas": (600, "a", lambda: [service("a", WORK, threads=2, replicas=3)]),
    "shared cores": (
        400,
        "a",
        lambda: [service("a", WORK, concurrency="lightweight", parallelism=4)],
    ),
    "an event loop": (
        100,
        "a",
        lambda: [service("a", WORK, concurrency="event_loop", parallelism=1)],
    ),
    "a CPU limit": (
        50,
        "a",
        lambda: [service("a", WORK, concurrency="lightweight", parallelism=4, limit=0.5)],
    ),
    "a store": (400, "db", lambda: [service("a", READ, threads=200, pool=200), store(4)]),
    "a pool": (400, "a -> db", lambda: [service("a", READ, threads=20_000, pool=4), store(64)]),
    "a bulkhead": (
        400,
        "a -> b",
        lambda: [
            service("a", replace(ASK, bulkhead=PATIENT), threads=20_000),
            service("b", WORK, threads=64),
        ],
    ),
    "threads behind others": (
        400,
        "b",
        lambda: [service("a", ASK, threads=5_000), service("b", WORK, threads=4)],
    ),
    "threads that wait": (
        400,
        "a",
        lambda: [service("a", ASK, threads=4), service("b", WORK, threads=64)],
    ),
    "consumers": (
        400,
        "c.consume",
        lambda: [
            service("a", Publish("t"), threads=64),
            Kafka("k"),
            Topic("t", broker="k", partitions=4),
            Service(
                "c",
                deployment=Kubernetes(replicas=4),
                runtime=CustomRuntime(concurrency="blocking", threads=1, accept_queue=NO),
                consumers=[Consumer("t", concurrency=1, steps=[WORK])],
            ),
        ],
    ),
}


@pytest.mark.parametrize("share", [0.99, 1.005, 1.03])
@pytest.mark.parametrize("case", CASES)
def test_what_is_too_little_by_half_a_percent_is_overloaded(case: str, share: float) -> None:
    capacity, name, elements = CASES[case]
    made = System(
        "m",
        elements(),
        journeys=[Journey("visit", "a.run")],
        network=Network(delay=0 * s),
        scenarios=[Scenario("r", load=[Load("visit", Poisson(share * capacity / s))])],
    )
    for seed in (1, 2):
        run = simulate(made, made.scenarios[0], duration=60 * s, seed=seed)
        if share < 1:
            assert not run.overloads
        else:
            assert any(each.name in (name, "a") for each in run.overloads)
            assert run.held_up == ("visit",) or name == "c.consume"


@pytest.mark.parametrize("seed", range(1, 9))
def test_no_luck_makes_a_run_long_enough(seed: int) -> None:
    """A pool that is 60% busy forgets in 0.2 s: ten seconds are half of what it takes to know, also
    where few came in them and nobody waited for long."""
    made = System(
        "m",
        [service("a", READ, threads=20_000, pool=1), store(64)],
        journeys=[Journey("visit", "a.run")],
        network=Network(delay=0 * s),
        scenarios=[Scenario("r", load=[Load("visit", Poisson(60 / s))])],
    )
    run = simulate(made, made.scenarios[0], duration=10 * s, replications=5, seed=seed)
    assert ("a -> db", "connections") in {(each.name, each.what) for each in run.unsettled}
    assert run.early == ("visit",)
