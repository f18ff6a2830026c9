"""What a diagram shows, as plain data, before anything is laid out or drawn."""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path
from typing import Literal, TypeAlias

from archcheck.model import Named

Icon: TypeAlias = Path | str
"""A picture file, or an icon of the library: ``programming.language.Go``."""

Style: TypeAlias = Literal["solid", "dashed", "dotted"]
Shape: TypeAlias = Literal["box", "store", "queue", "person", "external", "group", "stub"]
"""``stub``: what a filter cut off."""
Tone: TypeAlias = Literal[
    "", "calm", "warm", "hot", "critical", "info", "warning", "error", "added", "removed", "changed"
]
"""What a colour says: how loaded something is, how grave a finding, what became of it."""

UNPLACED = "(no boundary)"
"""The group of services that declare no boundary, where there are others that do."""


@dataclass(frozen=True)
class Card:
    """A thing on the diagram: its name, what it is, an icon.

    ``key`` is unique in the view; for an element it is the element's name. ``stands_for`` are the
    names of the elements behind it: itself, or all that were collapsed into it.
    """

    key: str
    title: str
    subtitle: str = ""
    group: str | None = None
    shape: Shape = "box"
    icon: Icon | None = None
    link: str = ""
    tags: tuple[str, ...] = ()
    member: Named | None = None
    stands_for: tuple[str, ...] = ()
    tone: Tone = ""
    note: str = ""
    """What an overlay says of it, under its subtitle."""
    details: tuple[str, ...] = ()
    """Lines below the subtitle: image, CPU, memory where it is deployed."""
    description: str = ""
    """What the model says of it, for tools that have a place for it."""


@dataclass(frozen=True)
class CardGroup:
    """A frame around cards: a boundary, a zone, a team. Groups may lie in groups."""

    key: str
    label: str
    parent: str | None = None
    link: str = ""


@dataclass(frozen=True)
class Arrow:
    """All that one card does with another. ``weight`` of 1 is a plain line, 8 the thickest."""

    source: str
    target: str
    label: str = ""
    style: Style = "solid"
    tooltip: str = ""
    weight: float = 1.0
    tone: Tone = ""
    shared: str = ""
    """The protocol that the legend names for all, so that the label need not."""

    @property
    def words(self) -> str:
        """The label with the protocol, for formats that have no legend."""
        return ", ".join(part for part in (self.shared, self.label) if part)


@dataclass(frozen=True)
class Sign:
    """An entry of the legend: a line of a style, a field of a tone, a band of a colour."""

    text: str
    style: Style | None = None
    tone: Tone = ""
    colour: str = ""


@dataclass(frozen=True)
class Heading:
    """What stands above a diagram: its title, a sentence, revision and date."""

    title: str
    subtitle: str = ""
    revision: str = ""


@dataclass(frozen=True)
class Diagram:
    """Cards in groups, with arrows between them.

    ``is_packed`` views have no arrows to arrange them by: their groups are packed side by side.
    ``is_upright``: whether arrows lead down, or to the right; ``None``: what fills a page.
    """

    heading: Heading
    cards: tuple[Card, ...]
    arrows: tuple[Arrow, ...] = ()
    groups: tuple[CardGroup, ...] = ()
    legend: tuple[Sign, ...] = ()
    is_packed: bool = False
    is_upright: bool | None = None

    def card(self, key: str) -> Card:
        """The card with this key. Raises ``KeyError``."""
        for card in self.cards:
            if card.key == key:
                return card
        raise KeyError(key)

    def only(self, keys: frozenset[str]) -> Diagram:
        """The cards with these keys, the arrows between them, the groups around them."""
        cards = tuple(card for card in self.cards if card.key in keys)
        arrows = tuple(a for a in self.arrows if a.source in keys and a.target in keys)
        return replace(self, cards=cards, arrows=arrows).with_used_groups()

    def spelled_out(self) -> Diagram:
        """With the protocol on each arrow that the legend would name once."""
        return replace(
            self, arrows=tuple(replace(a, label=a.words, shared="") for a in self.arrows)
        )

    def with_used_groups(self) -> Diagram:
        """Without groups that hold nothing."""
        parents = {group.key: group.parent for group in self.groups}
        used: set[str] = set()
        for card in self.cards:
            key = card.group
            while key is not None and key not in used:
                used.add(key)
                key = parents.get(key)
        return replace(self, groups=tuple(group for group in self.groups if group.key in used))


@dataclass(frozen=True)
class Message:
    """A message of a sequence diagram. ``number`` counts from one; a return has none.

    ``notes`` stand behind the text. ``depth``: how many calls it is below the start of the journey.
    ``again``: the number of the message after which the same was told in full. ``times``: how often
    it is said in a row. ``hidden``: messages below it that are not drawn.
    """

    source: str
    target: str
    text: str
    style: Style = "solid"
    number: int = 0
    notes: tuple[str, ...] = ()
    depth: int = 0
    again: int = 0
    times: int = 1
    hidden: int = 0

    @property
    def said(self) -> str:
        """``3. find (within 50 ms, 2 times)``."""
        number = f"{self.number}. " if self.number else ""
        notes = [
            *self.notes,
            *([f"{self.times} times"] if self.times > 1 else []),
            *([f"as after {self.again}"] if self.again else []),
            *([f"{self.hidden} more below"] if self.hidden else []),
        ]
        return f"{number}{self.text} ({', '.join(notes)})" if notes else f"{number}{self.text}"


@dataclass(frozen=True)
class MessageFrame:
    """The start, a divider, or the end of a frame around messages: ``par``, ``alt``, ``loop``."""

    what: Literal["start", "else", "end"]
    kind: str = ""
    text: str = ""
    depth: int = 0


@dataclass(frozen=True)
class Sequence:
    """A journey as a sequence diagram: participants from left to right, events downwards."""

    heading: Heading
    participants: tuple[Card, ...]
    events: tuple[Message | MessageFrame, ...]

    @property
    def messages(self) -> tuple[Message, ...]:
        """The messages alone."""
        return tuple(event for event in self.events if isinstance(event, Message))
