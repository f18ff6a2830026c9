"""Waiting is not working: what a ``Wait`` holds, and what it leaves free."""

from __future__ import annotations

import pytest
from fidelity.harness import assert_contains, erlang_c, latency, longest, run, runs, service, system

from archcheck import Exponential, Journey, Kubernetes, Poisson, Resources, Wait, Work
from archcheck.capacity import OperationLatencies
from archcheck.graph import Graph
from archcheck.proof import Proved, Refuted, deadline_budgets
from archcheck.units import Duration, cores, ms, s


def test_a_thread_waits_with_its_request() -> None:
    """M/M/2: two threads, each held for the whole wait."""
    model = system(service("web", Wait(Exponential(100 * ms)), threads=2))
    found = runs(model, Poisson(14 / s), 6_000)
    exact = 0.1 + erlang_c(2, 1.4) * 0.1 / (2 - 1.4)
    assert_contains(found, latency, exact)


def test_an_event_loop_serves_others_meanwhile() -> None:
    """A hundred that wait at the same time take no longer than one."""
    model = system(service("web", Wait(Duration(0.1)), cores=1))
    waits = runs(model, Poisson(500 / s), 200)
    assert_contains(waits, latency, 0.1)


def test_a_wait_needs_no_core_and_no_quota() -> None:
    resources = Kubernetes(resources=Resources(cpu_limit=0.1 * cores))
    web = service("web", Wait(Duration(0.05)), Wait(Duration(0.05)), cores=1, deployment=resources)
    result = run(system(web), *[1.0 + n / 1000 for n in range(50)])
    assert result.resource("web").visits == 0
    assert result.resource("web").throttled == 0
    assert longest(result) < 2.0


def test_accounts_tell_waiting_from_working() -> None:
    latencies = OperationLatencies(
        Graph(system(service("web", Wait(30 * ms), Work(10 * ms), threads=5)))
    )
    assert latencies.of("web.run").seconds == pytest.approx(0.04)
    assert latencies.own_time("web.run").seconds == pytest.approx(0.04)
    assert latencies.own_work("web.run").seconds == pytest.approx(0.01)


@pytest.mark.parametrize(("milliseconds", "kind"), [(100, Refuted), (400, Proved)])
def test_a_proof_counts_the_longest_wait(milliseconds: int, kind: type) -> None:
    """An exponential time counts as its mean and three standard deviations: 120 ms."""
    visit = Journey("visit", "web.run", timeout=milliseconds * ms)
    model = system(service("web", Wait(30 * ms), threads=5), journeys=[visit])
    found = {type(answer) for answer in deadline_budgets(Graph(model)) if answer.subject == visit}
    assert found == {kind}
