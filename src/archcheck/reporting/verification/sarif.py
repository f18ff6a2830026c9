"""SARIF 2.1.0, for code scanning: a result for each place, with the page of its rule.

The path behind a finding is in ``relatedLocations``; suppressed and baselined places,
marked as such, and what could not be decided, of kind ``open``, are there on request.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any
from urllib.parse import quote

from archcheck.configuration import Settings
from archcheck.findings import Finding, Occurrence, OpenQuestion, Rule, RuleOutcome, Severity
from archcheck.model import Place
from archcheck.verification import Verification
from archcheck.version import __version__

_LEVELS: dict[Severity, str] = {"error": "error", "warning": "warning", "info": "note"}


def sarif(results: Sequence[Verification], *, everything: bool = False) -> str:
    """One run with the results of all systems.

    ``everything``: also what is accepted or undecided. GitHub makes an alert of each result,
    whatever its ``suppressions``, ``baselineState`` and ``kind``; so these are left out otherwise.
    """
    outcomes = [outcome for result in results for outcome in result.outcomes]
    rules = {outcome.rule.id: outcome.rule for outcome in outcomes}
    numbers = {identity: number for number, identity in enumerate(rules)}
    found = [entry for result in results for entry in _results(result, everything)]
    for entry in found:
        entry["ruleIndex"] = numbers[entry["ruleId"]]
    log = {
        "$schema": "https://json.schemastore.org/sarif-2.1.0.json",
        "version": "2.1.0",
        "runs": [
            {
                "tool": {
                    "driver": {
                        "name": "archcheck",
                        "semanticVersion": __version__,
                        "rules": [_rule(rule) for rule in rules.values()],
                    }
                },
                "columnKind": "unicodeCodePoints",
                "invocations": [_invocation(outcomes)],
                "results": found,
            }
        ],
    }
    return json.dumps(log, indent=2, ensure_ascii=False) + "\n"


def _rule(rule: Rule) -> dict[str, Any]:
    return {
        "id": rule.id,
        "name": rule.name,
        "shortDescription": {"text": rule.summary()},
        "fullDescription": {"text": rule.documentation()},
        "help": {"text": rule.documentation(), "markdown": rule.documentation()},
        "defaultConfiguration": {"level": _LEVELS[rule.severity]},
        "properties": {
            "tags": ["architecture", rule.concern],
            "problem.severity": "recommendation" if rule.severity == "info" else rule.severity,
            "precision": "high" if rule.method in ("attr", "graph", "proof") else "medium",
        },
    }


def _invocation(outcomes: Sequence[RuleOutcome]) -> dict[str, Any]:
    broken = [outcome for outcome in outcomes if outcome.broken]
    return {
        "executionSuccessful": not broken,
        "toolExecutionNotifications": [
            {
                "level": "error",
                "message": {"text": f"the rule {o.rule.id} {o.rule.name} is broken: {o.broken}"},
                "associatedRule": {"id": o.rule.id},
            }
            for o in broken
        ],
    }


def _results(result: Verification, everything: bool) -> Iterator[dict[str, Any]]:
    settings = result.settings
    for finding in result.findings:
        yield from _of_finding(finding, settings, {})
    if not everything:
        return
    for finding in result.suppressed:
        yield from _of_finding(finding, settings, {"suppressions": [{"kind": "inSource"}]})
    for finding in result.baselined:
        more = {"suppressions": [{"kind": "external"}], "baselineState": "unchanged"}
        yield from _of_finding(finding, settings, more)
    for question in result.questions:
        yield _open(question, settings)


def _of_finding(
    finding: Finding, settings: Settings, more: dict[str, Any]
) -> Iterator[dict[str, Any]]:
    for occurrence in finding.occurrences:
        yield {
            "ruleId": finding.rule.id,
            "level": _LEVELS[finding.severity],
            "message": {"text": _message(occurrence)},
            **_located(occurrence.place, occurrence.subject, settings),
            "partialFingerprints": {"archcheck/v1": occurrence.fingerprint},
            **_related(occurrence, settings),
            **more,
        }


def _message(occurrence: Occurrence) -> str:
    lines = [occurrence.message]
    lines += [f"- {part}" for part in occurrence.evidence]
    if occurrence.fix:
        lines.append(f"Fix: {occurrence.fix}")
    return "\n".join(lines)


def _open(question: OpenQuestion, settings: Settings) -> dict[str, Any]:
    names = ", ".join(name for name, _, _ in question.subjects[:5])
    rest = f" and {len(question.subjects) - 5} more" if len(question.subjects) > 5 else ""
    first, place, _ = question.subjects[0]
    return {
        "ruleId": question.rule.id,
        "kind": "open",
        "level": "none",
        "message": {
            "text": f"{question.rule.name} is undecided: {question.request} ({names}{rest})"
        },
        **_located(place, first, settings),
    }


def _located(place: Place | None, name: str, settings: Settings) -> dict[str, Any]:
    location: dict[str, Any] = {"logicalLocations": [{"fullyQualifiedName": name}]}
    if place is not None:
        location["physicalLocation"] = _physical(place, settings)
    return {"locations": [location]}


def _related(occurrence: Occurrence, settings: Settings) -> dict[str, Any]:
    related = [
        {
            "id": number,
            "message": {"text": part.text},
            "physicalLocation": _physical(part.place, settings),
        }
        for number, part in enumerate(occurrence.evidence)
        if part.place is not None
    ]
    return {"relatedLocations": related} if related else {}


def _physical(place: Place, settings: Settings) -> dict[str, Any]:
    shown = settings.reported_file(place)
    if Path(shown).is_absolute():
        artifact = {"uri": Path(shown).as_uri()}
    else:
        artifact = {"uri": quote(shown), "uriBaseId": "%SRCROOT%"}
    return {"artifactLocation": artifact, "region": {"startLine": place.line}}
