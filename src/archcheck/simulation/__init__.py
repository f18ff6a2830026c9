"""Simulation: a system under a scenario, request by request.

``simulate`` compiles both into a plan, runs it on an engine and names the results. Semantics,
formulas and what is not simulated are described in ``docs/simulation.md``.
"""

from __future__ import annotations

from archcheck.model import Scenario, ScenarioError, System
from archcheck.simulation.compiler import compile_plan
from archcheck.simulation.results import (
    Latencies,
    RequestResult,
    ResourceResult,
    SeriesPoint,
    SimulationResult,
    build_result,
)
from archcheck.units import Duration

__all__ = [
    "Latencies",
    "RequestResult",
    "ResourceResult",
    "SeriesPoint",
    "SimulationResult",
    "simulate",
]

DURATION = Duration(60.0)
"""How long is simulated when neither the scenario nor the caller says."""
WARMUP_SHARE = 0.1
"""The share of the duration that is left out when no warm-up is set."""


def simulate(
    system: System,
    scenario: Scenario,
    *,
    duration: Duration | None = None,
    warmup: Duration | None = None,
    seed: int = 1,
) -> SimulationResult:
    """Simulate ``scenario`` on ``system``.

    The same seed gives the same result, to the last digit, in every process. Raises
    :class:`ScenarioError` when the scenario cannot be simulated.
    """
    from archcheck.simulation.engines import reference

    length = float(duration or scenario.duration or DURATION)
    chosen = warmup if warmup is not None else scenario.warmup
    start = float(chosen) if chosen is not None else length * WARMUP_SHARE
    if not 0 <= start < length:
        raise ScenarioError(
            f"the warm-up of {Duration(start)} must be shorter than the duration of "
            f"{Duration(length)}"
        )
    plan = compile_plan(system, scenario)
    record = reference.run(plan, seed=seed, duration=length, warmup=start)
    return build_result(system, scenario, plan, record, engine="simpy", seed=seed)
