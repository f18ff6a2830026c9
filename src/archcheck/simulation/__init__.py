"""Simulation: a system under a scenario, request by request.

``simulate`` compiles both into a plan, runs it on an engine and names the results. Semantics,
formulas and what is not simulated are described in ``docs/simulation.md``.

``plan`` is what engines run, ``compiling`` makes it, ``engines`` run it, ``record`` is what they
write down, ``estimates``, ``steady`` and ``replications`` are the statistics, ``results`` what
comes out.
"""

from __future__ import annotations

from functools import partial

from archcheck.model import Scenario, ScenarioError, System
from archcheck.simulation.building import build_result
from archcheck.simulation.compiling import compile_plan
from archcheck.simulation.estimates import Estimate
from archcheck.simulation.fault_language import parse_fault
from archcheck.simulation.replications import checked, replicate, until_precise
from archcheck.simulation.results import (
    Band,
    CallResult,
    JourneyTime,
    Latencies,
    RequestResult,
    ResourceResult,
    SeriesPoint,
    SimulationResult,
    TimeShare,
)
from archcheck.simulation.steady import Overload, found_warm_up
from archcheck.units import Duration

__all__ = [
    "Band",
    "CallResult",
    "Estimate",
    "JourneyTime",
    "Latencies",
    "Overload",
    "RequestResult",
    "ResourceResult",
    "SeriesPoint",
    "SimulationResult",
    "TimeShare",
    "parse_fault",
    "simulate",
]

DURATION = Duration(60.0)
"""How long is simulated when neither the scenario nor the caller says."""


def simulate(
    system: System,
    scenario: Scenario,
    *,
    duration: Duration | None = None,
    warmup: Duration | None = None,
    seed: int = 1,
    replications: int = 1,
    precision: float | None = None,
    jobs: int = 1,
) -> SimulationResult:
    """Simulate ``scenario`` on ``system``.

    ``warmup`` is left out of the statistics. Without one, a steady load is run once more before,
    to find when it has warmed up (MSER-5); where the load changes or something goes wrong, all
    of the run counts. ``replications`` independent runs are merged; with a ``precision``, as many
    are made as the mean latencies need. ``jobs`` cores work on them (-1: all).

    The same seed gives the same result, to the last digit, in every process and on any number of
    cores. Raises :class:`ScenarioError` when the scenario cannot be simulated.
    """
    checked(replications, precision)
    length = float(duration or scenario.duration or DURATION)
    plan = compile_plan(system, scenario)
    chosen = warmup if warmup is not None else scenario.warmup
    start = float(chosen) if chosen is not None else 0.0
    if not 0 <= start < length:
        raise ScenarioError(
            f"the warm-up of {Duration(start)} must be shorter than the duration of "
            f"{Duration(length)}"
        )
    if chosen is None and plan.is_stationary:
        start = found_warm_up(replicate(plan, seed, length, 0.0, 1, range(1))[0])
    more = partial(replicate, plan, seed, length, start, jobs)
    reached = True
    if precision is None:
        records = more(range(replications))
    else:
        records, reached = until_precise(more, precision)
    return build_result(
        system,
        scenario,
        plan,
        records,
        engine="simpy",
        seed=seed,
        warmup_is_found=chosen is None,
        precision=precision,
        precision_is_reached=reached,
    )
