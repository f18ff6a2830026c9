"""The runs that judge a repair: each scenario as it is declared, and at the peak of its load."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass

from archcheck.capacity import Demand, demands
from archcheck.graph import Graph
from archcheck.model import Scenario, Service, System
from archcheck.planning import at_peak
from archcheck.simulation.compiling import compile_plan
from archcheck.simulation.compiling.load import is_stationary
from archcheck.simulation.plan import Plan
from archcheck.simulation.running import DURATION

ATTEMPTS = 100_000
"""Attempts of a run of a steady load, about; there are five for each system. A choice: a second."""
MOST_ATTEMPTS = 2_000_000
"""Attempts of a run in which something changes, at most: it is run as it is declared, or not."""


@dataclass(frozen=True)
class JudgingRun:
    """A scenario, or its peak made steady."""

    name: str
    scenario: Scenario
    rate: float
    """Calls and queries a second at its peak, retries not counted."""
    change: Callable[[Plan], Plan] | None = None
    """What is changed in the plan of the scenario."""
    is_steady: bool = True
    compares: bool = True
    """Whether it judges changes: what goes wrong in a scenario is no reason to run the rest twice.
    """

    @property
    def declared_seconds(self) -> float:
        """The length of a run, unless somebody says otherwise."""
        return float(self.scenario.duration or DURATION)

    @property
    def seconds(self) -> float:
        """The length of the runs that compare."""
        if self.is_steady:
            enough = max(1.0, ATTEMPTS / self.rate) if self.rate else self.declared_seconds
            return min(self.declared_seconds, enough)
        if self.scenario.duration is not None:
            return self.declared_seconds
        # a fault that comes after the run is not seen in it
        faults = self.scenario.faults
        seen = [min(float(f.end), float(f.start) + float(DURATION)) for f in faults]
        return max([self.declared_seconds, *seen])

    def plan(self, system: System) -> Plan:
        """What is run of a system that declares a scenario of the same name."""
        plan = compile_plan(system, system.scenario(self.scenario.name))
        return self.change(plan) if self.change is not None else plan


@dataclass(frozen=True)
class JudgingRuns:
    """The runs of a system, and in words what of its scenarios is not run."""

    runs: tuple[JudgingRun, ...]
    not_run: tuple[str, ...]
    is_overloaded: bool = False
    """Whether a load is more than the system can carry: its waits say nothing of a larger one."""


def judging_runs(system: System) -> JudgingRuns:
    """Steady loads as long as intervals need, changing ones as declared and at their peak.

    What changes late in a day is not seen in a minute of it. A peak that the system cannot carry
    is no steady load: how long requests wait then hangs on the length of the run alone.
    """
    runs: list[JudgingRun] = []
    not_run: list[str] = []
    steady: list[Plan] = []
    asked = {demand.scenario.name: demand for demand in demands(Graph(system))}
    for scenario in sorted(system.scenarios, key=_changes):
        plan, demand = compile_plan(system, scenario), asked.get(scenario.name)
        rate = sum(demand.steps.values()) if demand is not None else 0.0
        declared = JudgingRun(scenario.name, scenario, rate, is_steady=plan.is_stationary)
        if declared.is_steady or rate * declared.seconds <= MOST_ATTEMPTS:
            runs.append(declared)
        else:
            not_run.append(f"{scenario.name} as a whole (too long)")
        peak = at_peak(plan)
        if declared.is_steady:
            steady.append(plan)
        if declared.is_steady and plan.streams == peak.streams:
            continue
        if not any(_is_same_load(peak, other) for other in steady):
            steady.append(peak)
            changes = plan.streams != peak.streams
            name = f"{scenario.name} {'at its peak' if changes else 'without its faults'}"
            found = JudgingRun(name, scenario, rate, at_peak, compares=changes)
            full = next(_full(demand), None) if demand is not None else None
            if full is not None:
                not_run.append(f"{found.name} ({full} cannot carry it for long)")
            else:
                runs.append(found)
    overloaded = any(next(_full(demand), None) is not None for demand in asked.values())
    return JudgingRuns(tuple(runs), tuple(not_run), overloaded)


def _changes(scenario: Scenario) -> bool:
    """Steady scenarios come first: what loses answers under them needs no longer runs."""
    return not is_stationary(scenario)


def _full(demand: Demand) -> Iterator[str]:
    """The resources that are asked for more than they have, autoscalers at their largest."""
    for resource in demand.resources:
        holder, most = resource.holder, 1.0
        if isinstance(holder, Service) and holder.deployment is not None:
            largest = holder.deployment.most_replicas() or resource.units
            most = max(1.0, largest / resource.units)
        if resource.utilisation >= most:
            yield resource.holder.name


def _is_same_load(one: Plan, other: Plan) -> bool:
    """Whether plans of one system differ in nothing but what goes wrong."""
    return one.streams == other.streams and one.groups == other.groups
