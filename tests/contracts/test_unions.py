"""A rule says the same of a system when another one, which it has nothing to do with, is beside it.

Each example that finds or asks something is put beside one that obeys the rule, before it and
behind it: a check that stops early, or mixes up what belongs together, says something else.
"""

from __future__ import annotations

import pytest
from unions import WHOLE, unions

from archcheck.findings import EXAMPLES_DAY, Example, Rule, evaluate
from archcheck.graph import Graph
from archcheck.model import System
from archcheck.plugins import rules

CASES = [
    pytest.param(rule, example, id=f"{rule.id}-{example.build.__name__}")
    for rule in rules()
    for example in rule.examples
    if rule.id not in WHOLE and example.kind != "good"
]


def said(rule: Rule, system: System) -> tuple[list[object], list[object]]:
    outcome = evaluate(rule, Graph(system, today=EXAMPLES_DAY))
    assert not outcome.broken
    return (
        sorted(
            (p.subject, p.message, p.fix, tuple(part.text for part in p.evidence))
            for finding in outcome.findings
            for p in finding.occurrences
        ),
        sorted(
            (question.missing, name)
            for question in outcome.questions
            for name, _, _ in question.subjects
        ),
    )


@pytest.mark.parametrize(("rule", "example"), CASES)
def test_a_system_beside_it_changes_nothing(rule: Rule, example: Example) -> None:
    expected = said(rule, example.build())
    for union in unions(rule, example):
        assert said(rule, union) == expected
