"""Runs that are long enough to judge objectives: a length is chosen, runs are added.

The length is such that the rarest journey with an objective has enough requests in each run, as a
short first run shows how often it comes; in a large system it is as long as a number of events
allows, so that the answer takes seconds. Five runs are made, and fifteen when an objective lies
within its interval.
"""

from __future__ import annotations

from archcheck.findings import objectives_of
from archcheck.model import Scenario, System
from archcheck.simulation.compiling import compile_plan
from archcheck.simulation.engines import choose
from archcheck.simulation.plan import Plan
from archcheck.simulation.replications import Replicator
from archcheck.simulation.results import SimulationResult
from archcheck.simulation.run_lengths import MORE_RUNS, RUNS
from archcheck.simulation.running import simulate
from archcheck.units import s

_FIRST_LOOK = 0.32
"""Seconds of the first run that shows how often journeys come; they are doubled until it does."""
_LONGEST = 3600.0
_MOST_EVENTS = 200_000
"""Events that a run has at most, about."""


def runs_for(system: System, scenario: Scenario) -> int:
    """The replications that say whether what the scenario's journeys promise is met; else one."""
    return RUNS if objectives_of(system, scenario.journeys()) else 1


def judge_objectives(
    system: System, scenario: Scenario, *, requests: int
) -> SimulationResult | None:
    """Runs of a steady load without faults, as many as the objectives of the journeys need.

    ``requests`` of the rarest of them in each run. ``None`` where the load changes, something goes
    wrong, or no journey with an objective comes.
    """
    promised = {journey.name for journey in system.journeys if journey.slo is not None}
    plan = compile_plan(system, scenario)
    if scenario.faults or not plan.is_stationary or not promised:
        return None
    seconds, is_bounded = _length(plan, promised, requests)
    if seconds is None:
        return None

    def run(replications: int) -> SimulationResult:
        return simulate(
            system, scenario, plan=plan, duration=seconds * s, replications=replications
        )

    result = run(RUNS)
    if not is_bounded and any(reading.state == "open" for reading in result.objectives):
        result = run(MORE_RUNS)
    return result


def _length(plan: Plan, promised: set[str], requests: int) -> tuple[float | None, bool]:
    """Seconds in which the rarest journey comes often enough; ``None``: none of them comes.

    Says also whether the number of events was what bounds it.
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
            return seconds * requests / rarest, False
        if look.events >= _MOST_EVENTS or seconds > _LONGEST:
            return (seconds if rarest else None), True
        seconds *= 2
