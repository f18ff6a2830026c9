"""Objectives as a table and in JSON: the same words and fields in every report."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from archcheck.findings import Reading, State
from archcheck.findings.objectives import Basis
from archcheck.reporting.forms import printed_as
from archcheck.reporting.sheets import Cell, Sheet, Tone

TONES: dict[State, Tone] = {"met": "good", "missed": "bad", "open": "warning"}
"""How a state looks."""
SIGNS: dict[State, str] = {"met": "+", "missed": "!", "open": "?"}
"""What stands before a sentence of a state."""
_EARLY = (
    "open: the runs are too short for a queue on the way, which began empty and changes slowly; "
    "they cannot show that an objective is met"
)
_OPEN = (
    "open: the runs do not decide; longer or more ones may (archcheck simulate --budget, "
    "--replications)"
)


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


@dataclass(frozen=True)
class ReadingForm:
    """What is promised, what was read, and whether it is met."""

    subject: str
    """The journey or endpoint that promises it; of a load the resource."""
    name: str
    """p50, p90, p95, p99, p999 (latency), availability, or load (of a resource)."""
    bound: float
    """What is promised: at most so many seconds, at least this share of good answers (of one), at
    most this share of a resource busy."""
    value: float
    """What was read, in the unit of the bound; null when it grows without bound or nothing was
    measured."""
    half_width: float | None
    """The half width of the 95% interval of the value, in its unit; null without an interval, and
    where the runs are too short for one."""
    early: bool
    """Whether the runs are too short for what changes slowly on the way: the value is no verdict
    that it is met."""
    basis: Basis
    """What the interval stands for."""
    state: State
    """Whether it is met, missed, or open: neither is certain."""


@printed_as
def reading_form(reading: Reading) -> ReadingForm:
    """A reading with its objective."""
    objective = reading.objective
    return ReadingForm(
        objective.subject,
        objective.name,
        objective.bound,
        reading.value,
        None if reading.is_early else reading.half_width,
        reading.is_early,
        reading.basis,
        reading.state,
    )
