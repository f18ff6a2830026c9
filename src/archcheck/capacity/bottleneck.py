"""Which resource saturates first: the utilisation law and the bottleneck law.

A resource with ``c`` servers and ``D`` seconds of demand for one run of the mix is saturated at
``c / D`` runs a second; the smallest of these bounds the throughput (Denning and Buzen, The
Operational Analysis of Queueing Network Models, 1978).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from archcheck.capacity.latency import Latencies, Missing, query_time
from archcheck.capacity.load import operation_rates
from archcheck.graph import Graph
from archcheck.model import Datastore, Service, effective


@dataclass(frozen=True)
class Resource:
    """Servers of one kind and how busy the declared load keeps them.

    ``busy`` is the mean number of busy servers at the declared load (Little's law: rate times
    time held); ``missing`` lists attributes that were counted as zero.
    """

    holder: Service | Datastore
    what: str
    servers: int
    busy: float
    missing: tuple[Missing, ...]

    @property
    def name(self) -> str:
        """``payments threads``."""
        return f"{self.holder.name} {self.what}"

    @property
    def utilisation(self) -> float:
        """Busy servers over servers; above one the load cannot be carried."""
        return self.busy / self.servers

    @property
    def headroom(self) -> float:
        """How many times the declared load it could carry."""
        return self.servers / self.busy if self.busy else float("inf")


@dataclass(frozen=True)
class Unsized:
    """A loaded element whose number of servers is not declared."""

    holder: Service | Datastore
    attribute: str
    busy: float
    missing: tuple[Missing, ...]


def resources(
    graph: Graph, journey_rate: Mapping[str, float]
) -> tuple[list[Resource], list[Unsized]]:
    """Resources under the given journey rates, busiest first, and those that cannot be sized."""
    latencies = Latencies(graph)
    rates = operation_rates(graph, journey_rate)
    sized: list[Resource] = []
    unsized: list[Unsized] = []
    holders: list[Service | Datastore] = [*graph.system.services, *graph.system.datastores]
    for holder in holders:
        busy, missing = (
            _service_busy(graph, holder, rates, latencies)
            if isinstance(holder, Service)
            else _datastore_busy(graph, holder, journey_rate)
        )
        if busy == 0 and not missing:
            continue
        what, servers = _servers(holder)
        if servers is None:
            unsized.append(Unsized(holder, what, busy, missing))
        else:
            sized.append(Resource(holder, what, servers, busy, missing))
    return sorted(sized, key=lambda resource: -resource.utilisation), unsized


def _service_busy(
    graph: Graph, service: Service, rates: Mapping[str, float], latencies: Latencies
) -> tuple[float, tuple[Missing, ...]]:
    """A blocking runtime holds a thread to the end, the others only while computing."""
    blocking = effective(service.runtime, "concurrency").value == "blocking"
    busy = 0.0
    missing: tuple[Missing, ...] = ()
    for endpoint in service.endpoints:
        name = f"{service.name}.{endpoint.name}"
        rate = rates.get(name, 0.0)
        if rate:
            held = latencies.of(name) if blocking else latencies.own_work(name)
            busy += rate * held.seconds
            missing = (*missing, *held.missing)
    return busy, tuple(dict.fromkeys(missing))


def _servers(holder: Service | Datastore) -> tuple[str, int | None]:
    if isinstance(holder, Datastore):
        each = effective(holder, "parallelism").value
        each = each if each is not None else effective(holder, "max_connections").value
        what = "parallelism" if effective(holder, "parallelism").is_known else "max_connections"
        shards = effective(holder, "shards").value or 1
        return what, each * shards if each is not None else None
    what = holder.runtime.worker_attribute() if holder.runtime else "runtime"
    each = effective(holder.runtime, what).value if holder.runtime else None
    replicas = holder.deployment.fewest_replicas() if holder.deployment else None
    if each is None:
        return what, None
    return (what, each * replicas) if replicas is not None else ("replicas", None)


def _datastore_busy(
    graph: Graph, store: Datastore, journey_rate: Mapping[str, float]
) -> tuple[float, tuple[Missing, ...]]:
    busy, missing = 0.0, dict[Missing, None]()
    for journey in graph.system.journeys:
        rate = journey_rate.get(journey.name, 0.0)
        for step, count in graph.visits(journey).interactions if rate else ():
            if step.target is store and step.mode in ("read", "write", "cache"):
                time = query_time(store, step.step)
                busy += rate * count * time.seconds
                missing.update(dict.fromkeys(time.missing))
    return busy, tuple(missing)
