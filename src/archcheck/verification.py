"""Verification: every installed rule, put to one system."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass

from archcheck.findings import Finding, OpenQuestion, Rule, RuleOutcome, Severity, Verdict, evaluate
from archcheck.graph import Graph
from archcheck.model import System
from archcheck.plugins import rules as installed_rules

RANK: dict[Severity, int] = {"error": 2, "warning": 1, "info": 0}
"""Severities in order."""


@dataclass(frozen=True)
class Verification:
    """What all rules say of a system."""

    system: System
    outcomes: tuple[RuleOutcome, ...]

    @property
    def findings(self) -> tuple[Finding, ...]:
        """All findings, by rule."""
        return tuple(finding for outcome in self.outcomes for finding in outcome.findings)

    @property
    def questions(self) -> tuple[OpenQuestion, ...]:
        """All that could not be decided."""
        return tuple(question for outcome in self.outcomes for question in outcome.questions)

    def count(self, severity: Severity) -> int:
        """Findings of one severity."""
        return sum(finding.severity == severity for finding in self.findings)

    def verdicts(self) -> Counter[Verdict]:
        """How many rules gave which verdict."""
        return Counter(outcome.verdict for outcome in self.outcomes)

    def fails(self, fail_on: Severity = "error") -> bool:
        """Whether there is a finding of this severity or a graver one."""
        return any(RANK[finding.severity] >= RANK[fail_on] for finding in self.findings)


def verify(system: System, rules: Iterable[Rule] | None = None) -> Verification:
    """Put ``rules`` (default: all that are installed) to ``system``."""
    graph = Graph(system)
    chosen = installed_rules() if rules is None else rules
    return Verification(system, tuple(evaluate(rule, graph) for rule in chosen))
