"""From a system and a scenario to a plan.

What the model does not declare is assumed here, in one place, and every assumption is listed in
the result. What the model declares and the engines do not do yet is listed too.
"""

from __future__ import annotations

from collections.abc import Iterable

from archcheck.graph import Graph
from archcheck.model import (
    Absent,
    Cached,
    Call,
    Consumer,
    Datastore,
    Endpoint,
    External,
    Parallel,
    Publish,
    Read,
    Repeat,
    Retry,
    Scenario,
    ScenarioError,
    Series,
    Service,
    Sometimes,
    Step,
    System,
    Topic,
    Work,
    Write,
    effective,
)
from archcheck.model.distributions import Time
from archcheck.model.steps import Interaction
from archcheck.simulation import plan as p
from archcheck.simulation.arrivals import compile_streams
from archcheck.simulation.randomness import place_hash
from archcheck.simulation.sampling import compile_time
from archcheck.units import Duration

DELAY = Duration(0.000_25)
"""Assumed one-way network delay: half of the 0.5 ms round trip inside a datacenter (Dean, 2009)."""
QUERY = Duration(0.001)
"""Assumed time of a query."""
CACHE_LOOKUP = Duration(0.000_2)
"""Assumed time of a lookup in a cache."""
CORES = 4
"""Assumed parallelism of an event loop or of goroutines in a replica."""

_FAILURES = {
    "timeout": p.Outcome.TIMED_OUT,
    "rejected": p.Outcome.REJECTED,
    "failed": p.Outcome.FAILED,
}
_BALANCE = {
    "round_robin": p.Balance.ROUND_ROBIN,
    "random": p.Balance.RANDOM,
    "least_outstanding": p.Balance.LEAST_OUTSTANDING,
    "power_of_two": p.Balance.POWER_OF_TWO,
}
_LATER = {
    "breaker": "circuit breakers",
    "bulkhead": "bulkheads",
    "rate_limit": "rate limits",
    "hedge": "hedged calls",
}


def compile_plan(system: System, scenario: Scenario) -> p.Plan:
    """The plan of ``scenario`` on ``system``.

    Raises :class:`ScenarioError` when the scenario needs what the engines do not do, and
    :class:`ModelError` when operations call each other without end.
    """
    if scenario.faults:
        raise ScenarioError(
            f"scenario {scenario.name!r} declares faults, which this version does not simulate; "
            "choose or write a scenario without them"
        )
    if not scenario.load:
        raise ScenarioError(f"scenario {scenario.name!r} declares no load")
    graph = Graph(system)
    for journey in system.journeys:
        graph.visits(journey)  # refuses operations that call each other without end
    return _Compiler(graph).compile(scenario)


class _Compiler:
    """Collects the tables; every element is compiled once."""

    def __init__(self, graph: Graph) -> None:
        self.graph = graph
        self.system = graph.system
        self.stations: list[p.Station] = []
        self.operations: list[p.Operation] = []
        self.blocks: list[tuple[p.Step, ...]] = []
        self.pools: list[p.Pool] = []
        self.assumptions: dict[p.Assumption, None] = {}
        self.later: dict[str, int] = {}
        self._station_of: dict[str, int] = {}
        self._operation_of: dict[str, int] = {}
        self._pool_of: dict[tuple[str, str], int] = {}
        self.delay = self._delay()

    def compile(self, scenario: Scenario) -> p.Plan:
        for service in self.system.services:
            self._service(service)
        for store in self.system.datastores:
            self._datastore(store)
        for name in self.graph.operations:
            self._reserve(name)
        for name in self.graph.operations:
            self._fill(name)
        journeys = tuple(
            p.PlannedJourney(
                journey.name,
                tuple(
                    self._entry(journey.name, i, e, journey.timeout)
                    for i, e in enumerate(journey.all_entries())
                ),
            )
            for journey in self.system.journeys
        )
        names = [journey.name for journey in self.system.journeys]
        streams = compile_streams(scenario, names)
        return p.Plan(
            tuple(self.stations),
            tuple(self.operations),
            tuple(self.blocks),
            tuple(self.pools),
            streams,
            journeys,
            tuple(self.assumptions),
            tuple(f"{what} ({count})" for what, count in sorted(self.later.items())),
        )

    # -- assumptions --------------------------------------------------------------------------

    def _assume(self, subject: str, attribute: str, value: object, reason: str) -> None:
        self.assumptions[p.Assumption(subject, attribute, str(value), reason)] = None

    def _delay(self) -> float:
        network = self.system.network
        if network is not None and network.delay is not None:
            return float(network.delay)
        self._assume("network", "delay", DELAY, "one way, within a datacenter")
        return float(DELAY)

    def _time(self, declared: Time | None, assumed: Duration, who: str, what: str) -> p.Sampler:
        if declared is None:
            self._assume(who, what, assumed, "no service time is declared")
            declared = assumed
        return compile_time(declared)

    # -- stations -----------------------------------------------------------------------------

    def _service(self, service: Service) -> None:
        blocking = effective(service.runtime, "concurrency").value == "blocking"
        attribute = service.runtime.worker_attribute() if service.runtime else "parallelism"
        found = effective(service.runtime, attribute)
        servers = found.value
        if found.origin == "default":
            self._assume(service.name, attribute, servers, found.source)
        elif servers is None:
            servers = None if blocking else CORES
            shown = "unlimited" if servers is None else CORES
            self._assume(service.name, attribute, shown, "the runtime does not declare it")
        replicas = service.deployment.fewest_replicas() if service.deployment else None
        if replicas is None:
            self._assume(service.name, "replicas", 1, "the deployment does not declare it")
        elif service.deployment and service.deployment.autoscale:
            self._later("autoscaling")
        queue = effective(service.runtime, "accept_queue")
        if queue.origin == "unknown":
            self._assume(
                service.name, "accept_queue", "unlimited", "the runtime does not declare it"
            )
        what = "threads" if blocking else "cores"
        self._add_station(service.name, what, replicas or 1, servers, queue.value, held=blocking)

    def _datastore(self, store: Datastore) -> None:
        for attribute in ("parallelism", "max_connections"):
            found = effective(store, attribute)
            if found.is_known:
                break
        if found.origin == "default":
            self._assume(store.name, attribute, found.value, found.source)
        elif not found.is_known:
            self._assume(store.name, attribute, "unlimited", "the datastore does not declare it")
        shards = effective(store, "shards").value
        what = "connections" if attribute == "max_connections" else "threads"
        self._add_station(store.name, what, shards or 1, found.value, None, held=True)

    def _add_station(
        self,
        name: str,
        what: str,
        nodes: int,
        servers: int | None,
        queue: int | None,
        *,
        held: bool,
    ) -> int:
        self._station_of[name] = len(self.stations)
        self.stations.append(p.Station(name, what, nodes, servers, queue, held))
        return self._station_of[name]

    # -- operations ---------------------------------------------------------------------------

    def _reserve(self, name: str) -> None:
        self._operation_of[name] = len(self.operations)
        self.operations.append(p.Operation(name, None, None, 0, 0.0, place_hash(name), True))

    def _fill(self, name: str) -> None:
        """Compile an endpoint or consumer into its reserved row."""
        owner, part = self.graph.operations[name].owner, self.graph.operations[name].part
        if isinstance(owner, External):
            self._set(name, self._external(owner, part))
            return
        block = self._block(owner, name, part.steps)
        home = self._station_of[owner.name]
        works_at = None if self.stations[home].held else home
        station = self._consumers(owner, name, part) if isinstance(part, Consumer) else home
        error_rate = float(part.error_rate or 0) if isinstance(part, Endpoint) else 0.0
        self._set(
            name, p.Operation(name, station, works_at, block, error_rate, place_hash(name), True)
        )

    def _set(self, name: str, operation: p.Operation) -> None:
        self.operations[self._operation_of[name]] = operation

    def _add_operation(self, operation: p.Operation) -> int:
        if operation.name not in self._operation_of:
            self._operation_of[operation.name] = len(self.operations)
            self.operations.append(operation)
        return self._operation_of[operation.name]

    def _external(self, owner: External, part: Endpoint | Consumer | None) -> p.Operation:
        name = f"{owner.name}.{part.name}" if part else owner.name
        latency = self._time(owner.latency, Duration(0.0), owner.name, "latency")
        work = p.Step(p.Kind.WORK, place_hash(f"{name}#latency"), sampler=latency)
        rate = getattr(part, "error_rate", None) or owner.error_rate
        return p.Operation(
            name, None, None, self._add_block((work,)), float(rate or 0), place_hash(name), True
        )

    def _consumers(self, owner: Service, name: str, part: Consumer) -> int:
        """The consumers of a group work like servers on a shared queue, one for each partition."""
        replicas = self.stations[self._station_of[owner.name]].nodes
        each = part.concurrency or 1
        if part.concurrency is None:
            self._assume(name, "concurrency", 1, "the consumer does not declare it")
        servers = replicas * each
        topic = self.system.find(str(part.topic))
        partitions = getattr(topic, "partitions", None)
        if partitions is not None:
            servers = min(servers, partitions)
        elif isinstance(topic, Topic):
            self._assume(topic.name, "partitions", servers, "as many as consumers")
        return self._add_station(name, "consumers", 1, servers, None, held=True)

    def _query(self, owner: str, step: Read | Write | Cached, name: str) -> int:
        store = self.system.find(str(step.cache if isinstance(step, Cached) else step.target))
        if not isinstance(store, Datastore):
            raise TypeError(f"{store.name} is not a datastore")
        verb = "write" if isinstance(step, Write) else "read"
        own = None if isinstance(step, Cached) else step.time
        declared = own if own is not None else getattr(store, verb)
        label = f"{store.name}.{verb}" if own is None else f"{store.name}.{verb}@{name}"
        sampler = self._time(declared, CACHE_LOOKUP if store.is_cache else QUERY, store.name, verb)
        work = p.Step(p.Kind.WORK, place_hash(f"{label}#time"), sampler=sampler)
        return self._add_operation(
            p.Operation(
                label,
                self._station_of[store.name],
                None,
                self._add_block((work,)),
                0.0,
                place_hash(label),
                own is None,
            )
        )

    # -- steps --------------------------------------------------------------------------------

    def _add_block(self, steps: tuple[p.Step, ...]) -> int:
        self.blocks.append(steps)
        return len(self.blocks) - 1

    def _block(self, owner: Service, name: str, steps: Iterable[Step]) -> int:
        return self._add_block(
            tuple(self._step(owner, f"{name}/{i}", step) for i, step in enumerate(steps))
        )

    def _step(self, owner: Service, name: str, step: Step) -> p.Step:
        place = place_hash(name)
        match step:
            case Work():
                return p.Step(p.Kind.WORK, place, sampler=compile_time(step.time))
            case Call() | Read() | Write():
                return self._request(owner, name, step)
            case Publish():
                return self._publish(place, step)
            case Cached():
                return self._cached(owner, name, step)
            case Parallel():
                blocks = tuple(
                    self._block(owner, f"{name}.{i}", [branch])
                    for i, branch in enumerate(step.steps)
                )
                waited = tuple(not getattr(branch, "optional", False) for branch in step.steps)
                return p.Step(p.Kind.PARALLEL, place, blocks=blocks, waited=waited)
            case Sometimes() | Repeat() | Series():
                return self._group(owner, name, step)
            case _:
                raise ScenarioError(f"the engines do not know the step {type(step).__name__}")

    def _group(self, owner: Service, name: str, step: Sometimes | Repeat | Series) -> p.Step:
        block = (self._block(owner, name, step.steps),)
        place = place_hash(name)
        match step:
            case Sometimes():
                probability = float(step.probability)
                return p.Step(p.Kind.SOMETIMES, place, blocks=block, number=probability)
            case Repeat():
                return p.Step(p.Kind.REPEAT, place, blocks=block, number=step.times)
            case _:
                return p.Step(p.Kind.SERIES, place, blocks=block)

    def _request(self, owner: Service, name: str, step: Call | Read | Write) -> p.Step:
        balance = p.Balance.RANDOM  # queries go to the shard of their key
        if isinstance(step, Call):
            operation = self._callee(step)
            balance = self._balance(step)
        else:
            operation = self._query(owner.name, step, name)
        return p.Step(
            p.Kind.CALL,
            place_hash(name),
            operation=operation,
            policy=self._policy(step),
            balance=balance,
            pool=self._pool(owner, str(step.target).partition(".")[0]),
            delay=self.delay,
        )

    def _callee(self, step: Call) -> int:
        target, endpoint = self.system.endpoint(str(step.target))
        if endpoint is not None:
            return self._operation_of[f"{target.name}.{endpoint.name}"]
        if not isinstance(target, External):
            raise TypeError(f"{target.name} has no endpoint")
        return self._add_operation(self._external(target, None))

    def _balance(self, step: Call) -> p.Balance:
        if isinstance(step.balancing, str):
            return _BALANCE[step.balancing]
        self._assume("calls", "balancing", "round_robin", "where a call does not declare it")
        return p.Balance.ROUND_ROBIN

    def _policy(self, step: Interaction) -> p.Policy:
        for attribute, what in _LATER.items():
            declared = getattr(step, attribute, None)
            if declared is not None and not isinstance(declared, Absent):
                self._later(what)
        timeout = step.timeout
        seconds = float(timeout) if isinstance(timeout, Duration) else p.FOREVER
        optional = step.optional or (
            step.fallback is not None and not isinstance(step.fallback, Absent)
        )
        retry = step.retry
        if not isinstance(retry, Retry):
            return p.Policy(timeout=seconds, optional=optional)
        if retry.budget:
            self._later("retry budgets")
        return p.Policy(
            timeout=seconds,
            attempts=retry.attempts,
            backoff=float(retry.backoff or 0),
            factor=retry.factor,
            max_backoff=float(retry.max_backoff) if retry.max_backoff else p.FOREVER,
            jitter=bool(retry.jitter),
            retried=frozenset(_FAILURES[name] for name in retry.on if name in _FAILURES),
            optional=optional,
        )

    def _pool(self, owner: Service, target: str) -> int:
        key = (owner.name, target)
        if key in self._pool_of:
            return self._pool_of[key]
        size = next(
            (pool.size * pool.processes for pool in owner.pools if pool.target == target), 0
        )
        if not size:
            return -1
        self._pool_of[key] = len(self.pools)
        self.pools.append(p.Pool(f"{owner.name} -> {target}", self._station_of[owner.name], size))
        return self._pool_of[key]

    def _publish(self, place: int, step: Publish) -> p.Step:
        readers = self.graph.consumers.get(str(step.target), ())
        subscribers = tuple(self._operation_of[name] for name in readers)
        return p.Step(p.Kind.PUBLISH, place, subscribers=subscribers, delay=self.delay)

    def _cached(self, owner: Service, name: str, step: Cached) -> p.Step:
        if step.hit_ratio is None:
            self._assume(name.partition("/")[0], "hit_ratio", "0%", f"cache {step.cache}: all miss")
        timeout = float(step.timeout) if isinstance(step.timeout, Duration) else p.FOREVER
        return p.Step(
            p.Kind.CACHED,
            place_hash(name),
            operation=self._query(owner.name, step, name),
            policy=p.Policy(timeout=timeout, optional=True),
            balance=p.Balance.RANDOM,
            pool=self._pool(owner, str(step.cache)),
            delay=self.delay,
            blocks=(self._block(owner, name, step.steps),),
            number=float(step.hit_ratio or 0),
        )

    def _entry(self, journey: str, index: int, reference: str, timeout: object) -> p.Step:
        """Users call an entry without network delay, and give up after the journey's timeout."""
        seconds = float(timeout) if isinstance(timeout, Duration) else p.FOREVER
        return p.Step(
            p.Kind.CALL,
            place_hash(f"journey {journey}/{index}"),
            operation=self._callee(Call(reference)),
            policy=p.Policy(timeout=seconds),
        )

    def _later(self, what: str) -> None:
        self.later[what] = self.later.get(what, 0) + 1
