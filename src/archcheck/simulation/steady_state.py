"""Whether a run has a steady state: warm-up found, overload recognised."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from archcheck.simulation.estimates import warm_up
from archcheck.simulation.plan import Plan
from archcheck.simulation.record import BUCKETS, Record, StationRecord

_ENOUGH = 1_000
"""Requests of a journey that are enough to find its warm-up. A choice: 200 batches of MSER-5."""
_BUSY = 0.98
"""Utilisation from which servers count as saturated: as ``FULL`` in ``archcheck.planning.targets``.

A run of a minute cannot tell a queue of fifty from one that grows.
"""
_GROWTH = 1.02
"""Arrivals over departures from which a queue counts as growing. A choice, as the two below: a
queue that is long by chance must not be called an overload, so all of them must agree."""
_LEFT = 20
"""Visitors that must be left waiting in a run."""
_RISE = 1.1
"""The queue in the last third of the run over that in the middle third."""


@dataclass(frozen=True)
class Overload:
    """A resource that receives more than it can serve; its queue grows without bound.

    ``ratio``: arrivals over departures. ``held_up_by``: the saturated resources behind it that
    its servers wait for, if any.
    """

    name: str
    what: str
    ratio: float
    held_up_by: tuple[str, ...]

    def __str__(self) -> str:
        because = f", held up by {' and '.join(self.held_up_by)}" if self.held_up_by else ""
        return f"{self.name} receives {self.ratio:.2f} times what it can serve{because}"


def found_warm_up(pilot: Record) -> float:
    """The end of the warm-up of a run, by MSER-5.

    The latest that its journeys say; of those that are seldom started, which say little, only the
    most frequent one is asked, and only when there is no better.
    """
    latest = 0.0
    longest = max(map(len, pilot.batches), default=0)
    for batches in pilot.batches:
        if len(batches) < min(longest, _ENOUGH):
            continue
        pairs = sorted(batches.means())
        latest = max(latest, warm_up([start for start, _ in pairs], [each for _, each in pairs]))
    return min(latest, pilot.duration / 2)


def overloads(plan: Plan, record: Record) -> tuple[Overload, ...]:
    """The stations whose queue grew all the time; none where the load itself changes."""
    if not plan.is_stationary:
        return ()
    found = []
    for index, (station, measured) in enumerate(zip(plan.stations, record.stations, strict=True)):
        growing = measured.ended and measured.visits > _GROWTH * measured.ended
        enough = measured.left_waiting >= _LEFT * record.runs
        if growing and enough and _is_saturated(measured) and _rises(record, index):
            causes = tuple(_saturated_behind(plan, record, station.group))
            ratio = measured.visits / measured.ended
            found.append(Overload(station.name, station.what, ratio, causes))
    return tuple(found)


def _is_saturated(measured: StationRecord) -> bool:
    return measured.capacity > 0 and measured.busy > _BUSY * measured.capacity


def _rises(record: Record, station: int) -> bool:
    third = BUCKETS // 3
    waiting = record.waiting_series[station]
    return sum(waiting[2 * third :]) > _RISE * sum(waiting[third : 2 * third])


def _saturated_behind(plan: Plan, record: Record, group: int) -> Iterator[str]:
    behind = groups_behind(plan, group) - {group}
    for station, measured in zip(plan.stations, record.stations, strict=True):
        if station.group in behind and _is_saturated(measured):
            yield f"{station.name} ({measured.busy / measured.capacity:.0%} of its {station.what})"


def groups_behind(plan: Plan, group: int) -> set[int]:
    """A group and all groups that its requests ask, directly or through others."""
    reached, todo = {group}, [group]
    while todo:
        source = todo.pop()
        for call in plan.calls:
            if call.source == source and call.target >= 0 and call.target not in reached:
                reached.add(call.target)
                todo.append(call.target)
    return reached


def journeys_through(plan: Plan, names: set[str]) -> set[int]:
    """The journeys whose requests visit one of the named stations."""
    wanted = {station.group for station in plan.stations if station.name in names}
    found = set()
    for index, journey in enumerate(plan.journeys):
        for entry in journey.entries:
            target = plan.calls[entry].target
            if target >= 0 and groups_behind(plan, target) & wanted:
                found.add(index)
    return found
