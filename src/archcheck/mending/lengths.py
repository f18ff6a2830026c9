"""How long runs have to be that judge a repair."""

from __future__ import annotations

from archcheck.capacity import demands
from archcheck.graph import Graph
from archcheck.model import Scenario, System
from archcheck.simulation.running import DURATION


def declared_seconds(scenario: Scenario) -> float:
    """The length of a run of a scenario, unless somebody says otherwise."""
    return float(scenario.duration or DURATION)


def attempts_a_second(system: System, scenario: Scenario) -> float:
    """Calls and queries a second under a scenario at its peak, retries not counted."""
    found = [d for d in demands(Graph(system)) if d.scenario is scenario]
    return max((sum(demand.steps.values()) for demand in found), default=0.0)
