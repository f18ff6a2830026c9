"""Whether runs show a steady state: warm-up found, slow queues seen.

A queue near saturation changes slowly: at 95% of one server a queue of today is felt for a hundred
service times squared. Runs that begin empty and are short against that read too little, and their
intervals cover too seldom. How slowly a queue changes shows in the runs themselves: how alike its
lengths are in neighbouring sixtieths of a run.
"""

from __future__ import annotations

import math
import statistics
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise

from archcheck.model import Scenario, System
from archcheck.simulation.declared_loads import served_loads
from archcheck.simulation.estimates import warm_up
from archcheck.simulation.plan import Plan
from archcheck.simulation.queues import WaitingLine, queues
from archcheck.simulation.record import BUCKETS, Record, StationRecord
from archcheck.units import Duration

_ENOUGH = 1_000
"""Requests of a journey that are enough to find its warm-up. A choice: 200 batches of MSER-5."""
_RELAXATIONS = 100.0
"""Relaxation times that a run should last: the start, which is empty, weighs a percent then, and
the intervals of five runs cover as they say (``benchmarks/coverage.py``)."""
_LIVES = 2
"""Lives of a cache's entries until its misses are even: after one, they still come in waves."""
_NEARLY_FULL = 0.998
"""The highest load that is told from an overload: one server needs a million services to relax."""


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


def not_settled(
    system: System, scenario: Scenario, plan: Plan, records: Sequence[Record], whole: Record
) -> list[Unsettled]:
    """The queues whose population changes too slowly; none where the load itself changes.

    What the runs show and what theory says of so full a queue, whichever is slower. How full is
    what is declared, where that is all served: runs in which little came by chance look settled,
    and it is them that read too little.
    """
    if not plan.is_stationary:
        return []
    known = served_loads(system, scenario, whole)
    found = []
    for queue in queues(plan):
        declared = known.get(queue.place, 0.0) / (queue.total(whole) or math.inf)
        relaxation = max(_in_theory(queue, queue.of(whole), declared), _read(queue, records))
        if relaxation * _RELAXATIONS > whole.duration:
            found.append(Unsettled(queue.name, queue.what, relaxation))
    return found


def _read(queue: WaitingLine, records: Sequence[Record]) -> float:
    """The relaxation time that the series of a station show; zero where there is none."""
    if queue.kind != "stations":
        return 0.0
    width = records[0].duration / BUCKETS
    first = math.ceil(records[0].warmup / width - 1e-9)
    series = [
        [busy + waiting for busy, waiting in zip(*both, strict=True)]
        for record in records
        if (
            both := (
                record.busy_series[queue.index][first:],
                record.waiting_series[queue.index][first:],
            )
        )
    ]
    return width / _steps(_likeness(series))


def _in_theory(queue: WaitingLine, measured: StationRecord, declared: float) -> float:
    """The relaxation time of a queue with Poisson arrivals and exponential times, by its load.

    One over c mu (1 - sqrt(rho))^2 (Cohen, The Single Server Queue, 1982, section III.7.3, for one
    server; the same in heavy traffic for c of them). A queue with room for K has no longer one than
    ((K + 1)/pi)^2/(c mu), a random walk between two walls, beside the services themselves. Where
    nobody waits for longer than so many seconds, as many wait as are served in that time.
    """
    if not measured.ended or not measured.busy or queue.servers is None:
        return 0.0
    load = min(max(measured.busy / measured.capacity, declared), _NEARLY_FULL)
    service = measured.busy / measured.ended / queue.servers
    slow = service / (1 - math.sqrt(load)) ** 2
    room = min(queue.room if queue.room is not None else math.inf, queue.patience / service)
    return min(slow, service * (queue.servers + ((room + 1) / math.pi) ** 2))


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
