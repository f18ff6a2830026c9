"""Trials under fault and phase maps as plain data, for ``--format json``."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Literal

from archcheck.findings import Reading
from archcheck.reporting.forms import Count, Seconds, plain
from archcheck.resilience import ChaosResult, Escape, PhaseMap, PhaseRow, StuckState, TriggerResult
from archcheck.resilience.chaos import TriggerVerdict
from archcheck.simulation import Estimate


@dataclass(frozen=True)
class ErrorsForm:
    """What a trigger costs a journey."""

    journey: str
    """Its name."""
    errors: Estimate | None
    """Errors beyond the usual, a number of requests; null: the runs do not say."""
    share_of_budget: float | None
    """The part of the error budget of thirty days that they take (1: all of it); null where
    there is no budget."""
    objective: Reading | None
    """The availability that they leave in thirty days; null where none is promised."""


@dataclass(frozen=True)
class TriggerForm:
    """What a trigger does."""

    kind: str
    """Its kind, such as burst."""
    name: str
    """What goes wrong, such as payments slow x5."""
    verdict: TriggerVerdict
    """recovers; slow: it gets better, but was not watched to the end; stuck: it stays broken."""
    lasts: Seconds
    """Seconds that it lasts."""
    recovery: float | None
    """Seconds from its end until all is normal; null when it was not while it was watched."""
    resolution: Seconds
    """Seconds that the recovery may be off."""
    fewest_answers: float
    """The fewest good answers in an interval, over the usual ones."""
    stuck: StuckState | None
    """The state in which it stays broken; null: it does not."""
    errors: tuple[ErrorsForm, ...]
    """What it costs each journey."""


@dataclass(frozen=True, kw_only=True)
class ChaosForm:
    """The result of archcheck chaos."""

    format: Literal["archcheck.chaos/2"] = "archcheck.chaos/2"
    """The name and version of this form."""
    system: str
    """The name of the system."""
    scenario: str
    """The name of the scenario."""
    carried: bool
    """Whether the load is carried when nothing goes wrong; if not, nothing else can be said."""
    fine: bool
    """Whether the system comes back from everything."""
    replications: Count
    """Independent runs of each trigger."""
    seed: int
    """The seed; the same seed gives the same result."""
    untried: Count
    """Triggers that were not tried, because somebody stopped it."""
    triggers: tuple[TriggerForm, ...]
    """What was tried."""


def chaos_data(found: ChaosResult) -> dict[str, Any]:
    """Seconds, and shares of one."""
    form = ChaosForm(
        system=found.system.name,
        scenario=found.scenario.name,
        carried=found.carried,
        fine=found.is_fine,
        replications=found.replications,
        seed=found.seed,
        untried=found.untried,
        triggers=tuple(map(_trigger, found.results)),
    )
    data: dict[str, Any] = plain(form)
    return data


def _trigger(result: TriggerResult) -> TriggerForm:
    return TriggerForm(
        result.trigger.kind,
        result.trigger.name,
        result.verdict,
        result.lasted,
        result.recovery,
        result.resolution,
        result.worst,
        result.stuck,
        tuple(
            ErrorsForm(each.journey, each.errors, each.share, each.reading)
            for each in result.budgets
        ),
    )


@dataclass(frozen=True, kw_only=True)
class PhasesForm:
    """The result of archcheck phase-map."""

    format: Literal["archcheck.phases/1"] = "archcheck.phases/1"
    """The name and version of this form."""
    system: str
    """The name of the system."""
    scenario: str
    """The name of the scenario."""
    trigger: str
    """What goes wrong."""
    lasts: Seconds
    """Seconds that it lasts."""
    sizes: tuple[float, ...]
    """The sizes of the trigger: factors of a load or of a time, or shares of one that fail."""
    rows: tuple[PhaseRow, ...]
    """A row for each load, from little to much."""
    escapes: tuple[Escape, ...]
    """Shedding that brings the system back after the largest trigger."""
    escape_factor: float | None
    """The load for which the escapes are, as a factor of the declared one; null without any."""
    complete: bool
    """Whether all of the map is there; false: somebody stopped it."""


def phases_data(found: PhaseMap) -> dict[str, Any]:
    """Factors of the declared load, sizes of the trigger, phases by name."""
    form = PhasesForm(
        system=found.system.name,
        scenario=found.scenario.name,
        trigger=found.trigger,
        lasts=found.lasts,
        sizes=found.sizes,
        rows=found.rows,
        escapes=found.escapes,
        escape_factor=found.escape_factor if found.escapes else None,
        complete=found.is_complete,
    )
    data: dict[str, Any] = plain(form)
    return data
