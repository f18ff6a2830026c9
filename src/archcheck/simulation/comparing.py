"""Variants of a system side by side, with the same random numbers.

Every variant runs with the same seeds, and every draw depends on its place and request alone: what
a variant does not change draws the same numbers. So differences are taken run by run, and their
intervals are much narrower than those of the values (common random numbers: Law, Simulation
Modeling and Analysis, 2015, section 11.2).

A steady load is run longer while the queues of a variant need it to settle, as far as a number of
events allows. What is still too short then reads too little, never too much, so a difference to it
is known on one side at most.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Literal

from archcheck.model import Scenario, ScenarioError, System
from archcheck.simulation.compiling import compile_plan
from archcheck.simulation.engines import EngineChoice, EngineName, choose
from archcheck.simulation.estimates import Estimate, of_sections
from archcheck.simulation.histogram import Histogram
from archcheck.simulation.plan import Outcome, Plan
from archcheck.simulation.record import Record
from archcheck.simulation.replications import PILOTS, Progress, Replicator, Stop
from archcheck.simulation.results import SimulationResult
from archcheck.simulation.run_lengths import RUNS, settling_time
from archcheck.simulation.running import DURATION
from archcheck.simulation.steady_state import found_warm_up
from archcheck.simulation.summarising import build_result
from archcheck.units import Duration

REPLICATIONS = RUNS
"""Runs of each variant: enough for an interval of the difference."""
Measure = Callable[[Sequence[Record], int], float]
"""A figure of a journey in several runs together."""
METRICS = ("mean", "p50", "p95", "p99", "errors", "throughput")
"""What is compared: seconds, a share, good answers a second."""


Side = Literal["between", "at least", "at most", "unknown"]
"""What is known of a difference: both ends of its interval, one, or none."""


@dataclass(frozen=True)
class Compared:
    """A metric of a journey in one variant, and how it differs from the first variant.

    ``value`` is of all runs together; ``estimate`` is ``None`` where they are too short for an
    interval. ``difference`` and its interval are of the paired runs; ``None`` in the first variant,
    or where a run has no value. ``side``: what is known of it in the long run.
    """

    journey: str
    metric: str
    value: float
    estimate: Estimate | None
    difference: Estimate | None
    side: Side = "between"

    @property
    def differs(self) -> bool:
        """Whether the interval of the difference excludes zero: in runs of this length it is none
        of chance."""
        found = self.difference
        return found is not None and abs(found.value) > found.half_width

    @property
    def is_certain(self) -> bool:
        """Whether there is a difference in the long run, and in which direction."""
        found = self.difference
        if found is None or self.side == "unknown":
            return False
        if self.side == "at most":
            return found.value + found.half_width < 0
        if self.side == "at least":
            return found.value - found.half_width > 0
        return self.differs


@dataclass(frozen=True)
class VariantResult:
    """One variant: its name, its merged result, and what is compared."""

    name: str
    result: SimulationResult
    compared: tuple[Compared, ...]


@dataclass(frozen=True)
class Comparison:
    """Variants in the order in which they were given, the first one the base."""

    scenario: str
    replications: int
    seed: int
    engine: str
    variants: tuple[VariantResult, ...]
    is_complete: bool


def compare(
    variants: Sequence[tuple[str, System, Scenario]],
    *,
    duration: Duration | None = None,
    warmup: Duration | None = None,
    seed: int = 1,
    replications: int = REPLICATIONS,
    jobs: int = 1,
    engine: EngineName = "auto",
    progress: Progress | None = None,
    stop: Stop | None = None,
) -> Comparison:
    """Simulate ``variants`` (name, system, scenario), and compare all with the first.

    All leave out the same warm-up: that of the first, found or given. Raises
    :class:`ScenarioError` for fewer than two runs, of which there is no interval.
    """
    if not variants:
        raise ScenarioError("there is nothing to compare")
    runs = common_runs(
        variants[0][2],
        duration=duration,
        warmup=warmup,
        seed=seed,
        replications=replications,
        jobs=jobs,
        engine=engine,
        progress=progress,
        stop=stop,
    )
    found = _side_by_side(variants, runs)
    while (seconds := _settling(found)) is not None:
        longer = _side_by_side(variants, replace(runs, length=seconds))
        if not longer.is_complete:
            break
        found = longer
    if not found.variants:
        raise ScenarioError("stopped before the first variant was done: there is nothing to report")
    return found


def _side_by_side(variants: Sequence[tuple[str, System, Scenario]], runs: CommonRuns) -> Comparison:
    """Runs of one length, as many variants as there is time for."""
    runs = replace(runs)  # it keeps what it finds out of its first variant
    found: list[VariantResult] = []
    for name, system, scenario in variants:
        variant = runs.variant(name, system, scenario)
        if variant is None:
            break
        found.append(variant)
    done = len(found) == len(variants)
    name = variants[0][2].name
    return Comparison(name, runs.replications, runs.seed, runs.engine.name, tuple(found), done)


def _settling(found: Comparison) -> float | None:
    """Seconds of runs in which more queues settle; ``None``: none do, or it takes too long.

    Each variant may cost as much as a simulation that decides on an objective.
    """
    if not found.is_complete:
        return None
    results = [variant.result for variant in found.variants]
    return max((s for each in results if (s := settling_time(each)) is not None), default=None)


def common_runs(
    first: Scenario,
    *,
    duration: Duration | None = None,
    warmup: Duration | None = None,
    seed: int = 1,
    replications: int = REPLICATIONS,
    jobs: int = 1,
    engine: EngineName = "auto",
    progress: Progress | None = None,
    stop: Stop | None = None,
) -> CommonRuns:
    """What variants have in common whose first one has the scenario ``first``.

    The arguments are those of :func:`compare`, for who does not know all variants beforehand.
    """
    if replications < 2:
        raise ScenarioError("a comparison needs at least 2 replications for its intervals")
    chosen = warmup if warmup is not None else first.warmup
    return CommonRuns(
        choose(engine),
        seed,
        float(duration or first.duration or DURATION),
        replications,
        jobs,
        progress,
        stop,
        None if chosen is None else float(chosen),
    )


@dataclass
class CommonRuns:
    """What all variants have in common: seeds, lengths, and the runs of the first one."""

    engine: EngineChoice
    seed: int
    length: float
    replications: int
    jobs: int
    progress: Progress | None
    stop: Stop | None
    warmup: float | None
    base: tuple[Sequence[Record], SimulationResult] | None = None
    warmup_is_found: bool = False
    count: int = 0

    def variant(
        self, name: str, system: System, scenario: Scenario, plan: Plan | None = None
    ) -> VariantResult | None:
        """One variant, compared with the first that was made; ``None``: somebody stopped it.

        ``plan``: what is run, where it is not just what the scenario compiles to.
        """
        plan = plan or compile_plan(system, scenario)
        pilot = Replicator(plan, self.engine.name, self.seed, self.length, 0.0, stop=self.stop)
        if self.warmup is None:
            self.warmup_is_found = True
            steady = plan.is_stationary
            self.warmup = found_warm_up(plan, pilot.records(PILOTS)) if steady else 0.0
        done = _after(self.progress, self.count * self.replications)
        self.count += 1
        replicator = replace(pilot, warmup=self.warmup, jobs=self.jobs, progress=done)
        records = replicator.records(range(self.replications))
        if len(records) < self.replications:
            return None
        result = build_result(
            system,
            scenario,
            plan,
            records,
            engine=self.engine,
            is_complete=True,
            seed=self.seed,
            warmup_is_found=self.warmup_is_found,
            precision=None,
            precision_is_reached=True,
        )
        self.base = self.base or (records, result)
        return VariantResult(name, result, tuple(_compared(plan, records, result, self.base)))


def _after(progress: Progress | None, before: int) -> Progress | None:
    return (lambda done: progress(before + done)) if progress is not None else None


def _compared(
    plan: Plan,
    records: Sequence[Record],
    result: SimulationResult,
    base: tuple[Sequence[Record], SimulationResult],
) -> Iterator[Compared]:
    before, first = base
    for index, journey in enumerate(plan.journeys):
        if not any(record.journeys[index].started for record in records):
            continue
        for metric in METRICS:
            measured = _METRICS[metric]
            value = measured(records, index)
            called = _ESTIMATES.get(metric, metric)
            estimate = result.estimate(journey.name, called)
            difference = None
            if records is not before:
                pairs = zip(records, before, strict=True)
                parts = [measured([one], index) - measured([other], index) for one, other in pairs]
                difference = of_sections(value - measured(before, index), parts, _PAIRED)
            side = _side(first, result, journey.name, called)
            yield Compared(journey.name, metric, value, estimate, difference, side)


def _side(first: SimulationResult, other: SimulationResult, journey: str, metric: str) -> Side:
    """What is known of the difference of two results: a queue that is not settled, or never will
    be, reads too little; what has no estimate then may read too much as well."""
    both = (first, other)
    if any(journey in r.early and metric not in r.estimates.get(journey, {}) for r in both):
        return "unknown"
    less, more = (journey in r.early or journey in r.held_up for r in both)
    return _SIDES[less, more]


def _merged(records: Sequence[Record], journey: int) -> Histogram:
    return Histogram.merged(each for record in records for each in record.journeys[journey].latency)


def _quantile(share: float) -> Measure:
    return lambda records, journey: _merged(records, journey).quantile(share)


def _errors(records: Sequence[Record], journey: int) -> float:
    tallies = [record.journeys[journey] for record in records]
    finished = sum(tally.finished for tally in tallies)
    good = sum(tally.outcomes[o] for tally in tallies for o in (Outcome.OK, Outcome.DEGRADED))
    return 1 - good / finished if finished else math.nan


def _throughput(records: Sequence[Record], journey: int) -> float:
    answered = sum(record.journeys[journey].answered for record in records)
    return answered / math.fsum(record.span for record in records)


_PAIRED = "replications"
_ESTIMATES = {"errors": "error_rate"}
"""What an interval is called where it has another name."""
_SIDES: dict[tuple[bool, bool], Side] = {
    (False, False): "between",
    (True, False): "at most",
    (False, True): "at least",
    (True, True): "unknown",
}
"""By whether the runs of the first variant, and those of this one, are too short."""
_METRICS: dict[str, Measure] = {
    "mean": lambda records, journey: _merged(records, journey).mean,
    "p50": _quantile(0.5),
    "p95": _quantile(0.95),
    "p99": _quantile(0.99),
    "errors": _errors,
    "throughput": _throughput,
}
