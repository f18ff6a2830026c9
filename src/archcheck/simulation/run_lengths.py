"""How many runs, and how long: what several questions have in common."""

from __future__ import annotations

import math

from archcheck.simulation.results import SimulationResult

EVENTS_A_SECOND = 2_000_000
"""What a second of a budget is worth, on every machine: what the compiled engine plays in about a
second on one core of 2020."""
EVENTS = 5 * EVENTS_A_SECOND
"""Events of the runs that decide, at most, about. A choice: a person waits as long."""
_LONGER = 1.5
"""The least by which runs become longer, where that is worth the trouble. A choice."""
_MUCH_LONGER = 16.0
"""The most by which runs become longer at once: how slow a queue is, short runs say badly."""
_SPARE = 1.1
"""How much longer than they say that they need. A choice: longer runs know it better."""

RUNS = 5
"""Replications for an interval that decides: four degrees of freedom, where Student's t is 2.8.
With two runs it is 12.7, and three more than five would only bring it to 2.4."""
EVENTS_PER_REQUEST = 3.2
"""Events of a request at an operation: 2.8 to 3.1 on the models in ``models/``, rounded up."""


def settling_time(result: SimulationResult, events: int = EVENTS) -> float | None:
    """Seconds of runs that are long enough for the queues on the way of its journeys, as far as is
    known; ``None``: these are, or it takes more than so many events.
    """
    if not result.early:
        return None
    needed = max(each.needed for each in result.unsettled)
    factor = min(max(_LONGER, _SPARE * needed / result.duration), _MUCH_LONGER)
    return longer_runs(result, factor, events)


def longer_runs(result: SimulationResult, factor: float, events: int) -> float | None:
    """Seconds of runs so much longer; ``None`` where they take more than so many events."""
    if result.events * factor > events:
        return None
    return _round(result.duration * factor)


def _round(seconds: float) -> float:
    """Two digits, upwards: what people would write."""
    unit = 10.0 ** (math.floor(math.log10(seconds)) - 1)
    return math.ceil(seconds / unit - 1e-9) * unit
