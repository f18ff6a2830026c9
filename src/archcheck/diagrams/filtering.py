"""Filtering: fewer cards, so that a large system stays readable.

Filters keep what has a tag, lies in a boundary, or is near an element. Collapsing replaces all
cards of a group by one card, and the arrows to them by one each.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Iterable
from dataclasses import replace

from archcheck.diagrams.view import Arrow, Card, Frame, Group, Message, Sequence, View
from archcheck.diagrams.views.parts import UNPLACED, plural
from archcheck.model import ModelError
from archcheck.model.element import nearest

MOST_CARDS = 60
"""A view with more cards is collapsed, unless it is asked to stay flat.

A choice: about as many as can be read on one page or screen.
"""

_MOST_PARTICIPANTS = 16
"""More participants make a sequence wider than a screen at a size that can be read. A choice."""
_MOST_WAYS = 3.5
"""More arrows than this for each card, and nobody can follow one. A choice."""


def filtered(
    view: View,
    *,
    tags: Collection[str] = (),
    boundaries: Collection[str] = (),
    near: str | None = None,
    hops: int = 1,
) -> View:
    """The cards with one of the tags, in one of the boundaries, within ``hops`` of ``near``.

    Several kinds of filters must all agree. Raises :class:`ModelError` for what nothing has.
    """
    keys = frozenset(card.key for card in view.cards)
    if tags:
        _known("tag", tags, [tag for card in view.cards for tag in card.tags])
        keys &= {card.key for card in view.cards if set(tags).intersection(card.tags)}
    if boundaries:
        _known("boundary", boundaries, [group.key for group in view.groups])
        keys &= {card.key for card in view.cards if card.group in boundaries}
    if near is not None:
        _known("element", [near], [card.key for card in view.cards])
        keys &= _neighbourhood(view.arrows, near, hops)
    if not keys:
        raise ModelError("nothing is left of the view; ask for less at once")
    return view.only(keys)


def _known(what: str, wanted: Iterable[str], there: Iterable[str]) -> None:
    known = [*dict.fromkeys(there)]
    for word in wanted:
        if word not in known:
            raise ModelError(f"the view has no {what} {word!r}{nearest(word, known)}")


def _neighbourhood(arrows: Iterable[Arrow], centre: str, hops: int) -> frozenset[str]:
    near = {centre}
    for _ in range(hops):
        near |= {key for a in arrows if near & {a.source, a.target} for key in (a.source, a.target)}
    return frozenset(near)


def collapsed(view: View, expand: Collection[str] = ()) -> View:
    """Each group as one card, except those in ``expand``. Raises :class:`ModelError`."""
    groups = {group.key: group for group in view.groups}
    _known("group", expand, groups)
    inside: dict[str, list[Card]] = {}
    for card in view.cards:
        inside.setdefault(card.group or _loose(card, groups), []).append(card)
    cards: list[Card] = []
    stands_in: dict[str, str] = {}
    for key, members in inside.items():
        if key in expand or (key not in groups and key != UNPLACED) or len(members) == 1:
            cards += members
            continue
        whole = _whole(groups.get(key) or Group(UNPLACED, UNPLACED), members)
        cards.append(whole)
        stands_in.update({card.key: whole.key for card in members})
    arrows = _joined(view.arrows, stands_in)
    return replace(view, cards=tuple(cards), arrows=arrows).with_used_groups()


def _loose(card: Card, groups: Collection[str]) -> str:
    """Where a card without a group goes: services are collected, others stay by themselves."""
    return UNPLACED if groups and card.shape == "box" else card.key


def _whole(group: Group, members: list[Card]) -> Card:
    shapes = {"box": "service", "store": "datastore", "queue": "topic", "external": "external"}
    counts: dict[str, int] = {}
    for card in members:
        word = shapes.get(card.shape, "element")
        counts[word] = counts.get(word, 0) + 1
    return Card(
        f"group {group.key}",
        group.label,
        ", ".join(plural(count, word) for word, count in counts.items()),
        group.parent,
        "group",
        link=group.link,
        stands_for=tuple(name for card in members for name in card.stands_for),
    )


def _joined(arrows: Iterable[Arrow], stands_in: dict[str, str]) -> tuple[Arrow, ...]:
    """The arrows between what is left; several that become one say how many they were."""
    found: dict[tuple[str, str], list[Arrow]] = {}
    for arrow in arrows:
        source = stands_in.get(arrow.source, arrow.source)
        target = stands_in.get(arrow.target, arrow.target)
        if source != target or source == arrow.source:
            found.setdefault((source, target), []).append(arrow)
    most = max(map(len, found.values()), default=1)
    return tuple(_sum(source, target, same, most) for (source, target), same in found.items())


def _sum(source: str, target: str, same: list[Arrow], most: int) -> Arrow:
    if len(same) == 1:
        return replace(same[0], source=source, target=target)
    tooltip = "\n".join(dict.fromkeys(line for a in same for line in a.tooltip.splitlines()))
    styles = {arrow.style for arrow in same}
    style = same[0].style if len(styles) == 1 else "solid"
    weight = 1 + 4 * (len(same) - 1) / most
    return Arrow(source, target, f"{len(same)}\N{MULTIPLICATION SIGN}", style, tooltip, weight)


def thinned(view: View) -> View:
    """Of each card the two heaviest ways out and the heaviest way in; the heading says so."""
    heaviest = sorted(view.arrows, key=lambda arrow: -arrow.weight)
    kept: set[tuple[str, str]] = set()
    for card in view.cards:
        out = [a for a in heaviest if a.source == card.key and a.target != card.key]
        into = [a for a in heaviest if a.target == card.key and a.source != card.key]
        kept |= {(a.source, a.target) for a in (*out[:2], *into[:1])}
    arrows = tuple(a for a in view.arrows if (a.source, a.target) in kept)
    said = f"only the {len(arrows)} heaviest of {len(view.arrows)} ways are drawn"
    subtitle = "; ".join(part for part in (view.heading.subtitle.rstrip("."), said) if part)
    return replace(view, arrows=arrows, heading=replace(view.heading, subtitle=subtitle))


def collapsed_sequence(view: Sequence) -> Sequence:
    """One participant for each boundary; what is said inside one is left out, and counted."""
    sizes = Counter(card.group for card in view.participants if card.group)
    stands_in = {
        card.key: f"group {card.group}" if card.group and sizes[card.group] > 1 else card.key
        for card in view.participants
    }
    inside: dict[str, list[Card]] = {}
    for card in view.participants:
        inside.setdefault(stands_in[card.key], []).append(card)
    participants = tuple(
        _whole(Group(str(cards[0].group), str(cards[0].group)), cards) if len(cards) > 1 else card
        for cards in inside.values()
        for card in cards[:1]
    )
    events: list[Message | Frame] = []
    for event in view.events:
        if isinstance(event, Frame):
            _add_frame(events, event)
        elif event.source == event.target or stands_in[event.source] != stands_in[event.target]:
            ends = stands_in[event.source], stands_in[event.target]
            events.append(replace(event, source=ends[0], target=ends[1]))
    left = len(view.messages) - sum(isinstance(event, Message) for event in events)
    said = f"{left} messages within boundaries are not drawn"
    subtitle = "; ".join(part for part in (view.heading.subtitle.rstrip("."), said) if part)
    heading = replace(view.heading, subtitle=subtitle)
    return Sequence(heading, participants, tuple(events))


def _add_frame(events: list[Message | Frame], frame: Frame) -> None:
    """Add a frame's sign; a frame in which nothing is left is taken out again."""
    if frame.what == "end":
        while events and isinstance(events[-1], Frame) and events[-1].what == "else":
            events.pop()
        if events and isinstance(events[-1], Frame) and events[-1].what == "start":
            events.pop()
            return
    last = events[-1] if events else None
    if frame.what == "else" and isinstance(last, Frame) and last.what in ("start", "else"):
        return
    events.append(frame)


def readable_sequence(view: Sequence) -> Sequence:
    """The sequence itself, or collapsed when it has more participants than fit on a screen."""
    return collapsed_sequence(view) if len(view.participants) > _MOST_PARTICIPANTS else view


def readable(view: View, expand: Collection[str] = ()) -> View:
    """The view itself; collapsed and thinned when it is more than anybody can read at once."""
    if view.groups and (expand or len(view.cards) > MOST_CARDS):
        view = collapsed(view, expand)
    if len(view.arrows) > max(MOST_CARDS, _MOST_WAYS * len(view.cards)):
        view = thinned(view)
    return view
