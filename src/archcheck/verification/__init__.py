"""Verification: the chosen rules, put to one system, and what is left after what is accepted.

Rules run first; severities, targets and per-path overrides of the settings apply to what they
say; then come the rules that review the others; then the model's own suppressions and the
baseline take away what has been accepted. Nothing is dropped in silence: what was taken away is
counted and kept.
"""

from __future__ import annotations

import datetime
from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from contextlib import nullcontext
from dataclasses import dataclass, field, replace
from itertools import chain

from archcheck.configuration import RANK, Settings
from archcheck.findings import (
    Finding,
    Occurrence,
    OpenQuestion,
    Rule,
    RuleOutcome,
    Severity,
    Verdict,
    evaluate,
)
from archcheck.graph import Graph
from archcheck.model import System
from archcheck.plugins import rules as installed_rules
from archcheck.proof.budget import DEFAULT_SECONDS, ProofBudget
from archcheck.verification.baseline import Baseline
from archcheck.verification.suppressing import suppressed_by
from archcheck.verification.targeting import Targeting

__all__ = ["Baseline", "Verification", "verify"]


@dataclass(frozen=True)
class Verification:
    """What the rules say of a system.

    ``suppressed`` and ``baselined`` are the findings that the model or the baseline accepts,
    ``settings`` those of the run.
    """

    system: System
    outcomes: tuple[RuleOutcome, ...]
    suppressed: tuple[Finding, ...] = ()
    baselined: tuple[Finding, ...] = ()
    settings: Settings = field(default_factory=Settings, compare=False)

    @property
    def findings(self) -> tuple[Finding, ...]:
        """All findings, by rule."""
        return tuple(finding for outcome in self.outcomes for finding in outcome.findings)

    @property
    def questions(self) -> tuple[OpenQuestion, ...]:
        """All that could not be decided."""
        return tuple(question for outcome in self.outcomes for question in outcome.questions)

    @property
    def broken(self) -> tuple[RuleOutcome, ...]:
        """The rules that raised an error."""
        return tuple(outcome for outcome in self.outcomes if outcome.broken)

    def count(self, severity: Severity) -> int:
        """Findings of one severity."""
        return sum(finding.severity == severity for finding in self.findings)

    def verdicts(self) -> Counter[Verdict]:
        """How many rules gave which verdict."""
        return Counter(outcome.verdict for outcome in self.outcomes)

    def fails(self, fail_on: Severity = "error") -> bool:
        """Whether there is a finding of this severity or a graver one."""
        return any(RANK[finding.severity] >= RANK[fail_on] for finding in self.findings)


def verify(
    system: System,
    rules: Iterable[Rule] | None = None,
    *,
    settings: Settings | None = None,
    baseline: Baseline | None = None,
    today: datetime.date | None = None,
    proof_budget: float = DEFAULT_SECONDS,
    progress: Callable[[float], None] = lambda _: None,
) -> Verification:
    """Put rules to ``system``.

    ``rules`` are the installed ones unless given; ``settings`` choose among them (default: the
    recommended profile); ``today`` is the date of the check, for ends of support and the like;
    ``proof_budget`` is the time in seconds for all rules that prove: what is left is undecided.
    ``progress`` is told which share of the rules is done.
    """
    settings = settings or Settings()
    graph = Graph(system, today=today)
    available = installed_rules() if rules is None else tuple(rules)
    chosen = settings.chosen(available)
    outcomes: dict[str, RuleOutcome] = {}
    budget = ProofBudget(proof_budget)
    for number, rule in enumerate(sorted(chosen, key=lambda rule: rule.rank)):
        progress(number / len(chosen))
        selectors = settings.targets_of(rule)
        targeting = Targeting(graph, selectors) if selectors else None
        with budget.running() if rule.method == "proof" else nullcontext():
            outcome = evaluate(
                rule,
                graph,
                settings.options.get(rule.id),
                wanted=targeting,
                outcomes=tuple(outcomes.values()),
            )
        if targeting is not None and (reason := targeting.missed()):
            outcome = replace(outcome, not_applicable=reason, off_target=True)
        adjusted = (settings.adjusted(finding) for finding in outcome.findings)
        outcomes[rule.id] = replace(outcome, findings=tuple(chain.from_iterable(adjusted)))
    verification = Verification(
        system, tuple(outcomes[rule.id] for rule in chosen), settings=settings
    )
    verification, suppressed = _without(
        verification,
        lambda rule, place: suppressed_by(system, graph.today, rule, place) is not None,
    )
    verification = replace(verification, suppressed=suppressed)
    if baseline is None:
        return verification
    verification, known = _without(
        verification, lambda _, place: place.fingerprint in baseline.fingerprints
    )
    return replace(verification, baselined=known)


def _without(
    verification: Verification, accepted: Callable[[Rule, Occurrence], bool]
) -> tuple[Verification, tuple[Finding, ...]]:
    """The verification without the accepted occurrences, and the findings that they make."""
    taken: list[Finding] = []
    outcomes = []
    for outcome in verification.outcomes:
        kept = tuple(_split(outcome.findings, accepted, taken))
        outcomes.append(replace(outcome, findings=kept))
    return replace(verification, outcomes=tuple(outcomes)), tuple(taken)


def _split(
    findings: Iterable[Finding], accepted: Callable[[Rule, Occurrence], bool], taken: list[Finding]
) -> Iterator[Finding]:
    for finding in findings:
        out = tuple(place for place in finding.occurrences if accepted(finding.rule, place))
        if not out:
            yield finding
            continue
        taken.append(finding.only(out))
        left = tuple(place for place in finding.occurrences if place not in out)
        if left:
            yield finding.only(left)
