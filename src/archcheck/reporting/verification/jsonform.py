"""The result as JSON; ``archcheck export --schema verify`` prints its schema."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any

from archcheck.findings import Finding, Occurrence, OpenQuestion, RuleOutcome
from archcheck.model import Place
from archcheck.verification import Verification
from archcheck.verification.suggesting import Suggestion, suggestions

FORMAT = "archcheck.verify/2"


def json_report(results: Sequence[Verification]) -> str:
    """All systems of a run: a list with an object each."""
    data = [verification_data(result) for result in results]
    return json.dumps(data, indent=2, ensure_ascii=False) + "\n"


def verification_data(result: Verification) -> dict[str, Any]:
    """One system's result as plain data."""
    verdicts = result.verdicts()
    names = ("holds", "violated", "undecided", "not applicable", "broken")
    return {
        "format": FORMAT,
        "system": result.system.name,
        "summary": {
            "errors": result.count("error"),
            "warnings": result.count("warning"),
            "infos": result.count("info"),
            "suppressed": _places(result.suppressed),
            "baselined": _places(result.baselined),
            "rules": {name.replace(" ", "_"): verdicts[name] for name in names},  # type: ignore[index]
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


def schema() -> dict[str, Any]:
    """The JSON Schema of what :func:`json_report` writes."""
    text, count = {"type": "string"}, {"type": "integer", "minimum": 0}
    verdicts = ("broken", "holds", "not_applicable", "undecided", "violated")
    place = {
        "anyOf": [
            {"type": "null"},
            _object(file=text, line={"type": "integer", "minimum": 1}),
        ]
    }
    optional = {"type": ["string", "null"]}
    rule = {"type": "string", "pattern": "^[A-Z]{3}[0-9]{3}$"}
    occurrence = _object(
        element=text,
        place=place,
        message=text,
        evidence=_list(_object(text=text, place=place)),
        fix=text,
        fingerprint={"type": "string", "pattern": "^[0-9a-f]{32}$"},
    )
    finding = _object(
        rule=rule,
        name=text,
        severity={"enum": ["error", "warning", "info"]},
        concern=text,
        message=text,
        places={**_list(occurrence), "minItems": 1},
    )
    system = _object(
        format={"const": FORMAT},
        system=text,
        summary=_object(
            errors=count,
            warnings=count,
            infos=count,
            suppressed=count,
            baselined=count,
            rules=_object(**dict.fromkeys(verdicts, count)),
        ),
        findings=_list(finding),
        undecided=_list(
            _object(
                rule=rule,
                name=text,
                missing=text,
                places=_list(_object(element=text, place=place, threshold=optional)),
            )
        ),
        suggestions=_list(_object(declare=text, rules=_list(rule), places=count)),
        suppressed=_list(finding),
        rules=_list(
            _object(
                id=rule,
                name=text,
                verdict={"enum": [name.replace("_", " ") for name in verdicts]},
                reason=optional,
            )
        ),
    )
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": "The result of archcheck verify",
        **_list(system),
    }
