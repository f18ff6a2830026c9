"""Resilience under fault: does a system come back after a bad minute, and how available is it.

``trials`` are runs with and without a trigger, ``triggers`` the standard suite, ``chaos`` what each
of them does, ``phases`` the map over load and trigger size, ``availability`` the share of the time
for which endpoints and journeys answer.
"""

from archcheck.resilience.availability import (
    Answers,
    AvailabilityResult,
    Available,
    estimate_availability,
    when_killed,
)
from archcheck.resilience.chaos import (
    BudgetSpent,
    ChaosResult,
    StuckState,
    TriggerResult,
    run_chaos,
)
from archcheck.resilience.phases import Escape, Phase, PhaseMap, PhaseRow, phase_map
from archcheck.resilience.trials import Trials
from archcheck.resilience.triggers import (
    Trigger,
    moved_to,
    sized_trigger,
    standard_triggers,
)

__all__ = [
    "Answers",
    "AvailabilityResult",
    "Available",
    "BudgetSpent",
    "ChaosResult",
    "Escape",
    "Phase",
    "PhaseMap",
    "PhaseRow",
    "StuckState",
    "Trials",
    "Trigger",
    "TriggerResult",
    "estimate_availability",
    "moved_to",
    "phase_map",
    "run_chaos",
    "sized_trigger",
    "standard_triggers",
    "when_killed",
]
