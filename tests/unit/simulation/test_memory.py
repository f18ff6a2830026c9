"""Memory follows what is in flight; a run leaves nothing behind."""

from __future__ import annotations

import random
import subprocess
import sys

import pytest
from depth import thorough
from differential.generator import END, plan_from

from archcheck.simulation.batches import MOST, Batches
from archcheck.simulation.engines import fast

pytestmark = pytest.mark.skipif(not fast.is_compiled(), reason="the engine is not compiled")

GROWTH = """
import resource
from archcheck import Constant, Endpoint, Journey, Load, Poisson, Scenario, Service, System, Work
from archcheck.simulation.compiling import compile_plan
from archcheck.simulation.engines import fast
from archcheck.units import ms, s

system = System(
    "queue",
    [Service("a", endpoints=[Endpoint("run", steps=[Work(1 * ms)])])],
    journeys=[Journey("go", "a.run")],
    scenarios=[Scenario("load", load=[Load("go", Poisson(500 / s))])],
)
plan = compile_plan(system, system.scenarios[0])
peaks = []
for seconds in (400.0, 8000.0):
    fast.run(plan, seed=1, duration=seconds, warmup=0.0)
    peaks.append(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss)
print(peaks[1] - peaks[0])
"""

LEAK = """
import random, resource, sys
from differential.generator import END, plan_from
from archcheck.model import ScenarioError
from archcheck.simulation.engines import fast

plans = [plan_from(random.Random(seed)) for seed in range(20)]
def run(times):
    for n in range(times):
        try:
            fast.run(plans[n % 20], seed=n, duration=0.1, warmup=0.0)
        except ScenarioError:
            pass
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
before = run(400)
print(run(int(sys.argv[1])) - before)
"""


def kilobytes(script: str, *arguments: str) -> int:
    done = subprocess.run(
        [sys.executable, "-c", script, *arguments],
        capture_output=True,
        text=True,
        check=True,
        cwd="tests",
    )
    return int(done.stdout)


@thorough
def test_twenty_times_as_many_requests_need_no_more_memory() -> None:
    """From 200,000 to 4,000,000 requests."""
    assert kilobytes(GROWTH) < 2_000


@thorough
def test_runs_leave_nothing_behind() -> None:
    assert kilobytes(LEAK, "3000") < 4_000


def test_a_run_that_is_given_up_leaves_nothing_behind() -> None:
    for seed in range(20):
        plan = plan_from(random.Random(seed))
        fast.run(plan, seed=1, duration=100 * END, warmup=0.0, watch=lambda _: True)


def test_batches_keep_the_sum_in_bounded_number() -> None:
    batches = Batches()
    total = 0.0
    for n in range(5 * MOST + 3):
        batches.add(float(n), float(n % 7))
        total += n % 7
    assert len(batches.sums) <= MOST
    assert sum(batches.sums) == total
    assert batches.size == 8
    assert len(batches) == (5 * MOST + 3) // 8 * 8
    assert [start for start, _ in batches.means()][:3] == [0.0, 8.0, 16.0]
