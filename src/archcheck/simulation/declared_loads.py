"""What the declared load keeps busy of the resources of a plan, which no run has to show.

A run that is hardly overloaded looks like one that is nearly so, for hours. The load that is
declared tells them apart, by visits, demands and servers (utilisation law).
"""

from __future__ import annotations

import math

from archcheck.capacity import Demand, Resource, concurrency_limits, consumer_flows, journey_rates
from archcheck.graph import Graph
from archcheck.model import Datastore, Scenario, System

Place = tuple[str, str]
"""A resource by its name and what it has, as plans call them: ``("db", "threads")``."""


def declared_loads(system: System, scenario: Scenario) -> dict[Place, float]:
    """How many of their servers the declared load keeps busy, of all nodes together.

    Cores, threads, the connections of stores and pools, and consumers.
    """
    demand = Demand(Graph(system), scenario, journey_rates(scenario))
    found: dict[Place, float] = {}
    for resource in demand.resources:
        for place in _places(resource):
            found[place] = max(resource.busy, found.get(place, 0.0))
    for flow in consumer_flows(demand):
        found[flow.operation.name, "consumers"] = flow.needed
    for limit in concurrency_limits(demand.graph):
        if limit.kind == "a pool":
            name = f"{limit.caller.name} -> {limit.steps[0].target.name}"
            found[name, "connections"] = limit.in_use(demand).seconds
    return {place: busy for place, busy in found.items() if math.isfinite(busy)}


def _places(resource: Resource) -> tuple[Place, ...]:
    name, what = resource.holder.name, resource.what
    if isinstance(resource.holder, Datastore):
        return ((name, "threads"), (name, "connections"))
    if what == "threads":
        return ((name, what),)
    return ((name, "cores"), (f"{name} cores", "cores"))
