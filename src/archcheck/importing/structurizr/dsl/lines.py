"""Statements of a text in the DSL: comments left out, lines joined, text blocks kept apart."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

from archcheck.model import ModelError, Place

BLOCK = '"""'
COMMENT = re.compile(r"\s*(?://|#)")
_END = re.compile(r"\r\n|\n|\r")
_BLOCK_NAME = re.compile("\0([0-9]{1,9})\0")
_ESCAPES = re.compile(r'\\(["n])')


@dataclass(frozen=True)
class Line:
    """A statement, and the line at which it ends."""

    text: str
    place: Place


@dataclass
class Blocks:
    """The text blocks of a workspace: they may hold quotes, which their statement may not."""

    texts: list[str] = field(default_factory=list)

    def keep(self, text: str) -> str:
        """The word that stands for the text."""
        self.texts.append(text)
        return f"\0{len(self.texts) - 1}\0"

    def inside(self, word: str) -> str:
        """The word with its texts put in."""
        return _BLOCK_NAME.sub(
            lambda m: self.texts[int(m[1])] if int(m[1]) < len(self.texts) else m[0], word
        )


class _Joiner:
    """Puts the lines of one statement together."""

    def __init__(self, file: str, blocks: Blocks) -> None:
        self._file = file
        self._blocks = blocks
        self._parts: list[str] = []
        self._indent: int | None = None
        self._in_block = False

    def joined(self, text: str) -> Iterator[Line]:
        for number, line in enumerate(_END.split(text), start=1):
            if self._takes(line):
                yield self._statement("".join(self._parts), Place(self._file, number))
                self._parts = []

    def _takes(self, line: str) -> bool:
        """Whether the statement ends with the line."""
        if self._in_block:
            return self._takes_of_block(line)
        if COMMENT.match(line) is None and line.endswith("\\"):
            self._parts.append(line[:-1])
            return False
        if COMMENT.match(line) is None and line.endswith(BLOCK):
            self._parts.append(line)
            self._in_block, self._indent = True, None
            return False
        self._parts.append(line.lstrip() if self._parts else line)
        return True

    def _takes_of_block(self, line: str) -> bool:
        if line.endswith(BLOCK):
            self._parts.append(BLOCK)
            self._in_block = False
            return True
        if self._indent is None:
            self._indent = len(line) - len(line.lstrip())
        self._parts.append(f"{line[self._indent :]}\n")
        return False

    def _statement(self, text: str, place: Place) -> Line:
        if not text.endswith(BLOCK):
            return Line(text, place)
        head, _, rest = text.partition(BLOCK)
        block = rest.partition(BLOCK)[0]
        if not block:
            raise ModelError("a text block must have a line between its quotes", place)
        return Line(f'{head}"{self._blocks.keep(block[:-1])}"', place)


def statements(text: str, file: str, blocks: Blocks) -> Iterator[Line]:
    """The statements of a text; also those that are empty or comments."""
    return _Joiner(file, blocks).joined(text)


def is_said(line: str) -> bool:
    """Whether a line says anything."""
    return bool(line.strip()) and COMMENT.match(line) is None


def words_of(line: str) -> list[str]:
    """The words of a statement; quotes hold several together."""
    found: list[str] = []
    word: list[str] | None = None
    quoted = False
    text = line.strip()
    for at, char in enumerate(text):
        if word is None:
            if not char.isspace():
                quoted, word = char == '"', [] if char == '"' else [char]
        elif char == '"' and text[at - 1] == "\\":
            word.append(char)
        elif char == '"' if quoted else char.isspace():
            found.append("".join(word))
            word = None
        else:
            word.append(char)
    return found if word is None else [*found, "".join(word)]


def unescaped(word: str) -> str:
    r"""A word with its ``\"`` and ``\n`` resolved."""
    return _ESCAPES.sub(lambda match: '"' if match[1] == '"' else "\n", word)


def tags_of(words: Sequence[str]) -> list[str]:
    """The tags in the words of a statement."""
    return [tag.strip() for word in words for tag in word.split(",")]
