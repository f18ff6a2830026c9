"""Which resources get more than they can serve.

Those whose queue grows all the time of a run, and those that the declared load exceeds: where
nothing is turned away and nobody gives up, all that comes must be served, and a run that is hardly
overloaded looks like one that is nearly so, as one that is nearly full looks overloaded by chance.
"""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Set
from dataclasses import dataclass

from archcheck.simulation.plan import ArrivalKind, Plan
from archcheck.simulation.queues import BURSTS, TOKENS, Place, WaitingLine, queues, scaled_out
from archcheck.simulation.record import BUCKETS, Record, StationRecord

_BUSY = 0.98
"""Utilisation from which servers count as saturated: ``FULL`` in ``archcheck.planning.readings``.

A run of a minute cannot tell a queue of fifty from one that grows.
"""
_NEARLY = 0.9
"""A declared load that explains full servers, with some chance. A choice: less does not."""
_BY_CHANCE = 4.0
"""Standard deviations by which the work that comes in a run may be less than is declared."""
_GROWTH = 1.02
"""Arrivals over departures from which a queue counts as growing. A choice, as the two below: a
queue that is long by chance must not be called an overload, so all of them must agree."""
_LEFT = 20
"""Visitors that must be left waiting in a run."""
_RISE = 1.1
"""The queue in the last third of the run over that in the middle third."""


@dataclass(frozen=True)
class Overload:
    """A resource that receives more than it can serve; its queue grows without bound."""

    name: str
    """The service, datastore or consumer."""
    what: str
    """What of it: threads, connections, cores ..."""
    ratio: float
    """Arrivals over departures, or servers that the declared load asks for over those there are."""
    held_up_by: tuple[str, ...]
    """The saturated resources behind it that its servers wait for, if any."""

    def __str__(self) -> str:
        because = f", held up by {' and '.join(self.held_up_by)}" if self.held_up_by else ""
        what = f" ({self.what})" if "->" in self.name else ""
        return f"{self.name}{what} receives {self.ratio:.4g} times what it can serve{because}"


def overloads(plan: Plan, record: Record, served: Mapping[Place, float]) -> tuple[Overload, ...]:
    """The resources that get more than they can serve; none where the load itself changes.

    ``served``: what is declared, where all of it is served.
    """
    if not plan.is_stationary:
        return ()
    busy = [each for each in queues(plan) if _may_be_full(each.of(record))]
    declared = {each: served.get(each.place, 0.0) / each.total(record) for each in busy}
    ratios = _growing(plan, record, declared)
    held = {group for queue in ratios for group in groups_behind(plan, queue.group)}
    for queue, load in declared.items():
        is_too_much = load * scaled_out(plan, record, queue) >= 1
        if is_too_much and queue.patience > record.duration and queue.group not in held:
            ratios[queue] = load
    return tuple(
        Overload(each.name, each.what, ratio, tuple(_saturated_behind(plan, record, each)))
        for each, ratio in sorted(ratios.items(), key=lambda pair: busy.index(pair[0]))
    )


def _growing(
    plan: Plan, record: Record, declared: Mapping[WaitingLine, float]
) -> dict[WaitingLine, float]:
    """Stations whose queue grew all the time to arrivals over departures.

    Not those that are just as full as ``declared``, which grow by chance in that order, nor those
    that have room for it but for a burst, or once they are scaled out; where calls are repeated,
    more comes than is declared.
    """
    again = any(call.retries or call.hedges for call in record.calls)
    is_bursty = any(stream.kind is ArrivalKind.MMPP for stream in plan.streams)
    found = {}
    for queue, load in declared.items():
        measured = queue.of(record)
        later = load * scaled_out(plan, record, queue)
        is_full = load >= _NEARLY and measured.busy > _BUSY * measured.capacity
        has_room = 0 < later < 1 and (is_full or is_bursty or later < load)
        by_chance = has_room and not again
        grew = (
            queue.kind == "stations"
            and _is_saturated(measured)
            and measured.visits > _GROWTH * measured.ended > 0
            and measured.left_waiting >= _LEFT * record.runs
            and _rises(record, queue.index)
        )
        if grew and not by_chance:
            found[queue] = measured.visits / measured.ended
    return found


def _is_saturated(measured: StationRecord, busy: float = _BUSY) -> bool:
    """Whether a node is full: others may idle beside a hot shard, or one with more partitions."""
    return measured.capacity > 0 and measured.busiest > busy


def _may_be_full(measured: StationRecord) -> bool:
    """Whether a run does not contradict a load above one: chance may have brought it less work.

    The work of n requests that come at random, for exponential times, varies by sqrt(2/n).
    """
    chance = _BY_CHANCE * math.sqrt(2 / measured.ended) if measured.ended else 1.0
    return _is_saturated(measured, min(_BUSY, 1 - chance))


def _rises(record: Record, station: int) -> bool:
    third = BUCKETS // 3
    waiting = record.waiting_series[station]
    return sum(waiting[2 * third :]) > _RISE * sum(waiting[third : 2 * third])


def _saturated_behind(plan: Plan, record: Record, queue: WaitingLine) -> Iterator[str]:
    if queue.kind != "stations":
        return
    behind = groups_behind(plan, queue.group) - {queue.group}
    for station, measured in zip(plan.stations, record.stations, strict=True):
        if station.group in behind and _is_saturated(measured):
            share = measured.busy / measured.capacity
            where = f"{share:.0%} of its" if share > _BUSY else "a node with all of its"
            yield f"{station.name} ({where} {station.what})"


def groups_behind(plan: Plan, group: int) -> set[int]:
    """A group and all groups that its requests ask, directly or through others."""
    return _reached(((call.source, call.target) for call in plan.calls), {group})


def journeys_through(plan: Plan, named: Set[Place]) -> set[int]:
    """The journeys that wait in one of the named queues or take one of the named tokens, or ask
    somebody who does; where a load comes in bursts, all.

    Endpoints are told apart: what one endpoint of a gateway asks does not hold up the others.
    """
    if any(what == BURSTS for _, what in named):
        return {index for index, each in enumerate(plan.journeys) if not each.is_job}
    places: set[tuple[str, int]] = {
        (each.kind, each.index) for each in queues(plan) if each.place in named
    }
    places |= {
        ("limits", index) for index, each in enumerate(plan.limits) if (each.name, TOKENS) in named
    }
    stations = {index for kind, index in places if kind == "stations"}
    asks = [_asked_in(plan, operation.block) for operation in plan.operations]
    wanted = {
        index
        for index, operation in enumerate(plan.operations)
        if ("limits", operation.limit) in places
        or (
            operation.group >= 0
            and {plan.groups[operation.group].slots, plan.groups[operation.group].cores} & stations
        )
    }
    wanted |= {
        call.operation
        for call in plan.calls
        if places
        & {
            ("pools", call.pool),
            ("bulkheads", call.policy.bulkhead),
            ("limits", call.policy.limit),
        }
    }
    askers = ((asked, index) for index, each in enumerate(asks) for asked in each)
    before = _reached(askers, wanted)
    return {
        index
        for index, journey in enumerate(plan.journeys)
        if any(plan.calls[entry].operation in before for entry in journey.entries)
    }


def _asked_in(plan: Plan, block: int) -> set[int]:
    """The operations that the steps of a block ask, and those that fallbacks ask instead."""
    asked, todo = set[int](), [block]
    seen = set(todo)
    while todo:
        for step in plan.blocks[todo.pop()]:
            inner = [*step.blocks]
            if step.call >= 0:
                asked.add(plan.calls[step.call].operation)
                inner.append(plan.calls[step.call].policy.fallback)
            new = {each for each in inner if each >= 0} - seen
            seen |= new
            todo += new
    return asked


def _reached(pairs: Iterable[tuple[int, int]], first: set[int]) -> set[int]:
    """What ``first`` leads to along ``pairs``, itself included; -1 is nothing."""
    following = defaultdict(list)
    for one, other in pairs:
        if min(one, other) >= 0:
            following[one].append(other)
    reached, todo = set(first), [*first]
    while todo:
        new = {each for each in following[todo.pop()] if each not in reached}
        reached |= new
        todo += new
    return reached
