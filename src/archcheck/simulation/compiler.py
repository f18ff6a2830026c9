"""From a system and a scenario to a plan.

Every element is compiled once, into one or a few rows of the plan's tables. What the model does
not declare is assumed, and what the engines do not do is left out; :class:`Assumed` lists both.
"""

from __future__ import annotations

from collections.abc import Iterable

from archcheck.graph import Graph
from archcheck.model import (
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
from archcheck.simulation import plan as p
from archcheck.simulation.arrivals import compile_streams
from archcheck.simulation.assumed import CACHE_LOOKUP, CORES, QUERY, Assumed
from archcheck.simulation.policies import compile_policy
from archcheck.simulation.randomness import place_hash
from archcheck.simulation.sampling import compile_time
from archcheck.units import Duration

_BALANCE = {
    "round_robin": p.Balance.ROUND_ROBIN,
    "random": p.Balance.RANDOM,
    "least_outstanding": p.Balance.LEAST_OUTSTANDING,
    "power_of_two": p.Balance.POWER_OF_TWO,
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
        self.assumed = Assumed()
        self._station_of: dict[str, int] = {}
        self._operation_of: dict[str, int] = {}
        self._pool_of: dict[tuple[str, str], int] = {}
        self.delay = self.assumed.delay(graph.system.network)

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
            self.assumed.values(),
            self.assumed.not_simulated(),
        )

    # -- stations -----------------------------------------------------------------------------

    def _service(self, service: Service) -> None:
        blocking = effective(service.runtime, "concurrency").value == "blocking"
        attribute = service.runtime.worker_attribute() if service.runtime else "parallelism"
        found = effective(service.runtime, attribute)
        servers = found.value
        if found.origin == "default":
            self.assumed.add(service.name, attribute, servers, found.source)
        elif servers is None:
            servers = None if blocking else CORES
            shown = "unlimited" if servers is None else CORES
            self.assumed.add(service.name, attribute, shown, "the runtime does not declare it")
        replicas = service.deployment.fewest_replicas() if service.deployment else None
        if replicas is None:
            self.assumed.add(service.name, "replicas", 1, "the deployment does not declare it")
        elif service.deployment and service.deployment.autoscale:
            self.assumed.leave_out("autoscaling")
        queue = effective(service.runtime, "accept_queue")
        if queue.origin == "unknown":
            self.assumed.add(
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
            self.assumed.add(store.name, attribute, found.value, found.source)
        elif not found.is_known:
            self.assumed.add(
                store.name, attribute, "unlimited", "the datastore does not declare it"
            )
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
        latency = self.assumed.time(owner.latency, Duration(0.0), owner.name, "latency")
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
            self.assumed.add(name, "concurrency", 1, "the consumer does not declare it")
        servers = replicas * each
        topic = self.system.find(str(part.topic))
        partitions = getattr(topic, "partitions", None)
        if partitions is not None:
            servers = min(servers, partitions)
        elif isinstance(topic, Topic):
            self.assumed.add(topic.name, "partitions", servers, "as many as consumers")
        return self._add_station(name, "consumers", 1, servers, None, held=True)

    def _query(self, owner: str, step: Read | Write | Cached, name: str) -> int:
        store = self.system.find(str(step.cache if isinstance(step, Cached) else step.target))
        if not isinstance(store, Datastore):
            raise TypeError(f"{store.name} is not a datastore")
        verb = "write" if isinstance(step, Write) else "read"
        own = None if isinstance(step, Cached) else step.time
        declared = own if own is not None else getattr(store, verb)
        label = f"{store.name}.{verb}" if own is None else f"{store.name}.{verb}@{name}"
        sampler = self.assumed.time(
            declared, CACHE_LOOKUP if store.is_cache else QUERY, store.name, verb
        )
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
            policy=compile_policy(step, self.assumed),
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
        self.assumed.add("calls", "balancing", "round_robin", "where a call does not declare it")
        return p.Balance.ROUND_ROBIN

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
            self.assumed.add(
                name.partition("/")[0], "hit_ratio", "0%", f"cache {step.cache}: all miss"
            )
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
