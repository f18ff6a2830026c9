"""The result as JSON; ``archcheck export --schema verify`` prints its schema."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any

from archcheck.findings import Finding, Occurrence, OpenQuestion, RuleOutcome, Verdict
from archcheck.model import Place
from archcheck.verification import Verification
from archcheck.verification.suggesting import Suggestion, suggestions

FORMAT = "archcheck.verify/2"
_VERDICTS: tuple[Verdict, ...] = ("holds", "violated", "undecided", "not applicable", "broken")


def json_report(results: Sequence[Verification]) -> str:
    """All systems of a run: a list with an object each."""
    data = [verification_data(result) for result in results]
    return json.dumps(data, indent=2, ensure_ascii=False) + "\n"


def verification_data(result: Verification) -> dict[str, Any]:
    """One system's result as plain data."""
    verdicts = result.verdicts()
    return {
        "format": FORMAT,
        "system": result.system.name,
        "summary": {
            "errors": result.count("error"),
            "warnings": result.count("warning"),
            "infos": result.count("info"),
            "suppressed": _places(result.suppressed),
            "baselined": _places(result.baselined),
            "rules": {name.replace(" ", "_"): verdicts[name] for name in _VERDICTS},
        },
        "findings": [_finding(finding) for finding in result.findings],
        "undecided": [_question(question) for question in result.questions],
        "suggestions": [_suggestion(s) for s in suggestions(result.outcomes)],
        "suppressed": [_finding(finding) for finding in result.suppressed],
        "rules": [_rule(outcome) for outcome in result.outcomes],
    }


def _places(findings: Sequence[Finding]) -> int:
    return sum(len(finding.occurrences) for finding in findings)


def _finding(finding: Finding) -> dict[str, Any]:
    return {
        "rule": finding.rule.id,
        "name": finding.rule.name,
        "severity": finding.severity,
        "concern": finding.rule.concern,
        "message": finding.message,
        "places": [_occurrence(occurrence) for occurrence in finding.occurrences],
    }


def _occurrence(occurrence: Occurrence) -> dict[str, Any]:
    return {
        "element": occurrence.subject,
        "place": _place(occurrence.place),
        "message": occurrence.message,
        "evidence": [
            {"text": part.text, "place": _place(part.place)} for part in occurrence.evidence
        ],
        "fix": occurrence.fix,
        "fingerprint": occurrence.fingerprint,
    }


def _question(question: OpenQuestion) -> dict[str, Any]:
    return {
        "rule": question.rule.id,
        "name": question.rule.name,
        "missing": question.missing,
        "places": [
            {"element": name, "place": _place(place), "threshold": threshold or None}
            for name, place, threshold in question.subjects
        ],
    }


def _suggestion(suggestion: Suggestion) -> dict[str, Any]:
    return {
        "declare": suggestion.attribute,
        "rules": list(suggestion.rules),
        "places": len(suggestion.subjects),
    }


def _rule(outcome: RuleOutcome) -> dict[str, Any]:
    return {
        "id": outcome.rule.id,
        "name": outcome.rule.name,
        "verdict": outcome.verdict,
        "reason": outcome.broken or outcome.not_applicable or None,
    }


def _place(place: Place | None) -> dict[str, Any] | None:
    return {"file": place.shown_file(), "line": place.line} if place else None


def _object(**properties: Any) -> dict[str, Any]:
    return {
        "type": "object",
        "properties": properties,
        "required": sorted(properties),
        "additionalProperties": False,
    }


def _list(of: dict[str, Any]) -> dict[str, Any]:
    return {"type": "array", "items": of}


_TEXT: dict[str, Any] = {"type": "string"}
_COUNT: dict[str, Any] = {"type": "integer", "minimum": 0}
_OPTIONAL: dict[str, Any] = {"type": ["string", "null"]}
_RULE: dict[str, Any] = {"type": "string", "pattern": "^[A-Z]{3}[0-9]{3}$"}
_PLACE: dict[str, Any] = {
    "anyOf": [{"type": "null"}, _object(file=_TEXT, line={"type": "integer", "minimum": 1})]
}


def _finding_schema() -> dict[str, Any]:
    occurrence = _object(
        element=_TEXT,
        place=_PLACE,
        message=_TEXT,
        evidence=_list(_object(text=_TEXT, place=_PLACE)),
        fix=_TEXT,
        fingerprint={"type": "string", "pattern": "^[0-9a-f]{32}$"},
    )
    return _object(
        rule=_RULE,
        name=_TEXT,
        severity={"enum": ["error", "warning", "info"]},
        concern=_TEXT,
        message=_TEXT,
        places={**_list(occurrence), "minItems": 1},
    )


def _question_schema() -> dict[str, Any]:
    place = _object(element=_TEXT, place=_PLACE, threshold=_OPTIONAL)
    return _object(rule=_RULE, name=_TEXT, missing=_TEXT, places=_list(place))


def _summary_schema() -> dict[str, Any]:
    counts = ("errors", "warnings", "infos", "suppressed", "baselined")
    verdicts = _object(**{name.replace(" ", "_"): _COUNT for name in _VERDICTS})
    return _object(**dict.fromkeys(counts, _COUNT), rules=verdicts)


def schema() -> dict[str, Any]:
    """The JSON Schema of what :func:`json_report` writes."""
    rule = _object(id=_RULE, name=_TEXT, verdict={"enum": [*_VERDICTS]}, reason=_OPTIONAL)
    system = _object(
        format={"const": FORMAT},
        system=_TEXT,
        summary=_summary_schema(),
        findings=_list(_finding_schema()),
        undecided=_list(_question_schema()),
        suggestions=_list(_object(declare=_TEXT, rules=_list(_RULE), places=_COUNT)),
        suppressed=_list(_finding_schema()),
        rules=_list(rule),
    )
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": "The result of archcheck verify",
        **_list(system),
    }
