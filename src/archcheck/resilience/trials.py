"""Runs in which something goes wrong for a while, beside the same runs in which nothing does.

Both have the same random numbers. Time goes in sixty intervals: a third of a trigger's length and
more before it, the trigger, and several times its length after it. An interval is normal when each
journey has as many good answers as without the trigger, no more errors, and no 95th percentile
beyond twice the usual, chance excepted.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace

from archcheck.model import (
    Closed,
    Fault,
    Load,
    Mix,
    Poisson,
    Scenario,
    ScenarioError,
    Session,
    System,
)
from archcheck.planning import at_peak, loaded, solve_plan
from archcheck.simulation.compiling import compile_plan
from archcheck.simulation.engines import choose
from archcheck.simulation.histogram import Histogram
from archcheck.simulation.plan import ArrivalKind, Plan, Stream
from archcheck.simulation.randomness import place_hash
from archcheck.simulation.record import BUCKETS, Record
from archcheck.simulation.replications import Replicator, Stop, StoppedError
from archcheck.simulation.run_lengths import EVENTS_PER_REQUEST
from archcheck.units import Rate

TRIGGER = 10.0
"""Seconds that a trigger lasts, where the load allows runs of two minutes."""
_BEFORE, _LASTS, _AFTER = 10, 5, 45
"""Intervals before, during and after the trigger: all 60 that a run records.

Most of them come after it, because what is asked is whether the system recovers. A choice.
"""
_REPLICATIONS = 3
"""Runs of each trigger. A choice: two give an interval, more take time for every trigger."""
_MOST_EVENTS = 5_000_000
_SHORTEST = 24.0
"""Seconds of the shortest run, however large the load: a trigger of 2 s. A choice."""
_GOOD, _BAD, _SLOW = 0.9, 0.02, 2.0
"""What is normal: good answers over the usual, share of errors beyond it, p95 over the usual.

A choice: people notice a tenth fewer answers, 2% errors, twice the time.
"""
_CARRIED = 0.98
"""Good answers in the last third of a run over requests in the first, of a load that is carried.

A choice: 2% for a slow drift; chance is allowed for beside it.
"""
_SETTLED = 3
"""Normal intervals one after the other that count as recovered."""
_LONGER = 3
"""How many times as long a run is watched that is not normal at its end. A choice."""
_RISING = 1.2
"""Good answers in the last third over the middle third, of a system that still recovers. A choice:
below this, chance could be the reason."""


def steady(scenario: Scenario) -> Scenario:
    """The scenario at its peak, for good, and without its faults."""
    return replace(scenario, load=[_steady(load) for load in scenario.load], faults=[])


def _steady(load: Load | Mix | Session) -> Load | Mix | Session:
    if isinstance(load.arrivals, Closed):
        return load
    rate = load.arrivals.peak_rate()
    if rate is None:
        return load
    return replace(load, arrivals=Poisson(Rate(rate)))


@dataclass(frozen=True)
class TrialClock:
    """When things happen, in seconds."""

    start: float
    end: float
    length: float

    @property
    def interval(self) -> float:
        """The resolution of all times."""
        return self.length / BUCKETS

    def first_after(self) -> int:
        """The first interval after the trigger."""
        return math.ceil(self.end / self.interval - 1e-9)


@dataclass(frozen=True)
class Interval:
    """What happened to a journey in an interval: good answers and errors a second, p95."""

    good: float
    bad: float
    p95: float


@dataclass(frozen=True)
class Watched:
    """A run, or several merged ones: the intervals of each journey, and the records."""

    intervals: dict[str, tuple[Interval, ...]]
    records: tuple[Record, ...]
    clock: TrialClock
    plan: Plan

    def good(self, first: int, last: int) -> float:
        """Good answers a second of all journeys between two intervals."""
        rows = [row[first:last] for row in self.intervals.values()]
        return sum(each.good for row in rows for each in row) / max(1, last - first)

    def bad(self) -> dict[str, list[float]]:
        """Journey to the errors of each run."""
        return {
            journey.name: [float(sum(record.series[index].failed)) for record in self.records]
            for index, journey in enumerate(self.plan.journeys)
        }


@dataclass
class Trials:
    """Runs of one system under one steady scenario, ``factor`` times its load.

    ``trigger``: seconds that a trigger lasts; where a run would have more than so many ``events``,
    everything is shorter.
    """

    system: System
    scenario: Scenario
    factor: float = 1.0
    jobs: int = -1
    seed: int = 1
    stop: Stop | None = None
    replications: int = _REPLICATIONS
    trigger: float = TRIGGER
    events: int = _MOST_EVENTS

    def __post_init__(self) -> None:
        self.scenario = steady(self.scenario)
        if not self.scenario.load:
            raise ScenarioError(f"scenario {self.scenario.name!r} declares no load")
        self.flow = solve_plan(at_peak(self.compiled(())))
        self.clock = self._clock()
        self._control: dict[int, Watched] = {}

    def compiled(self, faults: Sequence[Fault]) -> Plan:
        """The plan with faults, at the wanted load."""
        plan = compile_plan(self.system, replace(self.scenario, faults=list(faults)))
        return loaded(plan, self.factor) if self.factor != 1 else plan

    def _clock(self) -> TrialClock:
        """Shorter than usual where the load makes too many events."""
        wanted = self.trigger * (_BEFORE + _LASTS + _AFTER) / _LASTS
        events = EVENTS_PER_REQUEST * self.flow.requests
        length = min(wanted, max(_SHORTEST, self.events / events if events else wanted))
        interval = length / (_BEFORE + _LASTS + _AFTER)
        return TrialClock(_BEFORE * interval, (_BEFORE + _LASTS) * interval, length)

    def control(self, longer: int = 1) -> Watched:
        """The runs in which nothing goes wrong."""
        if longer not in self._control:
            self._control[longer] = self.watched(self.compiled(()), longer)
        return self._control[longer]

    def watched(self, plan: Plan, longer: int = 1) -> Watched:
        """Simulate a plan, ``longer`` times as long after the trigger.

        Raises :class:`StoppedError` when somebody wants to stop.
        """
        clock = replace(self.clock, length=self.clock.length * longer)
        replicator = Replicator(
            plan,
            choose("auto").name,
            self.seed,
            clock.length,
            0.0,
            jobs=self.jobs,
            stop=self.stop,
        )
        records = replicator.records(range(self.replications))
        if len(records) < self.replications or (self.stop is not None and self.stop()):
            raise StoppedError
        return Watched(_intervals(plan, records, clock), tuple(records), clock, plan)


def _intervals(
    plan: Plan, records: Sequence[Record], clock: TrialClock
) -> dict[str, tuple[Interval, ...]]:
    span = clock.interval * len(records)
    found = {}
    for index, journey in enumerate(plan.journeys):
        if journey.is_job or not any(record.journeys[index].started for record in records):
            continue
        rows = []
        for bucket in range(BUCKETS):
            finished = sum(record.series[index].finished[bucket] for record in records)
            failed = sum(record.series[index].failed[bucket] for record in records)
            times = Histogram.merged(record.series[index].latency[bucket] for record in records)
            rows.append(Interval((finished - failed) / span, failed / span, times.quantile(0.95)))
        found[journey.name] = tuple(rows)
    return found


def is_normal(run: Watched, usual: Watched, bucket: int) -> bool:
    """Whether an interval is as it would be if nothing had gone wrong, chance excepted."""
    span = run.clock.interval * len(run.records)
    quiet = slice(2, BUCKETS)  # without the first intervals, in which the run fills
    for name, row in run.intervals.items():
        control = usual.intervals[name][quiet]
        good = sum(each.good for each in control) / len(control)
        bad = sum(each.bad for each in control) / len(control)
        chance = 3 * math.sqrt(max(good, 1 / span) / span)  # three deviations of a Poisson count
        now = row[bucket]
        if now.good < _GOOD * good - chance or now.bad > bad + _BAD * good + chance:
            return False
        slowest = max((each.p95 for each in control if not math.isnan(each.p95)), default=math.inf)
        if not math.isnan(now.p95) and now.p95 > _SLOW * slowest:
            return False
    return True


def recovered_at(run: Watched, usual: Watched, first: int | None = None) -> int | None:
    """The first interval after the trigger from which on all is normal; ``None``: there is none."""
    start = run.clock.first_after() if first is None else first
    normal = [is_normal(run, usual, bucket) for bucket in range(BUCKETS)]
    for bucket in range(start, BUCKETS):
        if all(normal[bucket : bucket + _SETTLED]):
            return bucket
    return None


def is_carried(usual: Watched) -> bool:
    """Whether the load is carried when nothing goes wrong: answers keep up and stay fast."""
    third = BUCKETS // 3
    for row in usual.intervals.values():
        early, late = row[2:third], row[2 * third :]
        span = len(late) * usual.clock.interval * len(usual.records)
        asked = sum(each.good + each.bad for each in early) / len(early)
        good = sum(each.good for each in late) / len(late)
        if good < _CARRIED * asked - 3 * math.sqrt(asked / span):
            return False
        first = [each.p95 for each in early if not math.isnan(each.p95)]
        last = [each.p95 for each in late if not math.isnan(each.p95)]
        if first and last and sum(last) / len(last) > 3 * sum(first) / len(first):
            return False
    return True


def is_rising(run: Watched) -> bool:
    """Whether good answers still become more at the end: a slow recovery, not a stuck state."""
    third = BUCKETS // 3
    before, after = run.good(third, 2 * third), run.good(2 * third, BUCKETS)
    return after > _RISING * before


def stays_broken(trials: Trials, plan: Plan) -> Watched | None:
    """The run, three times as long, when it does not get better; ``None`` when it does."""
    longer = trials.watched(plan, _LONGER)
    usual = trials.control(_LONGER)
    if recovered_at(longer, usual) is not None or is_rising(longer):
        return None
    return longer


def shed(plan: Plan, keep: float, start: float, end: float) -> Plan:
    """The plan with only a part of its load between two times."""
    streams: list[Stream] = []
    for stream in plan.streams:
        if stream.kind == ArrivalKind.CLOSED or not math.isinf(stream.end):
            streams.append(stream)  # users who wait for answers, and bursts, stay as they are
            continue
        streams.append(replace(stream, end=start))
        for number, (rate, since, until) in enumerate(
            ((stream.rate * keep, start, end), (stream.rate, end, stream.end))
        ):
            if rate > 0:
                place = place_hash(f"{stream.name} after {number}")
                streams.append(replace(stream, place=place, rate=rate, start=since, end=until))
    return replace(plan, streams=tuple(streams))
