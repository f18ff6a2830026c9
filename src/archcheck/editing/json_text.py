"""New values in the text of a JSON file: all else stays as it is, to the byte."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, TypeAlias

from archcheck.model.codec import declared, to_data
from archcheck.model.element import Element
from archcheck.units import Quantity

_TOKEN = re.compile(r'[\s\ufeff]*("(?:[^"\\]|\\.)*"|[{}\[\],:]|[^\s{}\[\],:"]+)')
_Change: TypeAlias = tuple[int, int, str]
"""Where something is replaced, from one offset to another, and by what."""


@dataclass
class _Node:
    """A value in the text: from one offset to another, with what is in it."""

    start: int
    end: int = 0
    members: dict[str, _Member] = field(default_factory=dict)
    """Of an object, by key."""
    items: list[_Node] = field(default_factory=list)
    """Of an array."""


@dataclass
class _Member:
    """A key of an object, between two offsets, and its value."""

    start: int
    end: int
    value: _Node


def json_with(text: str, before: Any, after: Any) -> str:
    """The text of a JSON file in which ``before`` becomes ``after``, both as plain data.

    What is the same in both is not touched; keys that the text has besides stay.
    """
    root = _Reader(text).value()
    for start, end, new in sorted(_Changes(text).of(root, before, after, root), reverse=True):
        text = text[:start] + new + text[end:]
    return text


def data_like(before: Element, after: Element) -> dict[str, Any]:
    """``after`` as plain data that says what ``before`` says, also where it is the default now."""
    data = to_data(after)
    if type(before) is not type(after):
        return data
    for each, old in declared(before):
        new = getattr(after, each.name)
        if isinstance(old, Element) and isinstance(new, Element):
            data[each.name] = data_like(old, new)
        elif each.name in data and isinstance(old, tuple) and len(old) == len(new):
            pairs = zip(data[each.name], old, new, strict=True)
            data[each.name] = [
                data_like(one, other) if isinstance(one, Element) else item
                for item, one, other in pairs
            ]
        elif each.name not in data and isinstance(new, Quantity | int | float | str):
            data[each.name] = str(new) if isinstance(new, Quantity) else new
    return data


class _Reader:
    """Reads the places of values. The text is valid JSON."""

    def __init__(self, text: str) -> None:
        self._tokens = _TOKEN.finditer(text)
        self._next = next(self._tokens)

    def _taken(self) -> re.Match[str]:
        taken = self._next
        self._next = next(self._tokens, taken)
        return taken

    def value(self) -> _Node:
        """The next value."""
        token = self._taken()
        node = _Node(token.start(1), token.end(1))
        if token[1] == "{":
            while self._next[1] != "}":
                key = self._taken()
                self._taken()  # the colon
                node.members[json.loads(key[1])] = _Member(key.start(1), key.end(1), self.value())
                self._skip_comma()
            node.end = self._taken().end(1)
        elif token[1] == "[":
            while self._next[1] != "]":
                node.items.append(self.value())
                self._skip_comma()
            node.end = self._taken().end(1)
        return node

    def _skip_comma(self) -> None:
        if self._next[1] == ",":
            self._taken()


class _Changes:
    """What is to be replaced where, in the style of the place."""

    def __init__(self, text: str) -> None:
        self._text = text
        self._line_end = "\r\n" if "\r\n" in text else "\n"

    def of(self, node: _Node, before: Any, after: Any, outer: _Node) -> Iterator[_Change]:
        """The changes that turn a value into another one; ``outer`` is the object around it."""
        if before == after:
            return
        if isinstance(before, dict) and isinstance(after, dict) and node.members:
            yield from self._of_object(node, before, after)
        elif isinstance(before, list) and isinstance(after, list) and len(before) == len(after):
            for item, old, new in zip(node.items, before, after, strict=True):
                yield from self.of(item, old, new, outer)
        else:
            yield node.start, node.end, self._written(after, outer, node)

    def _of_object(
        self, node: _Node, before: Mapping[str, Any], after: Mapping[str, Any]
    ) -> Iterator[_Change]:
        members = [*node.members.values()]
        added = ""
        for key, new in after.items():
            if key in node.members:
                old = before.get(key, None if new is not None else ...)
                yield from self.of(node.members[key].value, old, new, node)
            else:
                name = json.dumps(key, ensure_ascii=False)
                value = self._written(new, node, None)
                added += f",{self._between(members)}{name}{self._colon(members)}{value}"
        for key in before:
            if key not in after and key in node.members:
                yield self._removed(members, members.index(node.members[key]))
        if added:
            end = members[-1].value.end
            yield end, end, added

    def _removed(self, members: Sequence[_Member], index: int) -> _Change:
        if index:
            return members[index - 1].value.end, members[index].value.end, ""
        end = members[1].start if len(members) > 1 else members[0].value.end
        return members[0].start, end, ""

    # -- style ------------------------------------------------------------------------------------

    def _colon(self, members: Sequence[_Member]) -> str:
        """What stands between a key and its value."""
        return self._text[members[0].end : members[0].value.start]

    def _between(self, members: Sequence[_Member]) -> str:
        """What stands between a comma and the next key."""
        if len(members) > 1:
            between = self._text[members[0].value.end : members[1].start]
            return between.partition(",")[2]
        opening = self._text.rindex("{", 0, members[0].start) + 1
        space = self._text[opening : members[0].start]
        return space or (" " if self._colon(members).endswith(" ") else "")

    def _written(self, value: Any, outer: _Node, old: _Node | None) -> str:
        """A value as the members of ``outer`` are written; on one line, where the old one was."""
        members = [*outer.members.values()]
        between, colon = self._between(members), self._colon(members)
        is_long = old is not None and "\n" not in self._text[old.start : old.end]
        if "\n" not in between or (is_long and isinstance(value, list)):
            comma = ", " if colon.endswith(" ") else ","
            return json.dumps(value, ensure_ascii=False, separators=(comma, colon))
        indent = between.rpartition("\n")[2]
        outside = self._indent_of_line(outer.end - 1)
        unit = indent.removeprefix(outside) or "  "
        lines = json.dumps(value, ensure_ascii=False, indent=unit, separators=(",", colon))
        return lines.replace("\n", self._line_end + indent)

    def _indent_of_line(self, offset: int) -> str:
        """The space before the closing bracket of an object, if it has its own line."""
        line = self._text[self._text.rfind("\n", 0, offset) + 1 : offset]
        return line if not line.strip() else ""
