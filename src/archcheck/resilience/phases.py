"""The phase map: at which load which trigger is one too many, and what brings the system back.

Stable: the system comes back from the trigger. Vulnerable: the load is carried, but after the
trigger it is not any more (metastable). Overloaded: the load is not carried at all. Bronson,
Aghayev, Charapko and Zhu, Metastable Failures in Distributed Systems, HotOS 2021.

A larger trigger is taken to be worse: for each load the smallest trigger that does harm is found by
bisection over the sizes.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Literal

from archcheck.model import Scenario, System
from archcheck.planning.changes import at_peak
from archcheck.planning.sustaining import analytic_limit
from archcheck.resilience.trials import (
    TRIGGER,
    Trials,
    is_carried,
    is_rising,
    recovered_at,
    shed,
    stays_broken,
)
from archcheck.resilience.triggers import sized_trigger
from archcheck.simulation.plan import Plan
from archcheck.simulation.replications import Stop, StoppedError

Phase = Literal["stable", "vulnerable", "overloaded"]

BURSTS = (1.5, 2.0, 3.0, 5.0, 8.0)
"""Times the load. A choice, as the two below: five columns, each about 1.5 to 3 times the last."""
SLOWNESSES = (2.0, 3.0, 5.0, 10.0, 30.0)
"""Times as slow."""
FAILURES = (0.1, 0.25, 0.5, 0.75, 1.0)
"""Shares of the requests that fail."""
SHARES = (0.3, 0.45, 0.6, 0.7, 0.8, 0.9, 1.0, 1.1)
"""Loads of the map, as shares of what the analytic solution says is carried.

Closer together near one, where the phase changes; the last one is overloaded. A choice.
"""
_KEPT = (0.95, 0.9, 0.8, 0.7, 0.6, 0.5, 0.4, 0.3, 0.2, 0.1, 0.0)
"""Shares of the load that are kept while load is shed, from the most to nothing. A choice."""
_SHEDS = (0.5, 1.5, 4.0)
"""How long load is shed, in lengths of the trigger. A choice."""


@dataclass(frozen=True)
class PhaseRow:
    """A load, as a factor of the declared one, and what each size of the trigger does to it."""

    factor: float
    """The factor of the declared load."""
    phases: tuple[Phase, ...]
    """What each size of the trigger does to it."""


@dataclass(frozen=True)
class Escape:
    """Shedding that brings the system back."""

    seconds: float
    """Seconds for which load is shed."""
    keep: float | None
    """The share of the load that may stay at most (of one); ``None``: not even shedding all of it
    is enough."""


@dataclass(frozen=True)
class PhaseMap:
    """``sizes`` are those of the trigger; rows go from little load to much.

    ``escapes`` are for the largest trigger at ``escape_factor`` times the declared load, the least
    vulnerable load of the map; empty where no load is vulnerable.
    """

    system: System
    scenario: Scenario
    trigger: str
    lasts: float
    sizes: tuple[float, ...]
    rows: tuple[PhaseRow, ...]
    escapes: tuple[Escape, ...]
    escape_factor: float
    is_complete: bool


def phase_map(
    system: System,
    scenario: Scenario,
    trigger: str = "load",
    *,
    factors: Sequence[float] | None = None,
    sizes: Sequence[float] | None = None,
    lasts: float | None = None,
    jobs: int = -1,
    seed: int = 1,
    progress: Callable[[float], None] | None = None,
    stop: Stop | None = None,
) -> PhaseMap:
    """The phases of a system over its load and the size of a trigger.

    ``trigger``: ``load``, ``NAME slow`` or ``NAME fails``, for ``lasts`` seconds. ``factors`` of
    the declared load (default: from 30% to 110% of what is carried by the analytic solution).
    """
    chosen = tuple(sizes) if sizes is not None else _sizes(trigger)
    sized_trigger(trigger, chosen[0], 0.0, 1.0)
    first = Trials(system, scenario, jobs=jobs, seed=seed, stop=stop, trigger=lasts or TRIGGER)
    loads = tuple(factors) if factors is not None else _loads(first)
    rows: list[PhaseRow] = []
    escapes: tuple[Escape, ...] = ()
    weakest, complete = math.nan, True
    try:
        for number, factor in enumerate(loads):
            if progress is not None:
                progress(number / (len(loads) + 1))
            rows.append(PhaseRow(factor, _phases(replace(first, factor=factor), trigger, chosen)))
        weakest = next((row.factor for row in rows if "vulnerable" in row.phases), math.nan)
        if not math.isnan(weakest):
            escapes = _escapes(replace(first, factor=weakest), trigger, chosen[-1])
    except StoppedError:
        complete = False
    lasted = first.clock.end - first.clock.start
    return PhaseMap(
        system, scenario, trigger, lasted, chosen, tuple(rows), escapes, weakest, complete
    )


def _sizes(trigger: str) -> tuple[float, ...]:
    if trigger.strip().endswith("fails"):
        return FAILURES
    return BURSTS if trigger.strip() == "load" else SLOWNESSES


def _loads(trials: Trials) -> tuple[float, ...]:
    carried, _ = analytic_limit(at_peak(trials.compiled(())), ())
    top = carried if math.isfinite(carried) and carried > 0 else 2.0
    return tuple(float(f"{share * top:.3g}") for share in SHARES)


def _phases(trials: Trials, trigger: str, sizes: Sequence[float]) -> tuple[Phase, ...]:
    if not is_carried(trials.control()):
        return tuple("overloaded" for _ in sizes)
    low, high = -1, len(sizes)
    while high - low > 1:
        middle = (low + high) // 2
        stuck = _sticks(trials, _faulty(trials, trigger, sizes[middle]))
        low, high = (low, middle) if stuck else (middle, high)
    return tuple("stable" if place < high else "vulnerable" for place in range(len(sizes)))


def _faulty(trials: Trials, trigger: str, size: float) -> Plan:
    clock = trials.clock
    return trials.compiled(sized_trigger(trigger, size, clock.start, clock.end).faults)


def _sticks(trials: Trials, plan: Plan) -> bool:
    """Whether the system stays broken after the trigger is gone."""
    run = trials.watched(plan)
    if recovered_at(run, trials.control()) is not None or is_rising(run):
        return False
    return stays_broken(trials, plan) is not None


def _escapes(trials: Trials, trigger: str, size: float) -> tuple[Escape, ...]:
    """The least shedding that is enough, begun one length of the trigger after its end."""
    plan = _faulty(trials, trigger, size)
    lasts = trials.clock.end - trials.clock.start
    start = trials.clock.end + lasts
    found = []
    for length in _SHEDS:
        end = start + length * lasts
        low, high = -1, len(_KEPT)
        while high - low > 1:
            middle = (low + high) // 2
            run = trials.watched(shed(plan, _KEPT[middle], start, end))
            after = math.ceil(end / run.clock.interval)
            back = recovered_at(run, trials.control(), after) is not None
            low, high = (low, middle) if back else (middle, high)
        keep = _KEPT[high] if high < len(_KEPT) else None
        found.append(Escape(length * lasts, keep))
    return tuple(found)
