"""What to declare first: the attributes that keep the most rules from deciding."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass

from archcheck.findings import RuleOutcome
from archcheck.model import Place


@dataclass(frozen=True)
class Suggestion:
    """An attribute that nobody declared."""

    attribute: str
    rules: tuple[str, ...]
    """Ids of the rules that it keeps from deciding."""
    subjects: tuple[tuple[str, Place | None], ...]
    """Where it is missing."""


def suggestions(outcomes: Iterable[RuleOutcome]) -> list[Suggestion]:
    """Missing attributes, first those that would decide the most rules with the fewest places."""
    rules: dict[str, dict[str, None]] = defaultdict(dict)
    subjects: dict[str, dict[tuple[str, Place | None], None]] = defaultdict(dict)
    for outcome in outcomes:
        for question in outcome.questions:
            rules[question.missing].setdefault(question.rule.id)
            for name, place, _ in question.subjects:
                subjects[question.missing].setdefault((name, place))
    found = [
        Suggestion(attribute, tuple(sorted(ids)), tuple(subjects[attribute]))
        for attribute, ids in rules.items()
    ]
    return sorted(found, key=lambda s: (-len(s.rules), len(s.subjects), s.attribute))
