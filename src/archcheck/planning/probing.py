"""Short simulations that answer whether a load is carried: a few independent runs, side by side."""

from __future__ import annotations

import math
from dataclasses import dataclass, field

from archcheck.findings import Objective
from archcheck.model import Scenario, ScenarioError, System
from archcheck.planning.budget import PlanningBudget
from archcheck.planning.flow import Flow
from archcheck.planning.flow.sources import visits_of
from archcheck.simulation import SimulationResult, simulate, simulate_until_decided
from archcheck.simulation.plan import ArrivalKind, Plan
from archcheck.simulation.run_lengths import EVENTS_PER_REQUEST
from archcheck.units import s

_REPLICATIONS = 4
"""Independent runs of a probe. A choice: enough for an interval, and they fill four cores."""
_REQUESTS = 15_000
"""Requests of the rarest journey with an objective in each run: 150 of them beyond its p99."""
_MOST_EVENTS = 900_000
_MORE_EVENTS = 4 * _MOST_EVENTS
"""Of runs that are long because a journey is. A choice: some seconds on the compiled engine."""
_SHORTEST = 2.0
"""Seconds of the shortest run, where its events allow. A choice."""
_WARM_UP = 0.2
"""The share of a run that is left out. A choice: probes have no time for a pilot run."""
_ROUNDS = 8
"""Rounds of a closed user that a run has at least. A choice: the first ones start together."""


@dataclass
class PlanSimulator:
    """Simulates plans of one system, each with the same random numbers.

    ``budget``: the time that it may take; ``jobs``: cores.
    """

    system: System
    scenario: Scenario
    jobs: int = -1
    seed: int = 1
    budget: PlanningBudget = field(default_factory=lambda: PlanningBudget(math.inf))
    runs: int = field(default=0, init=False)

    def simulated(
        self, plan: Plan, flow: Flow, objectives: tuple[Objective, ...] = ()
    ) -> SimulationResult:
        """A simulation of a steady plan, as long as the rarest journey with an objective needs.

        Raises :class:`StoppedError` when it is time to stop.
        """
        self.budget.check()
        length = max(self._length(flow, objectives), _rounds(plan, flow))
        try:
            result = simulate(
                self.system,
                self.scenario,
                plan=plan,
                duration=length * s,
                warmup=_WARM_UP * length * s,
                seed=self.seed,
                replications=_REPLICATIONS,
                jobs=self.jobs,
                stop=lambda: self.budget.is_over,
            )
        except ScenarioError:
            self.budget.check()  # a run that was stopped within its warm-up has nothing to say
            raise
        self.budget.check()
        self.runs += _REPLICATIONS
        return result

    def decided(
        self, plan: Plan, flow: Flow, objectives: tuple[Objective, ...]
    ) -> SimulationResult:
        """The same, and longer while an objective is open, as ``archcheck simulate`` does it.

        Raises :class:`StoppedError` when it is time to stop, before anything is known.
        """
        if not any(each.name != "load" for each in objectives):
            return self.simulated(plan, flow, objectives)
        self.budget.check()
        length = max(self._length(flow, objectives), _rounds(plan, flow))
        try:
            result = simulate_until_decided(
                self.system,
                self.scenario,
                plan=plan,
                least=length * s,
                seed=self.seed,
                jobs=self.jobs,
                stop=lambda: self.budget.is_over,
            )
        except ScenarioError:
            self.budget.check()
            raise
        if not result.is_complete:
            self.budget.check()
        self.runs += result.replications
        return result

    @staticmethod
    def _length(flow: Flow, objectives: tuple[Objective, ...]) -> float:
        wanted = {each.subject for each in objectives} or {j.name for j in flow.journeys}
        rates = [journey.rate for journey in flow.journeys if journey.rate > 0]
        rarest = min(
            (j.rate for j in flow.journeys if j.name in wanted and j.rate > 0), default=1.0
        )
        events = EVENTS_PER_REQUEST * flow.requests or sum(rates) or 1.0
        slowest = max((j.time.mean for j in flow.journeys if math.isfinite(j.time.mean)), default=0)
        # 20 times the slowest journey: the first ones end long before the run does; where so many
        # run beside each other that this takes minutes, one of them within the warm-up is enough
        long = min(20 * slowest, _MORE_EVENTS / events)
        length = min(_REQUESTS / rarest, _MOST_EVENTS / events)
        return max(length, min(_SHORTEST, _MOST_EVENTS / events), long, slowest / _WARM_UP)


def _rounds(plan: Plan, flow: Flow) -> float:
    """Seconds that the rounds of closed users need."""
    rates = {journey.name: journey.rate for journey in flow.journeys}
    longest = 0.0
    for stream in plan.streams:
        if stream.kind == ArrivalKind.CLOSED:
            visited = visits_of(stream, len(plan.journeys))
            rate = sum(rates.get(plan.journeys[index].name, 0.0) for index in visited)
            longest = max(longest, stream.users / rate if rate else 0.0)
    return _ROUNDS * longest
