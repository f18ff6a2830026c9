"""What a load must keep: the objectives of its journeys, and queues that end.

:mod:`archcheck.findings.objectives` judges; here is what is read, off an analytic solution or a
simulation. A plan keeps one thing more than what is promised: the ``load`` of the busiest resource.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from dataclasses import replace

from archcheck.findings import PERCENTILES, Objective, Reading
from archcheck.planning.flow import Flow
from archcheck.simulation import ResourceResult, SimulationResult

FULL = 0.98
"""The load of a resource from which on its queue counts as one without an end.

At 98% a queue of one server is fifty long, and a simulation as short as ours cannot tell it from
one that grows.
"""
_UNEVEN = 1.3
"""The busiest node over the mean of all from which chance cannot be the reason."""


def read_flow(
    objectives: Iterable[Objective],
    flow: Flow,
    most: float = FULL,
    shares: Mapping[Objective, float] | None = None,
) -> tuple[Reading, ...]:
    """What an analytic solution says about objectives, and about the busiest resource.

    ``most``: how busy a resource may be; ``shares``: the part of a bound that may be used. The
    half width is what nine of ten solutions like this one are within; none where nobody knows.
    """
    found = []
    off = flow.accuracy
    for objective in objectives:
        journey = flow.journey(objective.subject)
        if objective.name == "availability":
            value, error = 1 - journey.failed, off.tail * journey.failed if off else math.inf
        else:
            value = journey.quantile(PERCENTILES[objective.name])
            error = off.tail * value if off else math.inf
        share = shares.get(objective, 1.0) if shares is not None else 1.0
        used = replace(objective, bound=objective.bound * share)
        found.append(Reading(used, value, error if math.isfinite(error) else None, "analytic"))
    if flow.busiest is not None:
        busiest = flow.busiest
        load = Objective(busiest.label, "load", most)
        width = off.load * busiest.load if off else None
        found.append(Reading(load, busiest.load, width, "analytic"))
    return tuple(found)


def read_result(
    objectives: Iterable[Objective], result: SimulationResult, most: float = FULL
) -> tuple[Reading, ...]:
    """What a simulation says about objectives, and about the busiest resource.

    A load is the average over the time of all runs, and taken as it is: without a width.
    """
    found = [result.reading(objective) for objective in objectives]
    loads = [(_load(resource), resource) for resource in result.bottlenecks]
    if loads:
        load, resource = max(loads, key=lambda each: each[0])
        objective = Objective(resource.label, "load", most)
        found.append(Reading(objective, max(load, _overload(result)), 0.0))
    return tuple(found)


def _load(resource: ResourceResult) -> float:
    """Of all nodes; of the busiest, where it is so much busier that chance cannot be the reason."""
    uneven = resource.busiest > _UNEVEN * resource.utilisation
    return resource.busiest if uneven else resource.utilisation


def _overload(result: SimulationResult) -> float:
    return max((overload.ratio for overload in result.overloads), default=0.0)
