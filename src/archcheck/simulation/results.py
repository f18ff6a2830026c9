"""The result of a simulation: what happened, by name, in numbers that a person can use."""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import cached_property

from archcheck.model import Scenario, System
from archcheck.simulation.histogram import Histogram
from archcheck.simulation.plan import Assumption, Outcome, Plan
from archcheck.simulation.record import BUCKETS, Record, StationRecord, Tally

QUANTILES = (0.5, 0.9, 0.95, 0.99, 0.999)
"""The percentiles that are reported."""


@dataclass(frozen=True)
class Latencies:
    """Latencies in seconds of one group of requests, whatever their outcome.

    Percentiles are within 0.5% of the measured value; the mean and the maximum are exact. All
    are NaN when nothing finished.
    """

    mean: float
    p50: float
    p90: float
    p95: float
    p99: float
    p999: float
    max: float

    @classmethod
    def of(cls, histogram: Histogram) -> Latencies:
        """Read off a histogram."""
        p50, p90, p95, p99, p999 = (histogram.quantile(share) for share in QUANTILES)
        maximum = histogram.max if histogram.count else math.nan
        return cls(histogram.mean, p50, p90, p95, p99, p999, maximum)


@dataclass(frozen=True)
class RequestResult:
    """The requests of a journey or operation that started after the warm-up.

    ``started`` is the sum of the outcomes and of ``in_flight``; ``throughput`` counts ok and
    degraded answers in a second.
    """

    name: str
    started: int
    ok: int
    degraded: int
    timed_out: int
    rejected: int
    failed: int
    in_flight: int
    throughput: float
    latency: Latencies

    @property
    def finished(self) -> int:
        """Requests that have an outcome."""
        return self.started - self.in_flight

    @property
    def error_rate(self) -> float:
        """Share of the finished requests without a good answer; NaN when none finished."""
        bad = self.timed_out + self.rejected + self.failed
        return bad / self.finished if self.finished else math.nan


@dataclass(frozen=True)
class ResourceResult:
    """Servers behind a queue.

    ``busy`` and ``waiting`` are time averages over all nodes; ``utilisation`` is busy over
    servers (NaN when they are unlimited); ``mean_wait`` is in seconds per visit.
    ``littles_law_gap`` is the relative difference between the mean population and what Little's
    law makes of the visits: zero but for rounding.
    """

    name: str
    what: str
    nodes: int
    servers: int | None
    utilisation: float
    busy: float
    waiting: float
    mean_wait: float
    visits: int
    rejected: int
    littles_law_gap: float


@dataclass(frozen=True)
class SeriesPoint:
    """An interval of the run, warm-up included. Latency in seconds, rates in events a second."""

    time: float
    throughput: float
    failures: float
    p95: float


@dataclass(frozen=True)
class SimulationResult:
    """A run of a scenario on a system. Times are in seconds."""

    system: System
    scenario: Scenario
    engine: str
    seed: int
    duration: float
    warmup: float
    events: int
    journeys: tuple[RequestResult, ...]
    operations: tuple[RequestResult, ...]
    resources: tuple[ResourceResult, ...]
    series: dict[str, tuple[SeriesPoint, ...]]
    utilisation_series: dict[str, tuple[float, ...]]
    assumptions: tuple[Assumption, ...]
    not_simulated: tuple[str, ...]

    @cached_property
    def bottleneck(self) -> ResourceResult | None:
        """The busiest resource with a limited number of servers; ``None`` without one."""
        limited = [r for r in self.resources if not math.isnan(r.utilisation)]
        return max(limited, key=lambda r: (r.utilisation, r.waiting), default=None)

    def journey(self, name: str) -> RequestResult:
        """The journey called ``name``. Raises ``KeyError``."""
        return _named(self.journeys, name)

    def operation(self, name: str) -> RequestResult:
        """The operation called ``name``, such as ``payments.Charge``. Raises ``KeyError``."""
        return _named(self.operations, name)

    def resource(self, name: str) -> ResourceResult:
        """The resource called ``name``: a service, datastore or consumer. Raises ``KeyError``."""
        for resource in self.resources:
            if resource.name == name:
                return resource
        raise KeyError(name)

    def missed_objectives(self) -> tuple[str, ...]:
        """Latency and availability objectives of the journeys that the run did not meet."""
        missed = []
        for journey in self.system.journeys:
            result = self.journey(journey.name)
            if journey.slo is None or not result.finished:
                continue
            for name, _, bound in journey.slo.latencies():
                measured = getattr(result.latency, name)
                if measured > float(bound):
                    missed.append(f"{journey.name}: {name} is {measured:.3g} s, promised {bound}")
            promised = journey.slo.availability
            if promised is not None and 1 - result.error_rate < float(promised):
                missed.append(
                    f"{journey.name}: {1 - result.error_rate:.3%} answered, promised {promised}"
                )
        return tuple(missed)


def _named(results: tuple[RequestResult, ...], name: str) -> RequestResult:
    for result in results:
        if result.name == name:
            return result
    raise KeyError(name)


def build_result(
    system: System, scenario: Scenario, plan: Plan, record: Record, *, engine: str, seed: int
) -> SimulationResult:
    """Give the numbers of a record their names."""
    span = record.duration - record.warmup
    journeys = zip(plan.journeys, record.journeys, strict=True)
    operations = zip(plan.operations, record.operations, strict=True)
    stations = zip(plan.stations, record.stations, strict=True)
    pools = zip(plan.pools, record.pools, strict=True)
    return SimulationResult(
        system,
        scenario,
        engine,
        seed,
        record.duration,
        record.warmup,
        record.events,
        tuple(_requests(planned.name, tally, span) for planned, tally in journeys),
        tuple(
            _requests(planned.name, tally, span)
            for planned, tally in operations
            if planned.reported and tally.started
        ),
        (
            *(_resource(s.name, s.what, s.nodes, s.servers, r, span) for s, r in stations),
            *(
                _resource(
                    pool.name, "connections", plan.stations[pool.station].nodes, pool.size, r, span
                )
                for pool, r in pools
            ),
        ),
        _series(plan, record),
        _utilisation_series(plan, record),
        plan.assumptions,
        plan.not_simulated,
    )


def _requests(name: str, tally: Tally, span: float) -> RequestResult:
    ok, degraded, timed_out, rejected, failed = (tally.outcomes[outcome] for outcome in Outcome)
    return RequestResult(
        name,
        tally.started,
        ok,
        degraded,
        timed_out,
        rejected,
        failed,
        tally.in_flight,
        (ok + degraded) / span,
        Latencies.of(Histogram.merged(tally.latency)),
    )


def _resource(
    name: str, what: str, nodes: int, servers: int | None, record: StationRecord, span: float
) -> ResourceResult:
    population = record.busy.integral + record.waiting.integral
    gap = abs(population - record.residence) / max(population, record.residence, 1e-9)
    return ResourceResult(
        name,
        what,
        nodes,
        servers * nodes if servers is not None else None,
        record.busy.integral / span / (servers * nodes) if servers is not None else math.nan,
        record.busy.integral / span,
        record.waiting.integral / span,
        record.waited / record.visits if record.visits else 0.0,
        record.visits,
        record.rejected,
        gap,
    )


def _series(plan: Plan, record: Record) -> dict[str, tuple[SeriesPoint, ...]]:
    width = record.duration / BUCKETS
    return {
        journey.name: tuple(
            SeriesPoint(
                (i + 1) * width,
                (series.finished[i] - series.failed[i]) / width,
                series.failed[i] / width,
                series.latency[i].quantile(0.95),
            )
            for i in range(BUCKETS)
        )
        for journey, series in zip(plan.journeys, record.series, strict=True)
    }


def _utilisation_series(plan: Plan, record: Record) -> dict[str, tuple[float, ...]]:
    width = record.duration / BUCKETS
    result = {}
    for station, busy in zip(plan.stations, record.busy_series, strict=True):
        if station.servers is not None:
            total = station.servers * station.nodes * width
            steps = zip([0.0, *busy], busy, strict=False)
            result[station.name] = tuple((after - before) / total for before, after in steps)
    return result
