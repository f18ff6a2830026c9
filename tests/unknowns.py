"""What a model can leave undeclared: where, and what might stand there instead."""

from __future__ import annotations

import dataclasses
import datetime
import re
import sys
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from functools import cache
from types import UnionType
from typing import Annotated, Any, Literal, NamedTuple, Union, get_args, get_origin, get_type_hints

import pytest
from vocabulary import kinds, samples

from archcheck import Absent, Element, ModelError, System
from archcheck.model.element import element_types, field_names
from archcheck.model.linking import reference_fields
from archcheck.model.values import Documented
from archcheck.model.words import words_of
from archcheck.simulation.compiling.left_out import owner_of
from archcheck.units import Bandwidth, Cpu, Duration, Fraction, Rate, Size

_EXTREMES: Mapping[type, tuple[Any, ...]] = {
    str: ("word",),
    bool: (True, False),
    int: (1, 1_000_000, 10_000, 100, 5, 0),  # the largest that the field takes counts
    float: (0.0, 1.0, 5.0, 100.0),
    Duration: (Duration(1e-6), Duration(1.0), Duration(1e6)),
    Fraction: (Fraction(1e-6), Fraction(0.5), Fraction(1.0)),
    Rate: (Rate(1e-3), Rate(1e6)),
    Size: (Size(1), Size(10**13)),
    Bandwidth: (Bandwidth(1.0), Bandwidth(1e12)),
    Cpu: (Cpu(0.01), Cpu(64.0)),
    datetime.date: (datetime.date(2020, 1, 1), datetime.date(2030, 1, 1)),
}
_GENERIC = (
    "dataclasses",
    "archcheck.model.element",
    "archcheck.model.linking",
    "archcheck.model.codec",
    "archcheck.model.places",
    "archcheck.model.clients",
    "unknowns",
)
"""Whoever reads all fields of whatever there is says nothing about a single one."""

Path = tuple[tuple[str, int | None], ...]
"""The way from a system to a part of it: fields, with the place in a list."""


class Site(NamedTuple):
    """A field of a part of a system that may be undeclared."""

    path: Path
    part: Element
    field: str

    @property
    def attribute(self) -> str:
        """``Journey.critical``: the field, by the class that declares it."""
        return attribute_of(type(self.part), self.field)


@cache
def attribute_of(kind: type[Element], name: str) -> str:
    """A field by the class that declares it."""
    return owner_of(kind, name).strip("_")


def sites(system: System) -> Iterator[Site]:
    """Every field that may be undeclared, of every part of a system."""
    for path, part in _parts(system, ()):
        for name in field_names(type(part)):
            if is_unknown(type(part), name):
                yield Site(path, part, name)


def _parts(part: Element, path: Path) -> Iterator[tuple[Path, Element]]:
    yield path, part
    for name in field_names(type(part)):
        value = getattr(part, name)
        if isinstance(value, Element):
            yield from _parts(value, (*path, (name, None)))
        elif isinstance(value, tuple):
            for index, item in enumerate(value):
                if isinstance(item, Element):
                    yield from _parts(item, (*path, (name, index)))


@cache
def is_unknown(kind: type[Element], name: str) -> bool:
    """Whether a field that is not declared is unknown: nothing says what counts instead.

    A documented default of the product does, a default of the field, and words in its description:
    ````None``: the endpoint's``.
    """
    (declared,) = (each for each in dataclasses.fields(kind) if each.name == name)  # type: ignore[arg-type]
    if declared.default is not None or (issubclass(kind, Documented) and name in kind.documented):
        return False
    if kind.__name__ not in element_types():
        return False
    (words,) = (each for each in words_of(kind).fields if each.name == name)
    return not re.search(r"``None``: (?!unknown)", " ".join(words.text.split()))


def declared(system: System, site: Site, value: object) -> System | None:
    """The system with another value there; ``None`` where the vocabulary does not allow it."""
    try:
        changed = _put(system, site.path, site.field, value)
    except ModelError:
        return None
    assert isinstance(changed, System)
    return changed


def _put(part: Element, path: Path, field: str, value: object) -> Element:
    if not path:
        return dataclasses.replace(part, **{field: value})  # type: ignore[type-var]  # a dataclass
    (name, index), *rest = path
    inside = getattr(part, name)
    if index is None:
        changed: object = _put(inside, tuple(rest), field, value)
    else:
        inner = _put(inside[index], tuple(rest), field, value)
        changed = (*inside[:index], inner, *inside[index + 1 :])
    return dataclasses.replace(part, **{name: changed})  # type: ignore[type-var]  # a dataclass


class Values:
    """What may be declared in a field: extremes of its type, and what systems have there."""

    def __init__(self, systems: Iterable[System]) -> None:
        self._seen: defaultdict[str, dict[str, object]] = defaultdict(dict)
        for system in systems:
            for site in sites(system):
                value = getattr(site.part, site.field)
                if value is not None:
                    self._seen[site.attribute].setdefault(repr(value), value)

    def of(self, system: System, site: Site) -> list[object]:
        """All of them, each once; for a reference, whatever the system has."""
        kind = type(site.part)
        if site.field in reference_fields(kind):
            return [*system.directory.elements, *system.directory.parts]
        found = {repr(each): each for each in _of_type(_hints(kind)[site.field])}
        found |= self._seen[site.attribute]
        return list(found.values())


@cache
def _hints(kind: type[Element]) -> dict[str, Any]:
    return get_type_hints(kind, include_extras=True)


def _of_type(annotation: Any) -> Iterator[object]:
    origin, arguments = get_origin(annotation), get_args(annotation)
    if origin is Annotated:
        yield from _of_type(arguments[0])
    elif origin is Literal:
        yield from arguments
    elif origin in (Union, UnionType):
        for argument in arguments:
            yield from _of_type(argument)
    elif annotation is Absent:
        yield Absent("on purpose")
    elif isinstance(annotation, type) and issubclass(annotation, Element):
        yield from (samples(kind)[0] for kind in kinds() if issubclass(kind, annotation))
    else:
        yield from _EXTREMES.get(annotation, ())


@contextmanager
def reads(found: set[tuple[type[Element], str]], patch: pytest.MonkeyPatch) -> Iterator[None]:
    """Note which fields of which kinds of elements are read; nothing depends on the others."""

    def noted(self: Element, name: str) -> object:
        value = object.__getattribute__(self, name)
        kind = type(self)
        if name[0] != "_" and name in field_names(kind):
            reader = sys._getframe(1).f_globals["__name__"]
            if not reader.startswith(_GENERIC):
                found.add((kind, name))
        return value

    with patch.context() as within:
        within.setattr(Element, "__getattribute__", noted, raising=False)
        yield
