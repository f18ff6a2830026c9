"""Which resource saturates first: the utilisation law and the bottleneck law.

A resource with ``c`` servers and ``D`` seconds of demand for one run of the mix is saturated at
``c / D`` runs a second; the smallest of these bounds the throughput (Denning and Buzen, The
Operational Analysis of Queueing Network Models, 1978).
"""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from archcheck.capacity.latency import Missing, OperationLatencies, query_time
from archcheck.capacity.load import executions, operation_rates
from archcheck.capacity.queueing import mean_wait
from archcheck.graph import Graph
from archcheck.graph.cpu import cores_of, cpu_limit_of
from archcheck.model import Datastore, Endpoint, Service, effective

CPU = "CPU"
"""What a resource has that is bounded by a CPU limit, or by the cores that threads run on."""


_CALLED = {
    (True, "parallelism"): "cores",
    (False, "parallelism"): "threads",
    (False, "max_connections"): "connections",
}
"""What servers of a service, or of a datastore, are called in sentences, as in a simulation."""


def servers_called(holder: object, what: str) -> str:
    """``threads``, ``cores``, ``connections``: the word for servers that an attribute counts."""
    return _CALLED.get((isinstance(holder, Service), what), what)


def busy_servers(amount: str, called: str) -> str:
    """``1 thread busy``, ``12.5 threads busy``."""
    return f"{amount} {called.removesuffix('s') if amount == '1' else called} busy"


@dataclass(frozen=True)
class Resource:
    """Servers of one kind and how busy the declared load keeps them.

    ``rate`` is the arrivals in a second, ``busy`` the mean number of busy servers at the declared
    load (Little's law: rate times time held); ``missing`` lists attributes that were counted as
    zero.
    """

    holder: Service | Datastore
    what: str
    servers: float
    rate: float
    busy: float
    missing: tuple[Missing, ...]
    units: int = 1
    """Replicas or shards that the servers are spread over."""

    @property
    def per_unit(self) -> float:
        """Servers of one replica or shard."""
        return self.servers / self.units

    @property
    def name(self) -> str:
        """``payments threads``."""
        return f"{self.holder.name} {self.what}"

    @property
    def called(self) -> str:
        """What is busy, as people call it."""
        return servers_called(self.holder, self.what)

    @property
    def shown(self) -> str:
        """``35 threads busy, 10 in each replica``."""
        return f"{busy_servers(f'{self.busy:.3g}', self.called)}, {self.per_unit:g} in each replica"

    @property
    def utilisation(self) -> float:
        """Busy servers over servers; above one the load cannot be carried."""
        return self.busy / self.servers

    @property
    def wait(self) -> float:
        """Mean seconds until a server is free, all servers taken as one M/M/c queue."""
        if not self.busy:
            return 0.0
        whole = math.ceil(self.servers)  # part of a core is a slower one
        each = self.busy / self.rate * whole / self.servers
        return mean_wait(whole, self.rate, each)

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
    graph: Graph, journey_rate: Mapping[str, float], span: float | None = None
) -> tuple[list[Resource], list[Unsized]]:
    """Resources under the given journey rates, busiest first, and those that cannot be sized.

    A service has its threads or cores, and the cores of its CPU limit, or those below its threads,
    where they are known.

    Schedules count, too: within ``span`` seconds as :func:`archcheck.capacity.load.job_rates`.
    """
    latencies = OperationLatencies(graph)
    rates = operation_rates(graph, journey_rate, span)
    queries = _queries(graph, journey_rate, span)
    sized: list[Resource] = []
    unsized: list[Unsized] = []
    holders: list[Service | Datastore] = [*graph.system.services, *graph.system.datastores]
    for holder in holders:
        rate, busy, missing = (
            _service_busy(graph, holder, rates, latencies)
            if isinstance(holder, Service)
            else queries.get(holder.name, (0.0, 0.0, ()))
        )
        if busy == 0 and not missing:
            continue
        what, each, units = _servers(holder)
        if each is None or units is None:
            missing_size = _undeclared(holder, what) if each is None else "deployment.replicas"
            unsized.append(Unsized(holder, missing_size, busy, missing))
        else:
            sized.append(Resource(holder, what, each * units, rate, busy, missing, units))
    sized += _cpu(graph, rates, latencies)
    return sorted(sized, key=lambda resource: -resource.utilisation), unsized


def _cpu(
    graph: Graph, rates: Mapping[str, float], latencies: OperationLatencies
) -> Iterator[Resource]:
    """The cores of CPU limits, and those that threads run on: what computes in a replica shares
    them, consumers too.
    """
    for service in graph.system.services:
        units = service.deployment.fewest_replicas() if service.deployment else None
        threads = effective(service.runtime, "concurrency").value == "blocking"
        bounds = (cpu_limit_of(service), cores_of(service).parallel if threads else None)
        known = [bound for bound in bounds if bound is not None]
        if not known or units is None:
            continue
        limit = min(known)
        arrivals = busy = 0.0
        for operation in graph.operations_of(service):
            rate = rates.get(operation.name, 0.0)
            if rate:
                arrivals += rate
                own = latencies.on_cores(operation.name).seconds
                busy += rate * own * graph.worked_on(operation.name)
        if busy:
            yield Resource(service, CPU, limit * units, arrivals, busy, (), units)


def _service_busy(
    graph: Graph, service: Service, rates: Mapping[str, float], latencies: OperationLatencies
) -> tuple[float, float, tuple[Missing, ...]]:
    """A blocking runtime holds a thread to the end, the others only while computing.

    Of an undeclared one nobody knows; it is asked for what it would need at most.
    """
    concurrency = effective(service.runtime, "concurrency").value
    blocking = concurrency == "blocking" or service.runtime is None
    arrivals = busy = 0.0
    missing: tuple[Missing, ...] = ()
    for operation in graph.operations_of(service):
        rate = rates.get(operation.name, 0.0)
        # a consumer has threads of its own: it shares only the cores of the others
        if rate and (isinstance(operation.part, Endpoint) or not blocking):
            held = latencies.of(operation.name) if blocking else latencies.own_work(operation.name)
            arrivals += rate
            busy += rate * held.seconds * graph.worked_on(operation.name)
            missing = (*missing, *held.missing)
    return arrivals, busy, tuple(dict.fromkeys(missing))


def _undeclared(holder: Service | Datastore, what: str) -> str:
    """The attribute as a model writes it."""
    inside = isinstance(holder, Service) and what != "runtime"
    return f"runtime.{what}" if inside else what


def _servers(holder: Service | Datastore) -> tuple[str, int | None, int | None]:
    """What is counted, how many one unit has, and how many units there are."""
    if isinstance(holder, Datastore):
        shards = effective(holder, "shards").value or 1
        for what in ("parallelism", "max_connections"):
            if effective(holder, what).is_known:
                return what, effective(holder, what).value, shards
        return "parallelism", None, shards
    what = holder.runtime.worker_attribute() if holder.runtime else "runtime"
    if what == "parallelism":
        each = cores_of(holder).parallel
    else:
        each = effective(holder.runtime, what).value if holder.runtime else None
    replicas = holder.deployment.fewest_replicas() if holder.deployment else None
    return what, each, replicas


def _queries(
    graph: Graph, journey_rate: Mapping[str, float], span: float | None
) -> dict[str, tuple[float, float, tuple[Missing, ...]]]:
    """Datastore to its queries a second, the mean number in it, and what is missing for that."""
    arrivals: dict[str, float] = defaultdict(float)
    busy: dict[str, float] = defaultdict(float)
    missing: dict[str, dict[Missing, None]] = defaultdict(dict)
    for visits, rate in executions(graph, journey_rate, span):
        for step, count in visits.interactions:
            if step.mode in ("read", "write", "cache"):
                time = query_time(step.target, step.step)
                arrivals[step.target.name] += rate * count
                busy[step.target.name] += rate * count * time.seconds
                missing[step.target.name].update(dict.fromkeys(time.missing))
    return {name: (arrivals[name], busy[name], tuple(missing[name])) for name in busy}
