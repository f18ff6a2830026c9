"""The elements of a system in tables: who owns what and who depends on it, data, deployment."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from archcheck.diagrams.views.deployment import (
    deployment_of,
    details_of,
    platform_of,
    zones_of,
)
from archcheck.diagrams.views.parts import described
from archcheck.graph import Graph
from archcheck.graph.reach import dependencies, dependents
from archcheck.model import Datastore, Named
from archcheck.reporting.report.review import Review


@dataclass(frozen=True)
class Owned:
    """An element: what it is, whose it is, whom it depends on, and who depends on it."""

    name: str
    what: str
    boundary: str
    owner: str
    asks: tuple[str, ...]
    asked_by: tuple[str, ...]


def owned(review: Review) -> list[Owned]:
    """Every element that has a card, in the order of the model."""
    graph = review.canvas.graph
    asks, asked = dependencies(graph), dependents(graph)
    return [
        Owned(
            member.name,
            described(member, review.canvas.broker_of(member)),
            graph.boundary_of(member) or "",
            owner_of(graph, member),
            asks[member.name],
            asked[member.name],
        )
        for member in review.canvas.drawn
    ]


def owner_of(graph: Graph, member: Named) -> str:
    """The team that answers for an element: its own, that of whose data it is, of its boundary."""
    found = getattr(member, "owner", None)
    holder = getattr(member, "belongs_to", None)
    if not found and holder and str(holder) in graph.system.directory.elements:
        found = getattr(graph.system.find(str(holder)), "owner", None)
    boundary = graph.boundary_of(member)
    if not found and boundary:
        declared = (part.owner for part in graph.system.boundaries if part.name == boundary)
        found = next(declared, None)
    return str(found or "")


@dataclass(frozen=True)
class Kept:
    """A datastore: whose it is, what it keeps, how many copies, who reads and who writes."""

    name: str
    what: str
    holder: str
    data: str
    copies: str
    readers: tuple[str, ...]
    writers: tuple[str, ...]


def kept(review: Review) -> Iterator[Kept]:
    """The datastores, in the order of the model."""
    graph = review.canvas.graph
    for store in graph.system.datastores:
        steps = graph.incoming.get(store.name, ())
        by_mode = {
            is_write: tuple(
                dict.fromkeys(s.source.name for s in steps if (s.mode == "write") is is_write)
            )
            for is_write in (False, True)
        }
        yield Kept(
            store.name,
            described(store),
            str(store.belongs_to or ""),
            ", ".join(map(str, store.data or ())),
            _copies(store),
            by_mode[False],
            by_mode[True],
        )


def _copies(store: Datastore) -> str:
    zones = f" in {', '.join(store.zones)}" if store.zones else ""
    return f"{store.copies if store.copies is not None else 'not declared'}{zones}"


@dataclass(frozen=True)
class Deployed:
    """A service: where it runs, in which zones, how often, and what it is given."""

    name: str
    platform: str
    zones: str
    replicas: str
    given: str


def deployed(review: Review) -> Iterator[Deployed]:
    """The services, in the order of the model."""
    for service in review.system.services:
        deployment = deployment_of(service)
        few = deployment.fewest_replicas() if deployment else None
        most = deployment.most_replicas() if deployment else None
        many = f"{few} to {most}" if few and most and most > few else str(few or "not declared")
        yield Deployed(
            service.name,
            platform_of(service),
            ", ".join(zones_of(service)) or "not declared",
            many,
            ", ".join(details_of(service)),
        )
