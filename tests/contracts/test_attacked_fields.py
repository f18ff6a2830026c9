"""Which fields of the vocabulary the attacks on claims never set, and why none of them matters.

Every broken claim so far came of a field that no generator set. So whoever adds a field makes the
generators draw it (`anything.py`), or says here, or among the descriptive fields, why neither runs
nor the attacked proofs look at it.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import MISSING, fields
from functools import cache
from random import Random

import pytest
from contracts.anything import Anything
from contracts.test_claims_of_anything import Attacker, parts
from contracts.test_failures_in_runs import drawn, drawn_with_store
from contracts.test_fields import all_fields, read_fields
from contracts.test_runs_and_proofs import Guarded
from depth import sample

from archcheck.graph import Graph
from archcheck.model.element import Element
from archcheck.proof import prove
from archcheck.simulation.compiling.left_out import DESCRIPTIVE, owner_of

SEEDS = 300
QUESTIONS = ("deadlines", "retries", "zones", "failures", "fallbacks", "load", "admission")
"""Those about what runs do; the others are about declarations."""
NEVER_SET: Mapping[str, str] = {
    "Empirical.file": "the values that it holds are drawn",
    "Recorded.file": "the times that it holds are drawn",
    "Scenario.drain": "what is counted, not what happens",
    "Scenario.faults": "the attackers add them",
    **dict.fromkeys(("Broker.owner", "Channel.owner", "Datastore.owner"), "an owner must exist"),
}
"""Fields that are neither drawn nor descriptive, or that are read when systems are made anew."""


def attacked() -> Iterator[Element]:
    """All that is drawn to attack claims, with its faults."""
    for seed in range(SEEDS):
        random = Random(seed)
        anything = Anything(random).system()
        yield from parts(anything)
        yield from parts(Attacker(Random(seed), anything).faults())
        for system in (Guarded(random).system(), drawn(seed), drawn_with_store(seed)):
            yield from parts(system)


@cache
def set_somewhere() -> set[str]:
    return {
        owner_of(type(part), each.name)
        for part in attacked()
        for each in fields(part)  # type: ignore[arg-type]  # every element is a dataclass
        if getattr(part, each.name) != _default(each)
    }


def _default(each: object) -> object:
    default, factory = each.default, each.default_factory  # type: ignore[attr-defined]
    return default if factory is MISSING else factory()


def is_descriptive(name: str) -> bool:
    return name in DESCRIPTIVE or f"{name.partition('.')[0]}.*" in DESCRIPTIVE


def test_every_field_is_attacked_or_cannot_matter() -> None:
    never = all_fields() - set_somewhere()
    assert {name for name in never if not is_descriptive(name)} <= set(NEVER_SET)


@pytest.mark.parametrize("seed", sample(range(0, SEEDS, 10)))
def test_proofs_look_at_nothing_that_no_attack_sets(
    seed: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    read: set[str] = set()
    graph = Graph(Anything(Random(seed)).system())
    with read_fields(read, monkeypatch):
        prove(graph, QUESTIONS)
    read = {name for name in read if not name.startswith("Client.")}  # into steps, all of them
    assert (all_fields() - set_somewhere()) & read <= set(NEVER_SET)


def test_the_table_has_no_field_that_is_drawn() -> None:
    assert not set(NEVER_SET) & set_somewhere()
    assert set(NEVER_SET) <= all_fields()
