"""Faults of a scenario, with names resolved to rows of the plan."""

from __future__ import annotations

from collections.abc import Iterator

from archcheck.model import (
    Burst,
    Canary,
    CutLink,
    Datastore,
    Errors,
    Fault,
    FlushCache,
    Kill,
    LocalCache,
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
from archcheck.simulation.compiling.groups import grace_of, start_up_of
from archcheck.simulation.compiling.lost_copies import CopyLoss, copies_lost, shards_killed
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
    losses = [
        CopyLoss(fault.zone, float(fault.start), float(fault.end))
        for fault in tables.scenario.faults
        if isinstance(fault, ZoneLoss)
    ]
    for store in tables.system.datastores:
        if store.name in tables.group_of:
            planned += copies_lost(tables, store, losses)
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
            yield from _kill(tables, fault)
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


def _kill(tables: PlanRows, fault: Kill) -> Iterator[p.PlannedFault]:
    target = str(fault.target)
    group = _group(tables, target, "Kill")
    nodes = tables.groups[group].nodes
    if fault.replicas > nodes:
        raise ScenarioError(f"Kill cannot take {fault.replicas} of the {nodes} nodes of {target}")
    store = tables.system.directory.elements.get(target)
    if isinstance(store, Datastore):
        yield from shards_killed(tables, store, fault)
        return
    start, end, count = float(fault.start), float(fault.end), fault.replicas
    yield p.PlannedFault(p.FaultKind.KILL, start, end, group=group, count=count)


def _zone_loss(tables: PlanRows, zone: str, start: float, end: float) -> Iterator[p.PlannedFault]:
    if zone not in tables.zones:
        raise ScenarioError(
            f"ZoneLoss: nothing runs in the zone {zone!r}; "
            f"the zones are {', '.join(tables.zones) or 'not declared'}"
        )
    lost = tables.zones.index(zone)
    for index, group in enumerate(tables.groups):
        if lost in group.zones and not _is_of_store(tables, group.name):
            yield p.PlannedFault(p.FaultKind.KILL, start, end, group=index, zone=lost)


def _is_of_store(tables: PlanRows, group: str) -> bool:
    name = group.removesuffix(" replicas")
    return isinstance(tables.system.directory.elements.get(name), Datastore)


def _cut(tables: PlanRows, fault: CutLink) -> p.PlannedFault:
    source = _group(tables, str(fault.source), "the source of CutLink")
    asked = _operations(tables, str(fault.target))
    if isinstance(tables.system.directory.elements.get(str(fault.target)), LocalCache):
        raise ScenarioError(f"{_title(fault)}: no link leads to it, it is in the process that asks")
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
