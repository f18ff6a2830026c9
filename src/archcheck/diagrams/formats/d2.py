"""D2: containers within containers, and sequence diagrams."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from archcheck.diagrams.formats.words import identifiers, line
from archcheck.diagrams.look import TeamLook
from archcheck.diagrams.view import Diagram, Message, MessageFrame, Sequence, Shape

_SHAPES: Mapping[Shape, str] = {
    "box": "rectangle",
    "store": "cylinder",
    "queue": "queue",
    "person": "person",
    "external": "cloud",
    "group": "package",
    "stub": "oval",
}
_DASHES = {"solid": "", "dashed": " {style.stroke-dash: 5}", "dotted": " {style.stroke-dash: 2}"}


def to_d2(view: Diagram, look: TeamLook | None = None) -> str:
    """A diagram."""
    return "\n".join(_diagram(view, look or TeamLook())) + "\n"


def _diagram(view: Diagram, look: TeamLook) -> Iterator[str]:
    yield f"# {line(view.heading.title)}"
    yield "direction: down" if view.is_upright else "direction: right"
    cards = identifiers(card.key for card in view.cards)
    groups = identifiers((group.key for group in view.groups), "g")
    parents = {group.key: group.parent for group in view.groups}
    paths: dict[str, str] = {}
    yield from _inside(view, None, cards, groups, look, "")
    for card in view.cards:
        way, group = [cards[card.key]], card.group
        while group is not None:
            way.insert(0, groups[group])
            group = parents.get(group)
        paths[card.key] = ".".join(way)
    for arrow in view.arrows:
        label = f": {_text(arrow.words)}" if arrow.words.strip() else ""
        dash = _DASHES[arrow.style]
        label = label or (':""' if dash else "")
        yield f"{paths[arrow.source]} -> {paths[arrow.target]}{label}{dash}"


def _inside(
    view: Diagram,
    parent: str | None,
    cards: Mapping[str, str],
    groups: Mapping[str, str],
    look: TeamLook,
    indent: str,
) -> Iterator[str]:
    for group in view.groups:
        if group.parent == parent:
            yield f"{indent}{groups[group.key]}: {_text(group.label)} {{"
            yield from _inside(view, group.key, cards, groups, look, indent + "  ")
            yield f"{indent}}}"
    for card in view.cards:
        if card.group == parent:
            told = "\n".join(
                text for text in (card.title, card.subtitle, *card.details, card.note) if text
            )
            colour = look.colour(card.tags)
            style = f'; style.fill: "{colour}"' if colour else ""
            shape = f"{{shape: {_SHAPES[card.shape]}{style}}}"
            yield f"{indent}{cards[card.key]}: {_text(told)} {shape}"


def sequence_to_d2(view: Sequence) -> str:
    """A sequence diagram; frames are groups, in which their branches follow each other."""
    names = identifiers(card.key for card in view.participants)
    lines = [f"# {line(view.heading.title)}", "shape: sequence_diagram"]
    lines += [f"{names[card.key]}: {_text(card.title)}" for card in view.participants]
    indent, number = "", 0
    for event in view.events:
        if isinstance(event, Message):
            ends = f"{names[event.source]} -> {names[event.target]}"
            lines.append(f"{indent}{ends}: {_text(event.said)}{_DASHES[event.style]}")
        elif event.what == "start":
            number += 1
            lines.append(f"{indent}frame_{number}: {_text(_title(event))} {{")
            indent += "  "
        elif event.what == "end":
            indent = indent[:-2]
            lines.append(f"{indent}}}")
    return "\n".join(lines) + "\n"


def _title(frame: MessageFrame) -> str:
    return f"{frame.kind} {frame.text}".strip()


def _text(text: str) -> str:
    """A quoted string; ``$`` would start a substitution."""
    lines = (line(part) for part in text.split("\n"))
    safe = "\\n".join(
        p.replace("\\", "\\\\").replace('"', '\\"').replace("$", "\\$") for p in lines
    )
    return f'"{safe}"'
