"""Findings and open questions: what the results of a rule become, with their places."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Literal

from archcheck.model import Place

if TYPE_CHECKING:
    from archcheck.findings.rule import Rule

Severity = Literal["error", "warning", "info"]
Verdict = Literal["holds", "violated", "undecided", "not applicable", "broken"]


@dataclass(frozen=True, slots=True)
class Evidence:
    """A step of the path, the cycle or the sum, and its line where it has one."""

    text: str
    place: Place | None = None

    def __str__(self) -> str:
        return f"{self.text} ({self.place})" if self.place else self.text


@dataclass(frozen=True, slots=True)
class Occurrence:
    """One place at which a rule is violated.

    ``fingerprint`` names it across revisions: it is made from the rule, the system, the subject,
    the elements of the evidence and the cause, never from lines or numbers. ``kind`` is the class
    of the element, as the model writes it.
    """

    subject: str
    kind: str
    place: Place | None
    message: str
    evidence: tuple[Evidence, ...]
    fix: str
    fingerprint: str


@dataclass(frozen=True)
class Finding:
    """A violation, complete: what, where (one place or many with the same cause), and the mend."""

    rule: Rule
    severity: Severity
    cause: str
    occurrences: tuple[Occurrence, ...]

    @property
    def message(self) -> str:
        """One sentence; of many places, how many there are and what is wrong with all of them."""
        if len(self.occurrences) == 1:
            return self.occurrences[0].message
        return f"{self.cause}, in {len(self.occurrences)} places"

    @property
    def subject(self) -> str:
        """The first subject."""
        return self.occurrences[0].subject

    @property
    def place(self) -> Place | None:
        """The first place."""
        return self.occurrences[0].place

    def only(self, kept: tuple[Occurrence, ...]) -> Finding:
        """The same finding with fewer places."""
        return replace(self, occurrences=kept)


@dataclass(frozen=True)
class OpenQuestion:
    """What a rule could not decide: the same missing attribute is one entry with its places."""

    rule: Rule
    missing: str
    subjects: tuple[tuple[str, Place | None, str], ...]
    """Name of the subject, where it is declared, and the threshold that would decide."""

    @property
    def request(self) -> str:
        """``declare read`` or ``needs a load that reaches it``."""
        return f"{request_verb(self.missing)} {self.missing}"


def request_verb(missing: str) -> str:
    """``declare`` for attributes, ``needs`` for what is no attribute of a model."""
    return "needs" if any(" " in part for part in missing.split(", ")) else "declare"


@dataclass(frozen=True)
class RuleOutcome:
    """What one rule says of one system.

    ``broken`` is the error of a rule that raised; ``off_target``: it does not apply, since the
    targets of the settings leave it nothing to judge.
    """

    rule: Rule
    findings: tuple[Finding, ...]
    questions: tuple[OpenQuestion, ...] = ()
    not_applicable: str = ""
    broken: str = ""
    off_target: bool = False

    @property
    def verdict(self) -> Verdict:
        """Broken before violated before undecided before not applicable before holds."""
        if self.broken:
            return "broken"
        if self.findings:
            return "violated"
        if self.questions:
            return "undecided"
        return "not applicable" if self.not_applicable else "holds"


def subjects_violating(outcomes: Iterable[RuleOutcome], *rules: str) -> frozenset[str]:
    """What these rules find wrong: the names of the subjects."""
    said = [outcome for outcome in outcomes if outcome.rule.id in rules]
    return frozenset(
        place.subject for one in said for each in one.findings for place in each.occurrences
    )


def subjects_said(outcomes: Iterable[RuleOutcome], *rules: str) -> frozenset[str]:
    """What these rules find wrong or ask about: the names of the subjects."""
    said = [outcome for outcome in outcomes if outcome.rule.id in rules]
    asked = {name for one in said for each in one.questions for name, _, _ in each.subjects}
    return subjects_violating(said, *rules) | asked


def steps_said(outcomes: Iterable[RuleOutcome], *rules: str) -> tuple[frozenset[str], ...]:
    """For each place at which these rules find something wrong, its subject and its evidence."""
    return tuple(
        frozenset({place.subject, *(part.text for part in place.evidence)})
        for outcome in outcomes
        if outcome.rule.id in rules
        for finding in outcome.findings
        for place in finding.occurrences
    )
