"""The analytic solution of plans of the whole vocabulary: numbers, within the time that it has."""

from __future__ import annotations

import math
from contextlib import suppress
from random import Random

import pytest
from contracts.anything import Anything
from depth import sample

from archcheck import Closed, Load, Scenario, ScenarioError, System
from archcheck.model.errors import EndlessError
from archcheck.planning import at_peak, second_states, solve_plan
from archcheck.planning.budget import PlanningBudget
from archcheck.simulation.compiling import compile_plan
from archcheck.simulation.replications import StoppedError
from archcheck.units import s

ENOUGH = 1.0
"""Seconds after which a solution may be given up."""


def check(seed: int) -> None:
    random = Random(seed)
    system = Anything(random, is_busy=seed % 2 == 0).system()
    users = Closed(random.choice([1, 3, 20, 80]), think=random.choice([0, 0.05, 1]) * s)
    closed = Scenario("closed", load=[Load(each.name, users) for each in system.journeys])
    for scenario in (*system.scenarios, closed):
        with suppress(EndlessError, ScenarioError, StoppedError), PlanningBudget(ENOUGH).running():
            solve(system, scenario)


def solve(system: System, scenario: Scenario) -> None:
    plan = at_peak(compile_plan(system, scenario))
    flow = solve_plan(plan)
    for journey in flow.journeys:
        assert 0 <= journey.rate < math.inf
        assert -1e-9 <= journey.failed <= 1 + 1e-9
        assert journey.time.mean >= 0
    for station in flow.stations:
        assert station.load >= 0
    list(second_states(plan, flow))


@pytest.mark.parametrize("seed", sample([1, 74, 105, 129, *range(200, 230)]))
def test_a_plan_is_solved_or_given_up(seed: int) -> None:
    check(seed)
