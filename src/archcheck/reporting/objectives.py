"""Objectives as a table and as plain data: the same words and fields in every report."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from typing import Any

from archcheck.findings import Reading, State
from archcheck.reporting.sheets import Cell, Sheet, Tone

TONES: dict[State, Tone] = {"met": "good", "missed": "bad", "open": "warning"}
"""How a state looks."""
SIGNS: dict[State, str] = {"met": "+", "missed": "!", "open": "?"}
"""What stands before a sentence of a state."""
_EARLY = (
    "open: the runs are too short for a queue on the way, which began empty and changes slowly; "
    "they cannot show that an objective is met"
)
_OPEN = "open: the runs do not decide; longer ones may, or more (--duration, --replications)"


def objectives_sheet(readings: Iterable[Reading], title: str = "objectives") -> Sheet:
    """A row for each objective: what is promised, what was read, and the state."""
    found = tuple(readings)
    rows = tuple(
        (
            f"{reading.objective.name} of {reading.objective.subject}",
            reading.objective.shown(reading.objective.bound),
            reading.shown,
            Cell(reading.state, TONES[reading.state]),
        )
        for reading in found
    )
    columns = ("objective", "promised", "reading", "state")
    return Sheet(title, columns, rows, _note(found))


def _note(readings: Sequence[Reading]) -> str:
    """Why objectives stay open that more runs or another load would decide."""
    missing = dict.fromkeys(each.objective.subject for each in readings if each.requests == 0)
    if missing:
        return (
            f"no request of {', '.join(missing)} came in the simulated time, so what is promised "
            "stays open: look at the load, the duration and the warm-up"
        )
    if any(each.state == "open" and each.is_early for each in readings):
        return _EARLY
    simulated = any(each.state == "open" and each.basis != "analytic" for each in readings)
    return _OPEN if simulated else ""


def reading_data(reading: Reading) -> dict[str, Any]:
    """Seconds and shares of one; a value that grows or was not measured is null."""
    objective = reading.objective
    return {
        "subject": objective.subject,
        "name": objective.name,
        "bound": objective.bound,
        "value": reading.value if math.isfinite(reading.value) else None,
        "half_width": reading.half_width,
        "basis": reading.basis,
        "state": reading.state,
    }


def readings_data(readings: Sequence[Reading]) -> list[dict[str, Any]]:
    """All of them, in their order."""
    return [reading_data(reading) for reading in readings]
