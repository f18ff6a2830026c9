"""A view in the language of graphviz, told in the order of the model."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping

from archcheck.diagrams.card_text import LABEL, TEXT, TITLE, card_text, label_lines
from archcheck.diagrams.text_width import printable, wrapped
from archcheck.diagrams.view import Diagram

_PACKED = "packmode=array_tlu"
"""In rows, upper left corners in line, in the order of ``sortv`` and not by size; a number behind
it says how many there are in a row, else it is their root."""
_CLOSE = 0.12
"""Inches between the lines of a fan in columns: between cards there are always lines."""
_ZONES = 4
"""Zones in a row. A choice: more are wider than a screen."""
_FONT = "Arial"
"""Graphviz measures labels with metrics of its own; ours are a little narrower."""


def to_dot(view: Diagram, columns: int = 1) -> str:
    """The view in graphviz's language; ``columns`` as in
    :func:`~archcheck.diagrams.layout.lay_out`."""
    return "\n".join(_dot_lines(view, columns)) + "\n"


def _dot_lines(view: Diagram, columns: int) -> Iterator[str]:
    yield "digraph view {"
    yield (
        f"  graph [rankdir=LR, nodesep={_CLOSE if columns > 1 and not view.is_packed else 0.3}, "
        f'ranksep=0.75, fontname="{_FONT}", fontsize=13, '
        f"labeljust=l{f', pack=14, {_PACKED}{columns}' if view.is_packed else ''}];"
    )
    yield f'  node [shape=box, fixedsize=true, fontname="{_FONT}", fontsize={TITLE:g}];'
    yield f'  edge [fontname="{_FONT}", fontsize={LABEL:g}, arrowsize=0.8];'
    numbers = {card.key: f"n{index}" for index, card in enumerate(view.cards)}
    yield from _inside(view, None, numbers, "  ")
    spread = _in_columns(view, columns)
    for index, arrow in enumerate(view.arrows):
        if arrow.source in numbers and arrow.target in numbers:
            label = _quoted("\n".join(label_lines(arrow.label)))
            ends = f"{numbers[arrow.source]} -> {numbers[arrow.target]}"
            far = f", minlen={spread[index]}" if index in spread else ""
            yield f"  {ends} [id=e{index}, label={label}, style={arrow.style}{far}];"
    yield "}"


def _in_columns(view: Diagram, columns: int) -> dict[int, int]:
    """Arrow, by its place in the view, to the column of the leaf that it leads to."""
    into = Counter(arrow.target for arrow in view.arrows)
    sources = {arrow.source for arrow in view.arrows}
    fans: dict[str, list[int]] = {}
    for index, arrow in enumerate(view.arrows):
        if columns > 1 and into[arrow.target] == 1 and arrow.target not in sources:
            fans.setdefault(arrow.source, []).append(index)
    return {
        index: 1 + place % columns
        for fan in fans.values()
        if len(fan) > columns
        for place, index in enumerate(fan)
    }


def _inside(
    view: Diagram, parent: str | None, numbers: Mapping[str, str], indent: str
) -> Iterator[str]:
    for index, group in enumerate(view.groups):
        if group.parent == parent:
            label = _quoted("\n".join(wrapped(group.label, 2 * TEXT, 12, lines=3)))
            yield f"{indent}subgraph cluster_{index} {{"
            order = f" {_in_its_place(view, group.key)}" if view.is_packed else ""
            yield f"{indent}  label={label}; margin=14;{order}"
            yield from _inside(view, group.key, numbers, indent + "  ")
            yield f"{indent}}}"
    for place, card in enumerate(view.cards, start=1):
        if card.group == parent:
            wide, high = card_text(card).size
            label = _quoted(f"{printable(card.title)}\n{printable(card.subtitle)}")
            size = f"width={wide / 72:.4f}, height={high / 72:.4f}"
            order = f", sortv={place}" if view.is_packed else ""
            yield f"{indent}{numbers[card.key]} [label={label}, {size}{order}];"


def _in_its_place(view: Diagram, key: str) -> str:
    """A group stands where the first card in it stands, and has its own groups in one row."""
    inside = [group.key for group in view.groups if group.parent == key]
    place = next((n for n, card in enumerate(view.cards, 1) if card.group in (key, *inside)), 1)
    return f"sortv={place}; {_PACKED}{min(len(inside), _ZONES) or ''};"


def _quoted(text: str) -> str:
    """A quoted string in which no escape sequence of graphviz survives."""
    lines = (printable(line) for line in text.split("\n"))
    safe = "\\n".join(line.replace("\\", "\\\\").replace('"', '\\"') for line in lines)
    return f'"{safe}"'
