"""Where the time went and why journeys failed, by name: bands of journeys, waiting shares,
influence of assumptions.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import replace

from archcheck.simulation.attribution import (
    MASK,
    SHIFT,
    Attribution,
    Cause,
    FailureReason,
    code,
)
from archcheck.simulation.plan import Assumption, Plan
from archcheck.simulation.record import BUCKETS, Record
from archcheck.simulation.results import (
    Band,
    FailedJourneys,
    FailureCause,
    JourneyTime,
    TimeShare,
)

BANDS = (("all", 0.0, 1.0), ("p0-p50", 0.0, 0.5), ("p50-p90", 0.5, 0.9), ("p90-p99", 0.9, 0.99),
         ("p99-p100", 0.99, 1.0))  # fmt: skip
"""Bands of percentiles of duration."""

_NAMES = {
    Cause.WORK: "work",
    Cause.OUTSIDE: "work",
    Cause.CPU: "waiting for cores",
    Cause.CONNECTION: "waiting for a connection",
    Cause.BULKHEAD: "waiting at the bulkhead",
    Cause.NETWORK: "network",
    Cause.LOST: "no answer in time",
    Cause.BACKOFF: "backoff",
    Cause.LOADING: "waiting for the cache to fill",
}
_SLOTS = {
    "threads": "waiting for a thread",
    "connections": "waiting for a connection of the store",
    "consumers": "waiting for a consumer",
}
_CAPACITIES = (Cause.SLOT, Cause.CPU, Cause.CONNECTION)
_REASONS = {
    FailureReason.TIMED_OUT: "no answer in time",
    FailureReason.BROKEN: "breaker open",
    FailureReason.OVER_OWN_LIMIT: "over the client's own rate limit",
    FailureReason.NOBODY_THERE: "no replica there",
    FailureReason.CUT: "link cut",
    FailureReason.NO_PERMIT: "bulkhead full",
    FailureReason.NO_CONNECTION: "no connection free",
    FailureReason.OVER_LIMIT: "over the rate limit",
    FailureReason.QUEUE_FULL: "queue full",
    FailureReason.SHED: "shed",
    FailureReason.ERROR: "failed by itself",
    FailureReason.DIED: "replica down",
    FailureReason.NOT_LOADED: "cache not filled",
}


class TimeBook:
    """The notes of all journeys, looked up by cause and place."""

    def __init__(self, plan: Plan, record: Record) -> None:
        self._plan = plan
        self._attribution = record.attribution
        self._total = sum(
            total for each in record.attribution for _, total in sorted(each.totals.items())
        )
        self._seconds: dict[int, float] = defaultdict(float)
        for attribution in record.attribution:
            for _, sums in sorted(attribution.seconds.items()):
                for note, seconds in sums.items():
                    self._seconds[note] += seconds
        self._by_cause: dict[Cause, float] = defaultdict(float)
        self._by_element: dict[str, float] = defaultdict(float)
        self._by_capacity: dict[str, float] = defaultdict(float)
        self._lost: dict[str, float] = defaultdict(float)
        self._sum_by_place()

    def _share(self, cause: Cause, index: int) -> float:
        return self._seconds.get(code(cause, index), 0.0) / self._total if self._total else 0.0

    def critical_share(self, call: int) -> float:
        """The share of all journeys' time in which a call was on the critical path."""
        return self._share(Cause.CALL, call)

    def waiting_share_of_station(self, index: int) -> float:
        """The share of all journeys' time that went into waiting for a station."""
        station = self._plan.stations[index]
        held = self._plan.groups[station.group].slots == index
        return self._share(Cause.SLOT if held else Cause.CPU, station.group)

    def waiting_share_of_pool(self, index: int) -> float:
        """The share of all journeys' time that went into waiting for a connection."""
        return self._share(Cause.CONNECTION, index)

    def waiting_share_of_bulkhead(self, index: int) -> float:
        """The share of all journeys' time that went into waiting at a bulkhead."""
        return self._share(Cause.BULKHEAD, index)

    # -- bands ----------------------------------------------------------------------------------

    def journeys(self) -> tuple[JourneyTime, ...]:
        """Where the time of each journey went."""
        return tuple(
            JourneyTime(planned.name, tuple(self._bands(attribution)))
            for planned, attribution in zip(self._plan.journeys, self._attribution, strict=True)
            if attribution.counts
        )

    def _bands(self, attribution: Attribution) -> Iterable[Band]:
        buckets = sorted(attribution.counts)
        whole = sum(attribution.counts.values())
        ends, seen = {}, 0
        for bucket in buckets:
            seen += attribution.counts[bucket]
            ends[bucket] = seen / whole
        for name, low, high in BANDS:
            kept = [b for b in buckets if low < ends[b] <= high or (high == 1 and ends[b] >= 1)]
            count = sum(attribution.counts[bucket] for bucket in kept)
            if count:
                yield self._band(attribution, name, kept, count)

    def _band(
        self, attribution: Attribution, name: str, buckets: Sequence[int], count: int
    ) -> Band:
        sums: dict[tuple[str, str], float] = defaultdict(float)
        for bucket in buckets:
            for note, seconds in sorted(attribution.seconds[bucket].items()):
                if note & MASK != Cause.CALL and seconds:
                    sums[self._name(note)] += seconds
        total = sum(attribution.totals[bucket] for bucket in buckets)
        shares = [
            TimeShare(cause, place, seconds / count, seconds / total if total else 0.0)
            for (cause, place), seconds in sums.items()
        ]
        shares.sort(key=lambda share: (-share.seconds, share.cause, share.place))
        return Band(name, count, total / count, tuple(shares))

    def _name(self, note: int) -> tuple[str, str]:
        plan, cause, index = self._plan, Cause(note & MASK), note >> SHIFT
        match cause:
            case Cause.WORK | Cause.CPU:
                return _NAMES[cause], plan.groups[index].name
            case Cause.SLOT:
                what = plan.stations[plan.groups[index].slots].what
                return _SLOTS[what], plan.groups[index].name
            case Cause.OUTSIDE:
                return _NAMES[cause], plan.operations[index].name
            case Cause.CONNECTION:
                return _NAMES[cause], plan.pools[index].name
            case Cause.BULKHEAD:
                return _NAMES[cause], plan.bulkheads[index].name
            case Cause.LOADING:
                return _NAMES[cause], plan.caches[index].name
            case Cause.NETWORK:
                return _NAMES[cause], ""
            case _:
                return _NAMES[cause], plan.calls[index].name

    # -- assumptions ----------------------------------------------------------------------------

    def by_influence(self, assumptions: Sequence[Assumption]) -> tuple[Assumption, ...]:
        """The assumptions, those first through which most of the journeys' time goes."""
        known = [replace(each, influence=self._influence(each)) for each in assumptions]
        return tuple(sorted(known, key=lambda each: -each.influence))

    def _influence(self, assumption: Assumption) -> float:
        return self._concerned(assumption) / self._total if self._total else 0.0

    def _concerned(self, assumption: Assumption) -> float:
        subject, seconds = assumption.subject, self._by_cause
        if subject == "network":
            return seconds[Cause.NETWORK]
        if subject == "calls":
            return seconds[Cause.SLOT] + seconds[Cause.CPU]
        if subject == "retries":
            return seconds[Cause.BACKOFF] + seconds[Cause.LOST]
        if assumption.attribute in ("read", "write", "latency"):
            return self._by_element.get(subject, 0.0)
        if assumption.attribute == "deadline_propagation":
            return sum(lost for place, lost in self._lost.items() if place.startswith(subject))
        if assumption.attribute in ("drops_late_requests", "stops_late_work"):
            asked = ((place.rpartition(" -> ")[2], lost) for place, lost in self._lost.items())
            return sum(lost for name, lost in asked if name.partition(".")[0] == subject)
        capacities = self._by_capacity
        return capacities.get(subject, 0.0) + capacities.get(f"{subject} replicas", 0.0)

    def _sum_by_place(self) -> None:
        """Sum up once what assumptions are asked for: by cause, element, capacity, lost calls."""
        for note, seconds in sorted(self._seconds.items()):
            cause = Cause(note & MASK)
            if cause == Cause.CALL:
                continue
            _, place = self._name(note)
            self._by_cause[cause] += seconds
            self._by_element[place.partition(".")[0].removesuffix(" replicas")] += seconds
            if cause in _CAPACITIES:
                self._by_capacity[place] += seconds
            if cause == Cause.LOST:
                self._lost[place] += seconds


def failed_journeys(plan: Plan, record: Record) -> tuple[FailedJourneys, ...]:
    """Why journeys failed, those that did."""
    weight = record.duration / BUCKETS * record.runs
    found = []
    for planned, tally, failures in zip(
        plan.journeys, record.journeys, record.failures, strict=True
    ):
        failed = sum(failures.counts.values())
        causes = [
            FailureCause(
                *_reason_at(plan, note),
                count,
                count / failed,
                tuple(each / weight for each in failures.series[note]),
            )
            for note, count in failures.counts.items()
        ]
        causes.sort(key=lambda cause: (-cause.count, cause.reason, cause.place))
        if causes:
            share = failed / tally.finished
            found.append(FailedJourneys(planned.name, failed, share, tuple(causes)))
    return tuple(found)


def _reason_at(plan: Plan, note: int) -> tuple[str, str]:
    reason, index = FailureReason(note & MASK), note >> SHIFT
    if reason == FailureReason.TIMED_OUT and any(index in j.entries for j in plan.journeys):
        return "user gave up", plan.calls[index].name
    match reason:
        case FailureReason.NO_PERMIT:
            return _REASONS[reason], plan.bulkheads[index].name
        case FailureReason.NO_CONNECTION:
            return _REASONS[reason], plan.pools[index].name
        case FailureReason.NOT_LOADED:
            return _REASONS[reason], plan.caches[index].name
        case (
            FailureReason.TIMED_OUT
            | FailureReason.BROKEN
            | FailureReason.OVER_OWN_LIMIT
            | FailureReason.NOBODY_THERE
            | FailureReason.CUT
        ):
            return _REASONS[reason], plan.calls[index].name
        case _:
            return _REASONS[reason], plan.operations[index].name
