"""How long requests wait for what is below them, and so how long they hold the threads above.

A thread of a blocking service is held while its request works, asks, and waits for its turn in
every queue below. Each wait has an upper bound: where requests come as a Poisson stream, the mean
wait at ``c`` servers with one line is at most that of one server with a ``c``-th of them (Wolff,
An Upper Bound for Multi-Channel Queues, 1977), which Pollaczek and Khinchine give exactly; requests
that come in groups wait for their group, too (Burke, Delays in Single-Server Queues with Batch
Input, 1975); servers that are shared by all make each wait its own time times rho / (1 - rho).
Parallel branches add, which is an upper bound of the longest.
"""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property

from archcheck.capacity.demand import Demand
from archcheck.capacity.latency import Missing
from archcheck.capacity.responses import Responses, timed
from archcheck.graph import Interaction
from archcheck.graph.cpu import PERIOD, cores_of
from archcheck.graph.pools import pool_of
from archcheck.graph.protection import backoffs
from archcheck.graph.transfer import ONE_WAY, on_the_wire, waits_for_broker
from archcheck.model import (
    Datastore,
    Endpoint,
    External,
    LocalCache,
    Named,
    Network,
    Publish,
    Service,
    effective,
)
from archcheck.model.distributions import Time


@dataclass(frozen=True)
class Held:
    """Mean seconds, at most; ``waits`` is what of it is spent in queues."""

    seconds: float = 0.0
    waits: float = 0.0
    missing: tuple[Missing, ...] = ()
    """Undeclared sizes of what is waited for, which count as large enough."""

    def __add__(self, other: Held) -> Held:
        missing = tuple(dict.fromkeys((*self.missing, *other.missing)))
        return Held(self.seconds + other.seconds, self.waits + other.waits, missing)

    def scaled(self, factor: float) -> Held:
        """So many of it: none of what is endless is nothing."""
        if not factor:
            return Held()
        return Held(self.seconds * factor, self.waits * factor, self.missing)


def longest_mean_wait(rho: float, mean: float, second: float, group: float = 1.0) -> float:
    """A bound of the mean wait of one server that is busy ``rho`` of the time, by the moments of
    its service; requests come in groups of ``group``.
    """
    if rho >= 1:
        return math.inf
    if not mean:
        return 0.0
    in_line = rho / mean * second / 2 / (1 - rho)
    shared = mean * rho / (1 - rho)
    return max(in_line, shared) + (group - 1) * mean / 2 / (1 - rho)


class Waiting:
    """The waits under one demand, whose graph should count all attempts that may come."""

    def __init__(self, demand: Demand, replicas: dict[str, int]) -> None:
        """``replicas``: how many of each service are there, at the worst moment."""
        self._demand = demand
        self._replicas = replicas
        self._responses = Responses(demand.graph)
        self._held: dict[str, Held] = {}
        self._way = 2 * _one_way(demand.graph.system.network)

    def busy(self, service: Service) -> Held:
        """Threads of a blocking service that are held on average, at most."""
        total = Held()
        for operation in self._demand.graph.operations_of(service):
            rate = self._demand.rates.get(operation.name, 0.0)
            if rate and isinstance(operation.part, Endpoint):
                total += self.held(operation.name).scaled(rate)
        return total

    def held(self, name: str) -> Held:
        """How long a request of an operation lasts, from the moment that it has a worker."""
        if name not in self._held:
            self._held[name] = Held(math.inf, math.inf)  # a circle of calls has no bound
            self._held[name] = self._lasts(name)
        return self._held[name]

    def _lasts(self, name: str) -> Held:
        graph = self._demand.graph
        operation = graph.operations[name]
        if isinstance(operation.owner, External):
            return Held(self._responses.of(name).mean)
        work = self._demand.latencies.own_work(name).seconds
        waits = self._for_cores(operation.owner) * work if work else 0.0
        total = Held(self._demand.latencies.own_time(name).seconds + waits, waits)
        for step in graph.outgoing[name]:
            if step.is_awaited and step.visits:
                total += self._asked(step).scaled(step.visits)
        return total

    def _asked(self, step: Interaction) -> Held:
        if isinstance(step.step, Publish):
            return Held(self._way if waits_for_broker(step.step) else 0.0)
        found = Held(self._way_of(step)) + self._target(step) + self._connection(step)
        # a visit is an attempt, and pauses never get shorter: an attempt has at most its share
        guard = step.protection
        pauses = (float(sum(backoffs(r))) / guard.that_ask(r.attempts) for r in guard.retries)
        return found + Held(math.fsum(pauses))

    def _way_of(self, step: Interaction) -> float:
        system = self._demand.graph.system
        return self._way + float(on_the_wire(system, step.step, step.endpoint))

    def _target(self, step: Interaction) -> Held:
        target = step.target
        if isinstance(target, Datastore):
            served = timed(_time_of(target, step)).mean
            return Held(served) + self._in_line(target)
        if isinstance(target, External):
            return Held(self._responses.of(step.target_name).mean)
        if isinstance(target, Service):
            return self.held(step.target_name) + self._for_worker(target)
        return Held()

    # -- stations -----------------------------------------------------------------------------

    def _in_line(self, store: Datastore) -> Held:
        """The wait for a node of a datastore."""
        if isinstance(store, LocalCache):
            return Held()
        asked = self._queries.get(store.name)
        demand = self._demand.stores.get(store)
        if asked is None or (demand is None and not store.is_cache):
            return Held()
        each, what = _servers(store)
        if each is None:
            return Held(missing=(Missing(store, what),))
        rate, mean, second = asked
        rho = demand.hottest_node() / each if demand else rate * mean / each
        wait = longest_mean_wait(rho, mean, second, 1 + (self._group(store) - 1) / each)
        return Held(wait, wait)

    @cached_property
    def _queries(self) -> dict[str, tuple[float, float, float]]:
        """Store to its queries a second, and the first two moments of a query."""
        sums: dict[str, list[float]] = defaultdict(lambda: [0.0, 0.0, 0.0])
        for step, rate in self._demand.steps.items():
            if isinstance(step.target, Datastore) and rate:
                time = timed(_time_of(step.target, step))
                row = sums[step.target.name]
                row[0] += rate
                row[1] += rate * time.mean
                row[2] += rate * (time.variance + time.mean**2)
        return {name: (row[0], row[1] / row[0], row[2] / row[0]) for name, row in sums.items()}

    def _for_worker(self, service: Service) -> Held:
        """The wait for a thread; services that do not block have none to wait for."""
        if effective(service.runtime, "concurrency").value != "blocking":
            return Held()
        each = effective(service.runtime, "threads").value
        count = self._replicas.get(service.name)
        if each is None or count is None:
            what = "runtime.threads" if each is None else "deployment.replicas"
            return Held(missing=(Missing(service, what),))
        busy = self.busy(service)
        rate = self._requests(service)
        if not rate or math.isinf(busy.seconds):
            return Held(math.inf, math.inf) if rate else Held()
        mean = busy.seconds / rate
        group = 1 + (self._group(service) - 1) / each
        wait = longest_mean_wait(busy.seconds / each / count, mean, 2 * mean**2, group)
        return Held(wait, wait, busy.missing)

    def _for_cores(self, service: Named) -> float:
        """The wait for a core, as a multiple of the time to compute."""
        if not isinstance(service, Service):
            return 0.0
        has = cores_of(service)
        each = min((n for n in (has.parallel, has.limit) if n is not None), default=None)
        count = self._replicas.get(service.name)
        work, second = self._computing(service)
        if each is None or count is None or not work:
            return 0.0
        mean = work / self._requests(service)
        slower = max(1.0, 1 / each)  # part of a core
        rho = work / each / count
        group = 1 + (self._group(service) - 1) / each
        wait = longest_mean_wait(rho, mean * slower, second * slower**2, group)
        pauses = (slower - 1) * mean + PERIOD if has.limit is not None else 0.0
        return (wait + pauses) / mean

    def _computing(self, service: Service) -> tuple[float, float]:
        """Seconds of work in a second, and the second moment of a request's work."""
        total = square = 0.0
        for operation in self._demand.graph.operations_of(service):
            rate = self._demand.rates.get(operation.name, 0.0)
            own = self._responses.work(operation.name)
            total += rate * own.mean
            square += rate * (own.variance + own.mean**2)
        requests = self._requests(service)
        return total, square / requests if requests else 0.0

    def _requests(self, service: Service) -> float:
        operations = self._demand.graph.operations_of(service)
        return math.fsum(self._demand.rates.get(op.name, 0.0) for op in operations)

    def _connection(self, step: Interaction) -> Held:
        """The wait for a connection of the caller's pool."""
        source = step.source
        pool = pool_of(source, step.target) if isinstance(source, Service) else None
        if pool is None or self._has_one_each(source, pool[0]):
            return Held()
        count = self._replicas.get(source.name)
        if count is None:
            return Held(missing=(Missing(source, "deployment.replicas"),))
        rate, busy = 0.0, Held()
        for other, often in self._between[source.name, step.target.name]:
            rate += often
            busy += (Held(self._way_of(other)) + self._target(other)).scaled(often)
        if not rate or math.isinf(busy.seconds):
            return Held(math.inf, math.inf) if rate else Held()
        servers = pool[0]
        mean = busy.seconds / rate
        group = 1 + (self._group(step.target) - 1) / servers
        wait = longest_mean_wait(busy.seconds / servers / count, mean, 2 * mean**2, group)
        return Held(wait, wait)

    def _has_one_each(self, source: Named, size: int) -> bool:
        """Whether a pool has a connection for each thread that could ask for one."""
        runtime = getattr(source, "runtime", None)
        threads = effective(runtime, "threads").value
        blocking = effective(runtime, "concurrency").value == "blocking"
        consumes = isinstance(source, Service) and bool(source.consumers)
        branches = self._is_parallel or consumes
        return blocking and threads is not None and threads <= size and not branches

    @cached_property
    def _between(self) -> Mapping[tuple[str, str], list[tuple[Interaction, float]]]:
        """The steps from one element to another, each with its executions a second."""
        found: dict[tuple[str, str], list[tuple[Interaction, float]]] = defaultdict(list)
        for step, often in self._demand.steps.items():
            found[step.source.name, step.target.name].append((step, often))
        return found

    @cached_property
    def _is_parallel(self) -> bool:
        return any(step.in_parallel for step in self._demand.steps)

    def _group(self, target: Named) -> float:
        """How many requests of one run may come at the same moment: those of parallel branches."""
        if not self._is_parallel:
            return 1.0
        return max(1.0, max(self._runs.get(target.name, {}).values(), default=1.0))

    @cached_property
    def _runs(self) -> dict[str, dict[str, float]]:
        """Element to its visits in one run of each journey."""
        found: dict[str, dict[str, float]] = defaultdict(lambda: defaultdict(float))
        graph = self._demand.graph
        for journey in graph.system.journeys:
            for step, count in graph.visits(journey).interactions:
                found[step.target.name][journey.name] += count
        return found


def _one_way(network: Network | None) -> float:
    """The longest of the declared delays; what runs take where none is."""
    delays = (network.delay, network.zone_delay) if network else ()
    return max((float(delay) for delay in delays if delay is not None), default=float(ONE_WAY))


def _servers(store: Datastore) -> tuple[int | None, str]:
    for attribute in ("parallelism", "max_connections"):
        found = effective(store, attribute)
        if found.is_known:
            return found.value, attribute
    return None, "parallelism"


def _time_of(store: Datastore, step: Interaction) -> Time | None:
    own: Time | None = getattr(step.step, "time", None)
    return own if own is not None else getattr(store, "write" if step.mode == "write" else "read")
