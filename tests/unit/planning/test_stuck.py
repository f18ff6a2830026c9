"""A second state of a system: what the analytic solution suspects, a run has to show."""

from __future__ import annotations

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
    System,
    Work,
)
from archcheck.planning import CapacityPlan, StuckState, at_peak, plan_capacity, solve_plan
from archcheck.planning.stuck import stuck_states
from archcheck.reporting.planning.tables import verdicts
from archcheck.simulation.compiling import compile_plan
from archcheck.units import ms, percent, s


def storm(rate: float, attempts: int = 3, **call: object) -> System:
    """``db`` can serve 300 a second, and no queue is bounded."""
    retry = Retry(attempts=attempts, backoff=10 * ms, on=["timeout"])
    ask = Call("db.run", timeout=500 * ms, retry=retry, **call)  # type: ignore[arg-type]
    return System(
        "storm",
        [service("web", ask, threads=50_000), service("db", Work(Constant(100 * ms)), threads=30)],
        journeys=[Journey("go", "web.run")],
        scenarios=[Scenario("load", load=[Load("go", Poisson(rate / s))])],
    )


def found(system: System) -> tuple[StuckState, ...]:
    (scenario,) = system.scenarios
    plan = at_peak(compile_plan(system, scenario))
    states = stuck_states(system, scenario, plan, solve_plan(plan), seed=1, stop=lambda: False)
    assert states is not None
    return states


@pytest.mark.parametrize(("rate", "attempts"), [(200, 3), (200, 2), (120, 3), (160, 2)])
def test_attempts_together_are_more_than_can_be_served(rate: float, attempts: int) -> None:
    """Stuck where all attempts of all requests are more than 300 a second, and nowhere else."""
    (state,) = found(storm(rate, attempts))
    assert state.failed > 0.9
    assert state.before == 0
    assert "timeout of web.run -> db.run" in state.reason
    assert state.recovers_below == pytest.approx(300 / rate / attempts, abs=0.02)


@pytest.mark.parametrize(("rate", "attempts"), [(200, 1), (140, 2), (90, 3)])
def test_what_can_be_served_in_any_case_recovers(rate: float, attempts: int) -> None:
    assert found(storm(rate, attempts)) == ()


def test_a_breaker_ends_it_and_a_run_shows_that() -> None:
    """The analytic solution takes breakers as closed, and is not believed."""
    breaker = CircuitBreaker(failure_rate=50 * percent, window=100, open_for=5 * s)
    assert found(storm(200, breaker=breaker)) == ()


def test_a_plan_says_it() -> None:
    plan: CapacityPlan = plan_capacity(storm(200), budget=20.0)
    (said,) = [text for _, text in verdicts(plan) if "stuck" in text]
    assert said.startswith("go can get stuck: 20 s after everything was 10 times slower for 5 s")
    assert "recovers below x0.5 of this load" in said
