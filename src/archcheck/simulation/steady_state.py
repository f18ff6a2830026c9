"""Whether runs show a steady state: warm-up found, what changes slowly seen.

A queue near saturation changes slowly: at 95% of one server a queue of today is felt for a hundred
service times squared. Runs that begin empty and are short against that read too little, and their
intervals cover too seldom. How slowly a queue changes shows in the runs themselves: how alike its
lengths are in neighbouring sixtieths of a run. Buckets of rate limits, which begin full, bursts of
a load and autoscalers change slowly, too.
"""

from __future__ import annotations

import math
import statistics
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise

from archcheck.simulation.estimates import warm_up
from archcheck.simulation.plan import ArrivalKind, Plan, Scope
from archcheck.simulation.queues import BURSTS, TOKENS, Place, WaitingLine, queues, scaled_out
from archcheck.simulation.record import BUCKETS, Record, StationRecord
from archcheck.units import Duration

_ENOUGH = 1_000
"""Requests of a journey that are enough to find its warm-up. A choice: 200 batches of MSER-5."""
_RELAXATIONS = 100.0
"""Relaxation times that a run should last: the start, which is empty, weighs a percent then, and
the intervals of five runs cover as they say (``benchmarks/coverage.py``)."""
_LIVES = 2
"""Lives of a cache's entries until its misses are even: after one, they still come in waves."""
_SCALING = 4.0
"""How much longer runs should be in which an autoscaler has not started all that it needs yet. A
choice: what it does in between, no formula says."""
_STILL = 0.25
"""How much the servers of an autoscaler may differ between the first and the last third of a run in
which it has settled. A choice: it goes up and down a little for ever."""
_NEARLY_FULL = 0.998
"""The highest load that is told from an overload: one server needs a million services to relax."""


@dataclass(frozen=True)
class Unsettled:
    """What changes too slowly for the length of the runs: a queue, a bucket, a load in bursts."""

    name: str
    """The service, datastore or consumer; of a rate limit who is limited, of bursts the load."""
    what: str
    """What of it: threads, connections, cores ..., or ``tokens``, or ``bursts``."""
    relaxation: float
    """Seconds in which it forgets most of what it was, read from runs that are too short to read it
    well, so rather too few."""
    is_scaling: bool = False
    """Whether an autoscaler is still at work: what was read may be too much or too little."""

    @property
    def needed(self) -> float:
        """Seconds that a run should last."""
        return _RELAXATIONS * self.relaxation

    def __str__(self) -> str:
        long, needed = f"{Duration(self.relaxation):.2}", f"{Duration(self.needed):.2}"
        if self.is_scaling:
            return f"{self.name} ({self.what}) is still being scaled: runs of {needed} may tell"
        said = {
            TOKENS: f"the bucket of {self.name} takes about {long} to change, and began full",
            BURSTS: f"{self.name} comes in bursts, from one to the next in about {long}",
        }.get(
            self.what,
            f"the queue of {self.name} ({self.what}) takes about {long} to change, and began empty",
        )
        return f"{said}: runs of {needed} and more would tell"


def not_settled(
    plan: Plan, records: Sequence[Record], whole: Record, served: Mapping[Place, float]
) -> list[Unsettled]:
    """What changes too slowly; nothing where the load itself changes.

    Of a queue what the runs show and what theory says of so full a one, whichever is slower. How
    full is what is declared, where that is all ``served``: runs in which little came by chance look
    settled, and it is them that read too little.
    """
    if not plan.is_stationary:
        return []
    found = []
    for queue in queues(plan):
        declared = served.get(queue.place, 0.0) / (queue.total(whole) or math.inf)
        if _is_scaling(plan, whole, queue, declared):
            longer = _SCALING * whole.duration / _RELAXATIONS
            found.append(Unsettled(queue.name, queue.what, longer, is_scaling=True))
            continue
        relaxation = max(_in_theory(queue, queue.of(whole), declared), _read(queue, records))
        if relaxation * _RELAXATIONS > whole.duration:
            found.append(Unsettled(queue.name, queue.what, relaxation))
    slow = [*_buckets(plan, whole), *_bursts(plan)]
    return [*found, *(each for each in slow if each.needed > whole.duration)]


def _is_scaling(plan: Plan, whole: Record, queue: WaitingLine, declared: float) -> bool:
    """Whether an autoscaler still adds what is needed, or takes away what is not."""
    if queue.kind != "stations" or plan.groups[queue.group].scaling is None:
        return False
    if declared * scaled_out(plan, whole, queue) < 1 <= declared:
        return True
    first = math.ceil(whole.warmup / whole.duration * BUCKETS - 1e-9)
    servers = whole.capacity_series[queue.index][first:]
    third = len(servers) // 3
    early, late = math.fsum(servers[:third]), math.fsum(servers[-third:])
    return third > 0 and abs(early - late) > _STILL * max(early, late)


def _bursts(plan: Plan) -> Iterator[Unsettled]:
    """From one burst of a load to the next: what happens in them is known from many."""
    for stream in plan.streams:
        if stream.kind is ArrivalKind.MMPP:
            load, _, _ = stream.name.partition("#")  # the number of the stream
            yield Unsettled(load, BURSTS, math.fsum(stream.points[0]))


def _buckets(plan: Plan, whole: Record) -> Iterator[Unsettled]:
    """How slowly the tokens of rate limits change: as a queue with as much room, served at the rate
    that fills them; where more comes than that, they last for a while first.
    """
    for index, limit in enumerate(plan.limits):
        asked = sum(
            site.calls + site.retries + site.hedges
            for call, site in zip(plan.calls, whole.calls, strict=True)
            if call.policy.limit == index
        )
        groups = {call.source for call in plan.calls if call.policy.limit == index}
        for operation, tally in zip(plan.operations, whole.operations, strict=True):
            if operation.limit == index:
                asked += tally.started
                groups.add(operation.group)
        if not asked or not limit.rate or limit.scope is Scope.CLIENT:
            continue  # one of zero has no bucket; of one for each client nobody knows how many ask
        nodes = sum(plan.groups[group].nodes for group in groups if group >= 0) or 1
        coming = asked / whole.span / (nodes if limit.scope is Scope.REPLICA else 1)
        room = (limit.burst + 1) / math.pi
        load = coming / limit.rate
        slow = room**2 if load == 1 else min(room**2, 1 / (1 - math.sqrt(load)) ** 2)
        lasting = limit.burst / (coming - limit.rate) if load > 1 else 0.0
        yield Unsettled(limit.name, TOKENS, max(slow / limit.rate, lasting))


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
