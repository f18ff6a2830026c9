"""Whether runs show a steady state: warm-up found, overload recognised, slow queues seen.

A queue near saturation changes slowly: at 95% of one server a queue of today is felt for a hundred
service times squared. Runs that begin empty and are short against that read too little, and their
intervals cover too seldom. How slowly a queue changes shows in the runs themselves: how alike its
lengths are in neighbouring sixtieths of a run.
"""

from __future__ import annotations

import math
import statistics
from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise

from archcheck.model import Scenario, System
from archcheck.model.scenarios import Closed
from archcheck.simulation.declared_loads import Place, declared_loads
from archcheck.simulation.estimates import warm_up
from archcheck.simulation.plan import Outcome, Plan, Station
from archcheck.simulation.record import BUCKETS, Record, StationRecord
from archcheck.units import Duration

_ENOUGH = 1_000
"""Requests of a journey that are enough to find its warm-up. A choice: 200 batches of MSER-5."""
_BUSY = 0.98
"""Utilisation from which servers count as saturated: as ``FULL`` in ``archcheck.planning.targets``.

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
_RELAXATIONS = 100.0
"""Relaxation times that a run should last: the start, which is empty, weighs a percent then, and
the intervals of five runs cover as they say (``benchmarks/coverage.py``)."""
_LIVES = 2
"""Lives of a cache's entries until its misses are even: after one, they still come in waves."""
_NEARLY_FULL = 0.998
"""The highest load that is told from an overload: one server needs a million services to relax."""
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
    """Arrivals over departures."""
    held_up_by: tuple[str, ...]
    """The saturated resources behind it that its servers wait for, if any."""

    def __str__(self) -> str:
        because = f", held up by {' and '.join(self.held_up_by)}" if self.held_up_by else ""
        return f"{self.name} receives {self.ratio:.4g} times what it can serve{because}"


@dataclass(frozen=True)
class Unsettled:
    """A resource whose queue changes too slowly for the length of the runs."""

    name: str
    """The service, datastore or consumer."""
    what: str
    """What of it: threads, connections, cores ..."""
    relaxation: float
    """Seconds in which it forgets most of what it was, read from runs that are too short to read it
    well, so rather too few."""

    @property
    def needed(self) -> float:
        """Seconds that a run should last."""
        return _RELAXATIONS * self.relaxation

    def __str__(self) -> str:
        return (
            f"the queue of {self.name} ({self.what}) takes about {Duration(self.relaxation):.2} to "
            f"change, and began empty: runs of {Duration(self.needed):.2} and more would tell"
        )


def not_settled(plan: Plan, records: Sequence[Record]) -> list[Unsettled]:
    """The stations whose population changes too slowly; none where the load itself changes."""
    if not plan.is_stationary:
        return []
    width = records[0].duration / BUCKETS
    first = math.ceil(records[0].warmup / width - 1e-9)
    found = []
    for index, station in enumerate(plan.stations):
        series = [
            [busy + waiting for busy, waiting in zip(*both, strict=True)]
            for record in records
            if (both := (record.busy_series[index][first:], record.waiting_series[index][first:]))
        ]
        read = width / _steps(_likeness(series))
        relaxation = max(read, _in_theory(station, records, index))
        if relaxation * _RELAXATIONS > records[0].duration:
            found.append(Unsettled(station.name, station.what, relaxation))
    return found


def _in_theory(station: Station, records: Sequence[Record], index: int) -> float:
    """The relaxation time of a queue with Poisson arrivals and exponential times, by what it did.

    One over c mu (1 - sqrt(rho))^2 (Cohen, The Single Server Queue, 1982, section III.7.3, for one
    server; the same in heavy traffic for c of them). A queue with room for K has no longer one than
    ((K + 1)/pi)^2/(c mu), a random walk between two walls, beside the services themselves.
    """
    measured = [record.stations[index] for record in records]
    busy = math.fsum(each.busy for each in measured)
    capacity = math.fsum(each.capacity for each in measured)
    ended = sum(each.ended for each in measured)
    if not ended or not capacity or station.lasting is None:
        return 0.0
    load = min(busy / capacity, _NEARLY_FULL)
    service = busy / ended / station.lasting
    slow = service / (1 - math.sqrt(load)) ** 2
    if station.queue is None:
        return slow
    return min(slow, service * (station.lasting + ((station.queue + 1) / math.pi) ** 2))


def _likeness(series: Sequence[Sequence[float]]) -> float:
    """The correlation of neighbours in several series with the same mean."""
    values = [value for each in series for value in each]
    if len(values) < 2:
        return 0.0
    mean = math.fsum(values) / len(values)
    spread = math.fsum((value - mean) ** 2 for value in values) / len(values)
    pairs = [(a - mean) * (b - mean) for each in series for a, b in pairwise(each)]
    if not pairs or spread <= 1e-18 * max(1.0, mean * mean):
        return 0.0
    return math.fsum(pairs) / len(pairs) / spread


def _steps(alike: float) -> float:
    """Relaxation times in an interval whose mean is so alike to the next one's.

    Means over neighbouring intervals of a process whose memory fades exponentially have the
    correlation (1 - exp(-a))^2 / (2 (a - 1 + exp(-a))), for intervals of a relaxation times.
    """
    low, high = 1e-4, 50.0
    for _ in range(60):
        middle = math.sqrt(low * high)
        fading = math.exp(-middle)
        correlation = (1 - fading) ** 2 / (2 * (middle - 1 + fading))
        low, high = (middle, high) if correlation > alike else (low, middle)
    return low


def found_warm_up(plan: Plan, pilots: Sequence[Record]) -> float:
    """The end of the warm-up, by MSER-5: the middle one of what several pilots say.

    Pilots are other runs than those that are measured: cutting a run where it is lucky, and
    measuring the rest, reads too little. Of a pilot, the latest that its journeys say; of those
    that are seldom started, which say little, only the most frequent one is asked, and only when
    there is no better.

    A cache whose entries live for so long has settled after two lives: what was fetched first
    expires together, and again. Pilots hardly see that, so runs that are twice as long leave it
    out in any case.
    """
    found = statistics.median(_warm_up_of(pilot) for pilot in pilots)
    lives = (_LIVES * cache.ttl for cache in plan.caches)
    return max([found, *(each for each in lives if each <= pilots[0].duration / 2)])


def _warm_up_of(pilot: Record) -> float:
    latest = 0.0
    longest = max(map(len, pilot.batches), default=0)
    for batches in pilot.batches:
        if len(batches) < min(longest, _ENOUGH):
            continue
        pairs = sorted(batches.means())
        latest = max(latest, warm_up([start for start, _ in pairs], [each for _, each in pairs]))
    return min(latest, pilot.duration / 2)


def overloads(
    system: System, scenario: Scenario, plan: Plan, record: Record
) -> tuple[Overload, ...]:
    """The stations that get more than they can serve; none where the load itself changes.

    Those whose queue grew all the time, and those that the declared load exceeds: where nothing is
    turned away and nobody gives up, all that comes must be served, and a run that is hardly
    overloaded looks like one that is nearly so.
    """
    if not plan.is_stationary:
        return ()
    ratios = {
        index: measured.visits / measured.ended
        for index, measured in enumerate(record.stations)
        if measured.ended
        and _is_saturated(measured)
        and measured.visits > _GROWTH * measured.ended
        and measured.left_waiting >= _LEFT * record.runs
        and _rises(record, index)
    }
    busy = {n for n, measured in enumerate(record.stations) if _may_be_full(measured)}
    full = {n for n, measured in enumerate(record.pools) if _may_be_full(measured)}
    declared = _declared_loads(system, scenario, record) if busy or full else {}
    asked = {
        n: declared.get((plan.stations[n].name, plan.stations[n].what), 0.0)
        * record.span
        / record.stations[n].capacity
        for n in busy
    }
    again = sum(call.retries + call.hedges for call in record.calls)
    for index in [*ratios]:
        measured = record.stations[index]
        everywhere = measured.busy > _BUSY * measured.capacity
        if everywhere and not again and _NEARLY <= asked.get(index, 0.0) < 1:
            del ratios[index]  # as full as it is said to be, and by chance in that order
    held = {group for index in ratios for group in groups_behind(plan, plan.stations[index].group)}
    for index, load in asked.items():
        if load >= 1 and plan.stations[index].group not in held:
            ratios[index] = load
    found = []
    for index, station in enumerate(plan.stations):
        if index in ratios:
            causes = tuple(_saturated_behind(plan, record, station.group))
            found.append(Overload(station.name, station.what, ratios[index], causes))
    for index in sorted(full):
        pool, measured = plan.pools[index], record.pools[index]
        load = declared.get((pool.name, "connections"), 0.0) * record.span / measured.capacity
        if load >= 1 and math.isinf(pool.max_wait) and pool.group not in held:
            found.append(Overload(pool.name, "connections", load, ()))
    return tuple(found)


def _declared_loads(system: System, scenario: Scenario, record: Record) -> dict[Place, float]:
    """As :func:`declared_loads`; nothing where some is not served.

    Closed loads ask for no more than is served.
    """
    served = (Outcome.OK, Outcome.DEGRADED)
    lost = (tally.outcomes[o] for tally in record.journeys for o in Outcome if o not in served)
    if any(lost) or any(isinstance(load.arrivals, Closed) for load in scenario.load):
        return {}
    return declared_loads(system, scenario)


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


def _saturated_behind(plan: Plan, record: Record, group: int) -> Iterator[str]:
    behind = groups_behind(plan, group) - {group}
    for station, measured in zip(plan.stations, record.stations, strict=True):
        if station.group in behind and _is_saturated(measured):
            share = measured.busy / measured.capacity
            where = f"{share:.0%} of its" if share > _BUSY else "a node with all of its"
            yield f"{station.name} ({where} {station.what})"


def groups_behind(plan: Plan, group: int) -> set[int]:
    """A group and all groups that its requests ask, directly or through others."""
    return _reached(((call.source, call.target) for call in plan.calls), {group})


def journeys_through(plan: Plan, names: set[str]) -> set[int]:
    """The journeys that visit one of the named stations or pools, or wait for somebody who does.

    Endpoints are told apart: what one endpoint of a gateway asks does not hold up the others.
    """
    stations = {index for index, each in enumerate(plan.stations) if each.name in names}
    pools = {index for index, each in enumerate(plan.pools) if each.name in names}
    asks = [_asked_in(plan, operation.block) for operation in plan.operations]
    wanted = {
        index
        for index, operation in enumerate(plan.operations)
        if operation.group >= 0
        and {plan.groups[operation.group].slots, plan.groups[operation.group].cores} & stations
    }
    wanted |= {call.operation for call in plan.calls if call.pool in pools}
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
