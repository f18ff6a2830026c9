"""Markdown, for a comment on a pull request: the counts, a table, the details folded away.

GitHub refuses comments of more than 65,536 characters: what does not fit is counted.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from archcheck.configuration import RANK, Settings
from archcheck.findings import Evidence, Finding, Severity
from archcheck.model import Place
from archcheck.reporting.console import counted
from archcheck.reporting.sheets import Cell, Sheet, Words, markdown_text, sheet_markdown
from archcheck.verification import Verification

_LIMIT = 60_000
"""Characters, with room below GitHub's limit for the last line and for what others add."""
_SIGNS: dict[Severity, str] = {"error": "🔴", "warning": "🟡", "info": "🔵"}


def markdown(results: Sequence[Verification]) -> str:
    """All systems of a run."""
    text = ""
    left_out = 0
    for block in _blocks(results):
        if len(text) + len(block) > _LIMIT:
            left_out += 1
        else:
            text += block
    if left_out:
        text += (
            f"\nand {counted(left_out, 'more part')}; the full report is longer than a comment.\n"
        )
    return text


def _blocks(results: Sequence[Verification]) -> Iterator[str]:
    for result in results:
        yield _head(result)
        findings = sorted(result.findings, key=lambda finding: -RANK[finding.severity])
        if findings:
            head, rules, *rows = sheet_markdown(_sheet(findings, result.settings)).splitlines(
                keepends=True
            )
            yield head + rules
            yield from rows  # one by one: as many as fit into a comment
        for finding in findings:
            yield _details(finding, result.settings)
        if result.questions:
            yield _undecided(result)
        for outcome in result.broken:
            yield f"\n⚠️ the rule {outcome.rule.id} is broken: {markdown_text(outcome.broken)}\n"
        yield "\n"


def _head(result: Verification) -> str:
    severities: tuple[Severity, ...] = ("error", "warning", "info")
    counts = ", ".join(counted(result.count(severity), severity) for severity in severities)
    verdicts = result.verdicts()
    return (
        f"## archcheck: {markdown_text(result.system.name)}\n\n**{counts}**; "
        f"{verdicts['holds']} rules hold, {verdicts['undecided']} are undecided\n\n"
    )


def _sheet(findings: Sequence[Finding], settings: Settings) -> Sheet:
    columns = ("", Words("rule"), Words("finding"), Words("where"))
    return Sheet("", columns, tuple(_row(f, settings) for f in findings))


def _row(finding: Finding, settings: Settings) -> tuple[str | Cell, ...]:
    where = _shown(finding.place, settings) if finding.place else ""
    more = f" and {len(finding.occurrences) - 1} more" if len(finding.occurrences) > 1 else ""
    place = f"{where}{more}" if where else finding.subject
    rule = Cell(f"{finding.rule.id} {finding.rule.name}", is_markdown=True)
    return _SIGNS[finding.severity], rule, finding.message, place


def _details(finding: Finding, settings: Settings) -> str:
    lines = [f"\n<details><summary>{finding.rule.id} {finding.rule.name}</summary>\n"]
    for occurrence in finding.occurrences:
        where = _shown(occurrence.place, settings) if occurrence.place else ""
        place = f"{markdown_text(where)}: " if where else ""
        lines.append(f"- {place}{markdown_text(occurrence.message)}")
        lines += [f"  - {markdown_text(_step(part, settings))}" for part in occurrence.evidence]
    fixes = dict.fromkeys(place.fix for place in finding.occurrences if place.fix)
    lines += [f"\nfix: {markdown_text(fix)}" for fix in list(fixes)[:3]]
    return "\n".join([*lines, "\n</details>\n"])


def _step(part: Evidence, settings: Settings) -> str:
    return f"{part.text} ({_shown(part.place, settings)})" if part.place else part.text


def _shown(place: Place, settings: Settings) -> str:
    return f"{settings.reported_file(place)}:{place.line}"


def _undecided(result: Verification) -> str:
    lines = ["\n<details><summary>undecided: what the model does not declare</summary>\n"]
    lines += [
        f"- {question.rule.id} {question.rule.name}: {markdown_text(question.request)} "
        f"({counted(len(question.subjects), 'place')})"
        for question in result.questions
    ]
    return "\n".join([*lines, "\n</details>\n"])
