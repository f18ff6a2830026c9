"""The words of LikeC4's language, each with its line."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Literal

from archcheck.model import ModelError, Place

Kind = Literal["name", "text", "markdown", "uri", "number", "sign", "end"]
_WORD = re.compile(
    r"""
    (?P<space>[ \t\r\n]+ | /\*.*?\*/ | //[^\n\r]*)
    | (?P<uri>\w+://\S+ | (?:aws|azure|bootstrap|gcp|tech):[-\w]* | \.{0,2}/[^/]\S+ | @[\w-]*/\S+)
    | (?P<markdown>'''.*?''' | \"\"\".*?\"\"\")
    | (?P<text>"(?:[^"\\]|\\.)*" | '(?:[^'\\]|\\.)*')
    | (?P<name>(?:[A-Za-z]|_+[A-Za-z0-9])[-\w]*)
    | (?P<number>\d[\w.%]*)
    | (?P<sign>\]-> | -\[ | <-> | -> | <- | \S)
    """,
    re.VERBOSE | re.DOTALL | re.ASCII,
)
"""In the order of LikeC4's grammar (likec4/likec4, like-c4.langium, Terminals)."""
_ESCAPED = {"b": "\b", "f": "\f", "n": "\n", "r": "\r", "t": "\t", "v": "\v", "0": "\0"}


@dataclass(frozen=True)
class Word:
    """A word."""

    kind: Kind
    text: str
    place: Place
    sticks: bool = False
    """Of a dot: whether it follows a name without a space, so that it leads into an element."""

    def __str__(self) -> str:
        return "the end of the file" if self.kind == "end" else repr(self.text[:60])


def words_of(text: str, file: str) -> list[Word]:
    """The words of a file, and the end."""
    return [*_words(text, file)]


def _words(text: str, file: str) -> Iterator[Word]:
    at, line = 0, 1
    while at < len(text):
        match = _WORD.match(text, at)
        if match is None or (match[0] in "'\"" and match.lastgroup == "sign"):
            raise ModelError("a text or comment has no end", Place(file, line))
        kind = match.lastgroup
        if kind != "space":
            sticks = match[0] == "." and at > 0 and re.match(r"\w", text[at - 1]) is not None
            yield Word(kind, _value(kind, match[0]), Place(file, line), sticks)  # type: ignore[arg-type]
        line += match[0].count("\n")
        at = match.end()
    yield Word("end", "", Place(file, line))


def _value(kind: str | None, text: str) -> str:
    """A text without its quotes and the indent that its lines have in common."""
    if kind not in ("text", "markdown"):
        return text
    inner = text[3:-3] if kind == "markdown" else text[1:-1]
    plain = re.sub(r"\\(.)", lambda m: _ESCAPED.get(m[1], m[1]), inner, flags=re.DOTALL)
    lines = plain.split("\n")
    indents = [len(line) - len(line.lstrip(" \t")) for line in lines if line.strip()]
    least = min(indents, default=0)
    return "\n".join(line[least:] if line.strip() else line for line in lines).strip()
