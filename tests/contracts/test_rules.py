"""What every rule of the catalogue owes: documentation, examples, and being right about them."""

from __future__ import annotations

import inspect
from collections import Counter
from pathlib import Path

import pytest

from archcheck.findings import CONCERNS, DOC_PARTS, Example, Rule, evaluate
from archcheck.graph import Graph
from archcheck.plugins import rules

RULES = rules()
EXAMPLES = [
    pytest.param(rule, example, id=f"{rule.id}-{example.build.__name__}")
    for rule in RULES
    for example in rule.examples
]
FOLDERS = {
    "BND": "boundaries",
    "COM": "communication",
    "RES": "resilience",
    "DAT": "data",
    "DEP": "deployment",
    "OBS": "observability",
    "TEC": "technology",
    "DLV": "delivery",
    "PRF": "performance",
    "EVO": "evolution",
    "MOD": "model",
}


def test_ids_and_names_are_unique() -> None:
    assert max(Counter(rule.id for rule in RULES).values()) == 1
    assert max(Counter(rule.name for rule in RULES).values()) == 1


def test_every_concern_has_rules() -> None:
    counts = Counter(rule.id[:3] for rule in RULES)
    assert {prefix for prefix in CONCERNS if counts[prefix] >= 2} >= set(CONCERNS) - {"MOD"}


@pytest.mark.parametrize("rule", RULES, ids=lambda rule: rule.id)
def test_a_rule_is_documented_and_in_its_place(rule: Rule) -> None:
    path = Path(inspect.getfile(rule.checker))
    assert path.stem == rule.name.replace("-", "_")
    assert path.parent.name == FOLDERS[rule.id[:3]]
    for heading in DOC_PARTS:
        assert f"\n{heading}: " in rule.documentation(), f"{path} lacks '{heading}: '"
    assert rule.summary().endswith(".")


@pytest.mark.parametrize("rule", RULES, ids=lambda rule: rule.id)
def test_a_rule_has_examples_of_each_kind(rule: Rule) -> None:
    kinds = {example.kind for example in rule.examples}
    expected = {"bad", "good"} | ({"unknown"} if rule.on_unknown == "undecided" else set())
    assert kinds == expected


@pytest.mark.parametrize(("rule", "example"), EXAMPLES)
def test_a_rule_is_right_about_its_examples(rule: Rule, example: Example) -> None:
    outcome = evaluate(rule, Graph(example.build()))
    match example.kind:
        case "bad":
            assert sorted(f.subject for f in outcome.findings) == sorted(example.expected)
        case "good":
            assert outcome.verdict == "holds"
        case "unknown":
            assert sorted(q.missing for q in outcome.questions) == sorted(example.expected)
            assert not outcome.findings


@pytest.mark.parametrize(("rule", "example"), [e for e in EXAMPLES if e.values[1].kind == "bad"])  # type: ignore[union-attr]
def test_a_finding_is_complete(rule: Rule, example: Example) -> None:
    for finding in evaluate(rule, Graph(example.build())).findings:
        assert finding.place is not None
        assert finding.message
        assert "\n" not in finding.message
        assert finding.fix
