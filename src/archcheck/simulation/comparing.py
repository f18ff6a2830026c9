"""Variants of a system side by side, with the same random numbers.

Every variant runs with the same seeds, and every draw depends on its place and request alone: what
a variant does not change draws the same numbers. So differences are taken run by run, and their
intervals are much narrower than those of the values (common random numbers: Law, Simulation
Modeling and Analysis, 2015, section 11.2).
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace

from archcheck.model import Scenario, ScenarioError, System
from archcheck.simulation.compiling import compile_plan
from archcheck.simulation.engines import EngineChoice, EngineName, choose
from archcheck.simulation.estimates import Estimate, of_replications
from archcheck.simulation.histogram import Histogram
from archcheck.simulation.plan import Plan, PlannedJourney
from archcheck.simulation.record import Record, Tally
from archcheck.simulation.replications import PILOTS, Progress, Replicator, Stop
from archcheck.simulation.results import SimulationResult
from archcheck.simulation.run_lengths import RUNS
from archcheck.simulation.running import DURATION
from archcheck.simulation.steady_state import found_warm_up
from archcheck.simulation.summarising import build_result
from archcheck.units import Duration

REPLICATIONS = RUNS
"""Runs of each variant: enough for an interval of the difference."""
METRICS = ("mean", "p50", "p95", "p99", "errors", "throughput")
"""What is compared: seconds, a share, good answers a second."""


@dataclass(frozen=True)
class Compared:
    """A metric of a journey in one variant, and how it differs from the first variant.

    ``difference`` and its interval are of the paired runs; ``None`` in the first variant, or where
    a run has no value.
    """

    journey: str
    metric: str
    value: float
    estimate: Estimate | None
    difference: Estimate | None

    @property
    def is_certain(self) -> bool:
        """Whether the interval of the difference excludes zero."""
        found = self.difference
        return found is not None and abs(found.value) > found.half_width


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
    first = variants[0][2]
    runs = common_runs(
        first,
        duration=duration,
        warmup=warmup,
        seed=seed,
        replications=replications,
        jobs=jobs,
        engine=engine,
        progress=progress,
        stop=stop,
    )
    found: list[VariantResult] = []
    for name, system, scenario in variants:
        variant = runs.variant(name, system, scenario)
        if variant is None:
            break
        found.append(variant)
    if not found:
        raise ScenarioError("stopped before the first variant was done: there is nothing to report")
    done = len(found) == len(variants)
    return Comparison(first.name, replications, seed, runs.engine.name, tuple(found), done)


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
    base: list[Record] = field(default_factory=list)
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
        pairs = _compared(plan.journeys, records, self.base)
        self.base = self.base or records
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
        return VariantResult(name, result, tuple(pairs))


def _after(progress: Progress | None, before: int) -> Progress | None:
    return (lambda done: progress(before + done)) if progress is not None else None


def _compared(
    journeys: Sequence[PlannedJourney], records: list[Record], base: list[Record]
) -> list[Compared]:
    pairs = []
    for index, journey in enumerate(journeys):
        if not any(record.journeys[index].started for record in records):
            continue
        for metric in METRICS:
            values = [_measured(record, index, metric) for record in records]
            differences = (
                [value - _measured(b, index, metric) for value, b in zip(values, base, strict=True)]
                if base
                else []
            )
            known = [value for value in values if not math.isnan(value)]
            mean = math.fsum(known) / len(known) if known else math.nan
            pairs.append(
                Compared(
                    journey.name,
                    metric,
                    mean,
                    of_replications(values),
                    of_replications(differences) if differences else None,
                )
            )
    return pairs


def _measured(record: Record, journey: int, metric: str) -> float:
    tally = record.journeys[journey]
    return _METRICS[metric](tally, record.span)


def _quantile(share: float) -> Callable[[Tally, float], float]:
    return lambda tally, span: Histogram.merged(tally.latency).quantile(share)


def _errors(tally: Tally, span: float) -> float:
    good = tally.outcomes[0] + tally.outcomes[1]
    return 1 - good / tally.finished if tally.finished else math.nan


_METRICS: dict[str, Callable[[Tally, float], float]] = {
    "mean": lambda tally, span: Histogram.merged(tally.latency).mean,
    "p50": _quantile(0.5),
    "p95": _quantile(0.95),
    "p99": _quantile(0.99),
    "errors": _errors,
    "throughput": lambda tally, span: tally.answered / span,
}
