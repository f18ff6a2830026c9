"""What every rule of the catalogue owes: documentation, examples, and being right about them."""

from __future__ import annotations

import inspect
from collections import Counter
from pathlib import Path

import pytest

from archcheck.configuration import Settings
from archcheck.findings import (
    CONCERNS,
    DOC_PARTS,
    EXAMPLES_DAY,
    Example,
    Rule,
    RuleOutcome,
    evaluate,
)
from archcheck.plugins import rules
from archcheck.verification import verify

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
    expected = {"bad", "good", "borderline"}
    asks = rule.on_unknown == "undecided" or rule.concerns is not None
    assert kinds == expected | ({"unknown"} if asks else set())


@pytest.mark.parametrize("rule", [r for r in RULES if r.options], ids=lambda rule: rule.id)
def test_every_threshold_says_what_it_means(rule: Rule) -> None:
    for name, default, meaning in rule.thresholds():
        assert meaning, name
        assert default is not None, name


def outcome_of(rule: Rule, example: Example) -> RuleOutcome:
    """What the rule says of the example; a rule that reviews others needs theirs first."""
    if not rule.reviews:
        return evaluate(rule, example.graph())
    done = verify(example.build(), settings=Settings(profile="strict"), today=EXAMPLES_DAY)
    return next(outcome for outcome in done.outcomes if outcome.rule is rule)


def subjects(outcome: RuleOutcome) -> list[str]:
    return sorted(p.subject for finding in outcome.findings for p in finding.occurrences)


@pytest.mark.parametrize(("rule", "example"), EXAMPLES)
def test_a_rule_is_right_about_its_examples(rule: Rule, example: Example) -> None:
    outcome = outcome_of(rule, example)
    assert not outcome.broken
    match example.kind:
        case "bad":
            assert example.expected
            assert subjects(outcome) == sorted(example.expected)
        case "borderline":
            assert subjects(outcome) == sorted(example.expected)
            assert not outcome.questions
        case "good":
            assert outcome.verdict == "holds"
        case "unknown":
            assert sorted(q.missing for q in outcome.questions) == sorted(example.expected)
            assert not outcome.findings


@pytest.mark.parametrize(("rule", "example"), [e for e in EXAMPLES if e.values[1].kind == "bad"])  # type: ignore[union-attr]
def test_a_finding_is_complete(rule: Rule, example: Example) -> None:
    for finding in outcome_of(rule, example).findings:
        for occurrence in finding.occurrences:
            assert occurrence.place is not None
            assert occurrence.message
            assert "\n" not in occurrence.message
            assert occurrence.fix
        assert len(finding.occurrences) == 1 or finding.cause
