"""Runs that are long enough to judge objectives: lengths are chosen here, not by who asks.

A steady load has no natural length: the duration of its scenario is the least. Five runs are made;
while an objective is open, because a queue on the way changes slowly or because the bound is within
the interval, they are made again and longer, until it is decided or a number of events is spent,
which does not depend on the machine. Where the load changes or something goes wrong, the scenario's
time is the experiment, and nothing is added.
"""

from __future__ import annotations

from archcheck.findings import objectives_of
from archcheck.model import Scenario, ScenarioError, System
from archcheck.simulation.compiling import compile_plan
from archcheck.simulation.engines import EngineName, choose
from archcheck.simulation.plan import Plan
from archcheck.simulation.replications import Progress, Replicator, Stop
from archcheck.simulation.results import SimulationResult
from archcheck.simulation.run_lengths import EVENTS, RUNS, longer_runs, settling_time
from archcheck.simulation.running import DURATION, simulate
from archcheck.units import Duration, s

_FIRST_LOOK = 0.32
"""Seconds of the first run that shows how often journeys come; they are doubled until it does."""
_LONGEST = 3600.0
_MOST_EVENTS = 200_000
"""Events of the first run, at most, about."""
_LONGER = 4.0
"""How much longer runs become when a bound lies within its interval: that halves the interval."""


def runs_for(system: System, scenario: Scenario) -> int:
    """The replications that say whether what the scenario's journeys promise is met; else one."""
    return RUNS if objectives_of(system, scenario.journeys()) else 1


def simulate_until_decided(
    system: System,
    scenario: Scenario,
    *,
    plan: Plan | None = None,
    least: Duration | None = None,
    warmup: Duration | None = None,
    seed: int = 1,
    jobs: int = 1,
    engine: EngineName = "auto",
    backend: str | None = None,
    progress: Progress | None = None,
    stop: Stop | None = None,
    events: int = EVENTS,
) -> SimulationResult:
    """Five runs, as long as the objectives of the scenario's journeys need: see the module.

    ``least``: seconds of a run at least (default: the scenario's). ``events`` are spent at most,
    about; what is open then stays open, as it does when ``stop`` ends longer runs. The rest is
    explained at :func:`~archcheck.simulation.running.simulate`.
    """
    decided: SimulationResult | None = None
    plan = plan or compile_plan(system, scenario)
    seconds = float(least or scenario.duration or DURATION)
    runs = runs_for(system, scenario)
    while True:
        try:
            result = simulate(
                system,
                scenario,
                plan=plan,
                duration=Duration(seconds),
                warmup=warmup,
                seed=seed,
                replications=runs,
                jobs=jobs,
                engine=engine,
                backend=backend,
                progress=progress,
                stop=stop,
            )
        except ScenarioError:  # a longer run that was stopped within its warm-up says nothing
            if decided is None:
                raise
            return decided
        if decided is not None and not result.is_complete:
            return decided
        decided = result
        longer = _longer(plan, result, events)
        if longer is None:
            return result
        seconds = longer


def _longer(plan: Plan, result: SimulationResult, events: int) -> float | None:
    """Seconds that the runs have to last; ``None`` when nothing would be gained."""
    if not plan.is_stationary or result.overloads or not result.is_complete:
        return None
    open_ = [each for each in result.objectives if each.state == "open" and each.requests]
    if any(reading.is_early for reading in open_):
        return settling_time(result, events)
    return longer_runs(result, _LONGER, events) if open_ else None


def judge_objectives(
    system: System, scenario: Scenario, *, requests: int
) -> SimulationResult | None:
    """Runs of a steady load without faults, as many as the objectives of the journeys need.

    ``requests`` of the rarest of them in each of the first runs. ``None`` where the load changes,
    something goes wrong, or no journey with an objective comes.
    """
    promised = {journey.name for journey in system.journeys if journey.slo is not None}
    plan = compile_plan(system, scenario)
    if scenario.faults or not plan.is_stationary or not promised:
        return None
    seconds = _length(plan, promised, requests)
    if seconds is None:
        return None
    return simulate_until_decided(system, scenario, plan=plan, least=seconds * s)


def _length(plan: Plan, promised: set[str], requests: int) -> float | None:
    """Seconds in which the rarest journey comes often enough; ``None``: none of them comes.

    In a large system, as long as a number of events allows.
    """
    seconds = _FIRST_LOOK
    while True:
        look = Replicator(plan, choose("auto").name, 1, seconds, 0.0).records(range(1))[0]
        coming = [
            tally.started
            for journey, tally in zip(plan.journeys, look.journeys, strict=True)
            if journey.name in promised and tally.started
        ]
        rarest = min(coming, default=0)
        if rarest >= requests:
            return seconds * requests / rarest
        if look.events >= _MOST_EVENTS or seconds > _LONGEST:
            return seconds if rarest else None
        seconds *= 2
