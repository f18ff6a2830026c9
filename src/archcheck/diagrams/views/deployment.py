"""Deployment: what runs where: platforms, zones, replicas, nodes of datastores and brokers."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from archcheck.diagrams.view import Card, CardGroup, Diagram
from archcheck.diagrams.views.parts import Canvas
from archcheck.graph.copies import zone_called
from archcheck.model import (
    Absent,
    Broker,
    Datastore,
    Deployment,
    Kubernetes,
    Managed,
    Named,
    Service,
)
from archcheck.units import Cpu

_UNKNOWN = "not declared"


def deployment_view(canvas: Canvas) -> Diagram:
    """Each element once in each of its zones, with the replicas or nodes that it has there."""
    cards: list[Card] = []
    groups: dict[str, CardGroup] = {}
    for member in canvas.graph.system.elements:
        if not isinstance(member, Service | Datastore | Broker):
            continue
        where = platform_of(member)
        platform = CardGroup(f"platform {where}", where)
        zones = zones_of(member)
        for index, zone in enumerate(zones or ("",)):
            count = _count(member, index, len(zones))
            if count.startswith("0 "):
                continue
            groups.setdefault(platform.key, platform)
            inside = CardGroup(f"{platform.key} zone {zone}", zone_called(zone), platform.key)
            if zone:
                groups.setdefault(inside.key, inside)
            card = canvas.card(
                member,
                group=inside.key if zone else platform.key,
                subtitle=count,
            )
            key = f"{member.name} in {zone}" if zone else member.name
            cards.append(replace(card, key=key, details=details_of(member)))
    return Diagram(
        canvas.heading("deployment"), tuple(cards), groups=tuple(groups.values()), is_packed=True
    )


def details_of(member: Named) -> tuple[str, ...]:
    """What runs there and what it is given: image, CPU, memory, as far as it is declared."""
    deployment = deployment_of(member)
    if deployment is None:
        return ()
    image = getattr(deployment, "image", None)
    given = getattr(deployment, "resources", None)
    lines = [str(image)] if image else []
    if given is not None:
        parts = [_amount("CPU", given.cpu, given.cpu_limit)]
        parts.append(_amount("memory", given.memory, given.memory_limit))
        lines += [", ".join(part for part in parts if part)]
    return tuple(line for line in lines if line)


def _amount(what: str, asked: object, limit: object) -> str:
    """``CPU 0.5 to 1``: what is promised, and the limit where it is another."""
    known = [
        None
        if each is None or isinstance(each, Absent)
        else f"{float(each):g}"
        if isinstance(each, Cpu)
        else str(each)
        for each in (asked, limit)
    ]
    if known[0] is None:
        return f"{what} at most {known[1]}" if known[1] else ""
    return f"{what} {known[0]}" + (f" to {known[1]}" if known[1] not in (None, known[0]) else "")


def deployment_of(member: Named) -> Deployment | None:
    """The deployment of an element that has one."""
    found = getattr(member, "deployment", None)
    return found if isinstance(found, Deployment) else None


def platform_of(member: Named) -> str:
    """Where an element runs, in words."""
    deployment = deployment_of(member)
    match deployment:
        case None:
            return f"deployment {_UNKNOWN}"
        case Kubernetes(namespace=str(namespace)):
            return f"Kubernetes, namespace {namespace}"
        case Managed(provider=str(provider)):
            return f"Managed by {provider}"
        case _:
            words = {"VirtualMachines": "Virtual machines"}
            name = type(deployment).__name__
            return words.get(name, name)


def zones_of(member: Named) -> Sequence[str]:
    """The zones that an element is spread over, in their order."""
    deployment = deployment_of(member)
    return tuple(getattr(member, "zones", ())) or (tuple(deployment.zones) if deployment else ())


def _count(member: Named, index: int, zones: int) -> str:
    """How many run in the zone with this index; even spreading, the first zones get one more."""
    match member:
        case Service():
            deployment = deployment_of(member)
            few = deployment.fewest_replicas() if deployment else None
            most = deployment.most_replicas() if deployment else None
            scaled = f" (up to {most})" if few and most and most > few else ""
            return _share(few, "replica", index, zones) + scaled
        case Datastore():
            shards = member.shards or 1
            copies = None if member.copies is None else shards * member.copies
            split = f", {shards} shards" if shards > 1 else ""
            return _share(copies, "node", index, zones) + split
        case Broker():
            return _share(member.nodes, "node", index, zones)
        case _:
            return ""


def _share(total: int | None, what: str, index: int, zones: int) -> str:
    if total is None:
        return f"{what}s {_UNKNOWN}"
    here = total if zones <= 1 else (total - index + zones - 1) // zones
    of = f" of {total}" if zones > 1 else ""
    return f"{here}{of} {what}{'' if (total if of else here) == 1 else 's'}"
