"""Structurizr DSL: people, the system with its containers in groups, other systems, relations."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from archcheck.diagrams.formats.words import identifiers, line
from archcheck.diagrams.look import TeamLook
from archcheck.diagrams.view import Card, Diagram

_TAGS = {"store": "Datastore", "queue": "Topic", "group": "Group"}


def to_structurizr(view: Diagram, look: TeamLook | None = None) -> str:
    """A workspace with one container view."""
    return "\n".join(_workspace(view, look or TeamLook())) + "\n"


def _workspace(view: Diagram, look: TeamLook) -> Iterator[str]:
    cards = identifiers(card.key for card in view.cards)
    outside = [card for card in view.cards if card.shape in ("person", "external")]
    inside = [card for card in view.cards if card not in outside]
    yield f'workspace "{_text(view.heading.title)}" "{_text(view.heading.subtitle)}" {{'
    yield "    model {"
    yield '        properties {\n            "structurizr.groupSeparator" "/"\n        }'
    taken: set[str] = set()
    for card in outside:
        kind = "person" if card.shape == "person" else "softwareSystem"
        told = card.description or card.subtitle
        own = _own(card.title, taken, card.key)
        yield f'        {cards[card.key]} = {kind} "{own}" "{_text(told)}"'
    title = view.heading.title.partition(":")[0]
    name = _own(title, taken, f"{title} (the system)")
    yield f'        the_system = softwareSystem "{name}" {{'
    yield from _containers(view, inside, cards)
    yield "        }"
    yield from _relations(view, cards)
    yield "    }"
    yield from _views(view, look)
    yield "}"


def _containers(view: Diagram, inside: list[Card], cards: Mapping[str, str]) -> Iterator[str]:
    paths = _paths(view)
    taken: set[str] = set()
    by_group: dict[str | None, list[Card]] = {}
    for card in inside:
        by_group.setdefault(card.group, []).append(card)
    for key, members in by_group.items():
        indent = "            "
        if key is not None:
            yield f'{indent}group "{paths[key]}" {{'
            indent += "    "
        for card in members:
            yield _container(card, cards, taken, indent)
        if key is not None:
            yield "            }"


def _relations(view: Diagram, cards: Mapping[str, str]) -> Iterator[str]:
    """Between two elements each relation needs words of its own."""
    taken: dict[tuple[str, str], set[str]] = {}
    for arrow in view.arrows:
        ends = arrow.source, arrow.target
        words = _own(arrow.words or "uses", taken.setdefault(ends, set()))
        tag = ' "" "Asynchronous"' if arrow.style == "dashed" else ""
        yield f'        {cards[arrow.source]} -> {cards[arrow.target]} "{words}"{tag}'


def _container(card: Card, cards: Mapping[str, str], taken: set[str], indent: str) -> str:
    tags = ",".join(_text(tag) for tag in (*card.tags, _TAGS.get(card.shape, "Service")))
    described = ". ".join(part for part in (card.description.rstrip("."), card.note) if part)
    technology = ", ".join(part for part in (card.subtitle, *card.details) if part)
    words = (
        f'"{_own(card.title, taken, card.key)}" "{_text(described)}" "{_text(technology)}" "{tags}"'
    )
    return f"{indent}{cards[card.key]} = container {words}"


def _own(text: str, taken: set[str], instead: str = "") -> str:
    """A name that no other one has beside it, whatever the case: Structurizr refuses two.

    ``instead`` is taken before a number is put behind the name.
    """
    name = free = _text(text)
    number = 2
    if instead and free.lower() in taken:
        free = _text(instead)
    while free.lower() in taken:
        free = f"{name} ({number})"
        number += 1
    taken.add(free.lower())
    return free


def _paths(view: Diagram) -> dict[str, str]:
    """Groups in groups, written as Structurizr wants it: outer/inner, none like another."""
    found: dict[str, str] = {}
    taken: set[str] = set()
    groups = {group.key: group for group in view.groups}

    def path_of(key: str) -> str:
        if key not in found:
            group = groups[key]
            above = f"{path_of(group.parent)}/" if group.parent in groups else ""
            found[key] = _own(above + _text(group.label).replace("/", "-"), taken)
        return found[key]

    for key in groups:
        path_of(key)
    return found


def _views(view: Diagram, look: TeamLook) -> Iterator[str]:
    yield "    views {"
    yield "        container the_system {"
    direction = "tb" if view.is_upright else "lr"
    yield f"            include *\n            autoLayout {direction}\n        }}"
    yield "        styles {"
    yield '            element "Datastore" {\n                shape Cylinder\n            }'
    yield '            element "Topic" {\n                shape Pipe\n            }'
    yield '            element "Person" {\n                shape Person\n            }'
    yield '            relationship "Asynchronous" {\n                style dashed\n            }'
    for tag, colour in look.colours.items():
        yield f'            element "{_text(tag)}" {{'
        yield f"                background {colour}\n            }}"
    yield "        }\n    }"


def _text(text: str) -> str:
    return line(text).replace("\\", "\\\\").replace('"', '\\"')
