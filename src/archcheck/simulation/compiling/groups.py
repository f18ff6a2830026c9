"""Services, datastores and consumers as groups of nodes with their stations."""

from __future__ import annotations

from collections.abc import Sequence

from archcheck.graph.copies import zones_of
from archcheck.graph.cpu import Cores, cores_of
from archcheck.model import (
    Absent,
    Consumer,
    Datastore,
    Deployment,
    Kill,
    Kubernetes,
    LoadShedding,
    Probe,
    Quorum,
    Resources,
    Service,
    Topic,
    ZoneLoss,
    effective,
)
from archcheck.model.brokers import Channel
from archcheck.simulation import plan as p
from archcheck.simulation.compiling.assumed import CORES, START_UP
from archcheck.simulation.compiling.tables import PlanRows
from archcheck.units import Duration

_PERIOD, _TOLERANCE, _STABILISATION = 15.0, 0.1, 300.0
"""Kubernetes: kube-controller-manager's sync period and tolerance, downscale stabilisation."""
_PROBE_PERIOD, _PROBE_FAILURES = 10.0, 3
"""Kubernetes: periodSeconds and failureThreshold of a probe."""


def add_service(tables: PlanRows, service: Service) -> None:
    """Threads that are held, cores that work, replicas that may come and go."""
    model = effective(service.runtime, "concurrency").value
    blocking = model == "blocking"
    queue = _queue(tables, service)
    ranks = _ranks(tables, service)
    slots = cores = -1
    if blocking:
        threads = _threads(tables, service)
        discipline = p.Discipline.PRIORITY if ranks else p.Discipline.FIFO
        slots = tables.add_station(
            p.Station(service.name, "threads", threads, queue, discipline, -1)
        )
    has = cores_of(service)
    if not blocking or has.parallel is not None or has.limit is not None:
        count = has.parallel if blocking else _parallel(tables, service, has)
        name = f"{service.name} cores" if blocking else service.name
        cores = tables.add_station(
            p.Station(
                name,
                "cores",
                count,
                None if blocking else queue,
                _core_discipline(service, model, bool(ranks) and not blocking),
                -1,
                has.limit,
            )
        )
    deployment = service.deployment
    if deployment is not None and (deployment.resources or Resources()).cpu_limit is None:
        reason = "the deployment does not declare it"
        tables.assumed.add(service.name, "cpu_limit", "none", reason)
    replicas = deployment.fewest_replicas() if deployment else None
    if replicas is None:
        tables.assumed.add(service.name, "replicas", 1, "the deployment does not declare it")
    shedding = service.shedding
    limit = shedding.max_utilisation if isinstance(shedding, LoadShedding) else None
    tables.add_group(
        p.GroupSpec(
            service.name,
            replicas or 1,
            slots,
            cores,
            zones=_zone_indexes(tables, deployment.zones if deployment else ()),
            detection=_detection(tables, service.name, deployment),
            shed=float(limit) if limit is not None else p.FOREVER,
            ranks=ranks,
            scaling=_scaling(tables, service, cores if cores >= 0 else slots),
        )
    )


def _threads(tables: PlanRows, service: Service) -> int | None:
    found = effective(service.runtime, "threads")
    if found.origin == "default":
        tables.assumed.add(service.name, "threads", found.value, found.source)
    elif found.value is None:
        reason = "the runtime does not declare it"
        tables.assumed.add(service.name, "threads", "unlimited", reason)
    servers: int | None = found.value
    return servers


def _parallel(tables: PlanRows, service: Service, has: Cores) -> int:
    if has.parallel is None:
        reason = "the runtime does not declare it"
        tables.assumed.add(service.name, "parallelism", CORES, reason)
        return CORES
    if has.source:
        tables.assumed.add(service.name, "parallelism", has.parallel, has.source)
    return has.parallel


def _queue(tables: PlanRows, service: Service) -> int | None:
    queue = effective(service.runtime, "accept_queue")
    if queue.origin == "unknown":
        reason = "the runtime does not declare it"
        tables.assumed.add(service.name, "accept_queue", "unlimited", reason)
    elif queue.origin == "default":
        tables.assumed.add(service.name, "accept_queue", queue.value, queue.source)
    length: int | None = queue.value
    return length


def _core_discipline(service: Service, model: str | None, priority: bool) -> p.Discipline:
    if priority:
        return p.Discipline.PRIORITY
    declared = service.runtime.scheduling if service.runtime is not None else None
    shares = model in ("blocking", "lightweight") if declared is None else declared != "fifo"
    return p.Discipline.SHARING if shares else p.Discipline.FIFO


def _ranks(tables: PlanRows, service: Service) -> tuple[int, ...]:
    shedding = service.shedding
    if not isinstance(shedding, LoadShedding) or not shedding.priorities:
        return ()
    order = list(shedding.priorities)
    return tuple(order.index(name) if name in order else len(order) for name in tables.classes)


def _zone_indexes(tables: PlanRows, zones: Sequence[str]) -> tuple[int, ...]:
    return tuple(tables.zones.index(zone) for zone in zones)


def _detection(tables: PlanRows, name: str, deployment: Deployment | None) -> float:
    """Seconds until callers notice a dead replica: the probe's period times its failures."""
    probe = getattr(deployment, "readiness", None)
    if not isinstance(probe, Probe):
        return p.FOREVER
    period, failures = probe.period, probe.failure_threshold
    matters = any(isinstance(fault, Kill | ZoneLoss) for fault in tables.scenario.faults)
    if matters and isinstance(deployment, Kubernetes) and (period is None or failures is None):
        found = f"{_PROBE_PERIOD:g} s, {_PROBE_FAILURES} failures"
        tables.assumed.add(name, "readiness", found, "Kubernetes: periodSeconds, failureThreshold")
    return (float(period) if period else _PROBE_PERIOD) * (failures or _PROBE_FAILURES)


def _scaling(tables: PlanRows, service: Service, station: int) -> p.Scaling | None:
    deployment = service.deployment
    scale = deployment.autoscale if deployment else None
    if scale is None or deployment is None:
        return None
    if scale.target_cpu is None:
        tables.assumed.leave_out("autoscaling by another metric than CPU")
        return None
    servers = tables.stations[station].lasting
    if servers is None:
        tables.assumed.leave_out("autoscaling of a service with unlimited threads")
        return None
    requested = deployment.resources.cpu if deployment.resources else None
    if requested is None or tables.stations[station].what != "cores":
        tables.assumed.add(
            service.name,
            "autoscaled by",
            f"busy {tables.stations[station].what}",
            "requested CPU or cores are not declared",
        )
        requested = None
    if scale.start_up is None:
        tables.assumed.add(service.name, "start_up", START_UP, "the autoscaler does not declare it")
    stabilisation = scale.stabilisation
    return p.Scaling(
        scale.min,
        scale.max,
        float(scale.target_cpu),
        float(requested) if requested is not None else servers,
        _PERIOD,
        _TOLERANCE,
        float(stabilisation) if stabilisation is not None else _STABILISATION,
        float(scale.start_up if scale.start_up is not None else START_UP),
    )


def add_datastore(tables: PlanRows, store: Datastore) -> None:
    """Shards, each with its worker threads or connections."""
    shards = _number_of(tables, store, "shards")
    _add_store_group(tables, store, store.name, shards, zones_of(store))


def _number_of(tables: PlanRows, store: Datastore, attribute: str) -> int:
    """How many shards or copies; those that nobody declares are one, a documented number is noted.

    One is what there is at least, and nothing to be told.
    """
    found = effective(store, attribute)
    if found.origin == "default" and found.value > 1:
        tables.assumed.add(store.name, attribute, found.value, found.source)
    return found.value or 1


def replicas_of(tables: PlanRows, store: Datastore) -> int:
    """The group of the copies that answer reads which may be stale; the primaries without any."""
    name = f"{store.name} replicas"
    quorum = getattr(store, "quorum", None)
    stated = quorum.copies if store.copies is None and isinstance(quorum, Quorum) else None
    replicas = (stated or _number_of(tables, store, "copies")) - 1
    if not replicas:
        return tables.group_of[store.name]
    if name not in tables.group_of:
        shards = tables.groups[tables.group_of[store.name]].nodes
        # a shard's copies follow its primary, zone by zone
        zones = [
            zones_of(store)[(shard + copy) % len(zones_of(store))]
            for shard in range(shards if zones_of(store) else 0)
            for copy in range(1, replicas + 1)
        ]
        _add_store_group(tables, store, name, shards * replicas, zones)
    return tables.group_of[name]


def _add_store_group(
    tables: PlanRows, store: Datastore, name: str, nodes: int, zones: Sequence[str]
) -> None:
    threads, connections = (effective(store, each) for each in ("parallelism", "max_connections"))
    found, what = (threads, "threads") if threads.is_known else (connections, "connections")
    attribute = "parallelism" if threads.is_known else "max_connections"
    queue = None
    if threads.is_known and connections.is_known:
        if connections.origin == "default":
            tables.assumed.add(store.name, "max_connections", connections.value, connections.source)
        queue = max(0, connections.value - threads.value)
    if found.origin == "default":
        tables.assumed.add(store.name, attribute, found.value, found.source)
    elif not found.is_known:
        reason = "the datastore does not declare it"
        tables.assumed.add(store.name, attribute, "unlimited", reason)
    slots = tables.add_station(p.Station(name, what, found.value, queue, p.Discipline.FIFO, -1))
    tables.add_group(p.GroupSpec(name, nodes, slots, -1, zones=_zone_indexes(tables, zones)))


def add_consumers(
    tables: PlanRows, owner: Service, name: str, consumer: Consumer, channel: Channel
) -> int:
    """The members of a consumer group, which live on the replicas of their service.

    A topic gives each partition to one member; the members of a queue share one line.
    """
    host = tables.group_of[owner.name]
    if consumer.concurrency is None:
        tables.assumed.add(name, "concurrency", 1, "the consumer does not declare it")
    members = tables.groups[host].nodes * (consumer.concurrency or 1)
    if channel.partitions is not None:
        members = min(members, channel.partitions)
    elif is_ordered(channel):
        most = _most_replicas(tables.groups[host]) * (consumer.concurrency or 1)
        tables.assumed.add(channel.name, "partitions", most, "as many as consumers")
    if consumer.batch is not None and consumer.batch > 1:
        tables.assumed.leave_out("batches of messages")
    nodes, servers = (members, 1) if is_ordered(channel) else (1, members)
    slots = tables.add_station(p.Station(name, "consumers", servers, None, p.Discipline.FIFO, -1))
    return tables.add_group(p.GroupSpec(name, nodes, slots, -1, host=host))


def most_members(tables: PlanRows, operation: int, consumer: Consumer) -> int:
    """How many members a consumer group has when its service has most replicas."""
    host = tables.groups[tables.operations[operation].group].host
    return _most_replicas(tables.groups[host]) * (consumer.concurrency or 1)


def _most_replicas(group: p.GroupSpec) -> int:
    return group.nodes if group.scaling is None else max(group.nodes, group.scaling.most)


def is_ordered(channel: Channel) -> bool:
    """Whether a partition belongs to one consumer (topics), or all share a line (queues)."""
    return isinstance(channel, Topic)


def start_up_of(tables: PlanRows, service: Service, declared: Duration | None) -> float:
    """Seconds from the start of a new replica until it serves."""
    scale = service.deployment.autoscale if service.deployment else None
    found = declared if declared is not None else scale.start_up if scale else None
    if found is None:
        tables.assumed.add(service.name, "start_up", START_UP, "the release does not declare it")
        return float(START_UP)
    return float(found)


def grace_of(deployment: Deployment | None) -> float:
    """Seconds between the signal to stop and the kill."""
    grace = effective(deployment, "grace").value
    return float(grace) if grace is not None and not isinstance(grace, Absent) else p.FOREVER
