"""What limits each journey, and at which load, while the load of all of them grows.

Two things end a journey's growth: a resource on its way that is fully busy, and an objective of its
own that is missed before that. Both are read off the analytic solution for critical journeys; of
the others the utilisation law says it: an open load keeps a resource busy in proportion. The ladder
of a plan (:mod:`~archcheck.planning.bottlenecks`) asks what ends the growth of the whole system
instead, and what comes next.
"""

from __future__ import annotations

import math
from contextlib import suppress
from dataclasses import dataclass, replace

from archcheck.findings import Objective, objectives_of
from archcheck.graph import Graph
from archcheck.graph.reach import waited_for
from archcheck.model import Scenario, System
from archcheck.planning.budget import PlanningBudget
from archcheck.planning.changes import at_peak, loaded
from archcheck.planning.flow import Flow, StationFlow, solve_plan
from archcheck.planning.sustaining import analytic_limit
from archcheck.simulation.compiling import compile_plan
from archcheck.simulation.plan import ArrivalKind, Plan
from archcheck.simulation.replications import StoppedError

_HALVINGS = 7
"""Leaves an error of a hundredth where threads are held: below that of the analytic solution."""
_ALMOST = 1.02
"""The load in proportion counts as reached: its own error is larger."""
_SECONDS = 3.0
"""A choice: a report asks this beside all else, and a plan looks further."""


@dataclass(frozen=True)
class JourneyLimit:
    """``rate``: starts a second at the peak. ``resource``: on its way, the one that is full first.

    ``full_at``: the factor of the declared load at which that is; infinite where nothing fills up,
    NaN where users wait for answers, since such a load does not grow by itself. ``missed_at``: the
    factor at which ``objective`` is missed; infinite where none is. ``is_cut``: there was no time
    to look at the objectives.
    """

    journey: str
    rate: float
    resource: StationFlow | None
    full_at: float
    missed_at: float = math.inf
    objective: Objective | None = None
    is_cut: bool = False


def journey_limits(
    system: System, scenario: Scenario, budget: float = _SECONDS
) -> tuple[JourneyLimit, ...]:
    """What limits each journey that ``scenario`` starts, critical ones first.

    ``budget``: seconds in which the objectives of critical journeys are looked at; later ones are
    left open. Raises :class:`~archcheck.model.ScenarioError` for a load that cannot be planned.
    """
    plan = at_peak(compile_plan(system, scenario))
    flow = solve_plan(plan)
    declared = {journey.name: journey for journey in system.journeys}
    started = [each.name for each in flow.journeys if each.rate > 0 and each.name in declared]
    order = sorted(started, key=lambda name: not declared[name].critical)
    graph = Graph(system)
    found = []
    with PlanningBudget(budget).running():
        for name in order:
            names = waited_for(graph, graph.entries(declared[name]))
            limit = _in_proportion(plan, flow, name, names)
            if declared[name].critical:
                limit = _looked_at(plan, flow, limit, names, objectives_of(system, [name]))
            found.append(limit)
    return tuple(found)


def _in_proportion(plan: Plan, flow: Flow, journey: str, names: set[str]) -> JourneyLimit:
    """The busiest resource on the way, and the load that fills it if its work grows with that."""
    busiest = _busiest(flow, names)
    full_at = 1 / busiest.load if busiest is not None else math.inf
    is_closed = any(stream.kind == ArrivalKind.CLOSED for stream in plan.streams)
    rate = flow.journey(journey).rate
    return JourneyLimit(journey, rate, busiest, math.nan if is_closed else full_at)


def _busiest(flow: Flow, names: set[str]) -> StationFlow | None:
    stations = (each for each in flow.stations if each.what != "consumers" and each.load > 0)
    return next((each for each in stations if _is_of(each, names)), None)


def _is_of(station: StationFlow, names: set[str]) -> bool:
    """Whether a resource belongs to one of these: ``carts`` itself, or ``carts cores``."""
    return any(name in names for name in (station.name, station.name.removesuffix(" cores")))


def _looked_at(
    plan: Plan,
    flow: Flow,
    limit: JourneyLimit,
    names: set[str],
    objectives: tuple[Objective, ...],
) -> JourneyLimit:
    """With held threads and objectives, as far as the time goes; where it is up, that is said."""
    with suppress(StoppedError):
        limit = _held(plan, flow, limit, names)
        if objectives:
            factor, reading = analytic_limit(plan, objectives, most=math.inf)
            if reading is not None:
                limit = replace(limit, missed_at=factor, objective=reading.objective)
        return limit
    return replace(limit, is_cut=True)


def _held(plan: Plan, flow: Flow, limit: JourneyLimit, names: set[str]) -> JourneyLimit:
    """A thread that is held while others are waited for is full before its work is in proportion.

    Halves the interval between the declared load and the load in proportion.
    """
    low, high, full = 1.0, limit.full_at, limit.resource
    if not math.isfinite(high) or high <= low:
        return limit
    for halving in range(_HALVINGS):
        tried = math.sqrt(low * high) if halving else high
        busiest = _busiest(solve_plan(loaded(plan, tried)), names)
        if busiest is not None and busiest.load > _ALMOST:
            high, full = tried, busiest
        elif not halving:
            return limit
        else:
            low = tried
    stations = (each for each in flow.stations if full and each.name == full.name)
    now = next((each for each in stations if full and each.what == full.what), limit.resource)
    return replace(limit, full_at=math.sqrt(low * high), resource=now)
