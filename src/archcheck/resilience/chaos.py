"""Each trigger on its own: how long the recovery takes, what it costs, if there is one."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Literal

from archcheck.findings import Reading, objectives_of
from archcheck.model import Scenario, System
from archcheck.resilience.trials import (
    Trials,
    Watched,
    is_carried,
    is_rising,
    recovered_at,
    stays_broken,
)
from archcheck.resilience.triggers import Trigger, standard_triggers
from archcheck.simulation import Estimate
from archcheck.simulation.estimates import of_replications
from archcheck.simulation.plan import label_of
from archcheck.simulation.record import BUCKETS
from archcheck.simulation.replications import Stop, StoppedError

MONTH = 30 * 86400.0
"""The window of an error budget, in seconds: 30 days, as objectives are usually stated."""

TriggerVerdict = Literal["recovers", "slow", "stuck"]
Progress = Callable[[float], None]


@dataclass(frozen=True)
class BudgetSpent:
    """What a trigger costs a journey: errors beyond the usual.

    ``reading``: the availability that they leave in thirty days in which the trigger comes once
    and nothing else fails; ``None`` where none is promised.
    """

    journey: str
    errors: Estimate | None
    reading: Reading | None

    @property
    def share(self) -> float | None:
        """The part of the error budget of thirty days; ``None`` where there is no budget."""
        if self.reading is None or self.reading.objective.bound >= 1:
            return None
        return self.reading.strain


@dataclass(frozen=True)
class StuckState:
    """Where a system stays after the trigger is gone."""

    good: float
    """Good answers over those without the trigger."""
    amplification: float
    """Attempts for each call, of the calls that retried."""
    queue: str
    """The resource with the longest queue."""
    waiting: float
    """The length of that queue."""
    watched: float
    """Seconds after the end of the trigger at which this was read."""

    def __str__(self) -> str:
        tries = (
            f", {self.amplification:.1f} attempts for each call"
            if self.amplification > 1.05
            else ""
        )
        queue = f", {self.waiting:,.0f} wait for {self.queue}" if self.waiting >= 1 else ""
        return (
            f"{self.good:.0%} of the good answers {self.watched:.0f} s after the trigger is gone"
            f"{tries}{queue}"
        )


@dataclass(frozen=True)
class TriggerResult:
    """What a trigger does.

    ``recovery``: seconds from its end until all is normal, within one ``resolution``; ``None``
    when it was not while it was watched. ``worst``: the fewest good answers in an interval, over
    the usual ones. ``stuck``: the state in which it stays broken.
    """

    trigger: Trigger
    lasted: float
    recovery: float | None
    resolution: float
    worst: float
    budgets: tuple[BudgetSpent, ...]
    stuck: StuckState | None

    @property
    def verdict(self) -> TriggerVerdict:
        """``recovers``, ``slow`` (it gets better, but was not watched to the end) or ``stuck``."""
        if self.stuck is not None:
            return "stuck"
        return "recovers" if self.recovery is not None else "slow"


@dataclass(frozen=True)
class ChaosResult:
    """The suite. ``carried``: whether the load is carried when nothing goes wrong; if not, nothing
    else can be said. ``untried``: triggers that there was no time for."""

    system: System
    scenario: Scenario
    carried: bool
    results: tuple[TriggerResult, ...]
    untried: int
    replications: int
    seed: int

    @property
    def is_fine(self) -> bool:
        """Whether the system comes back from everything."""
        return self.carried and not self.untried and all(r.stuck is None for r in self.results)


def run_chaos(
    system: System,
    scenario: Scenario,
    triggers: Sequence[Trigger] | None = None,
    *,
    jobs: int = -1,
    seed: int = 1,
    progress: Progress | None = None,
    stop: Stop | None = None,
    trials: Trials | None = None,
) -> ChaosResult:
    """Try ``triggers`` (default: the standard suite) on a system at the peak of a scenario."""
    tried = trials or Trials(system, scenario, jobs=jobs, seed=seed, stop=stop)
    clock = tried.clock
    suite = (
        triggers
        if triggers is not None
        else standard_triggers(system, tried.compiled(()), tried.flow, clock.start, clock.end)
    )
    results: list[TriggerResult] = []
    carried = True
    try:
        usual = tried.control()
        carried = is_carried(usual)
        for number, trigger in enumerate(suite if carried else ()):
            if progress is not None:
                progress(number / len(suite))
            results.append(try_trigger(tried, trigger))
    except StoppedError:
        pass
    untried = len(suite) - len(results) if carried else 0
    return ChaosResult(system, scenario, carried, tuple(results), untried, tried.replications, seed)


def try_trigger(trials: Trials, trigger: Trigger) -> TriggerResult:
    """One trigger; where it does not recover, it is watched three times as long."""
    plan = trials.compiled(trigger.faults)
    run, usual = trials.watched(plan), trials.control()
    clock = run.clock
    bucket = recovered_at(run, usual)
    recovery = None if bucket is None else max(0.0, bucket * clock.interval - clock.end)
    stuck = None
    if bucket is None and not is_rising(run):
        longer = stays_broken(trials, plan)
        stuck = _state(longer, trials.control(3)) if longer is not None else None
    first = int(clock.start / clock.interval)
    normal = usual.good(2, BUCKETS) or 1.0
    worst = min(run.good(b, b + 1) for b in range(first, BUCKETS)) / normal
    return TriggerResult(
        trigger,
        clock.end - clock.start,
        recovery,
        clock.interval,
        min(1.0, worst),
        tuple(_budgets(trials, run, usual)),
        stuck,
    )


def _state(run: Watched, usual: Watched) -> StuckState:
    third = 2 * BUCKETS // 3
    good = run.good(third, BUCKETS) / (usual.good(third, BUCKETS) or 1.0)
    calls = attempts = 0
    for record in run.records:
        for call, site in zip(record.calls, run.plan.calls, strict=True):
            if site.policy.attempts > 1:
                calls += call.calls
                attempts += call.calls + call.retries
    queues = {
        label_of(station.name, station.what): sum(
            sum(record.waiting_series[index][third:]) for record in run.records
        )
        / (len(run.records) * (BUCKETS - third) * run.clock.interval)
        for index, station in enumerate(run.plan.stations)
    }
    name = max(queues, key=lambda each: queues[each], default="")
    return StuckState(
        good,
        attempts / calls if calls else 1.0,
        name,
        queues.get(name, 0.0),
        run.clock.length - run.clock.end,
    )


def _budgets(trials: Trials, run: Watched, usual: Watched) -> list[BudgetSpent]:
    found = []
    control = usual.bad()
    rates = {journey.name: journey.rate for journey in trials.flow.journeys}
    for name, errors in run.bad().items():
        rate = rates.get(name, 0.0)
        if not rate:
            continue
        more = [bad - known for bad, known in zip(errors, control[name], strict=True)]
        estimate = of_replications(more)
        asked = rate * trials.factor * MONTH
        half = estimate.half_width / asked if estimate is not None else None
        promised = objectives_of(trials.system, [name])
        reading = next(
            (
                Reading(objective, 1 - sum(more) / len(more) / asked, half)
                for objective in promised
                if objective.name == "availability"
            ),
            None,
        )
        found.append(BudgetSpent(name, estimate, reading))
    return found
