"""What the text formats share: identifiers that every language takes, and text in one line."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping

from archcheck.diagrams.text_width import printable

_PLAIN = re.compile(r"[^A-Za-z0-9]+")


def identifiers(keys: Iterable[str], prefix: str = "e") -> Mapping[str, str]:
    """Key to a word of ASCII letters, digits and underscores that is its own.

    Words are made from the keys, so that a new element changes no other one's word; words with
    different prefixes never meet.
    """
    found: dict[str, str] = {}
    taken: set[str] = set()
    for key in keys:
        word = f"{prefix}_{_PLAIN.sub('_', key).strip('_')[:60]}"
        number, free = 2, word
        while free.lower() in taken:
            free, number = f"{word}_{number}", number + 1
        taken.add(free.lower())
        found[key] = free
    return found


def line(text: str, most: int = 300) -> str:
    """``text`` in one line, shortened where it is longer than anybody reads."""
    short = printable(text)
    return short if len(short) <= most else f"{short[: most - 3]}..."
