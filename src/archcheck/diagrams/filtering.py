"""Filtering: fewer cards, so that a large system stays readable.

Filters keep what has a tag, lies in a boundary, or is near an element. Collapsing replaces all
cards of a group by one card, and the arrows to them by one each.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable
from dataclasses import replace

from archcheck.diagrams.card_text import plural
from archcheck.diagrams.view import UNPLACED, Arrow, Card, CardGroup, Diagram
from archcheck.model import ModelError, Schedule
from archcheck.model.element import nearest

MOST_CARDS = 60
"""A view with more cards is collapsed, unless it is asked to stay flat.

A choice: about as many as can be read on one page or screen.
"""

_NAMED = 3
"""Names on a stub. A choice, as the next two."""
_MOST_WAYS = 3.5
"""More arrows than this for each card, and nobody can follow one."""


def filtered(
    view: Diagram,
    *,
    tags: Collection[str] = (),
    boundaries: Collection[str] = (),
    near: str | None = None,
    hops: int = 1,
) -> Diagram:
    """The cards with one of the tags, in one of the boundaries, within ``hops`` of ``near``.

    Several kinds of filters must all agree. What is cut off ends in stubs, and the heading says how
    much is left out. Raises :class:`ModelError` for what nothing has.
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
    return with_stubs(view, keys) if len(keys) < len(view.cards) else view


def with_stubs(view: Diagram, keys: frozenset[str]) -> Diagram:
    """The cards with these keys; each arrow that is cut off leads to or from a stub.

    A card has one stub for all that asks it and one for all that it asks.
    """
    small = view.only(keys)
    titles = {card.key: card.title for card in view.cards}
    cut: dict[tuple[str, bool], list[Arrow]] = {}
    for arrow in view.arrows:
        if (arrow.source in keys) != (arrow.target in keys):
            is_out = arrow.source in keys
            cut.setdefault((arrow.source if is_out else arrow.target, is_out), []).append(arrow)
    stubs, arrows = [], []
    for (key, is_out), same in cut.items():
        others = [titles[a.target if is_out else a.source] for a in same]
        stub = _stub(f"cut {'from' if is_out else 'into'} {key}", others)
        ends = (key, stub.key) if is_out else (stub.key, key)
        style = same[0].style if len({a.style for a in same}) == 1 else "solid"
        tooltip = "\n".join(line for a in same for line in a.tooltip.splitlines())
        stubs.append(stub)
        arrows.append(Arrow(*ends, "", style, tooltip))
    said = f"{len(keys)} of {len(view.cards)} elements"
    if cut:
        said += f", {plural(sum(map(len, cut.values())), 'way')} to others cut"
    subtitle = "; ".join(part for part in (view.heading.subtitle.rstrip("."), said) if part)
    return replace(
        small,
        cards=(*small.cards, *stubs),
        arrows=(*small.arrows, *arrows),
        heading=replace(view.heading, subtitle=subtitle),
    )


def _stub(key: str, others: list[str]) -> Card:
    """``3 left out``, and their names as far as they are few; of one, its name."""
    if len(others) == 1:
        return Card(key, others[0], "left out", shape="stub")
    named = ", ".join(others[:_NAMED])
    more = f" and {len(others) - _NAMED} more" if len(others) > _NAMED else ""
    return Card(key, f"{len(others)} left out", f"{named}{more}", shape="stub")


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


def collapsed(view: Diagram, expand: Collection[str] = ()) -> Diagram:
    """Each group as one card, except those in ``expand``. Raises :class:`ModelError`."""
    groups = {group.key: group for group in view.groups}
    _known("group", expand, groups)
    inside: dict[str, list[Card]] = {}
    loose = _loose(view)
    for card in view.cards:
        key = UNPLACED if card.key in loose else card.key
        inside.setdefault(card.group or key, []).append(card)
    cards: list[Card] = []
    stands_in: dict[str, str] = {}
    for key, members in inside.items():
        if key in expand or (key not in groups and key != UNPLACED) or len(members) == 1:
            cards += members
            continue
        whole = _whole(groups.get(key) or CardGroup(UNPLACED, UNPLACED), members)
        cards.append(whole)
        stands_in.update({card.key: whole.key for card in members})
    arrows = _joined(view.arrows, stands_in)
    return replace(view, cards=tuple(cards), arrows=arrows).with_used_groups()


def _loose(view: Diagram) -> frozenset[str]:
    """Services without a group, to be collected where others have one. Not when they are most of
    the view: a single card would be all that is left of an imported system."""
    loose = [card.key for card in view.cards if not card.group and card.shape == "box"]
    return frozenset(loose) if view.groups and 2 * len(loose) <= len(view.cards) else frozenset()


def _whole(group: CardGroup, members: list[Card]) -> Card:
    shapes = {"box": "service", "store": "datastore", "queue": "topic", "external": "external"}
    counts: dict[str, int] = {}
    for card in members:
        is_clock = isinstance(card.member, Schedule)
        word = "schedule" if is_clock else shapes.get(card.shape, "element")
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


def thinned(view: Diagram) -> Diagram:
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


def readable(view: Diagram, expand: Collection[str] = ()) -> Diagram:
    """The view itself; collapsed and thinned when it is more than anybody can read at once."""
    if view.groups and (expand or len(view.cards) > MOST_CARDS):
        view = collapsed(view, expand)
    if len(view.arrows) > max(MOST_CARDS, _MOST_WAYS * len(view.cards)):
        view = thinned(view)
    return view
