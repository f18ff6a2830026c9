"""What a scenario asks of every element at its peak: the sums that rules and planning share.

All figures are long-run means of an open system that carries its load: arrival rates by the
traffic equations, busy servers by Little's law (L = rate times time held; Little, A Proof for
the Queuing Formula L = lambda W, 1961).
"""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass, replace
from functools import cached_property

from archcheck.capacity.bottleneck import Resource, Unsized, resources
from archcheck.capacity.latency import Latency, OperationLatencies, latency_of, query_time
from archcheck.capacity.load import (
    executions,
    journey_rates,
    operation_rates,
    rates_at,
    turning_points,
)
from archcheck.capacity.queueing import hottest_share
from archcheck.graph import Graph, Interaction
from archcheck.graph.copies import zones_of
from archcheck.graph.once import once
from archcheck.model import Burst, Datastore, Named, Scenario, Service, ShardKey, effective


@dataclass
class StoreDemand:
    """Queries of one datastore at the peak; *busy* is the mean number of queries in progress."""

    store: Datastore
    reads: float = 0.0
    stale_reads: float = 0.0
    """Of the reads, those that go to the copies which are not the primary."""
    writes: float = 0.0
    read_busy: float = 0.0
    stale_busy: float = 0.0
    write_busy: float = 0.0
    missing: tuple[str, ...] = ()
    """Undeclared service times, which count as zero: ``read``, ``write``."""

    def add(self, step: Interaction, rate: float) -> None:
        """Count ``rate`` executions a second of a read, a write or a lookup."""
        time = query_time(self.store, step.step)
        self.missing = tuple(dict.fromkeys((*self.missing, *(m.attribute for m in time.missing))))
        busy = rate * time.seconds
        if step.mode == "write":
            self.writes += rate
            self.write_busy += busy
            return
        self.reads += rate
        self.read_busy += busy
        # as a run places them: only a read that says so leaves the primary, and only for a copy
        if getattr(step.step, "stale", None) and self.copies > 1:
            self.stale_reads += rate
            self.stale_busy += busy

    def with_more(self, step: Interaction, rate: float) -> StoreDemand:
        """The demand with further executions of a step."""
        more = replace(self)
        more.add(step, rate)
        return more

    @property
    def shards(self) -> int:
        """Partitions; one unless declared."""
        return effective(self.store, "shards").value or 1

    @property
    def copies(self) -> int:
        """Copies of each shard, the primary included."""
        return effective(self.store, "copies").value or 1

    @property
    def copies_for_reads(self) -> int:
        """Copies that share the reads: those beside the primary when every read may be stale."""
        return max(1, self.copies - 1) if self.stale_reads == self.reads else 1

    def busiest_node(self) -> float:
        """Queries in progress on the primary of a shard or on one of its copies, whichever has
        more, keys taken as even. Stale reads go to the copies, all else to the primary.
        """
        primary = self.write_busy + self.read_busy - self.stale_busy
        return max(primary, self.stale_busy / max(1, self.copies - 1)) / self.shards

    def busiest_node_left(self) -> float:
        """The same once a zone is lost, if there are several: another copy is the primary then, and
        fewer are beside it; with none, the primary has the stale reads, too.
        """
        zones = len(set(zones_of(self.store)))
        left = self.copies - math.ceil(self.copies / zones) if zones > 1 else self.copies
        primary = self.write_busy + self.read_busy - self.stale_busy
        if left < 2:
            return (primary + self.stale_busy) / self.shards
        return max(primary, self.stale_busy / (left - 1)) / self.shards

    def hottest_share(self) -> float:
        """The share of the requests that the busiest shard gets, all shards being alike where
        nobody says how popular keys are.
        """
        key = getattr(self.store, "shard_key", None)
        if self.shards > 1 and isinstance(key, ShardKey) and key.skew and key.cardinality:
            return hottest_share(key.cardinality, key.skew, self.shards)
        return 1 / self.shards

    def hottest_node(self) -> float:
        """Queries in progress on the busiest node of the busiest shard."""
        return self.busiest_node() * self.shards * self.hottest_share()

    def unknown_popularity(self) -> str | None:
        """The attribute that would tell how evenly requests spread over several shards."""
        if self.shards == 1:
            return None
        key = getattr(self.store, "shard_key", None)
        if not isinstance(key, ShardKey) or key.skew is None:
            return "shard_key.skew"
        return "shard_key.cardinality" if key.skew and key.cardinality is None else None

    def servers_of_a_node(self) -> tuple[int | None, str]:
        """Queries that a node works on at the same time, and the attribute that says so."""
        for attribute in ("parallelism", "max_connections"):
            found = effective(self.store, attribute)
            if found.is_known:
                return found.value, attribute
        return None, "parallelism"


@dataclass(frozen=True, eq=False)
class Demand:
    """One scenario's load on one system."""

    graph: Graph
    scenario: Scenario
    journeys: Mapping[str, float]
    """Journey to its rate at the peak."""
    span: float | None = None
    """Seconds over which the runs of schedules are averaged; ``None``: for ever."""

    @cached_property
    def rates(self) -> Mapping[str, float]:
        """Arrival rate of each operation, datastore and cache."""
        return operation_rates(self.graph, self.journeys, self.span)

    @cached_property
    def steps(self) -> Mapping[Interaction, float]:
        """Executions a second of each interaction, retries not counted."""
        found: dict[Interaction, float] = defaultdict(float)
        for visits, rate in executions(self.graph, self.journeys, self.span):
            for step, count in visits.interactions:
                found[step] += rate * count
        return found

    def held(self, step: Interaction) -> Latency:
        """How long one execution of a step keeps its caller, network left out."""
        return latency_of(self.latencies, step)

    @cached_property
    def stores(self) -> dict[Datastore, StoreDemand]:
        """The queries of each datastore that gets any."""
        found: dict[str, StoreDemand] = {}
        for step, rate in self.steps.items():
            if isinstance(step.target, Datastore) and rate:
                name = step.target.name
                found.setdefault(name, StoreDemand(step.target)).add(step, rate)
        return {demand.store: demand for demand in found.values()}

    @cached_property
    def latencies(self) -> OperationLatencies:
        """Latencies without queueing."""
        return OperationLatencies(self.graph)

    @cached_property
    def _resources(self) -> tuple[list[Resource], list[Unsized]]:
        return resources(self.graph, self.journeys, self.span)

    @property
    def resources(self) -> list[Resource]:
        """Resources with servers, busiest first."""
        return self._resources[0]

    @property
    def unsized(self) -> list[Unsized]:
        """Loaded elements whose servers are not declared."""
        return self._resources[1]

    def resource_of(self, holder: Named) -> Resource | None:
        """The busiest servers of one element; ``None`` without load or size."""
        return next(iter(self.resources_of(holder)), None)

    def resources_of(self, holder: Named) -> list[Resource]:
        """All kinds of servers of one element, busiest first."""
        return self._by_holder.get(holder.name, [])

    @cached_property
    def _by_holder(self) -> dict[str, list[Resource]]:
        found: dict[str, list[Resource]] = defaultdict(list)
        for resource in self.resources:
            found[resource.holder.name].append(resource)
        return found

    def growth(self, service: Service, delay: float) -> float:
        """The most that a service's load grows within ``delay`` seconds, as a factor of at least 1.

        Looked at from each moment at which a stream of the scenario changes its course; streams
        that change at random (MMPP) may jump from calm to busy at once.
        """
        if delay not in self._growth:
            self._growth[delay] = self._growth_factors(delay)
        return self._growth[delay].get(service.name, 1.0)

    @cached_property
    def _growth(self) -> dict[float, dict[str, float]]:
        return {}

    def _growth_factors(self, delay: float) -> dict[str, float]:
        worst: dict[str, float] = {}
        for moment in turning_points(self.scenario):
            before = self._service_rates(rates_at(self.scenario, moment, calm=True))
            after = self._service_rates(rates_at(self.scenario, moment + delay))
            for name, rate in after.items():
                start = before.get(name, 0.0)
                worst[name] = max(worst.get(name, 1.0), rate / start if start else math.inf)
        return worst

    def burst(self, service: Service) -> float:
        """The most that a burst among the scenario's faults multiplies a service's load by."""
        return self._bursts.get(service.name, 1.0)

    @cached_property
    def _bursts(self) -> dict[str, float]:
        worst: dict[str, float] = {}
        bursts = [fault for fault in self.scenario.faults if isinstance(fault, Burst)]
        usual = self._service_rates(self.journeys) if bursts else {}
        for fault in bursts:
            more = self._service_rates(
                {
                    name: rate * (fault.factor if fault.journey in (None, name) else 1)
                    for name, rate in self.journeys.items()
                }
            )
            for name, rate in usual.items():
                worst[name] = max(worst.get(name, 1.0), more.get(name, 0.0) / rate)
        return worst

    def _service_rates(self, journeys: Mapping[str, float]) -> dict[str, float]:
        totals: dict[str, float] = defaultdict(float)
        for name, rate in operation_rates(self.graph, journeys).items():
            operation = self.graph.operations.get(name)
            if operation is not None and isinstance(operation.owner, Service):
                totals[operation.owner.name] += rate
        return {name: rate for name, rate in totals.items() if rate}

    def unsized_of(self, holder: Named) -> Unsized | None:
        """The load of an element whose servers are not declared."""
        return next((need for need in self.unsized if need.holder is holder), None)


@once
def demands(graph: Graph) -> tuple[Demand, ...]:
    """The demand of each scenario that declares a load."""
    return tuple(
        Demand(graph, scenario, journey_rates(scenario))
        for scenario in graph.system.scenarios
        if scenario.load
    )
