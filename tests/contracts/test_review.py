"""The catalogue against a hostile review: small models, each with what is right for some rules.

`tests/cases/rules/review.txt` has the models. `open.txt` beside it lists, one identifier a line,
those that the catalogue does not judge as the review does *yet*; `argued.txt` those where it does
not on purpose, with what it says instead, and the page of the rule has the reason. A model that
comes right while it is listed as open fails here, so that the list only shrinks.
"""

from __future__ import annotations

import dataclasses
import datetime
import re
from collections import defaultdict
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

import pytest

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
from archcheck.findings import EXAMPLES_DAY, evaluate
from archcheck.graph import Graph
from archcheck.model import Named
from archcheck.plugins import rules

CASES = Path(__file__).parent.parent / "cases" / "rules"
RULES = {rule.id: rule for rule in rules()}
PRELUDE = "from archcheck import *; from archcheck.units import *"
ARGUMENTS = {field.name for field in dataclasses.fields(System)} - {"persons", "elements"}
PLACES = {
    (Journey,): "journeys",
    (Scenario,): "scenarios",
    (Network,): "network",
    (Layers, Independent, Deny, Allow, OnlyVia, OnlyWithin): "policies",
}
VERDICTS = ("BAD", "GOOD", "UNDECIDED")


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


def said(block: Block) -> str:
    """What the catalogue says of a block: BAD, UNDECIDED or GOOD of the rules it names."""
    graph = Graph(system_of(block.code), today=EXAMPLES_DAY)
    named = RULES if block.rules == ("ALL",) else block.rules
    outcomes = [evaluate(RULES[name], graph) for name in named]
    assert not [outcome.broken for outcome in outcomes if outcome.broken]
    if any(outcome.findings for outcome in outcomes):
        return "BAD"
    return "UNDECIDED" if any(outcome.questions for outcome in outcomes) else "GOOD"


def _listed(name: str) -> dict[str, str]:
    lines = (CASES / name).read_text().splitlines()
    pairs = (line.partition("|") for line in lines if line and not line.startswith("#"))
    return {name.strip(): rest.strip() for name, _, rest in pairs}


OPEN = _listed("open.txt")
ARGUED = _listed("argued.txt")
BLOCKS = list(blocks())


@pytest.mark.parametrize("block", BLOCKS, ids=[block.id for block in BLOCKS])
def test_the_review(block: Block) -> None:
    verdict = said(block)
    if block.expected not in VERDICTS:
        return
    if block.id in ARGUED:
        assert verdict == ARGUED[block.id].split()[0]
    elif block.id in OPEN:
        assert verdict != block.expected, f"{block.id} is right now: take it out of open.txt"
    else:
        assert verdict == block.expected


def test_the_lists_name_blocks_that_exist() -> None:
    assert (OPEN.keys() | ARGUED.keys()) <= {block.id for block in BLOCKS}
