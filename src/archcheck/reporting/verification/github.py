"""GitHub workflow commands: an annotation on the line of each place.

GitHub shows ten errors and ten warnings of a step, so the most severe come first and a finding's
further places after the first place of all others.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from archcheck.configuration import RANK, Settings
from archcheck.findings import Finding, Occurrence, Severity
from archcheck.verification import Verification

_COMMANDS: dict[Severity, str] = {"error": "error", "warning": "warning", "info": "notice"}


def github(results: Sequence[Verification]) -> str:
    """All systems of a run."""
    return "".join(f"{line}\n" for line in _lines(results))


def _lines(results: Sequence[Verification]) -> Iterator[str]:
    ranked = [
        (-RANK[finding.severity], number, finding, occurrence, result.settings)
        for result in results
        for finding in result.findings
        for number, occurrence in enumerate(finding.occurrences)
    ]
    ranked.sort(key=lambda entry: entry[:2])
    for result in results:
        for outcome in result.broken:
            title = f"{outcome.rule.id} {outcome.rule.name} is broken"
            yield f"::error title={_property(title)}::{_data(outcome.broken)}"
    for _, _, finding, occurrence, settings in ranked:
        yield _annotation(finding, occurrence, settings)


def _annotation(finding: Finding, occurrence: Occurrence, settings: Settings) -> str:
    properties = {"title": f"{finding.rule.id} {finding.rule.name}"}
    if occurrence.place is not None:
        properties["file"] = settings.reported_file(occurrence.place)
        properties["line"] = str(occurrence.place.line)
    shown = ",".join(f"{name}={_property(value)}" for name, value in properties.items())
    fix = f"\nfix: {occurrence.fix}" if occurrence.fix else ""
    return f"::{_COMMANDS[finding.severity]} {shown}::{_data(occurrence.message + fix)}"


def _data(text: str) -> str:
    return text.replace("%", "%25").replace("\r", "%0D").replace("\n", "%0A")


def _property(text: str) -> str:
    return _data(text).replace(":", "%3A").replace(",", "%2C")
