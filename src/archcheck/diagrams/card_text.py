"""The text of cards and arrows in lines, and the room that it takes."""

from __future__ import annotations

from dataclasses import dataclass

from archcheck.diagrams.text_width import width, wrapped
from archcheck.diagrams.view import Card

TITLE, SMALL, LABEL = 13.0, 10.5, 10.0
"""Sizes of text: the name of a card, what it is, what stands on an arrow. In pixels."""
ICON, PAD, GAP = 34.0, 9.0, 8.0
"""Pixels: an icon, the space inside a card, the space between icon and text. A matter of taste."""
TEXT = 190.0
"""Pixels after which the text of a card begins a new line: 25 to 30 letters."""
LEADING = 1.3
"""Height of a line over the size of its text: 1.2 to 1.45 is good practice (Butterick)."""
_LABEL_WIDTH = 150.0
"""Pixels after which the label of an arrow begins a new line. A matter of taste."""


@dataclass(frozen=True)
class CardText:
    """The lines of a card's text: name, what it is, what an overlay says."""

    title: tuple[str, ...]
    subtitle: tuple[str, ...]
    """With the details below it."""
    note: tuple[str, ...]
    has_icon: bool

    @property
    def size(self) -> tuple[float, float]:
        """Width and height of the card."""
        texts = [width(line, TITLE, is_bold=True) for line in self.title]
        texts += [width(line, SMALL) for line in self.subtitle]
        texts += [width(line, SMALL, is_bold=True) for line in self.note]
        icon = ICON + GAP if self.has_icon else 0
        height = max(self.text_height, ICON if self.has_icon else 0)
        return round(max(*texts, 40) + icon + 2 * PAD + 4, 1), round(height + 2 * PAD - 2, 1)

    @property
    def text_height(self) -> float:
        """Height of all lines."""
        small = len(self.subtitle) + len(self.note)
        return LEADING * (TITLE * len(self.title) + SMALL * small)


def card_text(card: Card) -> CardText:
    """A card's text in lines; the name and the overlay's note are never cut."""
    return CardText(
        tuple(wrapped(card.title, TEXT, TITLE, is_bold=True, lines=12)),
        tuple(
            line
            for part in (card.subtitle, *card.details)
            if part
            for line in wrapped(part, TEXT, SMALL, lines=3)
        ),
        tuple(wrapped(card.note, TEXT, SMALL, is_bold=True, lines=4)) if card.note else (),
        card.icon is not None,
    )


def label_lines(text: str) -> list[str]:
    """What stands on an arrow, in lines."""
    return wrapped(text, _LABEL_WIDTH, LABEL, lines=3) if text.strip() else []


def plural(count: int, one: str) -> str:
    """``1 call``, ``2 calls``."""
    if count == 1:
        return f"1 {one}"
    return f"{count} {one[:-1]}ies" if one.endswith("ry") else f"{count} {one}s"
