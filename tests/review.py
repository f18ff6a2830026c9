"""The models of the catalogue's hostile review: `tests/cases/rules/review.txt`."""

from __future__ import annotations

import dataclasses
import datetime
import re
from collections import defaultdict
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

from archcheck import (
    Allow,
    Deny,
    Independent,
    Journey,
    Layers,
    Network,
    OnlyVia,
    OnlyWithin,
    Scenario,
    System,
)
from archcheck.model import Named

CASES = Path(__file__).parent / "cases" / "rules"
PRELUDE = "from archcheck import *; from archcheck.units import *"
ARGUMENTS = {field.name for field in dataclasses.fields(System)} - {"persons", "elements"}
PLACES = {
    (Journey,): "journeys",
    (Scenario,): "scenarios",
    (Network,): "network",
    (Layers, Independent, Deny, Allow, OnlyVia, OnlyWithin): "policies",
}


class Block(NamedTuple):
    """A model of the review: what it is called, the rules it names, what is right, and the code."""

    id: str
    rules: tuple[str, ...]
    expected: str
    code: str


def blocks() -> Iterator[Block]:
    text = (CASES / "review.txt").read_text()
    for block in re.split(r"^#@ ", text, flags=re.MULTILINE)[1:]:
        head, _, code = block.partition("\n")
        name, named, expected, _ = (part.strip() for part in head.split("|", 3))
        yield Block(name, tuple(named.split()), expected.rstrip("?"), code)


def _place_of(part: object) -> str | None:
    """The argument of `System` that a declaration belongs to."""
    for kinds, place in PLACES.items():
        if isinstance(part, kinds):
            return place
    plural = f"{type(part).__name__.lower()}s"
    if plural in ARGUMENTS:
        return plural
    return "elements" if isinstance(part, Named) else None


def system_of(code: str) -> System:
    """The system that a block declares, or one of all that it declares."""
    names: dict[str, object] = {"date": datetime.date}
    exec(PRELUDE, names)  # noqa: S102  # our own text
    before = set(names)
    exec(compile(code, "<review>", "exec"), names)  # noqa: S102  # our own text
    made = [value for name, value in names.items() if name not in before]
    parts: defaultdict[str, list[object]] = defaultdict(list)
    for value in made:
        if isinstance(value, System):
            return value
        for part in value if isinstance(value, list | tuple) else [value]:
            if place := _place_of(part):
                parts[place].append(part)
    network = {"network": parts.pop("network")[0]} if "network" in parts else {}
    return System("made", parts.pop("elements", []), **parts, **network)  # type: ignore[arg-type]  # parts of any kind
