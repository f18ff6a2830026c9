"""Structurizr DSL: people, the system with its containers in groups, other systems, relations."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from archcheck.diagrams.formats.words import identifiers, line
from archcheck.diagrams.look import Look
from archcheck.diagrams.view import Card, Group, View

_TAGS = {"store": "Datastore", "queue": "Topic", "group": "Group"}


def to_structurizr(view: View, look: Look | None = None) -> str:
    """A workspace with one container view."""
    return "\n".join(_workspace(view, look or Look())) + "\n"


def _workspace(view: View, look: Look) -> Iterator[str]:
    cards = identifiers(card.key for card in view.cards)
    outside = [card for card in view.cards if card.shape in ("person", "external")]
    inside = [card for card in view.cards if card not in outside]
    yield f'workspace "{_text(view.heading.title)}" "{_text(view.heading.subtitle)}" {{'
    yield "    model {"
    yield '        properties {\n            "structurizr.groupSeparator" "/"\n        }'
    for card in outside:
        kind = "person" if card.shape == "person" else "softwareSystem"
        yield f'        {cards[card.key]} = {kind} "{_text(card.title)}" "{_text(card.subtitle)}"'
    name = _text(view.heading.title.partition(":")[0])
    yield f'        the_system = softwareSystem "{name}" {{'
    groups = {group.key: group for group in view.groups}
    by_group: dict[str | None, list[Card]] = {}
    for card in inside:
        by_group.setdefault(card.group, []).append(card)
    for key, members in by_group.items():
        indent = "            "
        if key is not None:
            yield f'{indent}group "{_path(groups, key)}" {{'
            indent += "    "
        for card in members:
            yield from _container(card, cards, indent)
        if key is not None:
            yield "            }"
    yield "        }"
    for arrow in view.arrows:
        ends = f"{cards[arrow.source]} -> {cards[arrow.target]}"
        tag = ' "" "Asynchronous"' if arrow.style == "dashed" else ""
        yield f'        {ends} "{_text(arrow.label) or "uses"}"{tag}'
    yield "    }"
    yield from _views(look)
    yield "}"


def _container(card: Card, cards: Mapping[str, str], indent: str) -> Iterator[str]:
    tags = ",".join(_text(tag) for tag in (*card.tags, _TAGS.get(card.shape, "Service")))
    words = f'"{_text(card.title)}" "{_text(card.note)}" "{_text(card.subtitle)}" "{tags}"'
    yield f"{indent}{cards[card.key]} = container {words}"


def _path(groups: Mapping[str, Group], key: str) -> str:
    """A group in groups, written as Structurizr wants it: outer/inner."""
    words: list[str] = []
    place: str | None = key
    while place is not None:
        words.insert(0, _text(groups[place].label).replace("/", "-"))
        place = groups[place].parent
    return "/".join(words)


def _views(look: Look) -> Iterator[str]:
    yield "    views {"
    yield "        container the_system {"
    yield "            include *\n            autoLayout lr\n        }"
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
