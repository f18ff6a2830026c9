"""A second stable state: what the analytic solution says, held against runs with a trigger."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
from unit.planning.test_flow import service

from archcheck import (
    Call,
    CircuitBreaker,
    Constant,
    Journey,
    Load,
    Poisson,
    Retry,
    Scenario,
    Slow,
    System,
    Work,
)
from archcheck.planning import SecondState, at_peak, plan_capacity, second_states, solve_plan
from archcheck.reporting.planning.tables import verdicts
from archcheck.simulation import simulate
from archcheck.simulation.compiling import compile_plan
from archcheck.units import ms, percent, s


def storm(rate: float, attempts: int = 3, **call: Any) -> System:
    """``db`` can serve 300 a second, and no queue is bounded."""
    retry = Retry(attempts=attempts, backoff=10 * ms, on=["timeout"])
    ask = Call("db.run", timeout=500 * ms, retry=retry, **call)
    return System(
        "storm",
        [service("web", ask, threads=50_000), service("db", Work(Constant(100 * ms)), threads=30)],
        journeys=[Journey("go", "web.run")],
        scenarios=[Scenario("load", load=[Load("go", Poisson(rate / s))])],
    )


def found(system: System) -> list[SecondState]:
    plan = at_peak(compile_plan(system, system.scenarios[0]))
    return [*second_states(plan, solve_plan(plan))]


def failed_after_a_trigger(system: System) -> float:
    """The share that fails long after ``db`` was ten times slower for 10 s.

    What piled up meanwhile may take minutes to be worked off, and is no second state.
    """
    slow = Slow("db", factor=10, start=10 * s, end=20 * s)
    tried = Scenario("tried", load=system.scenarios[0].load, faults=[slow])
    return simulate(system, tried, duration=600 * s, warmup=500 * s).journey("go").error_rate


@pytest.mark.parametrize(("rate", "attempts"), [(200, 3), (200, 2), (120, 3), (160, 2)])
def test_attempts_together_are_more_than_can_be_served(rate: float, attempts: int) -> None:
    """Where all attempts of all requests are more than 300 a second, and nowhere else."""
    system = storm(rate, attempts)
    (state,) = found(system)
    assert state.failed > 0.9
    assert "timeout of web.run -> db.run" in state.reason
    assert state.single_below == pytest.approx(300 / rate / attempts, abs=0.02)
    assert failed_after_a_trigger(system) > 0.9


@pytest.mark.parametrize(("rate", "attempts"), [(200, 1), (140, 2), (90, 3)])
def test_what_can_be_served_in_any_case_recovers(rate: float, attempts: int) -> None:
    system = storm(rate, attempts)
    assert found(system) == []
    assert failed_after_a_trigger(system) == 0


def test_a_breaker_ends_it_and_is_not_taken_for_closed() -> None:
    system = storm(200, breaker=CircuitBreaker(failure_rate=50 * percent, open_for=5 * s))
    assert failed_after_a_trigger(system) == 0
    assert found(system) == []


def test_a_callee_that_drops_what_nobody_waits_for_does_not_end_it() -> None:
    """It takes what has just not been given up, and is done when it has."""
    late = storm(200, propagates_deadline=True)
    runtimes = {"drops_late_requests": True, "deadline_propagation": True}
    elements = [replace(each, runtime=replace(each.runtime, **runtimes)) for each in late.services]
    system = replace(late, elements=elements)
    assert failed_after_a_trigger(system) > 0.9
    assert len(found(system)) == 1


def test_a_plan_says_it() -> None:
    (said,) = [
        text for _, text in verdicts(plan_capacity(storm(200), budget=20.0)) if "sec" in text
    ]
    assert said.startswith("the analytic solution has a second stable state, in which 100% of go")
    assert "and none below x0.5 of this load; archcheck chaos tries" in said
