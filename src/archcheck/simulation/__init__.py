"""Simulation: a system under a scenario, request by request.

``simulate`` compiles both into a plan, runs it on an engine and names the results. Semantics,
formulas and what is not simulated are described in ``docs/simulation/reference.md``.

``plan`` is what engines run, ``compiling`` makes it, ``engines`` run it, ``record`` is what they
write down, ``estimates``, ``steady`` and ``replications`` are the statistics, ``results`` what
comes out; ``running`` goes through all of them, ``objectives`` judges by them.
"""

from __future__ import annotations

from archcheck.simulation.comparing import (
    CommonRuns,
    Comparison,
    VariantResult,
    common_runs,
    compare,
)
from archcheck.simulation.engines import ENGINES, EngineName
from archcheck.simulation.estimates import Estimate
from archcheck.simulation.fault_language import parse_fault
from archcheck.simulation.knife_edges import with_knife_edges
from archcheck.simulation.objectives import (
    judge_objectives,
    runs_for,
    simulate_until_decided,
)
from archcheck.simulation.overloads import Overload
from archcheck.simulation.results import (
    Band,
    CallResult,
    JourneyTime,
    KnifeEdge,
    KnifeEdges,
    Latencies,
    LostMessages,
    RequestResult,
    ResourceResult,
    SeriesPoint,
    SimulationResult,
    TimeShare,
)
from archcheck.simulation.run_lengths import EVENTS, EVENTS_A_SECOND
from archcheck.simulation.running import simulate

__all__ = [
    "ENGINES",
    "EVENTS",
    "EVENTS_A_SECOND",
    "Band",
    "CallResult",
    "CommonRuns",
    "Comparison",
    "EngineName",
    "Estimate",
    "JourneyTime",
    "KnifeEdge",
    "KnifeEdges",
    "Latencies",
    "LostMessages",
    "Overload",
    "RequestResult",
    "ResourceResult",
    "SeriesPoint",
    "SimulationResult",
    "TimeShare",
    "VariantResult",
    "common_runs",
    "compare",
    "judge_objectives",
    "parse_fault",
    "runs_for",
    "simulate",
    "simulate_until_decided",
    "with_knife_edges",
]
