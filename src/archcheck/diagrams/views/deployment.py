"""Deployment: what runs where: platforms, zones, replicas, nodes of datastores and brokers."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace

from archcheck.diagrams.view import Card, Group, View
from archcheck.diagrams.views.parts import Canvas
from archcheck.model import Broker, Datastore, Deployment, Kubernetes, Managed, Named, Service

_UNKNOWN = "not declared"


def deployment_view(canvas: Canvas) -> View:
    """Each element once in each of its zones, with the replicas or nodes that it has there."""
    cards: list[Card] = []
    groups: dict[str, Group] = {}
    for member in (*canvas.graph.system.services, *_kept(canvas)):
        where = _platform(member)
        platform = Group(f"platform {where}", where)
        zones = _zones(member)
        for index, zone in enumerate(zones or ("",)):
            count = _count(member, index, len(zones))
            if count.startswith("0 "):
                continue
            groups.setdefault(platform.key, platform)
            inside = Group(f"{platform.key} zone {zone}", _zone_label(zone), platform.key)
            if zone:
                groups.setdefault(inside.key, inside)
            card = canvas.card(
                member,
                group=inside.key if zone else platform.key,
                subtitle=count,
            )
            key = f"{member.name} in {zone}" if zone else member.name
            cards.append(replace(card, key=key))
    return View(
        canvas.heading("deployment"), tuple(cards), groups=tuple(groups.values()), is_packed=True
    )


def _kept(canvas: Canvas) -> Iterator[Named]:
    yield from canvas.graph.system.datastores
    yield from canvas.graph.system.brokers


def _deployment(member: Named) -> Deployment | None:
    found = getattr(member, "deployment", None)
    return found if isinstance(found, Deployment) else None


def _platform(member: Named) -> str:
    deployment = _deployment(member)
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


def _zones(member: Named) -> Sequence[str]:
    deployment = _deployment(member)
    return tuple(getattr(member, "zones", ())) or (tuple(deployment.zones) if deployment else ())


def _zone_label(zone: str) -> str:
    return zone if zone.startswith("zone") else f"zone {zone}"


def _count(member: Named, index: int, zones: int) -> str:
    """How many run in the zone with this index; even spreading, the first zones get one more."""
    match member:
        case Service():
            deployment = _deployment(member)
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
