"""YAML (and with it JSON) read into values with lines, within limits.

Events of the parser are put together here instead of by a loader: no type is ever constructed, the
lines are known, and depth and size are bounded while the file is read. An alias is the same value
once more, so that a file of a few lines that stands for billions of values takes no memory; what it
would take to walk through it is counted and limited.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from typing import Any

from archcheck.importing.installed import needs_extra
from archcheck.importing.values import Scalar, Value
from archcheck.model import ModelError, Place

MAX_BYTES = 16 * 1024 * 1024
"""The largest file that is read. A choice: manifests of 1,000 services are about 5 MiB."""
MAX_DEPTH = 100
"""The deepest nesting. A choice: Kubernetes' own types are about 20 deep, and the way back up
through Python's stack (1,000 calls) is far away."""
MAX_VALUES = 1_000_000
"""Values of a file, each as often as aliases repeat it. A choice, for the same 1,000 services."""

_INT = re.compile(r"[-+]?(?:0|[1-9][0-9]{0,30})")
_FLOAT = re.compile(r"[-+]?(?:[0-9]{1,40}(?:\.[0-9]{0,40})?|\.[0-9]{1,40})(?:[eE][-+]?[0-9]{1,3})?")
_WORDS: dict[str, Scalar] = {
    **dict.fromkeys(("", "~", "null", "Null", "NULL")),
    **dict.fromkeys(("true", "True", "TRUE"), True),
    **dict.fromkeys(("false", "False", "FALSE"), False),
}


def read_yaml(text: str, file: str) -> list[Value]:
    """The documents of a YAML text, empty ones left out.

    Raises :class:`ModelError` with the line of what cannot be read.
    """
    if len(text) > MAX_BYTES:
        raise ModelError(f"is larger than {MAX_BYTES // 1024**2} MiB", Place(file, 1))
    return list(_Builder(file).documents(text))


@dataclass
class _Open:
    """A mapping or list that is being read."""

    place: Place
    is_mapping: bool
    anchor: str | None
    tag: str
    items: list[Value] = field(default_factory=list)
    keys: list[tuple[str, Place]] = field(default_factory=list)
    size: int = 1


class _Builder:
    def __init__(self, file: str) -> None:
        self._file = file
        self._open: list[_Open] = []
        self._anchors: dict[str, Value] = {}
        self._sizes: dict[int, int] = {}
        self._done: Value | None = None
        self._total = 0

    def documents(self, text: str) -> Iterator[Value]:
        """Each document as soon as it is read to its end."""
        for event in self._events(text):
            name = type(event).__name__
            if name == "DocumentStartEvent":
                self._anchors, self._done = {}, None
            elif name == "DocumentEndEvent":
                if self._done is not None and self._done.raw is not None:
                    yield self._done
            elif name in ("MappingStartEvent", "SequenceStartEvent"):
                self._begin(event, is_mapping=name == "MappingStartEvent")
            elif name in ("MappingEndEvent", "SequenceEndEvent"):
                self._end()
            elif name == "ScalarEvent":
                place, tag = self._shown_at(event), _own_tag(event.tag)
                self._add(Value(_resolved(event), place, event.value, tag), event.anchor, 1)
            elif name == "AliasEvent":
                self._alias(event)

    def _events(self, text: str) -> Iterator[Any]:
        yaml = needs_extra("yaml")
        loader = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
        try:
            yield from yaml.parse(text, loader)
        except yaml.YAMLError as error:
            raise ModelError(*self._complaint(error, text)) from None

    def _complaint(self, error: Any, text: str) -> tuple[str, Place]:
        mark = getattr(error, "problem_mark", None) or getattr(error, "context_mark", None)
        if mark is not None:
            what = getattr(error, "problem", None) or getattr(error, "context", None)
            return f"is not YAML: {what}", Place(self._file, mark.line + 1)
        position = getattr(error, "position", 0)
        line = text.count("\n", 0, position) + 1 if isinstance(position, int) else 1
        return "is not YAML: it has a character that no text may have", Place(self._file, line)

    def _place(self, event: Any) -> Place:
        return Place(self._file, event.start_mark.line + 1)

    def _shown_at(self, event: Any) -> Place:
        """The line at which a reader looks for a value: that of its key, if it has one."""
        if self._open and self._open[-1].is_mapping and not self._expects_key():
            return self._open[-1].keys[-1][1]
        return self._place(event)

    def _begin(self, event: Any, *, is_mapping: bool) -> None:
        place = self._shown_at(event)
        if len(self._open) >= MAX_DEPTH:
            raise ModelError(f"is nested deeper than {MAX_DEPTH}", self._place(event))
        if self._expects_key():
            raise ModelError("a key must be text, not a list or a mapping", place)
        self._open.append(_Open(place, is_mapping, event.anchor, _own_tag(event.tag)))

    def _expects_key(self) -> bool:
        return bool(
            self._open
            and self._open[-1].is_mapping
            and len(self._open[-1].keys) == len(self._open[-1].items)
        )

    def _end(self) -> None:
        ended = self._open.pop()
        value = (
            _mapping(ended) if ended.is_mapping else Value(ended.items, ended.place, tag=ended.tag)
        )
        self._add(value, ended.anchor, ended.size)

    def _alias(self, event: Any) -> None:
        known = self._anchors.get(event.anchor)
        if known is None:
            raise ModelError(f"there is no anchor {event.anchor!r} before it", self._place(event))
        again = replace(known, place=self._shown_at(event), shared=known.place)
        self._add(again, None, self._sizes[id(known)])

    def _add(self, value: Value, anchor: str | None, size: int) -> None:
        self._total += size
        if size > MAX_VALUES or self._total > 2 * MAX_VALUES:
            raise ModelError(
                f"stands for more than {MAX_VALUES:,} values when its anchors are followed",
                value.place,
            )
        if self._expects_key():
            if isinstance(value.raw, dict | list):
                raise ModelError("a key must be text, not a list or a mapping", value.place)
            self._open[-1].keys.append((value.text, value.place))
        elif self._open:
            self._open[-1].items.append(value)
            self._open[-1].size += size
        else:
            self._done = value
        if anchor is not None:
            self._anchors[anchor] = value
            self._sizes[id(value)] = size


def _mapping(ended: _Open) -> Value:
    found: dict[str, Value] = {}
    doubled: list[str] = []
    merged: list[Value] = []
    for (key, _), value in zip(ended.keys, ended.items, strict=True):
        if key == "<<":
            if merged:
                doubled.append(key)
            merged += value.raw if isinstance(value.raw, list) else [value]
            continue
        if key in found:
            doubled.append(key)
        found[key] = value
    for block in merged:
        if not isinstance(block.raw, dict):
            raise ModelError("'<<' merges mappings only", block.place)
        for key, value in block.raw.items():
            shared = value.shared or block.shared or block.place
            found.setdefault(key, replace(value, shared=shared))
    return Value(found, ended.place, tag=ended.tag, doubled=tuple(doubled))


def _resolved(event: Any) -> Scalar:
    """The scalar by the core schema of YAML 1.2: ``on`` and ``22:22`` are text."""
    text: str = event.value
    if event.style not in (None, "") or not event.implicit[0]:
        return text
    return scalar_of(text)


def scalar_of(text: str) -> Scalar:
    """What a text means that is written without quotes."""
    if text in _WORDS:
        return _WORDS[text]
    if _INT.fullmatch(text):
        return int(text)
    return float(text) if _FLOAT.fullmatch(text) else text


def _own_tag(tag: str | None) -> str:
    return tag if tag is not None and tag.startswith("!") and tag != "!" else ""
