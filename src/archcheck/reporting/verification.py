"""The result of a verification as text and as JSON."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from typing import Any

from rich.console import Console
from rich.text import Text

from archcheck.findings import Finding, OpenQuestion, RuleOutcome, Severity
from archcheck.model import Place
from archcheck.verification import RANK, Verification

_COLOURS = {"error": "bold red", "warning": "yellow", "info": "cyan"}
_SHOWN_PLACES = 3


def print_verification(
    console: Console, result: Verification, *, quiet: bool = False, verbose: bool = False
) -> None:
    """Findings grouped by element, then what is undecided, then a summary line."""
    console.print(_headline(result))
    if not quiet:
        for element, findings in _by_element(result.findings):
            _print_element(console, element, findings)
        if result.questions:
            _print_questions(console, result.questions, verbose=verbose)
        if verbose:
            _print_rules(console, result.outcomes)
    console.print(_summary(result))


def _headline(result: Verification) -> Text:
    system = result.system
    counts = [
        f"{len(part)} {name if len(part) != 1 else name[:-1]}"
        for part, name in (
            (system.services, "services"),
            (system.datastores, "datastores"),
            (system.channels, "topics"),
            (system.journeys, "journeys"),
        )
        if part
    ]
    return Text.assemble((system.name, "bold"), f": {', '.join(counts) or 'nothing declared'}")


def _by_element(findings: Iterable[Finding]) -> list[tuple[str, list[Finding]]]:
    """By the element that the subject belongs to, the worst element first."""
    groups: dict[str, list[Finding]] = defaultdict(list)
    for finding in findings:
        groups[_element(finding.subject)].append(finding)

    def gravity(group: tuple[str, list[Finding]]) -> tuple[int, int, str]:
        name, found = group
        return -max(RANK[f.severity] for f in found), -len(found), name

    return sorted(groups.items(), key=gravity)


def _element(subject: str) -> str:
    return subject.partition(" -> ")[0].partition(".")[0]


def _print_element(console: Console, element: str, findings: list[Finding]) -> None:
    console.print()
    console.print(Text(element, style="bold underline"))
    by_rule: dict[str, list[Finding]] = defaultdict(list)
    for finding in findings:
        by_rule[finding.rule.id].append(finding)
    for found in sorted(by_rule.values(), key=lambda f: (-RANK[f[0].severity], f[0].rule.id)):
        rule, severity = found[0].rule, found[0].severity
        times = f" ({len(found)} times)" if len(found) > 1 else ""
        console.print(
            Text.assemble("  ", (severity, _COLOURS[severity]), f" {rule.id} {rule.name}{times}")
        )
        for finding in found:
            _print_finding(console, finding, with_fix=finding is found[-1] or _differ(found))


def _differ(found: list[Finding]) -> bool:
    return len({finding.fix for finding in found}) > 1


def _print_finding(console: Console, finding: Finding, *, with_fix: bool) -> None:
    place = f"{finding.place}: " if finding.place else ""
    console.print(Text.assemble("    ", (place, "cyan"), finding.message))
    shown = f"{finding.subject} ({finding.place})"
    for line in finding.evidence:
        if line != shown:
            console.print(Text(f"        {line}", style="dim"))
    if with_fix and finding.fix:
        console.print(Text.assemble(("      fix: ", "green"), finding.fix))


def _print_questions(console: Console, questions: Iterable[OpenQuestion], *, verbose: bool) -> None:
    console.print()
    console.print(Text("undecided: what the model does not declare", style="bold underline"))
    for question in questions:
        subjects = question.subjects
        places = f"{len(subjects)} places" if len(subjects) > 1 else "1 place"
        console.print(
            Text.assemble(
                "  ",
                (f"{question.rule.id} {question.rule.name}", "magenta"),
                f": declare {question.missing} ({places})",
            )
        )
        shown = subjects if verbose else subjects[:_SHOWN_PLACES]
        for name, place, threshold in shown:
            where = f"{place}: " if place else ""
            tail = f" ({threshold})" if threshold else ""
            console.print(Text.assemble("    ", (where, "cyan"), f"{name}{tail}"))
        if len(shown) < len(subjects):
            console.print(Text(f"    and {len(subjects) - len(shown)} more (-v)", style="dim"))


def _print_rules(console: Console, outcomes: Iterable[RuleOutcome]) -> None:
    console.print()
    console.print(Text("rules", style="bold underline"))
    for outcome in outcomes:
        reason = f" ({outcome.not_applicable})" if outcome.not_applicable else ""
        console.print(f"  {outcome.rule.id} {outcome.rule.name}: {outcome.verdict}{reason}")


def _summary(result: Verification) -> Text:
    severities: tuple[Severity, ...] = ("error", "warning", "info")
    counts = ", ".join(_plural(result.count(severity), severity) for severity in severities)
    verdicts = result.verdicts()
    rules = (
        f"{verdicts['holds']} hold, {verdicts['violated']} violated, "
        f"{verdicts['undecided']} undecided, {verdicts['not applicable']} not applicable"
    )
    style = "bold red" if result.count("error") else "bold green"
    return Text.assemble("\n", (f"{counts}", style), f"; {len(result.outcomes)} rules: {rules}")


def _plural(number: int, word: str) -> str:
    return f"{number} {word}" if number == 1 else f"{number} {word}s"


# -- JSON -----------------------------------------------------------------------------------------


def verification_data(result: Verification) -> dict[str, Any]:
    """The result as plain data for ``--format json``."""
    return {
        "format": "archcheck.verify/1",
        "system": result.system.name,
        "summary": {
            "errors": result.count("error"),
            "warnings": result.count("warning"),
            "infos": result.count("info"),
            "rules": {name.replace(" ", "_"): n for name, n in sorted(result.verdicts().items())},
        },
        "findings": [_finding_data(finding) for finding in result.findings],
        "undecided": [_question_data(question) for question in result.questions],
        "rules": [
            {
                "id": outcome.rule.id,
                "name": outcome.rule.name,
                "verdict": outcome.verdict,
                "reason": outcome.not_applicable or None,
            }
            for outcome in result.outcomes
        ],
    }


def _finding_data(finding: Finding) -> dict[str, Any]:
    return {
        "rule": finding.rule.id,
        "name": finding.rule.name,
        "severity": finding.severity,
        "concern": finding.rule.concern,
        "element": finding.subject,
        "place": _place_data(finding.place),
        "message": finding.message,
        "evidence": list(finding.evidence),
        "fix": finding.fix,
    }


def _question_data(question: OpenQuestion) -> dict[str, Any]:
    return {
        "rule": question.rule.id,
        "name": question.rule.name,
        "missing": question.missing,
        "places": [
            {"element": name, "place": _place_data(place), "threshold": threshold or None}
            for name, place, threshold in question.subjects
        ],
    }


def _place_data(place: Place | None) -> dict[str, Any] | None:
    return {"file": place.shown_file(), "line": place.line} if place else None
