"""The catalogue against a hostile review: small models, each with what is right for some rules.

`tests/cases/rules/review.txt` has the models. `open.txt` beside it lists, one identifier a line,
those that the catalogue does not judge as the review does *yet*; `argued.txt` those where it does
not on purpose, with what it says instead, and the page of the rule has the reason. A model that
comes right while it is listed as open fails here, so that the list only shrinks.
"""

from __future__ import annotations

import pytest
from review import CASES, Block, blocks, system_of

from archcheck.findings import EXAMPLES_DAY, evaluate
from archcheck.graph import Graph
from archcheck.plugins import rules

RULES = {rule.id: rule for rule in rules()}
VERDICTS = ("BAD", "GOOD", "UNDECIDED")


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
