"""The result as JSON; ``archcheck schema verify`` prints its schema."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Annotated, Any, Literal

from pydantic import Field

from archcheck.findings import Finding, Occurrence, OpenQuestion, RuleOutcome, Severity, Verdict
from archcheck.model import Place
from archcheck.reporting.forms import Count, plain
from archcheck.verification import Verification
from archcheck.verification.suggesting import Suggestion, suggestions

_VERDICTS: tuple[Verdict, ...] = ("holds", "violated", "undecided", "not applicable", "broken")

RuleId = Annotated[str, Field(pattern="^[A-Z]{3}[0-9]{3}$")]


@dataclass(frozen=True)
class EvidenceForm:
    """A part of the path, the cycle or the sum that shows a finding."""

    text: str
    """The part in words."""
    place: Place | None
    """Where it is declared; null: nowhere."""


@dataclass(frozen=True)
class OccurrenceForm:
    """One place of a finding."""

    element: str
    """The element, endpoint or call at fault."""
    place: Place | None
    """Where it is declared; null where the model has no lines."""
    message: str
    """What is wrong, in a sentence with the numbers."""
    evidence: tuple[EvidenceForm, ...]
    """What shows it, in its order."""
    fix: str
    """What could be written into the model; empty: nothing in particular."""
    fingerprint: Annotated[str, Field(pattern="^[0-9a-f]{32}$")]
    """Names this place in a baseline, whatever its line."""


@dataclass(frozen=True)
class FindingForm:
    """What a rule found: one cause, at one or several places."""

    rule: RuleId
    """The id of the rule."""
    name: str
    """The name of the rule."""
    severity: Severity
    """How grave it is, under this configuration."""
    concern: str
    """The group of the rule, such as resilience."""
    message: str
    """What is wrong, in a sentence."""
    places: Annotated[tuple[OccurrenceForm, ...], Field(min_length=1)]
    """Where."""


@dataclass(frozen=True)
class MissingForm:
    """A place at which an attribute is missing."""

    element: str
    """What lacks it."""
    place: Place | None
    """Where that is declared; null where the model has no lines."""
    threshold: str | None
    """The value from which on the rule would find something; null where there is none."""


@dataclass(frozen=True)
class OpenQuestionForm:
    """What a rule needs to know to decide."""

    rule: RuleId
    """The id of the rule."""
    name: str
    """The name of the rule."""
    missing: str
    """The attribute that nobody declared."""
    places: tuple[MissingForm, ...]
    """Where it is missing."""


@dataclass(frozen=True)
class SuggestionForm:
    """An attribute to declare."""

    declare: str
    """The attribute."""
    rules: tuple[RuleId, ...]
    """The rules that it keeps from deciding."""
    places: Count
    """At how many places it is missing."""


@dataclass(frozen=True)
class OutcomeForm:
    """What became of a rule."""

    id: RuleId
    """Its id."""
    name: str
    """Its name."""
    verdict: Verdict
    """Whether it holds."""
    reason: str | None
    """Why it is broken or not applicable; null for the other verdicts."""


@dataclass(frozen=True)
class VerdictsForm:
    """Rules by verdict."""

    holds: Count
    """Rules that hold."""
    violated: Count
    """Rules with findings."""
    undecided: Count
    """Rules that need to know more."""
    not_applicable: Count
    """Rules with nothing to judge."""
    broken: Count
    """Rules that raised an error."""


@dataclass(frozen=True)
class SummaryForm:
    """Findings and rules, counted."""

    errors: Count
    """Places of findings with the severity error."""
    warnings: Count
    """Places of findings with the severity warning."""
    infos: Count
    """Places of findings with the severity info."""
    suppressed: Count
    """Places that a suppression in the model accepts."""
    baselined: Count
    """Places that the baseline accepts."""
    rules: VerdictsForm
    """The rules by verdict."""


@dataclass(frozen=True, kw_only=True)
class VerificationForm:
    """The result of archcheck verify for a system."""

    format: Literal["archcheck.verify/2"] = "archcheck.verify/2"
    """The name and version of this form."""
    system: str
    """The name of the system."""
    summary: SummaryForm
    """Findings and rules, counted."""
    findings: tuple[FindingForm, ...]
    """What is wrong and nobody has accepted, the gravest first."""
    undecided: tuple[OpenQuestionForm, ...]
    """What rules need to know to decide."""
    suggestions: tuple[SuggestionForm, ...]
    """What to declare first, by the number of rules that it would decide."""
    suppressed: tuple[FindingForm, ...]
    """Findings that a suppression in the model accepts."""
    rules: tuple[OutcomeForm, ...]
    """Each rule that ran, and its verdict."""


def json_report(results: Sequence[Verification]) -> str:
    """All systems of a run: a list with an object each."""
    data = [verification_data(result) for result in results]
    return json.dumps(data, indent=2, ensure_ascii=False) + "\n"


def verification_data(result: Verification) -> dict[str, Any]:
    """One system's result as plain data."""
    form = VerificationForm(
        system=result.system.name,
        summary=_summary(result),
        findings=tuple(map(_finding, result.findings)),
        undecided=tuple(map(_question, result.questions)),
        suggestions=tuple(map(_suggestion, suggestions(result.outcomes))),
        suppressed=tuple(map(_finding, result.suppressed)),
        rules=tuple(map(_rule, result.outcomes)),
    )
    data: dict[str, Any] = plain(form)
    return data


def _summary(result: Verification) -> SummaryForm:
    verdicts = result.verdicts()
    return SummaryForm(
        result.count("error"),
        result.count("warning"),
        result.count("info"),
        _places(result.suppressed),
        _places(result.baselined),
        VerdictsForm(*(verdicts[name] for name in _VERDICTS)),
    )


def _places(findings: Sequence[Finding]) -> int:
    return sum(len(finding.occurrences) for finding in findings)


def _finding(finding: Finding) -> FindingForm:
    rule = finding.rule
    places = tuple(map(_occurrence, finding.occurrences))
    return FindingForm(rule.id, rule.name, finding.severity, rule.concern, finding.message, places)


def _occurrence(occurrence: Occurrence) -> OccurrenceForm:
    return OccurrenceForm(
        occurrence.subject,
        occurrence.place,
        occurrence.message,
        tuple(EvidenceForm(part.text, part.place) for part in occurrence.evidence),
        occurrence.fix,
        occurrence.fingerprint,
    )


def _question(question: OpenQuestion) -> OpenQuestionForm:
    places = (
        MissingForm(name, place, threshold or None) for name, place, threshold in question.subjects
    )
    return OpenQuestionForm(question.rule.id, question.rule.name, question.missing, tuple(places))


def _suggestion(suggestion: Suggestion) -> SuggestionForm:
    return SuggestionForm(suggestion.attribute, suggestion.rules, len(suggestion.subjects))


def _rule(outcome: RuleOutcome) -> OutcomeForm:
    reason = outcome.broken or outcome.not_applicable or None
    return OutcomeForm(outcome.rule.id, outcome.rule.name, outcome.verdict, reason)
