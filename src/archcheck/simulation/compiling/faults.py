"""Faults of a scenario, with names resolved to rows of the plan."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from functools import partial

from archcheck.graph.copies import QueryKind, copies_of, held_in, needed_for
from archcheck.model import (
    Burst,
    Canary,
    CutLink,
    Datastore,
    Errors,
    Fault,
    FlushCache,
    Kill,
    Release,
    Rollout,
    ScenarioError,
    Service,
    Slow,
    ZoneLoss,
    effective,
)
from archcheck.model.element import nearest
from archcheck.simulation import plan as p
from archcheck.simulation.compiling.assumed import FAILOVER
from archcheck.simulation.compiling.groups import grace_of, start_up_of
from archcheck.simulation.compiling.places import declared_at
from archcheck.simulation.compiling.tables import PlanRows


def compile_faults(tables: PlanRows) -> tuple[p.PlannedFault, ...]:
    """The faults of the scenario; bursts of load are streams and not among them.

    Raises :class:`ScenarioError` for a fault that does not fit the system.
    """
    planned: list[p.PlannedFault] = []
    for fault in tables.scenario.faults:
        with declared_at(fault):
            if fault.end <= fault.start:
                raise ScenarioError(
                    f"{_title(fault)} ends at {fault.end}, before it starts at {fault.start}"
                )
            planned += _compile(tables, fault)
    return tuple(planned)


def _title(fault: Fault) -> str:
    target = getattr(fault, "target", None) or getattr(fault, "zone", None) or "load"
    return f"the fault {type(fault).__name__} on {target}"


def _compile(tables: PlanRows, fault: Fault) -> Iterator[p.PlannedFault]:
    start, end = float(fault.start), float(fault.end)
    match fault:
        case Slow(target=target, factor=factor):
            yield p.PlannedFault(
                p.FaultKind.SLOW, start, end, _operations(tables, str(target)), factor=factor
            )
        case Errors(target=target, rate=rate):
            yield p.PlannedFault(
                p.FaultKind.ERRORS, start, end, _operations(tables, str(target)), float(rate)
            )
        case Kill():
            yield _kill(tables, fault)
        case ZoneLoss(zone=zone):
            yield from _zone_loss(tables, zone, start, end)
        case CutLink():
            yield _cut(tables, fault)
        case FlushCache(target=target):
            yield _flush(tables, str(target), start, end)
        case Release():
            yield _release(tables, fault)
        case Burst(journey=journey):
            names = [each.name for each in tables.system.journeys]
            if journey is not None and str(journey) not in names:
                raise ScenarioError(
                    f"{_title(fault)}: there is no journey {str(journey)!r}"
                    f"{nearest(str(journey), names)}"
                )
        case _:
            raise ScenarioError(f"the engines do not know the fault {type(fault).__name__}")


def _operations(tables: PlanRows, target: str) -> tuple[int, ...]:
    """The operations of an element, or the one endpoint that is meant."""
    if target in tables.operation_of:
        return (tables.operation_of[target],)
    if target in tables.operations_by_owner:
        return tuple(tables.operations_by_owner[target])
    if tables.system.directory.elements.get(target) is not None:
        raise ScenarioError(f"nothing asks {target}, so a fault of it has no effect")
    known = [*tables.operations_by_owner, *tables.operation_of]
    raise ScenarioError(
        f"the scenario has a fault on {target!r}, which the system does not have"
        f"{nearest(target, known)}"
    )


def _group(tables: PlanRows, target: str, what: str) -> int:
    found = tables.group_of.get(target)
    if found is None or tables.groups[found].host >= 0:
        raise ScenarioError(
            f"{what} needs a service or a datastore, and {target!r} is neither"
            f"{nearest(target, list(tables.group_of))}"
        )
    return found


def _kill(tables: PlanRows, fault: Kill) -> p.PlannedFault:
    target = str(fault.target)
    group = _group(tables, target, "Kill")
    nodes = tables.groups[group].nodes
    if fault.replicas > nodes:
        raise ScenarioError(f"Kill cannot take {fault.replicas} of the {nodes} nodes of {target}")
    end = _back(tables, target, float(fault.start), float(fault.end))
    start, count = float(fault.start), fault.replicas
    return p.PlannedFault(p.FaultKind.KILL, start, end, group=group, count=count)


def _back(tables: PlanRows, target: str, start: float, end: float) -> float:
    """When a lost shard answers again: its replica takes over, or the fault is over."""
    store = tables.system.directory.elements.get(target)
    if not isinstance(store, Datastore) or getattr(store, "failover", None) != "automatic":
        return end
    if (copies_of(store) or 1) == 1:
        return end
    tables.assumed.add(target, "failover time", FAILOVER, "no datastore declares it")
    return min(end, start + float(FAILOVER))


def _zone_loss(tables: PlanRows, zone: str, start: float, end: float) -> Iterator[p.PlannedFault]:
    if zone not in tables.zones:
        raise ScenarioError(
            f"ZoneLoss: nothing runs in the zone {zone!r}; "
            f"the zones are {', '.join(tables.zones) or 'not declared'}"
        )
    lost = tables.zones.index(zone)
    for index, group in enumerate(tables.groups):
        store = tables.system.directory.elements.get(group.name)
        if lost in group.zones and isinstance(store, Datastore):
            yield from _copies_lost(tables, store, index, lost, (start, end))
        elif lost in group.zones:
            yield p.PlannedFault(p.FaultKind.KILL, start, end, group=index, zone=lost)


def _copies_lost(
    tables: PlanRows, store: Datastore, index: int, lost: int, span: tuple[float, float]
) -> Iterator[p.PlannedFault]:
    """A shard answers again when another copy has taken over, if enough copies are left.

    Where too few are left for writes only, these fail. A shard that keeps its primary may lose too
    many copies, too: if all shards do, the store is gone; if only some do, they answer all the
    same, as no fault is of single shards.
    """
    start, end = span
    group, zone = tables.groups[index], tables.zones[lost]
    back = _back(tables, store.name, start, end)
    copies = copies_of(store) or 1
    zones = [tables.zones[each] for each in group.zones]
    shards = range(min(group.nodes, len(zones)))
    left = {shard: copies - held_in(zones, copies, zone, shard) for shard in shards}
    hit = [shard for shard in shards if zones[shard] == zone]

    def stopped(kind: QueryKind, among: Iterable[int]) -> bool:
        needed = needed_for(store, kind)
        if needed.unknown and needed.best != needed.worst:
            said = f"{needed.best} of {copies} copies are enough for a {kind}"
            tables.assumed.add(
                store.name, needed.unknown, said, "the datastore does not declare it"
            )
        return all(left[shard] < max(1, needed.best) for shard in among)

    kill = partial(p.PlannedFault, p.FaultKind.KILL, start, group=index)
    if stopped("read", shards):
        yield kill(end, count=group.nodes)
        return
    if hit:
        is_over = stopped("read", hit) or (stopped("write", hit) and not stopped("write", shards))
        yield kill(end if is_over else back, zone=lost)
    if stopped("write", shards):
        writes = [
            operation
            for operation in tables.operations_by_owner.get(store.name, ())
            if tables.operations[operation].name.startswith(f"{store.name}.write")
        ]
        yield p.PlannedFault(p.FaultKind.ERRORS, start, end, tuple(writes), 1.0)


def _cut(tables: PlanRows, fault: CutLink) -> p.PlannedFault:
    source = _group(tables, str(fault.source), "the source of CutLink")
    asked = _operations(tables, str(fault.target))
    return p.PlannedFault(
        p.FaultKind.CUT, float(fault.start), float(fault.end), asked, group=source
    )


def _flush(tables: PlanRows, target: str, start: float, end: float) -> p.PlannedFault:
    asked = _operations(tables, target)
    caches = tuple(tables.caches_of.get(target, ()))
    return p.PlannedFault(p.FaultKind.FLUSH, start, end, asked, caches=caches)


def _release(tables: PlanRows, fault: Release) -> p.PlannedFault:
    target = str(fault.target)
    service = tables.system.directory.elements.get(target)
    if not isinstance(service, Service):
        raise ScenarioError(f"Release needs a service, and {target!r} is none")
    group = tables.group_of[target]
    nodes = tables.groups[group].nodes
    rollout = effective(service.deployment, "rollout").value
    for attribute in ("rollout", "grace"):
        found = effective(service.deployment, attribute)
        if found.origin == "default":
            tables.assumed.add(target, attribute, found.value, found.source)
    match rollout:
        case Canary():
            more, fewer = 1, 0
        case Rollout():
            more, fewer = rollout.surplus(nodes), rollout.unavailable(nodes)
        case _:
            more, fewer = 1, 0
            reason = "the deployment does not declare it"
            tables.assumed.add(target, "rollout", "one replica after the other", reason)
    return p.PlannedFault(
        p.FaultKind.RELEASE,
        float(fault.start),
        float(fault.end),
        group=group,
        surge=more,
        gone=fewer,
        start_up=start_up_of(tables, service, fault.start_up),
        grace=grace_of(service.deployment),
    )
