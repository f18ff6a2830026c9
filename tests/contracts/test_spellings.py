"""The same fact said in another way gets the same verdict.

`tests/spellings.py` lists the ways once. Each is applied to every example of every rule and to the
models of the review that name it; the rule must say the same kind of thing, find as many places and
ask for the same attributes. `RIGHTLY` says which rules look at the words on purpose. The vocabulary
says where an element runs only on the element itself, so that there is no other way for that.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from functools import cache

import pytest
from review import blocks, system_of
from spellings import SPELLINGS

from archcheck import System
from archcheck.findings import EXAMPLES_DAY, Rule, evaluate
from archcheck.graph import Graph
from archcheck.plugins import rules

RULES = {
    rule.id: rule for rule in rules() if (rule.follows or not rule.reviews) and rule.method != "sim"
}
"""All but those that speak of what others say, and those whose runs take long."""

RIGHTLY: Mapping[tuple[str, str], str] = {
    ("retries in the mesh", "TEC006"): "asks which library in the code does it",
    ("a second journey", "BND006"): "asks each journey whether it begins outside",
    ("a second journey", "COM008"): "asks each journey whether it begins outside",
    ("a second journey", "COM009"): "asks each journey whether it begins outside",
    ("a second journey", "RES019"): "asks each journey whether it begins outside",
    ("a second journey", "EVO008"): "names each journey that begins at what goes away",
    ("a second journey", "OBS004"): "asks an objective of each journey",
    ("a second journey", "PRF012"): "the second journey has no budget of its own",
    ("defaults written out", "TEC008"): "is about defaults that nobody decided on",
    ("other names", "BND005"): "policies select by name",
    ("other names", "BND016"): "policies select by name",
    ("other names", "BND017"): "policies select by name",
    ("partners with an endpoint", "RES004"): "asks for the endpoint where there is none",
    ("retries in the mesh", "RES005"): "the wait of a mesh is documented",
    ("retries in the mesh", "RES006"): "a mesh is documented to spread its waits",
    ("retries in the mesh", "RES007"): "a breaker in the code sees no attempts of its mesh",
    ("breakers in the mesh", "RES007"): "a mesh may retry, and nobody says how often",
    ("breakers in the mesh", "RES009"): "a mesh guards the calls of fallbacks, too",
    ("breakers in the mesh", "RES010"): "is about the numbers of a breaker",
    ("breakers in the mesh", "TEC006"): "asks which library in the code does it",
    ("a schedule beside", "EVO008"): "names each clock that begins at what goes away",
    ("a schedule beside", "PRF001"): "asks how often the clock strikes",
    ("started by messages", "BND005"): "policies say who may use a queue, too",
    ("started by messages", "BND007"): "asks who owns a queue",
    ("started by messages", "BND017"): "policies select queues, too",
    ("started by messages", "BND018"): "messages feed a copy",
    ("started by messages", "COM010"): "asks for the schema of a queue",
    ("started by messages", "DEP012"): "a message that is worked on must end before the replica",
    ("started by messages", "MOD002"): "nobody sends what the queue gets",
    ("started by messages", "RES007"): "a message that fails comes again",
    ("started by messages", "TEC004"): "consumers have threads of their own",
    ("timeouts in the mesh", "TEC007"): "asks whether the mesh can read what is spoken",
}

ONLY: Mapping[str, tuple[str, ...]] = {
    "through a helper": ("BND", "DAT"),
}
"""A call of a service's own endpoint is a call: it may hold a thread, and needs a timeout. Who asks
whom, and what is changed together, stays the same."""


def cases() -> Iterator[tuple[Rule, str, System]]:
    for rule in RULES.values():
        for example in rule.examples:
            yield rule, example.build.__name__, example.build()
    for block in blocks():
        system = system_of(block.code)
        for name in block.rules:
            if name in RULES:
                yield RULES[name], block.id, system


CASES = list(cases())


def said(rule: Rule, system: System) -> tuple[str, int, list[tuple[str, int]]]:
    """The verdict, in how many places, and which attributes are asked for in how many."""
    outcome = evaluate(rule, Graph(system, today=EXAMPLES_DAY))
    assert not outcome.broken, outcome.broken
    found = sum(len(finding.occurrences) for finding in outcome.findings)
    asked = ((_unnamed(each.missing), len(each.subjects)) for each in outcome.questions)
    says_nothing = outcome.verdict in ("holds", "not applicable")
    return ("holds" if says_nothing else outcome.verdict), found, sorted(asked)


@cache
def said_as_it_is(number: int) -> tuple[str, int, list[tuple[str, int]]]:
    rule, _, system = CASES[number]
    return said(rule, system)


def _unnamed(missing: str) -> str:
    """What is asked for, without the names in it."""
    return re.sub(r"\[.*?\]|\ba-", "", missing)


@pytest.mark.parametrize("spelling", SPELLINGS)
def test_the_same_fact_in_other_words(spelling: str) -> None:
    compared, wrong = 0, []
    for number, (rule, name, system) in enumerate(CASES):
        if (spelling, rule.id) in RIGHTLY or not rule.id.startswith(ONLY.get(spelling, ("",))):
            continue
        other = SPELLINGS[spelling](system)
        if other == system:
            continue
        compared += 1
        if (here := said_as_it_is(number)) != (there := said(rule, other)):
            wrong.append(f"{rule.id} {name}: {here} and, in other words, {there}")
    assert compared > 5
    assert not wrong, "\n".join(wrong)


def test_the_table_names_what_there_is() -> None:
    assert {spelling for spelling, _ in RIGHTLY} | ONLY.keys() <= SPELLINGS.keys()
    assert {rule for _, rule in RIGHTLY} <= RULES.keys()
