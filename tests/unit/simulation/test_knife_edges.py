"""Outcomes that times a little off move far: against queueing theory, and where nothing does."""

from __future__ import annotations

import math
from dataclasses import replace

import pytest

from archcheck import (
    CustomRuntime,
    Docker,
    Endpoint,
    Exponential,
    Journey,
    Load,
    Network,
    Poisson,
    Ramp,
    Scenario,
    Service,
    Slo,
    System,
    Work,
)
from archcheck.simulation import SimulationResult, simulate, with_knife_edges
from archcheck.units import Duration, ms, s


def one_queue(rate: float, bound: Duration | None = None) -> System:
    """M/M/1 with 10 ms of work."""
    return System(
        "mm1",
        [
            Service(
                "desk",
                runtime=CustomRuntime(concurrency="blocking", threads=1),
                deployment=Docker(replicas=1),
                endpoints=[Endpoint("visit", steps=[Work(Exponential(10 * ms))])],
            )
        ],
        journeys=[Journey("visit", "desk.visit", slo=Slo(p95=bound) if bound else None)],
        scenarios=[Scenario("day", load=[Load("visit", Poisson(rate / s))])],
        network=Network(delay=0 * ms),
    )


def run(system: System, seconds: float = 2_000) -> SimulationResult:
    (scenario,) = system.scenarios
    result = simulate(system, scenario, duration=seconds * s, replications=5)
    return with_knife_edges(result)


def test_a_queue_that_is_nearly_full_moves_as_theory_says() -> None:
    """The times of M/M/1 are in proportion to 1 / (mu - lambda)."""
    result = run(one_queue(90))
    assert result.knife_edges is not None
    (edge,) = result.knife_edges.found
    assert (edge.journey, edge.metric, edge.factor) == ("visit", "p95", 1.03)
    assert edge.shift == pytest.approx((100 - 90) / (100 / 1.03 - 90) - 1, abs=0.08)
    assert edge.half_width < 0.2
    assert edge.shift - edge.half_width > 0.06  # not by chance
    assert edge.before is edge.after is None
    assert str(edge).startswith("where work takes 3% longer, p95 of visit is 4")  # 411 ms


def test_a_queue_with_room_moves_in_proportion() -> None:
    result = run(one_queue(30))
    assert result.knife_edges is not None
    assert result.knife_edges.found == ()
    assert result.knife_edges.left_out == ""


@pytest.mark.parametrize(
    ("bound", "factor", "states"),
    [(1.02, 1.03, ("met", "missed")), (0.98, 1 / 1.03, ("missed", "met"))],
)
def test_an_objective_that_a_little_would_turn(
    bound: float, factor: float, states: tuple[str, str]
) -> None:
    """At 30/s p95 is ln(20) / 70: 42.8 ms; it moves by 4%, little more than in proportion."""
    promised = bound * math.log(20) / (100 - 30)
    result = run(one_queue(30, promised * s), 10_000)
    assert result.knife_edges is not None
    (edge,) = result.knife_edges.found
    assert edge.factor == factor
    assert (edge.before, edge.after) == states
    assert str(edge).endswith(f", {states[1]} instead of {states[0]}")


def test_who_did_not_look_says_why() -> None:
    full = run(one_queue(120), 60)
    assert full.knife_edges is not None
    assert full.knife_edges.left_out == "there is no steady state"
    system = one_queue(50)
    course = replace(
        system.scenarios[0], load=[Load("visit", Ramp(10 / s, 50 / s, over=20_000 * s))]
    )
    long = replace(system, scenarios=(course,))
    result = with_knife_edges(simulate(long, course, duration=20_000 * s))
    assert result.knife_edges is not None
    assert result.knife_edges.left_out == "runs with other times would be too long"


def test_the_same_on_any_number_of_cores() -> None:
    system = one_queue(90)
    result = simulate(system, system.scenarios[0], duration=200 * s, replications=3)
    assert with_knife_edges(result) == with_knife_edges(result, jobs=2)
