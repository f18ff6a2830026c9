"""Trials under fault and phase maps as plain data, for ``--format json``."""

from __future__ import annotations

from dataclasses import asdict
from typing import Any

from archcheck.reporting.objectives import reading_data
from archcheck.resilience import ChaosResult, PhaseMap, TriggerResult

CHAOS_FORMAT = "archcheck.chaos/2"
PHASES_FORMAT = "archcheck.phases/1"


def chaos_data(found: ChaosResult) -> dict[str, Any]:
    """Seconds, and shares of one."""
    return {
        "format": CHAOS_FORMAT,
        "system": found.system.name,
        "scenario": found.scenario.name,
        "carried": found.carried,
        "fine": found.is_fine,
        "replications": found.replications,
        "seed": found.seed,
        "untried": found.untried,
        "triggers": [_trigger(result) for result in found.results],
    }


def _trigger(result: TriggerResult) -> dict[str, Any]:
    return {
        "kind": result.trigger.kind,
        "name": result.trigger.name,
        "verdict": result.verdict,
        "lasts": result.lasted,
        "recovery": result.recovery,
        "resolution": result.resolution,
        "fewest_answers": result.worst,
        "stuck": asdict(result.stuck) if result.stuck is not None else None,
        "errors": [
            {
                "journey": each.journey,
                "errors": asdict(each.errors) if each.errors is not None else None,
                "share_of_budget": each.share,
                "objective": reading_data(each.reading) if each.reading is not None else None,
            }
            for each in result.budgets
        ],
    }


def phases_data(found: PhaseMap) -> dict[str, Any]:
    """Factors of the declared load, sizes of the trigger, phases by name."""
    return {
        "format": PHASES_FORMAT,
        "system": found.system.name,
        "scenario": found.scenario.name,
        "trigger": found.trigger,
        "lasts": found.lasts,
        "sizes": list(found.sizes),
        "rows": [{"factor": row.factor, "phases": list(row.phases)} for row in found.rows],
        "escapes": [asdict(escape) for escape in found.escapes],
        "escape_factor": found.escape_factor if found.escapes else None,
        "complete": found.is_complete,
    }
