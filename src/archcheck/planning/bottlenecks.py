"""What breaks first, and what next: bottlenecks lifted one after the other.

Each step is the largest factor with the resources of the steps before it made endless, by the
analytic solution. Where a latency ends the growth, or servers that are held while they wait for
others, the resource whose lifting helps most is the bottleneck.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass

from archcheck.findings import Objective, Reading
from archcheck.planning.changes import Resource, lifted, loaded
from archcheck.planning.flow import Flow, solve_plan
from archcheck.planning.sustaining import analytic_limit
from archcheck.simulation.plan import Plan
from archcheck.units import spoken

STEPS = 5
"""Bottlenecks that are listed. A choice: a plan further ahead has other reasons to be wrong."""
_TRIED = 4
"""Resources that are lifted to see which one helps, the busiest first. A choice: each takes a
bisection, and what is less busy hardly delays anybody."""
_GAIN = 1.01
"""The least growth of the factor that counts as help: above the error of the bisection (0.2%)."""


@dataclass(frozen=True)
class Bottleneck:
    """A factor of the declared load, the objective that ends it there, the resource to lift."""

    factor: float
    """The factor of the declared load at which it is met."""
    limit: Reading
    """The objective that ends it there."""
    resource: str | None
    """The resource to lift; ``None``: the work itself takes too long, or something fails."""
    load: float
    """The share of the resource that is busy then (of one)."""
    reason: str
    """Why, in words."""


def climb(
    plan: Plan, objectives: tuple[Objective, ...], steps: int = STEPS
) -> Iterator[Bottleneck]:
    """The bottlenecks in the order in which a growing load meets them."""
    gone: set[Resource] = set()
    for _ in range(steps):
        left = lifted(plan, gone)
        factor, limit = analytic_limit(left, objectives)
        if limit is None or math.isinf(factor):
            return
        flow = solve_plan(loaded(left, max(factor, 1e-3)))
        chosen = _bottleneck(plan, objectives, gone, flow, factor, limit)
        if chosen is None:
            yield Bottleneck(factor, limit, None, 0.0, _own_reason(flow, limit))
            return
        station = next(each for each in flow.stations if (each.name, each.what) == chosen)
        yield Bottleneck(factor, limit, station.label, station.load, "")
        gone.add(chosen)


def _bottleneck(
    plan: Plan,
    objectives: tuple[Objective, ...],
    gone: set[Resource],
    flow: Flow,
    factor: float,
    limit: Reading,
) -> Resource | None:
    """The resource whose lifting carries the load farthest; ``None`` if none helps."""
    busiest = flow.busiest
    if busiest is None:
        return None
    best, chosen = factor * _GAIN, None
    if limit.objective.name == "load":
        chosen = (busiest.name, busiest.what)
        if busiest.what == "cores":  # nobody else can be the reason that cores are busy
            return chosen
    for station in flow.stations[:_TRIED]:
        resource = station.name, station.what
        reached, _ = analytic_limit(lifted(plan, gone | {resource}), objectives)
        if reached > best:
            best, chosen = reached, resource
    return chosen


def _own_reason(flow: Flow, limit: Reading) -> str:
    """Why no resource is to blame."""
    if limit.objective.name == "availability":
        failure = flow.why_fails(limit.objective.subject)
        return failure.reason if failure is not None else "declared errors"
    seconds = flow.journey(limit.objective.subject).time.mean
    return f"work and network alone: a mean of {spoken(seconds)} without any queue to blame"
