"""The result of a simulation: what happened, by name, in numbers that a person can use."""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import cached_property

from archcheck.findings import PERCENTILES, Objective, Reading, State, objectives_of
from archcheck.findings.objectives import Basis
from archcheck.model import Scenario, System
from archcheck.simulation.estimates import Estimate
from archcheck.simulation.histogram import Histogram
from archcheck.simulation.overloads import Overload
from archcheck.simulation.plan import Assumption, label_of
from archcheck.simulation.steady_state import Unsettled


@dataclass(frozen=True)
class Latencies:
    """Latencies in seconds of one group of requests, whatever their outcome.

    Percentiles are within 0.5% of the measured value; the mean and the maximum are exact. All
    are NaN when nothing finished, or when there is no steady state.
    """

    mean: float
    """The mean."""
    p50: float
    """The median."""
    p90: float
    """The 90th percentile."""
    p95: float
    """The 95th percentile."""
    p99: float
    """The 99th percentile."""
    p999: float
    """The 99.9th percentile."""
    max: float
    """The longest."""

    @classmethod
    def of(cls, histogram: Histogram) -> Latencies:
        """Read off a histogram."""
        read = {name: histogram.quantile(share) for name, share in PERCENTILES.items()}
        maximum = histogram.max if histogram.count else math.nan
        return cls(mean=histogram.mean, **read, max=maximum)

    @classmethod
    def none(cls) -> Latencies:
        """Where there is nothing to measure."""
        return cls(*[math.nan] * 7)


@dataclass(frozen=True)
class RequestResult:
    """The requests of a journey or operation that started after the warm-up.

    With several replications all counts are sums over them.
    """

    name: str
    """The journey, endpoint or job."""
    started: int
    """Requests that began: the sum of the outcomes and of ``in_flight``."""
    ok: int
    """Good answers."""
    degraded: int
    """Answers that did without something, such as those of a fallback."""
    timed_out: int
    """Requests that took longer than was waited for."""
    rejected: int
    """Requests that were turned away: a full queue, a rate limit."""
    broken: int
    """Requests that an open circuit breaker refused."""
    failed: int
    """Requests that ended with an error."""
    in_flight: int
    """Requests that had not ended when the run did."""
    throughput: float
    """Answers that come in a second, ok and degraded, whenever their requests started."""
    latency: Latencies
    """Latencies in seconds, whatever the outcome."""

    @property
    def finished(self) -> int:
        """Requests that have an outcome."""
        return self.started - self.in_flight

    @property
    def error_rate(self) -> float:
        """Share of the finished requests without a good answer; NaN when none finished."""
        bad = self.timed_out + self.rejected + self.broken + self.failed
        return bad / self.finished if self.finished else math.nan


@dataclass(frozen=True)
class CallResult:
    """The calls from one place to an operation, and their attempts by outcome."""

    name: str
    """Caller and callee: ``checkout.place -> payments.Charge``."""
    calls: int
    """Calls, without their repetitions."""
    retries: int
    """Attempts after a failed one."""
    hedges: int
    """Attempts beside a slow one."""
    ok: int
    """Attempts with a good answer."""
    degraded: int
    """Attempts with an answer that did without something."""
    timed_out: int
    """Attempts that took longer than was waited for."""
    rejected: int
    """Attempts that were turned away."""
    broken: int
    """Attempts that an open circuit breaker refused."""
    failed: int
    """Attempts that ended with an error."""
    critical_share: float
    """The share of all journeys' time in which such a call was on the critical path."""

    @property
    def attempts(self) -> int:
        """Attempts that have ended."""
        good = self.ok + self.degraded
        return good + self.timed_out + self.rejected + self.broken + self.failed

    @property
    def amplification(self) -> float:
        """Attempts for each call; NaN without calls."""
        return (self.calls + self.retries + self.hedges) / self.calls if self.calls else math.nan


@dataclass(frozen=True)
class ResourceResult:
    """Servers behind a queue."""

    name: str
    """The service, datastore or consumer."""
    what: str
    """What of it: threads, connections, cores ..."""
    nodes: int
    """Replicas, shards or partitions."""
    servers: float | None
    """Servers of all nodes, on average over time; ``None``: unlimited."""
    utilisation: float
    """The share of the servers that is busy, on average (of one); NaN when they are unlimited."""
    busiest: float
    """The same of the busiest node."""
    busy: float
    """Busy servers, on average over time."""
    waiting: float
    """Requests that wait, on average over time."""
    mean_wait: float
    """Seconds of waiting per visit."""
    visits: int
    """Requests that came to it."""
    rejected: int
    """Requests that it turned away."""
    waiting_share: float
    """The share of the journeys' time that went into waiting for it."""
    littles_law_gap: float
    """The relative difference between the mean population and what Little's law makes of the
    visits: zero but for rounding."""
    throttled: float = 0.0
    """The share of the time for which cores stood still because of their CPU limit."""

    @property
    def label(self) -> str:
        """Its name with what it has, for people."""
        return label_of(self.name, self.what)

    @property
    def evidence(self) -> str:
        """Why it is, or is not, a bottleneck, in a sentence."""
        parts = [f"{self.utilisation:.1%} busy ({self.busy:.2f} of {self.servers:g} on average)"]
        if self.nodes > 1 and self.busiest > self.utilisation * 1.1:
            parts.append(f"its busiest node {self.busiest:.1%}")
        parts.append(f"{self.waiting:.2f} waiting")
        if self.waiting_share >= 0.001:
            parts.append(f"{self.waiting_share:.1%} of the journeys' time is waiting for it")
        if self.throttled:
            parts.append(f"throttled by its CPU limit for {self.throttled:.1%} of the time")
        if self.rejected:
            parts.append(f"{self.rejected:,} turned away")
        return ", ".join(parts)


@dataclass(frozen=True)
class TimeShare:
    """Why time passed: a cause at a place, in mean seconds of a journey and as a share of it."""

    cause: str
    """Why time passed: work, waiting, network ..."""
    place: str
    """Where."""
    seconds: float
    """Mean seconds of a journey."""
    share: float
    """The share of the journey's time (of one)."""


@dataclass(frozen=True)
class Band:
    """The journeys between two percentiles of duration, and where their time went."""

    name: str
    """The percentiles between which the journeys lie, such as p99-p100."""
    count: int
    """Journeys in the band."""
    mean: float
    """Their mean time in seconds."""
    shares: tuple[TimeShare, ...]
    """Where it went, the largest first; they add up to one but for rounding."""


@dataclass(frozen=True)
class JourneyTime:
    """Where the time of a journey went: of all of them, then band by band."""

    journey: str
    """Its name."""
    bands: tuple[Band, ...]
    """All of its requests, then band by band."""


@dataclass(frozen=True)
class FailureCause:
    """What made journeys fail: where the last failure began that their answer was lost to."""

    reason: str
    """What happened: no answer in time, user gave up, queue full, breaker open ..."""
    place: str
    """The call, pool, bulkhead, operation or cache at which it did."""
    count: int
    """Journeys that failed so."""
    share: float
    """Their share of the journeys that failed (of one)."""
    series: tuple[float, ...]
    """Journeys that failed so, a second, in each interval of the run, warm-up included."""


@dataclass(frozen=True)
class FailedJourneys:
    """The journeys of one kind that failed, and why, the most frequent cause first."""

    journey: str
    """The name of the journey."""
    count: int
    """How many failed."""
    share: float
    """Their share of the journeys that have ended (of one)."""
    causes: tuple[FailureCause, ...]
    """Why."""


@dataclass(frozen=True)
class SeriesPoint:
    """An interval of the run, warm-up included."""

    time: float
    """When the interval begins, in seconds."""
    throughput: float
    """Good answers a second."""
    failures: float
    """Other outcomes a second."""
    p95: float
    """The 95th percentile of the latency in seconds."""


@dataclass(frozen=True)
class LostMessages:
    """Messages that a consumer has not done in the end, and the share of those that came."""

    consumer: str
    """Its name."""
    dead_letters: int
    """Messages that were delivered as often as may be and went to a channel for such messages."""
    dropped: int
    """Messages that went nowhere."""
    share: float
    """The share of those that came (of one)."""

    def __str__(self) -> str:
        kinds = (("become dead letters", self.dead_letters), ("are dropped", self.dropped))
        said = " or ".join(what for what, count in kinds if count)
        return f"{self.share:.2%} of the messages of {self.consumer} {said}"


@dataclass(frozen=True)
class KnifeEdge:
    """An outcome that moves far where all work takes ``factor`` times as long."""

    journey: str
    """Its name."""
    metric: str
    """A percentile in seconds, or ``availability``, the share of good answers."""
    factor: float
    """How many times as long all work takes."""
    value: float
    """The value with the declared times."""
    shift: float
    """How far it moves: of a percentile relative to ``value``, of a share absolute."""
    half_width: float
    """The half width of the 95% interval of the shift."""
    before: State | None
    """The state of the objective with the declared times; ``None`` without one."""
    after: State | None
    """The state with the changed times; ``None`` without an objective."""

    @property
    def moved(self) -> float:
        """The value with the changed times."""
        if self.metric == "availability":
            return min(1.0, max(0.0, self.value + self.shift))
        return self.value * (1 + self.shift)

    def __str__(self) -> str:
        off = f"{max(self.factor, 1 / self.factor) - 1:.0%}"
        what = f"{off} longer" if self.factor > 1 else f"{off} shorter"
        unit = " points" if self.metric == "availability" else "%"
        shown = Objective(self.journey, self.metric, 0.0).shown
        state = f", {self.after} instead of {self.before}" if self.before != self.after else ""
        return (
            f"where work takes {what}, {self.metric} of {self.journey} is "
            f"{shown(self.moved)} instead of {shown(self.value)} "
            f"({_percent(self.shift, sign='+')}{unit} \u00b1 {_percent(self.half_width)}){state}"
        )


@dataclass(frozen=True)
class KnifeEdges:
    """Outcomes that move far where times are a little off."""

    found: tuple[KnifeEdge, ...] = ()
    """What was found, the farthest first."""
    left_out: str = ""
    """Why nobody looked; empty: somebody did."""


@dataclass(frozen=True)
class SimulationResult:
    """A run of a scenario on a system, or several merged ones. Times are in seconds.

    ``estimates``: for each journey, intervals of ``mean``, and with replications of the
    percentiles, ``throughput`` and ``error_rate``; :meth:`estimate` leaves out those that say too
    little. ``counts``: cache hits, redeliveries, breakers
    that opened, replicas that came and went. ``engine``: ``fast`` or ``simpy``, and why that
    one. ``is_complete``: nobody stopped the run; else ``simulated`` seconds of the first one, or
    fewer replications than were asked for, are there. ``held_up``: journeys whose requests go
    into a queue that grows without bound. ``unsettled``: resources whose queue changes too slowly
    for the length of the runs, and ``early`` the journeys through them: what was read of these is
    too little rather than too much, and no objective of theirs is met by it. ``assumptions`` come
    in the order of their influence. ``knife_edges``: what moves far where times are a little off;
    ``None`` where nobody was asked (:func:`~archcheck.simulation.with_knife_edges`).
    """

    system: System
    scenario: Scenario
    engine: str
    engine_reason: str
    is_complete: bool
    simulated: float
    seed: int
    replications: int
    duration: float
    warmup: float
    warmup_is_found: bool
    precision: float | None
    precision_is_reached: bool
    events: int
    overloads: tuple[Overload, ...]
    held_up: tuple[str, ...]
    unsettled: tuple[Unsettled, ...]
    early: tuple[str, ...]
    journeys: tuple[RequestResult, ...]
    jobs: tuple[RequestResult, ...]
    operations: tuple[RequestResult, ...]
    calls: tuple[CallResult, ...]
    resources: tuple[ResourceResult, ...]
    times: tuple[JourneyTime, ...]
    failures: tuple[FailedJourneys, ...]
    estimates: dict[str, dict[str, Estimate]]
    counts: dict[str, int]
    series: dict[str, tuple[SeriesPoint, ...]]
    utilisation_series: dict[str, tuple[float, ...]]
    waiting_series: dict[str, tuple[float, ...]]
    servers_series: dict[str, tuple[float, ...]]
    assumptions: tuple[Assumption, ...]
    not_simulated: tuple[str, ...]
    knife_edges: KnifeEdges | None = None

    @cached_property
    def bottlenecks(self) -> tuple[ResourceResult, ...]:
        """The resources with a limited number of servers, the most limiting first.

        By the utilisation of their busiest node, then by the time that is waited for them.
        """
        limited = [r for r in self.resources if not math.isnan(r.utilisation)]
        return tuple(sorted(limited, key=_by_limitation))

    @cached_property
    def lost_messages(self) -> tuple[LostMessages, ...]:
        """What each consumer has lost, the largest share first; none where nothing is lost."""
        found = []
        for operation in self.operations:
            dead, dropped, again = (
                self.counts.get(f"{what}: {operation.name}", 0)
                for what in ("dead letters", "dropped", "redelivered")
            )
            if dead or dropped:
                came = max(operation.started - again, dead + dropped)
                share = (dead + dropped) / came
                found.append(LostMessages(operation.name, dead, dropped, share))
        return tuple(sorted(found, key=lambda each: -each.share))

    @property
    def bottleneck(self) -> ResourceResult | None:
        """The most limiting resource; ``None`` without one."""
        return self.bottlenecks[0] if self.bottlenecks else None

    def journey(self, name: str) -> RequestResult:
        """The journey called ``name``. Raises ``KeyError``."""
        return _named(self.journeys, name)

    def operation(self, name: str) -> RequestResult:
        """The operation called ``name``, such as ``payments.Charge``. Raises ``KeyError``."""
        return _named(self.operations, name)

    def call(self, name: str) -> CallResult:
        """The calls from one place: ``checkout.place -> payments.Charge``. Raises ``KeyError``."""
        for call in self.calls:
            if call.name == name:
                return call
        raise KeyError(name)

    def resource(self, name: str) -> ResourceResult:
        """The resource called ``name``: a service, datastore or consumer. Raises ``KeyError``."""
        for resource in self.resources:
            if resource.name == name:
                return resource
        raise KeyError(name)

    def estimate(self, journey: str, metric: str) -> Estimate | None:
        """A figure of a journey with its interval; ``None`` where the runs are too short for one.

        ``metric``: ``mean``, a percentile such as ``p95``, ``throughput`` or ``error_rate``.
        """
        if journey in self.early:
            return None
        return self.estimates.get(journey, {}).get(metric)

    @cached_property
    def objectives(self) -> tuple[Reading, ...]:
        """What the journeys of the scenario promise, and what the run read; each has a state."""
        promised = objectives_of(self.system, self.scenario.journeys())
        return tuple(self.reading(objective) for objective in promised)

    def reading(self, objective: Objective) -> Reading:
        """What the run read for an objective of a journey. Raises ``KeyError``.

        The latency of a journey that is held up grows without bound, and those of its requests
        that still wait count as not answered.
        """
        basis: Basis = "replications" if self.replications > 1 else "one run"
        journey = self.journey(objective.subject)
        estimates = self.estimates.get(journey.name, {})
        is_held_up = journey.name in self.held_up
        if objective.name == "availability":
            found = estimates.get("error_rate")
            good = journey.ok + journey.degraded
            if is_held_up and journey.started:
                value = good / journey.started
            else:
                value = 1 - (found.value if found is not None else journey.error_rate)
        else:
            found = None if is_held_up else estimates.get(objective.name)
            measured = math.inf if is_held_up else getattr(journey.latency, objective.name)
            value = found.value if found is not None else measured
        half = found.half_width if found is not None else None
        is_early = journey.name in self.early
        return Reading(objective, value, half, basis, journey.started, is_early)


def _by_limitation(resource: ResourceResult) -> tuple[float, float, float, str]:
    waiting = resource.waiting_share
    return (-round(resource.busiest, 3), -waiting, -resource.waiting, resource.name)


def _percent(share: float, sign: str = "") -> str:
    """Percent with two digits, and without an exponent."""
    value = 100 * share
    return f"{value:{sign}.0f}" if abs(value) >= 10 else f"{value:{sign}.2g}"


def _named(results: tuple[RequestResult, ...], name: str) -> RequestResult:
    for result in results:
        if result.name == name:
            return result
    raise KeyError(name)
