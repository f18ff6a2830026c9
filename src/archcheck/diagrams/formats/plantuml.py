"""PlantUML: C4 diagrams with its standard library, and sequence diagrams."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping

from archcheck.diagrams.formats.words import identifiers, line
from archcheck.diagrams.look import TeamLook
from archcheck.diagrams.view import Diagram, Message, MessageFrame, Sequence, Shape

_MACROS: Mapping[Shape, str] = {
    "box": "Container",
    "store": "ContainerDb",
    "queue": "ContainerQueue",
    "person": "Person",
    "external": "System_Ext",
    "group": "System",
    "stub": "System_Ext",
}
_MEANING = re.compile(r"[^\w\s.,:;()+=%-]")
_CALLS = {"solid": "->", "dashed": "->>", "dotted": "-->"}


def to_plantuml(view: Diagram, look: TeamLook | None = None) -> str:
    """A C4 container diagram."""
    return "\n".join(_diagram(view, look or TeamLook())) + "\n"


def _diagram(view: Diagram, look: TeamLook) -> Iterator[str]:
    yield "@startuml"
    yield "!include <C4/C4_Container>"
    yield "LAYOUT_TOP_DOWN()" if view.is_upright else "LAYOUT_LEFT_RIGHT()"
    yield f"title {_text(view.heading.title)}"
    used = [tag for tag in look.colours if any(tag in card.tags for card in view.cards)]
    for tag in used:
        yield f'AddElementTag("{_text(tag)}", $bgColor="{look.colours[tag]}", $fontColor="#000000")'
    cards = identifiers(card.key for card in view.cards)
    groups = identifiers((group.key for group in view.groups), "g")
    yield from _inside(view, None, cards, groups, used, "")
    for arrow in view.arrows:
        label = _text(arrow.words) or ("sends" if arrow.style == "dashed" else "uses")
        yield f'Rel({cards[arrow.source]}, {cards[arrow.target]}, "{label}")'
    yield "SHOW_LEGEND()"
    yield "@enduml"


def _inside(
    view: Diagram,
    parent: str | None,
    cards: Mapping[str, str],
    groups: Mapping[str, str],
    used: list[str],
    indent: str,
) -> Iterator[str]:
    for group in view.groups:
        if group.parent == parent:
            key = groups[group.key]
            yield f'{indent}Boundary({key}, "{_text(group.label)}") {{'
            yield from _inside(view, group.key, cards, groups, used, indent + "  ")
            yield f"{indent}}}"
    for card in view.cards:
        if card.group == parent:
            macro = _MACROS[card.shape]
            words_below = (card.subtitle, *card.details, card.note, card.description)
            told = ", ".join(text for text in words_below if text)
            words = [cards[card.key], f'"{_text(card.title)}"', f'"{_text(told)}"']
            tags = "+".join(_text(tag) for tag in card.tags if tag in used)
            if tags:
                words.append(f'$tags="{tags}"')
            yield f"{indent}{macro}({', '.join(words)})"


def sequence_to_plantuml(view: Sequence) -> str:
    """A sequence diagram."""
    names = identifiers(card.key for card in view.participants)
    lines = ["@startuml", f"title {_text(view.heading.title)}"]
    words = {"person": "actor", "store": "database", "queue": "queue"}
    for card in view.participants:
        word = words.get(card.shape, "participant")
        lines.append(f'{word} "{_text(card.title)}" as {names[card.key]}')
    for event in view.events:
        if isinstance(event, Message):
            ends = f"{names[event.source]} {_CALLS[event.style]} {names[event.target]}"
            lines.append(f"{ends} : {_text(event.said)}")
        else:
            lines.append(_frame(event))
    return "\n".join([*lines, "@enduml"]) + "\n"


def _frame(frame: MessageFrame) -> str:
    word = frame.kind if frame.what == "start" else frame.what
    return f"{word} {_text(frame.text)}".rstrip() if frame.text else word


def _text(text: str) -> str:
    """Text between quotes; characters that mean something to PlantUML are written as entities."""
    return _MEANING.sub(lambda sign: f"&#{ord(sign[0])};", line(text))
