"""Expressions laid out in lines, as ruff and Black format them.

An expression that fits stands on one line. One that does not is opened at its outermost brackets:
the arguments of a call stand together on the next line where they fit there, else each on a line
of its own; the items of a list always stand each on its own line.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property

from archcheck.editing.spelling import escaped, text_source

LINE = 100
"""Columns of a line: what this repository uses, and what half a screen shows."""
_INDENT = 4


@dataclass(frozen=True)
class Atom:
    """A name, a number or a quantity: nothing that could be opened."""

    flat: str
    """The expression on one line."""


@dataclass(frozen=True)
class Text:
    """A string; a long one is put together from several."""

    text: str

    @cached_property
    def flat(self) -> str:
        """The literal."""
        return text_source(self.text)


@dataclass(frozen=True)
class BracketEntry:
    """An argument or an item, perhaps under a comment."""

    value: Node
    name: str | None = None
    comment: str | None = None

    @cached_property
    def flat(self) -> str | None:
        """On one line."""
        if self.comment is not None or self.value.flat is None:
            return None
        return f"{self._before}{self.value.flat}"

    @property
    def _before(self) -> str:
        return f"{self.name}=" if self.name else ""

    def lines(self, indent: int) -> Iterator[str]:
        """On lines of its own, with the comma."""
        margin = " " * indent
        if self.comment is not None:
            yield f"{margin}# {self.comment}\n"
        used = indent + len(self._before)
        yield f"{margin}{self._before}{laid_out(self.value, indent, used, after=1)},\n"


@dataclass(frozen=True)
class Brackets:
    """What stands between two brackets: a call or a list."""

    head: str
    """The name of what is called; empty: a list."""
    entries: tuple[BracketEntry, ...]

    @cached_property
    def inside(self) -> str | None:
        """The entries on one line."""
        parts = [entry.flat for entry in self.entries]
        return None if None in parts else ", ".join(map(str, parts))

    @cached_property
    def flat(self) -> str | None:
        """On one line."""
        if self.inside is None:
            return None
        return f"{self.head}({self.inside})" if self.head else f"[{self.inside}]"


Node = Atom | Text | Brackets
"""An expression; ``flat`` is the whole of it on one line, ``None`` where comments forbid that."""


def call(name: str, entries: list[BracketEntry]) -> Brackets:
    """A call."""
    return Brackets(name, tuple(entries))


def items(entries: list[BracketEntry]) -> Brackets:
    """A list."""
    return Brackets("", tuple(entries))


def laid_out(node: Node, indent: int = 0, used: int = 0, after: int = 0) -> str:
    """The expression, its first line behind ``used`` columns and its last before ``after``."""
    if node.flat is not None and used + width(node.flat) + after <= LINE:
        return node.flat
    if isinstance(node, Text):
        return _long_text(node, indent)
    if not isinstance(node, Brackets) or not node.entries:
        return str(node.flat)
    opening, closing = ("(", ")") if node.head else ("[", "]")
    inner, margin = indent + _INDENT, " " * indent
    if node.head and node.inside is not None and inner + width(node.inside) <= LINE:
        return f"{node.head}{opening}\n{' ' * inner}{node.inside}\n{margin}{closing}"
    body = "".join(line for entry in node.entries for line in entry.lines(inner))
    return f"{node.head}{opening}\n{body}{margin}{closing}"


def _long_text(node: Text, indent: int) -> str:
    """Between parentheses: one literal if it fits there, else several one below the other."""
    room = LINE - indent - _INDENT
    fits = width(node.flat) <= room
    parts = [node.text] if fits else list(_parted(node.text, room))
    margin = " " * (indent + _INDENT)
    body = "".join(f"{margin}{text_source(part)}\n" for part in parts)
    return f"(\n{body}{' ' * indent})"


_FEWEST = 20
"""Columns of a literal, even where brackets in brackets leave fewer. A choice."""


def _parted(text: str, room: int) -> Iterator[str]:
    """The text in parts of at most so many columns as literals, at spaces where there are any."""
    room = max(room, _FEWEST) - 2
    rest = text
    while rest:
        end, columns, space = 0, 0, 0
        while end < len(rest):
            columns += width(_longest_escape(rest[end]))
            if columns > room:
                break
            end += 1
            if rest[end - 1] == " ":
                space = end
        cut = end if end == len(rest) else space or max(end, 1)
        yield rest[:cut]
        rest = rest[cut:]


def _longest_escape(sign: str) -> str:
    """Which quotes a part gets is known when it is whole."""
    return "\\'" if sign in "\"'" else escaped(sign, '"')


def width(text: str) -> int:
    """Columns of a text: wide characters take two, combining ones none."""
    return len(text) if text.isascii() else sum(map(_columns, text))


def _columns(sign: str) -> int:
    if unicodedata.combining(sign):
        return 0
    return 2 if unicodedata.east_asian_width(sign) in "WF" else 1
