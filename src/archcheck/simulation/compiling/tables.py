"""The tables of a plan while they are filled, and what all compilers share."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import replace
from typing import TypeVar

from archcheck.graph import Graph
from archcheck.graph.copies import zones_of
from archcheck.model import Scenario, System
from archcheck.simulation import plan as p
from archcheck.simulation.compiling.assumed import Assumptions
from archcheck.simulation.randomness import place_hash

T = TypeVar("T")


class Distinct(list[T]):
    """Rows of which none is there twice."""

    def __init__(self) -> None:
        super().__init__()
        self._places: dict[T, int] = {}

    def place_of(self, row: T) -> int:
        """The index of a row, which is added if it is new."""
        place = self._places.setdefault(row, len(self))
        if place == len(self):
            self.append(row)
        return place


class PlanRows:
    """Rows so far, and where each element ended up. Equal rows of policies are kept once."""

    def __init__(self, graph: Graph, scenario: Scenario) -> None:
        self.graph = graph
        self.system: System = graph.system
        self.scenario = scenario
        self.assumed = Assumptions()
        self.stations: list[p.Station] = []
        self.groups: list[p.GroupSpec] = []
        self.operations: list[p.OperationSpec] = []
        self.blocks: list[tuple[p.StepSpec, ...]] = []
        self.calls: list[p.CallSite] = []
        self.pools: Distinct[p.PoolSpec] = Distinct()
        self.bulkheads: Distinct[p.BulkheadSpec] = Distinct()
        self.breakers: Distinct[p.BreakerSpec] = Distinct()
        self.limits: Distinct[p.LimitSpec] = Distinct()
        self.budgets: Distinct[p.BudgetSpec] = Distinct()
        self.caches: Distinct[p.CacheSpec] = Distinct()
        self.channels: list[p.ChannelSpec] = []
        self.classes = _classes(self.system)
        self.zones = _zones(self.system)
        self.group_of: dict[str, int] = {}
        self.operation_of: dict[str, int] = {}
        self.operations_by_owner: dict[str, list[int]] = defaultdict(list)
        self.caches_of: dict[str, list[int]] = defaultdict(list)

    def add_station(self, station: p.Station) -> int:
        """A new station."""
        self.stations.append(station)
        return len(self.stations) - 1

    def add_group(self, group: p.GroupSpec) -> int:
        """A new group; its stations learn its index."""
        index = len(self.groups)
        self.groups.append(group)
        for station in (group.slots, group.cores):
            if station >= 0:
                self.stations[station] = replace(self.stations[station], group=index)
        self.group_of[group.name] = index
        return index

    def add_operation(self, operation: p.OperationSpec, owner: str) -> int:
        """A new operation, or the one with its name."""
        found = self.operation_of.get(operation.name)
        if found is None:
            found = self.operation_of[operation.name] = len(self.operations)
            self.operations.append(operation)
            self.operations_by_owner[owner].append(found)
        return found

    def add_sidecar(self, name: str, block: int) -> int:
        """An operation that runs beside its caller; faults of elements do not touch it."""
        self.operations.append(
            p.OperationSpec(name, place_hash(name), -1, block, 0.0, -1, False, beside=True)
        )
        return len(self.operations) - 1

    def add_block(self, steps: tuple[p.StepSpec, ...]) -> int:
        """A new block."""
        self.blocks.append(steps)
        return len(self.blocks) - 1

    def add_call(self, call: p.CallSite) -> int:
        """A new call site."""
        self.calls.append(call)
        return len(self.calls) - 1


def _classes(system: System) -> tuple[str, ...]:
    """Classes of requests that some service tells apart; the last one is any other."""
    names: dict[str, None] = {}
    for service in system.services:
        names.update(dict.fromkeys(getattr(service.shedding, "priorities", ())))
    return (*names, "")


def _zones(system: System) -> tuple[str, ...]:
    names: dict[str, None] = {}
    for service in system.services:
        if service.deployment is not None:
            names.update(dict.fromkeys(service.deployment.zones))
    for store in system.datastores:
        names.update(dict.fromkeys(zones_of(store)))
    return tuple(names)
