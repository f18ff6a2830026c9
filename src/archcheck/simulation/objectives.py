"""Whether objectives are met under a load, judged by intervals: a length is chosen, runs are added.

The length is such that the rarest journey with an objective has enough requests in each run, as a
short first run shows how often it comes; in a large system it is as long as a number of events
allows, so that the answer takes seconds. Five runs are made, and fifteen when an objective lies
within its interval.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Literal

from archcheck.model import Journey, Scenario, System
from archcheck.simulation.compiling import compile_plan
from archcheck.simulation.engines import choose
from archcheck.simulation.plan import Assumption, Plan
from archcheck.simulation.replications import Replicator
from archcheck.simulation.results import SimulationResult
from archcheck.simulation.running import simulate
from archcheck.simulation.steady_state import Overload
from archcheck.units import Duration, Fraction, s

Verdict = Literal["met", "missed", "open"]

_FIRST_LOOK = 0.32
"""Seconds of the first run that shows how often journeys come; they are doubled until it does."""
_LONGEST = 3600.0
_MOST_EVENTS = 200_000
"""Events from which on a run is long enough, whatever it shows."""
_ROUNDS = (5, 15)
"""Replications, and how many when an objective lies within its interval and the runs are short."""
_MOST_EVENTS = 200_000
"""Events that a run has at most, about."""


@dataclass(frozen=True)
class Objective:
    """What a journey promises, and what came out: ``value`` with a 95% half width.

    ``name``: a percentile such as ``p99``, in seconds, or ``errors``, a share of one.
    """

    journey: str
    name: str
    bound: float
    value: float
    half_width: float
    verdict: Verdict

    def __str__(self) -> str:
        if self.value != self.value:
            return f"{self.name} of {self.journey} grows without bound, promised {self._shown()}"
        return (
            f"{self.name} of {self.journey} {'is' if self.name != 'errors' else 'are'} "
            f"{self._shown(self.value)} ± {self._shown(self.half_width)}, promised {self._shown()}"
        )

    def _shown(self, value: float | None = None) -> str:
        number = self.bound if value is None else value
        return f"{Fraction(number):.3}" if self.name == "errors" else f"{Duration(number):.3}"


@dataclass(frozen=True)
class ObjectivesResult:
    """The objectives of all journeys that a scenario has, and what they rest on."""

    objectives: tuple[Objective, ...]
    overloads: tuple[Overload, ...]
    bottleneck: str
    assumptions: tuple[Assumption, ...]


def judge_objectives(
    system: System, scenario: Scenario, *, requests: int
) -> ObjectivesResult | None:
    """Judge the objectives of the journeys under a steady load without faults.

    ``requests`` of the rarest of them in each run. ``None`` where the load changes, something goes
    wrong, or no journey with an objective comes.
    """
    promised = {journey.name: journey for journey in system.journeys if journey.slo is not None}
    plan = compile_plan(system, scenario)
    if scenario.faults or not plan.is_stationary or not promised:
        return None
    seconds, is_bounded = _length(plan, set(promised), requests)
    if seconds is None:
        return None
    result: SimulationResult | None = None
    objectives: tuple[Objective, ...] = ()
    for replications in _ROUNDS[: 1 if is_bounded else 2]:
        result = simulate(
            system, scenario, plan=plan, duration=seconds * s, replications=replications
        )
        objectives = tuple(
            objective for journey in promised.values() for objective in _of(journey, result)
        )
        if all(objective.verdict != "open" for objective in objectives):
            break
    assert result is not None  # noqa: S101  # there is at least one round
    limit = result.bottleneck
    return ObjectivesResult(
        objectives,
        result.overloads,
        f"{limit.name} is busy {limit.utilisation:.0%} of the time" if limit else "",
        result.assumptions,
    )


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


def _of(journey: Journey, result: SimulationResult) -> Iterator[Objective]:
    measured = result.journey(journey.name)
    if journey.slo is None or not measured.finished:
        return
    estimates = result.estimates.get(journey.name, {})
    for name, _, bound in journey.slo.latencies():
        estimate = estimates.get(name)
        if estimate is None:
            value = getattr(measured.latency, name)
            yield Objective(journey.name, name, float(bound), value, 0.0, "missed")
            continue
        yield _judged(journey.name, name, float(bound), estimate.value, estimate.half_width)
    if journey.slo.availability is not None:
        errors = estimates.get("error_rate")
        value = errors.value if errors else measured.error_rate
        half = errors.half_width if errors else 0.0
        yield _judged(journey.name, "errors", 1 - float(journey.slo.availability), value, half)


def _judged(journey: str, name: str, bound: float, value: float, half: float) -> Objective:
    verdict: Verdict = "open"
    if value - half > bound:
        verdict = "missed"
    elif value + half <= bound:
        verdict = "met"
    return Objective(journey, name, bound, value, half, verdict)
