"""What an engine writes down while it runs: counts, histograms and time averages.

Only what happens after the warm-up counts. A request belongs to the statistics when it *starts*
after the warm-up, so every started request is later finished or still in flight.
"""

from __future__ import annotations

from dataclasses import dataclass, field

from archcheck.simulation.histogram import Histogram
from archcheck.simulation.plan import Outcome, Plan

BUCKETS = 60
"""Intervals of the time series."""


@dataclass
class Tally:
    """Requests of one journey or operation: how they ended and how long they took."""

    started: int = 0
    outcomes: list[int] = field(default_factory=lambda: [0] * len(Outcome))
    latency: list[Histogram] = field(default_factory=lambda: [Histogram() for _ in Outcome])

    @property
    def finished(self) -> int:
        """Requests that have an outcome."""
        return sum(self.outcomes)

    @property
    def in_flight(self) -> int:
        """Requests that had none when the run ended."""
        return self.started - self.finished

    def finish(self, outcome: Outcome, seconds: float) -> None:
        """Record an ending."""
        self.outcomes[outcome] += 1
        self.latency[outcome].add(seconds)


class Gauge:
    """The time integral of a number that changes at events, from the warm-up on."""

    __slots__ = ("_since", "_start", "integral", "value")

    def __init__(self, start: float) -> None:
        self.value = 0
        self.integral = 0.0
        self._since = start
        self._start = start

    def change(self, now: float, delta: int) -> None:
        """The number changes by ``delta``."""
        if now > self._since:
            self.integral += self.value * (now - self._since)
            self._since = now
        self.value += delta

    def read(self, now: float) -> float:
        """The integral up to ``now``."""
        self.change(now, 0)
        return self.integral


@dataclass
class StationRecord:
    """A station's time integrals (over all nodes) and visits.

    ``residence`` sums the time that visitors spent inside the measured time, waiting included;
    by Little's law in its sample-path form it equals the integral of the population.
    """

    busy: Gauge
    waiting: Gauge
    visits: int = 0
    rejected: int = 0
    waited: float = 0.0
    residence: float = 0.0


class Record:
    """Everything that one run writes down."""

    def __init__(self, plan: Plan, duration: float, warmup: float) -> None:
        self.duration = duration
        self.warmup = warmup
        self.journeys = [Tally() for _ in plan.journeys]
        self.operations = [Tally() for _ in plan.operations]
        self.stations = [StationRecord(Gauge(warmup), Gauge(warmup)) for _ in plan.stations]
        self.pools = [StationRecord(Gauge(warmup), Gauge(warmup)) for _ in plan.pools]
        self.series = [Series() for _ in plan.journeys]
        self.busy_series: list[list[float]] = [[] for _ in plan.stations]
        self.events = 0

    def journey_started(self, journey: int, now: float) -> None:
        """A user starts a journey."""
        if now >= self.warmup:
            self.journeys[journey].started += 1

    def journey_finished(self, journey: int, outcome: Outcome, start: float, now: float) -> None:
        """A journey has its answer, or its user has given up."""
        if start >= self.warmup:
            self.journeys[journey].finish(outcome, now - start)
        bucket = min(BUCKETS - 1, int(now / self.duration * BUCKETS))
        self.series[journey].add(bucket, outcome, now - start)


class Series:
    """Counts, failures and latencies of a journey in each interval of the run."""

    def __init__(self) -> None:
        self.finished = [0] * BUCKETS
        self.failed = [0] * BUCKETS
        self.latency = [Histogram() for _ in range(BUCKETS)]

    def add(self, bucket: int, outcome: Outcome, seconds: float) -> None:
        """A journey finished in an interval."""
        self.finished[bucket] += 1
        self.failed[bucket] += outcome not in (Outcome.OK, Outcome.DEGRADED)
        self.latency[bucket].add(seconds)
