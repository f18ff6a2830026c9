"""Mermaid: flowcharts and sequence diagrams. Characters with a meaning become entities."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping

from archcheck.diagrams.formats.words import identifiers, line
from archcheck.diagrams.look import TeamLook
from archcheck.diagrams.view import Card, Diagram, Message, MessageFrame, Sequence, Shape

_ENTITY = re.compile(r"[^\w\s.,:/()+\-=%]", re.UNICODE)
_SHAPES: Mapping[Shape, tuple[str, str]] = {
    "box": ("[", "]"),
    "store": ("[(", ")]"),
    "queue": ("[[", "]]"),
    "person": ("([", "])"),
    "external": ("{{", "}}"),
    "group": ("[/", "/]"),
    "stub": ("([", "])"),
}
_LINES = {"solid": "-->", "dashed": "-.->", "dotted": "-.->"}
_CALLS = {"solid": "->>", "dashed": "-)", "dotted": "-->>"}


def to_mermaid(view: Diagram, look: TeamLook | None = None) -> str:
    """A flowchart."""
    return "\n".join(_flowchart(view, look or TeamLook())) + "\n"


def _flowchart(view: Diagram, look: TeamLook) -> Iterator[str]:
    yield from _front(view.heading.title)
    yield "flowchart TB" if view.is_upright else "flowchart LR"
    cards = identifiers(card.key for card in view.cards)
    groups = identifiers((group.key for group in view.groups), "g")
    yield from _inside(view, None, cards, groups, "    ")
    for arrow in view.arrows:
        label = f'|"{_text(arrow.words)}"|' if arrow.words.strip() else ""
        yield f"    {cards[arrow.source]} {_LINES[arrow.style]}{label} {cards[arrow.target]}"
    for card in view.cards:
        colour = look.colour(card.tags)
        if colour:
            yield f"    style {cards[card.key]} fill:{colour}"


def _front(title: str) -> Iterator[str]:
    yield "---"
    yield f'title: "{_text(title)}"'
    yield "---"


def _inside(
    view: Diagram,
    parent: str | None,
    cards: Mapping[str, str],
    groups: Mapping[str, str],
    indent: str,
) -> Iterator[str]:
    for group in view.groups:
        if group.parent == parent:
            yield f'{indent}subgraph {groups[group.key]}["{_text(group.label)}"]'
            yield from _inside(view, group.key, cards, groups, indent + "    ")
            yield f"{indent}end"
    for card in view.cards:
        if card.group == parent:
            left, right = _SHAPES[card.shape]
            yield f'{indent}{cards[card.key]}{left}"{_told(card)}"{right}'


def _told(card: Card) -> str:
    return "<br/>".join(
        _text(text) for text in (card.title, card.subtitle, *card.details, card.note) if text
    )


def sequence_to_mermaid(view: Sequence) -> str:
    """A sequence diagram."""
    names = identifiers(card.key for card in view.participants)
    lines = [*_front(view.heading.title), "sequenceDiagram"]
    for card in view.participants:
        word = "actor" if card.shape == "person" else "participant"
        lines.append(f"    {word} {names[card.key]} as {_text(card.title)}")
    open_kinds: list[str] = []
    for event in view.events:
        if isinstance(event, Message):
            ends = f"{names[event.source]}{_CALLS[event.style]}{names[event.target]}"
            lines.append(f"    {ends}: {_text(event.said)}")
        else:
            lines.append(f"    {_frame(event, open_kinds)}")
    return "\n".join(lines) + "\n"


def _frame(frame: MessageFrame, open_kinds: list[str]) -> str:
    if frame.what == "start":
        open_kinds.append(frame.kind)
        return f"{frame.kind} {_text(frame.text)}".rstrip()
    if frame.what == "else":
        word = "and" if open_kinds and open_kinds[-1] == "par" else "else"
        return f"{word} {_text(frame.text)}".rstrip()
    open_kinds.pop()
    return "end"


def _text(text: str) -> str:
    return _ENTITY.sub(lambda sign: f"#{ord(sign[0])};", line(text)) or " "
