"""Boundaries: the map of teams and domains, and what depends on what across them."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace

from archcheck.diagrams.card_text import plural
from archcheck.diagrams.view import UNPLACED, Arrow, Card, CardGroup, Diagram, Sign
from archcheck.diagrams.views.parts import Canvas
from archcheck.graph.walks import pairs
from archcheck.model import Datastore, Named, Service


def boundary_view(canvas: Canvas) -> Diagram:
    """A card for each boundary, in the team that answers for it; arrows count dependencies."""
    graph = canvas.graph
    inside: dict[str, list[Named]] = {}
    for member in canvas.drawn:
        name = graph.boundary_of(member)
        if name or isinstance(member, Service):
            inside.setdefault(name or UNPLACED, []).append(member)
    declared = {part.name: part for part in graph.system.boundaries}
    teams = {
        name: declared[name].owner if name in declared and declared[name].owner else _team(members)
        for name, members in inside.items()
    }
    cards = tuple(_card(canvas, name, members, teams[name]) for name, members in inside.items())
    groups = tuple(
        CardGroup(f"team {team}", team) for team in dict.fromkeys(teams.values()) if team
    )
    arrows = []
    edges = graph.boundary_dependencies()
    for source, target in pairs(edges):
        steps = edges[source][target]
        verbs = Counter("event" if s.mode == "publish" else s.mode for s in steps)
        label = ", ".join(plural(count, verb) for verb, count in verbs.items())
        is_event = [*verbs] == ["event"]
        tooltip = "\n".join(dict.fromkeys(step.name for step in steps))
        arrows.append(
            Arrow(source, target, label, "dashed" if is_event else "solid", tooltip, len(steps))
        )
    return Diagram(
        canvas.heading("boundaries and teams"),
        cards,
        tuple(_weighed(arrows)),
        groups,
        (
            Sign("depends on; thicker: in more places", style="solid"),
            Sign("depends on its events", style="dashed"),
        ),
    )


def _card(canvas: Canvas, name: str, members: list[Named], team: str | None) -> Card:
    services = [m for m in members if isinstance(m, Service)]
    stores = [m for m in members if isinstance(m, Datastore)]
    counts = [plural(len(services), "service")]
    counts += [plural(len(stores), "datastore")] if stores else []
    return Card(
        name,
        name,
        ", ".join(counts),
        f"team {team}" if team else None,
        "group",
        stands_for=tuple(member.name for member in members),
    )


def _team(members: list[Named]) -> str | None:
    """The team that owns most of the services; ``None`` when none says."""
    owners = Counter(m.owner for m in members if isinstance(m, Service) and m.owner)
    return owners.most_common(1)[0][0] if owners else None


def _weighed(arrows: list[Arrow]) -> list[Arrow]:
    """Weights from 1 to 6, by the share of the most frequent dependency."""
    most = max((a.weight for a in arrows), default=1)
    return [replace(a, weight=1 + 5 * (a.weight - 1) / most) for a in arrows]
