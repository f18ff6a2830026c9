"""What the declared load keeps busy of the resources of a plan, which no run has to show.

A run that is hardly overloaded looks like one that is nearly so, for hours. The load that is
declared tells them apart, by visits, demands and servers (utilisation law).
"""

from __future__ import annotations

import math
from collections import Counter
from dataclasses import replace

from archcheck.capacity import (
    ConcurrencyLimit,
    Demand,
    Resource,
    concurrency_limits,
    consumer_flows,
    journey_rates,
)
from archcheck.graph import Graph
from archcheck.model import Datastore, Docker, Scenario, Service, System
from archcheck.model.scenarios import Closed, Mmpp, Poisson
from archcheck.simulation.plan import Outcome
from archcheck.simulation.queues import Place
from archcheck.simulation.record import Record
from archcheck.units import s

_KINDS = {"a pool": "connections", "a bulkhead": "permits"}


def served_loads(system: System, scenario: Scenario, record: Record) -> dict[Place, float]:
    """As :func:`declared_loads`; nothing where some of it is not served.

    Closed loads ask for no more than is served.
    """
    served = (Outcome.OK, Outcome.DEGRADED)
    lost = (tally.outcomes[o] for tally in record.journeys for o in Outcome if o not in served)
    if any(lost) or any(isinstance(load.arrivals, Closed) for load in scenario.load):
        return {}
    return declared_loads(system, scenario)


def declared_loads(system: System, scenario: Scenario) -> dict[Place, float]:
    """How many of their servers the declared load keeps busy, of all nodes together.

    Cores, threads, the connections of stores and pools, consumers, and the permits of bulkheads
    where a caller has one for a callee.
    """
    demand = Demand(Graph(_as_run(system)), scenario, journey_rates(_on_average(scenario)))
    found: dict[Place, float] = {}
    for resource in demand.resources:
        for place in _places(resource):
            found[place] = max(resource.busy, found.get(place, 0.0))
    for flow in consumer_flows(demand):
        found[flow.operation.name, "consumers"] = flow.needed
    limits = [(_place(limit), limit) for limit in concurrency_limits(demand.graph)]
    alike = Counter(place for place, _ in limits)
    found |= {place: limit.in_use(demand).seconds for place, limit in limits if alike[place] == 1}
    return {place: busy for place, busy in found.items() if math.isfinite(busy)}


def _on_average(scenario: Scenario) -> Scenario:
    """With bursts spread over the time between them: a queue outlasts them, unless it is full."""
    return replace(
        scenario,
        load=[
            replace(each, arrivals=Poisson(each.arrivals.mean_rate() / s))
            if isinstance(each.arrivals, Mmpp)
            else each
            for each in scenario.load
        ],
    )


def _as_run(system: System) -> System:
    """With one replica where none is declared, as runs assume it."""
    if all(service.deployment is not None for service in system.services):
        return system
    return replace(
        system,
        elements=[
            replace(each, deployment=Docker(replicas=1))
            if isinstance(each, Service) and each.deployment is None
            else each
            for each in system.elements
        ],
    )


def _place(limit: ConcurrencyLimit) -> Place:
    return f"{limit.caller.name} -> {limit.steps[0].target.name}", _KINDS[limit.kind]


def _places(resource: Resource) -> tuple[Place, ...]:
    name, what = resource.holder.name, resource.what
    if isinstance(resource.holder, Datastore):
        return ((name, "threads"), (name, "connections"))
    if what == "threads":
        return ((name, what),)
    return ((name, "cores"), (f"{name} cores", "cores"))
