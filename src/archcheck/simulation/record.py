"""What an engine writes down while it runs: counts, histograms and time averages.

Only what happens after the warm-up counts. A request belongs to the statistics when it *starts*
after the warm-up, so every started request is later finished or still in flight. Records of
replications can be merged.
"""

from __future__ import annotations

import copy
from collections import defaultdict
from dataclasses import dataclass, field

from archcheck.simulation.attribution import Attribution, Notes, reason_in
from archcheck.simulation.batches import Batches
from archcheck.simulation.histogram import Histogram
from archcheck.simulation.plan import Outcome, Plan

BUCKETS = 60
"""Intervals of the time series: a second each of the default duration, and as many columns of text
as a terminal has room for beside a name."""


class Tally:
    """Requests of one journey or operation: how they ended and how long they took.

    ``finish[outcome](seconds)`` records an ending. ``answered``: good answers that came after the
    warm-up, whenever their requests were started: as many as come start in the warm-up as are in
    flight at the end.
    """

    def __init__(self) -> None:
        self.started = 0
        self.answered = 0
        self.latency = [Histogram() for _ in Outcome]
        self.finish = [histogram.add for histogram in self.latency]

    @property
    def outcomes(self) -> list[int]:
        """How many ended in which way."""
        return [histogram.count for histogram in self.latency]

    @property
    def finished(self) -> int:
        """Requests that have an outcome."""
        return sum(self.outcomes)

    @property
    def in_flight(self) -> int:
        """Requests that had none when the run ended."""
        return self.started - self.finished

    def settle(self) -> None:
        """Sort what has come into buckets."""
        for histogram in self.latency:
            histogram.settle()

    def merge(self, other: Tally) -> None:
        """Add another run's requests."""
        self.started += other.started
        self.answered += other.answered
        for mine, theirs in zip(self.latency, other.latency, strict=True):
            mine.merge(theirs)

    def __reduce__(self) -> tuple[object, ...]:
        return _restored, (self.started, self.answered, self.latency)


def _restored(started: int, answered: int, latency: list[Histogram]) -> Tally:
    """A tally that has travelled between processes."""
    tally = Tally()
    tally.started, tally.answered = started, answered
    tally.latency = latency
    tally.finish = [histogram.add for histogram in latency]
    return tally


@dataclass(slots=True)
class StationRecord:
    """Integrals over time and counts of a station, of all its nodes, after the warm-up.

    ``capacity`` is the integral of the servers that were there. ``residence`` sums the time that
    visitors spent inside, waiting included; by Little's law in its sample-path form it equals the
    integral of the population, ``busy + waiting``. ``busiest`` is the largest share of its
    servers that a node kept busy. ``throttled`` is the time for which nodes stood still because a
    quota of CPU time was used up.
    """

    busy: float = 0.0
    waiting: float = 0.0
    capacity: float = 0.0
    visits: int = 0
    ended: int = 0
    rejected: int = 0
    waited: float = 0.0
    residence: float = 0.0
    busiest: float = 0.0
    throttled: float = 0.0
    left_waiting: int = 0

    def merge(self, other: StationRecord) -> None:
        """Add another run's station."""
        for name in ("busy", "waiting", "capacity", "visits", "ended", "rejected", "waited"):
            setattr(self, name, getattr(self, name) + getattr(other, name))
        self.residence += other.residence
        self.throttled += other.throttled
        self.left_waiting += other.left_waiting
        self.busiest = max(self.busiest, other.busiest)


@dataclass(slots=True)
class CallRecord:
    """Calls of one call site: attempts in all, and what became of each."""

    calls: int = 0
    retries: int = 0
    hedges: int = 0
    outcomes: list[int] = field(default_factory=lambda: [0] * len(Outcome))

    def merge(self, other: CallRecord) -> None:
        """Add another run's calls."""
        self.calls += other.calls
        self.retries += other.retries
        self.hedges += other.hedges
        for outcome in Outcome:
            self.outcomes[outcome] += other.outcomes[outcome]


@dataclass(slots=True)
class Counts:
    """Things that are merely counted, by name."""

    values: dict[str, int] = field(default_factory=lambda: defaultdict(int))

    def merge(self, other: Counts) -> None:
        """Add another run's counts."""
        for name, value in other.values.items():
            self.values[name] += value


@dataclass(slots=True)
class JourneySeries:
    """Counts, failures and latencies of a journey in each interval of the run."""

    finished: list[int] = field(default_factory=lambda: [0] * BUCKETS)
    failed: list[int] = field(default_factory=lambda: [0] * BUCKETS)
    latency: list[Histogram] = field(default_factory=lambda: [Histogram() for _ in range(BUCKETS)])

    def add(self, bucket: int, outcome: int, seconds: float) -> None:
        """A journey finished in an interval."""
        self.finished[bucket] += 1
        self.failed[bucket] += outcome > Outcome.DEGRADED
        self.latency[bucket].add(seconds)

    def merge(self, other: JourneySeries) -> None:
        """Add another run's intervals."""
        for bucket in range(BUCKETS):
            self.finished[bucket] += other.finished[bucket]
            self.failed[bucket] += other.failed[bucket]
            self.latency[bucket].merge(other.latency[bucket])


def _intervals() -> list[int]:
    return [0] * BUCKETS


@dataclass(slots=True)
class JourneyFailures:
    """Journeys that failed, by the code of their reason: after the warm-up, and in each interval
    of the run.
    """

    counts: dict[int, int] = field(default_factory=lambda: defaultdict(int))
    series: dict[int, list[int]] = field(default_factory=lambda: defaultdict(_intervals))

    def merge(self, other: JourneyFailures) -> None:
        """Add another run's failures."""
        for reason, count in other.counts.items():
            self.counts[reason] += count
        for reason, intervals in other.series.items():
            mine = self.series[reason]
            mine[:] = [a + b for a, b in zip(mine, intervals, strict=True)]


_OVER_WITH_THE_RUN = ("operations", "calls", "stations", "pools", "bulkheads", "counts")


class Record:
    """Everything that one run, or several merged ones, wrote down.

    ``end``: the time that the run reached, ``duration`` unless it was stopped. ``batches``: for
    each journey, the series of its latencies. ``busy_series``, ``capacity_series`` and
    ``waiting_series``: seconds of busy servers, of all servers and of those who wait at each
    station, in each interval of the run.
    """

    def __init__(self, plan: Plan, duration: float, warmup: float) -> None:
        self.runs = 1
        self.duration = duration
        self.end = duration
        self.warmup = warmup
        self.events = 0
        self.journeys = [Tally() for _ in plan.journeys]
        self.operations = [Tally() for _ in plan.operations]
        self.calls = [CallRecord() for _ in plan.calls]
        self.stations = [StationRecord() for _ in plan.stations]
        self.pools = [StationRecord() for _ in plan.pools]
        self.bulkheads = [StationRecord() for _ in plan.bulkheads]
        self.attribution = [Attribution() for _ in plan.journeys]
        self.counts = Counts()
        self.series = [JourneySeries() for _ in plan.journeys]
        self.failures = [JourneyFailures() for _ in plan.journeys]
        self.busy_series = [[0.0] * BUCKETS for _ in plan.stations]
        self.capacity_series = [[0.0] * BUCKETS for _ in plan.stations]
        self.waiting_series = [[0.0] * BUCKETS for _ in plan.stations]
        self.batches = [Batches() for _ in plan.journeys]

    @property
    def is_complete(self) -> bool:
        """Whether the run reached its end."""
        return self.end == self.duration

    @property
    def span(self) -> float:
        """Simulated seconds that count, of all runs."""
        return (self.end - self.warmup) * self.runs

    def journey_finished(
        self, journey: int, outcome: int, start: float, now: float, notes: Notes
    ) -> None:
        """A journey has its answer, or its user has given up.

        In the series and in the rate of answers it counts only while the run lasts.
        """
        seconds = now - start
        reason = reason_in(notes) if outcome > Outcome.DEGRADED else None
        if start >= self.warmup:
            self.journeys[journey].finish[outcome](seconds)
            self.attribution[journey].add(seconds, notes)
            if reason is not None:
                self.failures[journey].counts[reason] += 1
        self.batches[journey].add(start, seconds)
        if now >= self.duration:
            return
        if now >= self.warmup and outcome <= Outcome.DEGRADED:
            self.journeys[journey].answered += 1
        bucket = min(BUCKETS - 1, int(now / self.duration * BUCKETS))
        self.series[journey].add(bucket, outcome, seconds)
        if reason is not None:
            self.failures[journey].series[reason][bucket] += 1

    @property
    def in_flight(self) -> int:
        """Journeys that were started after the warm-up and have not ended."""
        return sum(tally.in_flight for tally in self.journeys)

    def keep(self) -> dict[str, object]:
        """What is over when the run is, as it is now: all but how its journeys end."""
        return {name: copy.deepcopy(getattr(self, name)) for name in _OVER_WITH_THE_RUN}

    def settle(self) -> None:
        """Sort what has come since the last time into buckets."""
        for tally in (*self.journeys, *self.operations):
            tally.settle()
        for series in self.series:
            for histogram in series.latency:
                histogram.settle()

    def merge(self, other: Record) -> None:
        """Add another replication."""
        self.runs += other.runs
        self.events += other.events
        for name in ("journeys", "operations", "calls", "stations", "pools", "bulkheads"):
            for mine, theirs in zip(getattr(self, name), getattr(other, name), strict=True):
                mine.merge(theirs)
        for name in ("attribution", "series", "failures"):
            for mine, theirs in zip(getattr(self, name), getattr(other, name), strict=True):
                mine.merge(theirs)
        self.counts.merge(other.counts)
        for name in ("busy_series", "capacity_series", "waiting_series"):
            for mine, theirs in zip(getattr(self, name), getattr(other, name), strict=True):
                mine[:] = [a + b for a, b in zip(mine, theirs, strict=True)]
