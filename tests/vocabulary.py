"""Values of every kind of element, with every field set: what a writer has to write."""

from __future__ import annotations

import datetime
from collections.abc import Iterator, Mapping
from dataclasses import MISSING, fields
from functools import cache
from types import UnionType
from typing import Annotated, Any, Literal, Union, get_args, get_origin, get_type_hints

from archcheck import (
    Between,
    Element,
    Empirical,
    Endpoint,
    Flag,
    Journey,
    Kafka,
    Lognormal,
    ModelError,
    MySQL,
    Named,
    Prometheus,
    Service,
    Topic,
)
from archcheck.model.element import element_types
from archcheck.model.named import Refers
from archcheck.units import GB, MB, Bandwidth, Cpu, Duration, Fraction, Rate, Size, hours, ms, s

SURROUNDINGS: tuple[Named, ...] = (
    Service("svc", endpoints=[Endpoint("run")]),
    MySQL("db"),
    Kafka("kafka"),
    Topic("events"),
    Prometheus("prometheus"),
    Flag("flag"),
    Journey("go", "svc.run"),
)
"""What references can name."""
_NAMED = {
    "endpoint": "svc.run",
    "callable": "svc",
    "datastore": "db",
    "channel": "events",
    "broker": "kafka",
    "platform": "prometheus",
    "journey": "go",
    "flag": "flag",
    "any": "svc",
}
_PLAIN: Mapping[type, tuple[Any, ...]] = {
    str: ('a "quoted" \\ text', "svc.run", "word", "#fbd38d", "2026-12-31"),
    bool: (True, False),
    int: (3, 2),
    float: (2.5, 0.25),
    Duration: (5 * ms, 9 * hours),
    Fraction: (Fraction(0.5), Fraction(0.999)),
    Rate: (3 / s,),
    Size: (2 * GB,),
    Bandwidth: (8 * MB / s,),
    Cpu: (Cpu(0.25),),
    datetime.date: (datetime.date(2026, 11, 29),),
    object: ("anything",),
}
_TOGETHER: Mapping[type[Element], dict[str, Any]] = {
    Lognormal: {"mean": 1 * ms, "p99": 4 * ms},
    Between: {"target": "svc.run", "attribute": "work", "low": 1 * ms, "high": 2 * ms},
    Journey: {"name": "trip", "entries": ["svc.run"]},
    Empirical: {"values": [1 * ms, 3 * ms]},
}
"""Fields that must fit each other."""


def kinds() -> list[type[Element]]:
    """Every kind of element of the vocabulary."""
    every = element_types().values()
    return [kind for kind in every if kind.__module__.startswith("archcheck.")]


@cache
def samples(kind: type[Element]) -> tuple[Element, ...]:
    """Values of a kind: one with what it needs, and one more for each field that can be set."""
    base = _needed(kind)
    found = [kind(**base)]
    if kind is Journey:  # which needs one of two
        found.append(Journey("trip", "svc.run"))
    if kind is Empirical:
        found.append(Empirical(file="times.txt"))
    hints = get_type_hints(kind, include_extras=True)
    for each in fields(kind):  # type: ignore[arg-type]  # every element is a dataclass
        for value in values_of(hints[each.name]):
            made = _built(kind, {**base, each.name: value})
            if made is not None and getattr(made, each.name) != _default(each):
                found.append(made)
                break
    return tuple(found)


def said(values: tuple[Element, ...]) -> set[str]:
    """The fields that differ from their defaults in at least one of the values."""
    return {
        each.name
        for value in values
        for each in fields(value)  # type: ignore[arg-type]  # every element is a dataclass
        if getattr(value, each.name) != _default(each)
    }


def _default(each: Any) -> Any:
    return each.default_factory() if each.default_factory is not MISSING else each.default


_begun: set[type[Element]] = set()
"""Kinds whose values are being made."""


@cache
def _needed(kind: type[Element]) -> dict[str, Any]:
    if kind in _TOGETHER:
        return _TOGETHER[kind]
    _begun.add(kind)
    hints = get_type_hints(kind, include_extras=True)
    needed = [each.name for each in fields(kind) if _default(each) is MISSING]  # type: ignore[arg-type]
    choices = {name: [*values_of(hints[name])] for name in needed}
    for index in range(max(map(len, choices.values()), default=1)):
        guess = {name: found[min(index, len(found) - 1)] for name, found in choices.items()}
        if _built(kind, guess) is not None:
            _begun.discard(kind)
            return guess
    raise AssertionError(f"no values for {kind.__name__}: {choices}")


def values_of(annotation: Any) -> Iterator[Any]:
    """Values that a field may take, not all of them right for each."""
    origin, arguments = get_origin(annotation), get_args(annotation)
    if origin is Annotated:
        marks = [mark for mark in annotation.__metadata__ if isinstance(mark, Refers)]
        if marks:
            yield from (name for role, name in _NAMED.items() if role in marks[0].to)
        else:
            yield from values_of(arguments[0])
    elif origin is Literal:
        yield from reversed(arguments)
    elif origin in (Union, UnionType):
        for argument in arguments:
            yield from values_of(argument)
    elif origin is not None:
        inside = [*values_of(arguments[0])]
        yield from ([value] for value in inside)
        yield [*inside[:1], *inside[:1]]
    elif isinstance(annotation, type) and issubclass(annotation, Element):
        concrete = [kind for kind in kinds() if issubclass(kind, annotation)]
        for kind in concrete:
            if kind not in _begun:  # a group of steps is not made of itself
                yield kind(**_needed(kind))
    else:
        yield from _PLAIN.get(annotation, ())


def _built(kind: type[Element], values: dict[str, Any]) -> Element | None:
    try:
        return kind(**values)
    except ModelError:
        return None
