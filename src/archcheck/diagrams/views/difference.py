"""Difference: what one revision of a system has that another has not."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import fields, replace

from archcheck.diagrams.card_text import plural
from archcheck.diagrams.view import Arrow, Card, Diagram, Sign
from archcheck.diagrams.views.containers import container_view
from archcheck.diagrams.views.parts import LINES, Canvas
from archcheck.graph import Interaction
from archcheck.model import Named

_LEGEND = (
    Sign("added", tone="added"),
    Sign("removed", tone="removed"),
    Sign("changed", tone="changed"),
    *LINES,
)


def difference_view(old: Canvas, new: Canvas) -> Diagram:
    """The containers of both: what was added, removed, changed, and what that touches."""
    before, after = (container_view(each).spelled_out() for each in (old, new))
    cards = {card.key: card for card in _cards(before, after)}
    arrows = {(a.source, a.target): a for a in _arrows(old, new, before, after)}
    touched = {key for key, card in cards.items() if card.tone}
    touched |= {key for ends, a in arrows.items() if a.tone for key in ends}
    near = {k for ends in arrows if touched.intersection(ends) for k in ends} | touched
    groups = {group.key: group for group in (*before.groups, *after.groups)}
    counts = [
        f"{sum(c.tone == tone for c in cards.values())} {tone}"
        for tone in ("added", "removed", "changed")
    ]
    revisions = [v.heading.revision or "?" for v in (before, after)]
    heading = new.heading(
        "difference",
        f"{', '.join(counts)}; {plural(len(cards) - len(near), 'element')} far from it not shown",
    )
    view = Diagram(
        replace(heading, revision=f"from {revisions[0]} to {revisions[1]}"),
        tuple(cards.values()),
        tuple(arrows.values()),
        tuple(groups.values()),
        _LEGEND,
    )
    return view.only(frozenset(near))


def _cards(before: Diagram, after: Diagram) -> Iterator[Card]:
    old = {card.key: card for card in before.cards}
    new = {card.key: card for card in after.cards}
    for key, card in new.items():
        if key not in old:
            yield replace(card, tone="added", note="added")
        else:
            changed = changed_fields(old[key].member, card.member)
            note = f"changed: {', '.join(changed)}" if changed else ""
            yield replace(card, tone="changed" if changed else "", note=note)
    yield from (
        replace(card, tone="removed", note="removed") for key, card in old.items() if key not in new
    )


def changed_fields(old: Named | None, new: Named | None) -> list[str]:
    """The declarations in which two elements differ; the kind, when it is another."""
    if old is None or new is None or old == new:
        return []
    if type(old) is not type(new):
        return [f"{type(old).__name__} to {type(new).__name__}"]
    return [
        part.name
        for part in fields(new)  # type: ignore[arg-type]  # elements are dataclasses
        if getattr(old, part.name) != getattr(new, part.name)
    ]


def _arrows(old: Canvas, new: Canvas, before: Diagram, after: Diagram) -> Iterator[Arrow]:
    earlier = {(a.source, a.target): a for a in before.arrows}
    later = {(a.source, a.target): a for a in after.arrows}
    for ends, arrow in later.items():
        if ends not in earlier:
            yield replace(arrow, tone="added")
        else:
            differs = _steps(old, *ends) != _steps(new, *ends)
            yield replace(arrow, tone="changed" if differs else "")
    yield from (replace(a, tone="removed") for ends, a in earlier.items() if ends not in later)


def _steps(canvas: Canvas, source: str, target: str) -> list[tuple[str, object]]:
    steps: tuple[Interaction, ...] = canvas.graph.made_by.get(source, ())
    return [(step.name, step.step) for step in steps if step.target.name == target]
