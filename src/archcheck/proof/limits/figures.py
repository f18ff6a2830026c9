"""What a load keeps busy of each resource at the worst corner, and what there is of it.

What a load asks of a resource is computed by :mod:`archcheck.capacity` (traffic equations, Little's
law); as a decimal of 15 digits it is exact for all that models declare, and everything after it is
computed with rationals. An autoscaled service counts at its largest scale, which is what it can
reach: whether it gets there in time is rule DEP006's question.
"""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from archcheck.capacity import Demand, StoreDemand, demands
from archcheck.graph import Graph
from archcheck.graph.exact import Rational, exact
from archcheck.model import Datastore, External, Service, effective
from archcheck.proof.answers import Counterexample, Gap
from archcheck.proof.limits.ranges import Loads, loads_of, worst_system

_NONE = Rational(0)


@dataclass(frozen=True)
class WorstPoint(Counterexample):
    """The rates of journeys at which ``busy`` exceeds ``capacity`` of a resource."""

    rates: Mapping[str, Rational] = dataclasses.field(default_factory=dict)
    busy: Rational = _NONE
    capacity: Rational = _NONE


@dataclass(frozen=True)
class Figure:
    """What a load keeps busy of a resource, and what there is of it.

    Of a service all replicas at its largest scale count, of a datastore one node of a shard.
    """

    holder: Service | Datastore | External
    what: str
    busy: Rational
    each: Rational | None
    """Servers (or operations a second) of one unit; ``None``: not declared."""
    units: int | None = 1
    zones: int = 0
    """Zones over which units are spread; 0: not declared, or the loss of one takes none."""
    gaps: tuple[Gap, ...] = ()

    def left(self) -> int | None:
        """Units that are left when the fullest zone is lost."""
        if self.units is None or self.zones < 2:
            return self.units
        return self.units - math.ceil(self.units / self.zones)


def worst_demands(graph: Graph) -> tuple[Demand, ...]:
    """The demand of each scenario at its worst corner: what :func:`capacity.demands` is for the
    declared values. Shares of a mix are not traded against each other here.
    """
    system = worst_system(graph.system)
    if system is graph.system and not any(s.uncertain for s in system.scenarios):
        return demands(graph)
    worst = Graph(system, today=graph.today)
    return tuple(demand_at(worst, loads_of(system, s)) for s in system.scenarios if s.load)


def demand_at(graph: Graph, loads: Loads) -> Demand:
    """The demand at the highest rates."""
    return Demand(graph, loads.scenario, {n: float(rate) for n, rate in loads.high.items()})


def figures_of(demand: Demand) -> Iterator[Figure]:
    """Services by their workers, datastores by the queries of a node and by their stated rate."""
    for service in demand.graph.system.services:
        resource, unsized = demand.resource_of(service), demand.unsized_of(service)
        found = resource or unsized
        if found is None:
            continue
        gaps = tuple(Gap(part.holder, part.attribute) for part in found.missing)
        if unsized is not None:
            gaps = (*gaps, Gap(service, unsized.attribute))
        deployment = service.deployment
        yield Figure(
            service,
            resource.what if resource else "workers",
            exact(found.busy),
            exact(resource.per_unit) if resource else None,
            deployment.most_replicas() if deployment else None,
            len(set(deployment.zones)) if deployment else 0,
            gaps,
        )
    for store, asked in demand.stores.items():
        yield from _store_figures(store, asked)


def _store_figures(store: Datastore, asked: StoreDemand) -> Iterator[Figure]:
    """Writes and fresh reads keep the primary busy, stale reads the copies; the busier counts."""
    each, what = asked.servers_of_a_node()
    stale = exact(asked.stale_busy)
    primary = exact(asked.write_busy) + exact(asked.read_busy) - stale
    node = max(primary, stale / max(1, asked.copies - 1))
    gaps = tuple(Gap(store, attribute) for attribute in asked.missing)
    if each is None:
        gaps = (*gaps, Gap(store, what))
    capacity = Rational(each) if each is not None else None
    yield Figure(store, what, node / asked.shards, capacity, gaps=gaps)
    stated = effective(store, "max_rate")
    if stated.is_known:
        rate = (exact(asked.reads) + exact(asked.writes)) / asked.shards
        yield Figure(store, "max_rate", rate, exact(stated.value))


def least_units(figure: Figure, limit: Rational) -> int:
    """The fewest replicas with which the limit holds, one zone lost where there are several."""
    needed = max(1, math.ceil(figure.busy / (limit * (figure.each or 1))))
    if figure.zones < 2:
        return needed
    count = needed
    while count - math.ceil(count / figure.zones) < needed:
        count += 1
    return count
