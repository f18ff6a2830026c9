"""Places for what was rendered: the lines that a person would change, not those that were printed.

A value of a rendered object is from the original object of its kind and name if that one says the
same there; else a patch, a setting of the kustomization or a chart's template has made it.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from pathlib import Path

from archcheck.importing.kubernetes.objects import Object
from archcheck.importing.values import Value
from archcheck.model import Place

_SETTINGS = {"image": "images", "replicas": "replicas", "namespace": "namespace"}
"""Fields that a kustomization changes by a setting of its own."""
_SOURCE = "# Source: "
"""What ``helm template`` prints before each document."""


def as_in_originals(
    document: Value,
    originals: Sequence[Object],
    setting: Callable[[str], Value | None],
    otherwise: Place,
) -> Value:
    """A rendered object with the places of the originals of its kind and name, patches among them.

    ``setting``: what the kustomization says under a key; ``otherwise``: its first line.
    """
    kind, name = (document.get(*keys) for keys in (("kind",), ("metadata", "name")))
    if kind is None or name is None:
        return _placed(document, [], lambda _: otherwise)
    is_renamed = any(setting(key) is not None for key in ("namePrefix", "nameSuffix"))
    same = [
        each
        for each in originals
        if each.kind == kind.text
        and (each.name == name.text or (is_renamed and each.name in name.text))
    ]
    longest = max((len(each.name) for each in same), default=0)

    def other(key: str) -> Place:
        said = setting(_SETTINGS[key]) if key in _SETTINGS else None
        return said.place if said is not None else otherwise

    return _placed(document, [each.value for each in same if len(each.name) == longest], other)


def _placed(
    value: Value, originals: Sequence[Value], other: Callable[[str], Place], key: str = ""
) -> Value:
    raw = value.raw
    if isinstance(raw, dict):
        every = [each.raw for each in originals if isinstance(each.raw, dict)]
        inner = {
            name: _placed(part, [each[name] for each in every if name in each], other, name)
            for name, part in raw.items()
        }
        place = next((each.place for each in originals if each.is_mapping), other(key))
        return replace(value, raw=inner, place=place)
    if isinstance(raw, list):
        lists = [each.raw for each in originals if isinstance(each.raw, list)]
        items = [
            _placed(item, [each for held in lists for each in _same(held, item, number)], other)
            for number, item in enumerate(raw)
        ]
        place = next((each.place for each in originals if each.is_list), other(key))
        return replace(value, raw=items, place=place)
    same = (
        each
        for each in originals
        if each.text == value.text or (key == "name" and each.text and each.text in value.text)
    )  # names get prefixes, suffixes and hashes
    return replace(value, place=next((each.place for each in same), other(key)))


def _same(held: Sequence[Value], item: Value, number: int) -> Iterable[Value]:
    """The item of a list that a rendered one comes from: of the same name, else the same place."""
    name = _name(item)
    if name:
        return [each for each in held if _name(each) == name][:1]
    return held[number : number + 1]


def _name(item: Value) -> str:
    raw = item.raw
    return raw["name"].text if isinstance(raw, dict) and "name" in raw else ""


# -- charts ----------------------------------------------------------------------------------------


class Templates:
    """The templates of a chart, and what Helm printed of them."""

    def __init__(self, printed: str, texts: Mapping[str, tuple[Path, str]], first: Place) -> None:
        """``texts``: by the path that Helm prints, each file and its text."""
        self._files = {name: (str(path), text.splitlines()) for name, (path, text) in texts.items()}
        self._places = [*self._aligned(printed.splitlines(), first)]
        self._first = first

    def _aligned(self, printed: Iterable[str], first: Place) -> Iterator[Place]:
        """For each printed line, the line of its template that it comes from, as far as texts tell:
        the next one with the same text, or close by with the same key; else the one before."""
        file, lines, at = "", list[str](), 0
        for line in printed:
            if line.startswith(_SOURCE):
                file, lines = self._files.get(line.removeprefix(_SOURCE).strip(), ("", []))
                at = 0
            elif lines:
                at = _next(lines, at, line)
            yield Place(file, max(at, 1)) if file else first

    def placed(self, value: Value) -> Value:
        """The value with the lines of the templates."""
        raw = value.raw
        number = value.place.line - 1
        place = self._places[number] if number < len(self._places) else self._first
        if isinstance(raw, dict):
            inner = {key: self.placed(part) for key, part in raw.items()}
            return replace(value, raw=inner, place=place)
        if isinstance(raw, list):
            return replace(value, raw=[self.placed(part) for part in raw], place=place)
        return replace(value, place=place)


def _next(lines: Sequence[str], at: int, printed: str) -> int:
    """The number of the line, counted from 1, after ``at``; ``at`` if there is none."""
    text = printed.strip()
    if not text:
        return at
    for number in range(at, len(lines)):
        if lines[number].strip() == text:
            return number + 1
    key = _KEY.match(text)
    for number in range(at, min(at + _NEAR, len(lines))):
        if key and lines[number].strip().startswith(key[0]):
            return number + 1
    return at


_KEY = re.compile(r"(?:- )?[\w./-]+:(?=\s|$)")
_NEAR = 8
"""Lines after the last one in which a key is taken for the same. A choice: between a line and the
next that is printed stand conditions and comments."""
