"""CPU limits: quotas against an account in small steps of time, against theory and by hand."""

from __future__ import annotations

import math
from random import Random

import pytest
from fidelity.harness import assert_contains, latency, longest, run, runs, service, system, work

from archcheck import (
    Autoscale,
    Call,
    Exponential,
    Go,
    GoKit,
    Kubernetes,
    LoadShedding,
    NodeJs,
    Poisson,
    Quarkus,
    Resources,
    Runtime,
    Rust,
    Service,
    Step,
    System,
    Work,
)
from archcheck.graph.cpu import cores_of
from archcheck.simulation import SimulationResult
from archcheck.units import cores, ms, percent, s

STEP = 5e-5
PERIOD = 0.1
"""Kubernetes: the kubelet's cpuCFSQuotaPeriod."""


def limited(limit: float, *steps: Step, **how: object) -> System:
    resources = Resources(cpu_limit=limit * cores)
    deployment = Kubernetes(replicas=1, resources=resources)
    return system(service("web", *steps, deployment=deployment, **how))  # type: ignore[arg-type]


def in_small_steps(
    arrivals: list[float], seconds: float, width: float, limit: float, shared: bool
) -> list[float]:
    """How long each of these jobs takes: an account of the kernel's rule, step by step."""
    left = dict.fromkeys(range(len(arrivals)), seconds)
    took: dict[int, float] = {}
    quota, step = 0.0, 0
    while len(took) < len(arrivals):
        now = step * STEP
        if step % round(PERIOD / STEP) == 0:
            quota = limit * PERIOD
        here = [job for job in left if arrivals[job] <= now]
        running = here if shared else here[: int(width)]
        speed = min(1.0, width / len(running)) if running else 0.0
        for job in running:
            used = min(speed * STEP, quota, left[job])
            quota -= used
            left[job] -= used
            if left[job] <= 1e-12:
                took[job] = now + STEP - arrivals[job]
                del left[job]
        step += 1
    return [took[job] for job in sorted(took)]


@pytest.mark.parametrize("limit", [0.2, 0.7, 1.5])
@pytest.mark.parametrize(
    ("width", "shared"),
    [(1, False), (2, False), (1, True), (3, True), (math.inf, True)],
)
def test_a_quota_is_used_up_and_filled_again(limit: float, width: float, shared: bool) -> None:
    random = Random(7)
    milliseconds = 23.0
    count = int(3 * 20 * min(limit, width))
    arrivals = sorted(random.randrange(1_000, 60_000) * STEP for _ in range(count))
    how: dict[str, object] = {
        "cores": None if width == math.inf else int(width),
        "threads": 500 if width == math.inf else None,
        "scheduling": None if width == math.inf else "processor_sharing" if shared else "fifo",
    }
    result = run(limited(limit, work(milliseconds), **how), *arrivals)
    expected = in_small_steps(arrivals, milliseconds / 1000, width, limit, shared)
    assert latency(result) == pytest.approx(sum(expected) / len(expected), abs=5 * STEP)
    assert longest(result) == pytest.approx(max(expected), rel=0.005)


def test_work_of_thirty_milliseconds_under_a_fifth_of_a_core() -> None:
    """A quota of 20 ms in 100 ms: 30 ms of work end at 110 ms, or sooner across a border."""
    alone = limited(0.2, work(30), cores=1)
    assert longest(run(alone, 1.0)) == pytest.approx(0.110)
    assert longest(run(alone, 1.085)) == pytest.approx(0.030)
    assert longest(run(alone, 1.095)) == pytest.approx(0.110)


def test_many_threads_use_up_the_quota_together() -> None:
    """Four threads use the 100 ms of one core in 25 ms, and stand still for 75."""
    result = run(limited(1.0, work(50), threads=4), *[1.0] * 4)
    assert longest(result) == pytest.approx(0.125)
    assert result.resource("web cores").throttled == pytest.approx(0.075 / 60, rel=0.01)


def test_long_work_sees_a_slower_core() -> None:
    """Where work takes many periods, a limit of half a core is a core of half the speed: M/M/1."""
    model = limited(0.5, Work(Exponential(5 * s)), cores=1)
    found = runs(model, Poisson(0.05 / s), 40_000)
    assert_contains(found, latency, 10 / (1 - 0.5))


def test_a_limit_above_what_runs_at_once_changes_nothing() -> None:
    steps = Work(Exponential(20 * ms))
    free = runs(system(service("web", steps, cores=2)), Poisson(60 / s), 200, count=1)
    bound = runs(limited(2.0, steps, cores=2), Poisson(60 / s), 200, count=1)
    assert latency(free[0]) == pytest.approx(latency(bound[0]), rel=1e-9)


def overloaded(result: SimulationResult) -> bool:
    return "web" in str(result.bottleneck) and result.journey("visit").throughput < 15


def test_eight_cores_of_demand_on_a_fifth_of_a_core_are_an_overload() -> None:
    model = limited(0.2, work(20), cores=8)
    (result,) = runs(model, Poisson(400 / s), 60, count=1)
    assert overloaded(result)
    assert result.resource("web").utilisation == pytest.approx(1.0, rel=0.01)
    assert result.resource("web").throttled > 0.9


@pytest.mark.parametrize(
    ("runtime", "limit", "parallel"),
    [
        (NodeJs(), 4.0, 1),
        (GoKit(parallelism=3), 0.5, 3),
        (Go("1.25"), 0.5, 2),
        (Go("1.25"), 2.5, 3),
        (Go("1.24"), 2.5, None),
        (Go(), 2.5, None),
        (GoKit("1.30"), 2.5, None),
        (Quarkus(), 2.5, 3),
        (Quarkus(concurrency="event_loop"), 2.5, 6),
        (Rust(), 2.5, 2),
        (Rust(), 0.5, 1),
    ],
)
def test_what_runtimes_make_of_a_limit(
    runtime: Runtime, limit: float, parallel: int | None
) -> None:
    deployment = Kubernetes(resources=Resources(cpu_limit=limit * cores))
    found = cores_of(Service("web", runtime=runtime, deployment=deployment))
    assert (found.parallel, found.limit) == (parallel, limit)


def test_shedding_sees_that_the_quota_is_used_up() -> None:
    model = limited(
        0.2, work(10), cores=1, shedding=LoadShedding(max_utilisation=100 * percent), room=100
    )
    result = run(model, 1.0, 1.001, 1.011, 1.05, 1.06)
    assert result.operation("web.run").rejected == 2  # while another runs, and in the pause


def test_an_autoscaler_follows_the_cores_that_there_are() -> None:
    deployment = Kubernetes(
        autoscale=Autoscale(min=1, max=8, target_cpu=50 * percent, start_up=1 * s),
        resources=Resources(cpu_limit=0.5 * cores),
    )
    model = system(service("web", work(10), threads=100, deployment=deployment))
    (result,) = runs(model, Poisson(100 / s), 600, count=1, share=0.5)
    cpu = result.resource("web cores")
    assert cpu.busy == pytest.approx(1.0, rel=0.05)
    assert 0.3 < cpu.utilisation <= 0.55  # four to six replicas of half a core


def test_callers_wait_for_a_throttled_callee() -> None:
    resources = Resources(cpu_limit=0.2 * cores)
    slow = service("slow", work(30), cores=1, deployment=Kubernetes(resources=resources))
    front = service("web", Call("slow.run"))
    assert longest(run(system(front, slow), 1.0)) == pytest.approx(0.110)
