"""The result as text: each finding with the lines of the model, as a compiler shows them."""

from __future__ import annotations

import linecache
import re
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence

from rich.cells import cell_len
from rich.console import Console
from rich.text import Text

from archcheck.configuration import RANK
from archcheck.findings import Finding, Occurrence, RuleOutcome, Severity, request_verb
from archcheck.model import Place
from archcheck.reporting.console import counted, printable
from archcheck.verification import Verification
from archcheck.verification.actions import actions
from archcheck.verification.suggesting import Suggestion, suggestions

_COLOURS: dict[Severity, str] = {"error": "bold red", "warning": "bold yellow", "info": "bold cyan"}
_SHOWN_PLACES = 3
"""Further places of a finding. A choice, as the next: a screen should show several findings."""
_SHOWN_QUESTIONS = 8
"""Undeclared attributes; ``-v`` shows all."""
_SHOWN_EVIDENCE = 8
"""Steps of the evidence of a place."""
_READ_IN_FULL = 30
"""Findings that are all shown: as many as a report on a real system should have at most."""
_SHOWN_FINDINGS = 20
"""Of more findings, the gravest, and of each rule at first a few: one rule should not hide others.
"""
_SHOWN_OF_A_RULE = 3
_ACTIONS_FROM = 6
"""Findings from which on the actions that fix most stand before them: fewer are read at once."""
_WIDEST_LINE = 110
"""Columns of a line of the model: what most formatters allow (80 to 100), and a little more."""
_BEFORE_THE_MARK = 20
"""Columns of a longer line that stay before what is marked, to tell where it stands."""


def print_verification(
    console: Console,
    result: Verification,
    *,
    quiet: bool = False,
    verbose: bool = False,
    complete: bool = False,
) -> None:
    """What fixes most, findings, the most severe first, what is undecided, and a summary line.

    On a terminal long lists are cut, and say so; ``complete`` and ``verbose`` show all findings,
    all their places and all that is undecided, ``verbose`` also what each rule says.
    """
    console.print(_headline(result))
    if not quiet:
        _print_findings(console, result.findings, complete=verbose or complete)
        if result.questions:
            _print_questions(console, result, verbose=verbose, complete=complete)
        if verbose:
            _print_rules(console, result.outcomes)
    for outcome in result.broken:
        _print_broken(console, outcome)
    console.print(_summary(result))


def _headline(result: Verification) -> Text:
    system = result.system
    counts = [
        counted(len(part), name)
        for part, name in (
            (system.services, "service"),
            (system.datastores, "datastore"),
            (system.channels, "topic"),
            (system.journeys, "journey"),
        )
        if part
    ]
    name = printable(system.name)
    return Text.assemble((name, "bold"), f": {', '.join(counts) or 'nothing declared'}")


# -- findings -------------------------------------------------------------------------------------


def _print_findings(console: Console, findings: Sequence[Finding], *, complete: bool) -> None:
    ranked = sorted(findings, key=lambda f: (-RANK[f.severity], f.rule.id))
    if len(ranked) >= _ACTIONS_FROM:
        _print_actions(console, ranked)
    shown = ranked if complete else _chosen(ranked)
    for finding in shown:
        # together: of each print, Rich asks anew what its console is and can
        console.print(Text("\n").join(_finding_lines(finding, complete=complete)))
    if len(shown) < len(ranked):
        _print_left_out(console, ranked, shown)


def _chosen(ranked: list[Finding]) -> list[Finding]:
    """The gravest findings, some of each rule before many of one."""
    if len(ranked) <= _READ_IN_FULL:
        return ranked
    of_rule: Counter[tuple[str, str]] = Counter()
    first: list[int] = []
    later: list[int] = []
    for number, finding in enumerate(ranked):
        of_rule[finding.severity, finding.rule.id] += 1
        is_first = of_rule[finding.severity, finding.rule.id] <= _SHOWN_OF_A_RULE
        (first if is_first else later).append(number)
    return [ranked[number] for number in sorted([*first, *later][:_SHOWN_FINDINGS])]


def _print_left_out(console: Console, ranked: Sequence[Finding], shown: Sequence[Finding]) -> None:
    left = Counter((finding.severity, finding.rule.id, finding.rule.name) for finding in ranked)
    left.subtract((finding.severity, finding.rule.id, finding.rule.name) for finding in shown)
    total = counted(left.total(), "more finding")
    console.print(Text(f"\nand {total} (-v shows them, --output FILE writes all):", style="bold"))
    for (severity, identity, name), number in left.items():
        if number:
            console.print(
                Text.assemble(
                    "  ",
                    (f"{severity}[{identity}]", _COLOURS[severity]),
                    f" {name}: {number} more (--select {identity})",
                )
            )


def _print_actions(console: Console, findings: Sequence[Finding]) -> None:
    found = actions(findings)
    if found:
        console.print(Text("\nwhat fixes most", style="bold"))
    for number, action in enumerate(found, 1):
        console.print(
            Text.assemble(
                f"  {number}. ",
                (printable(action.fix), "green"),
                f": {printable(action.effect)}",
            )
        )


def _finding_lines(finding: Finding, *, complete: bool) -> Iterator[Text]:
    yield Text()
    yield Text.assemble(
        (f"{finding.severity}[{finding.rule.id}]", _COLOURS[finding.severity]),
        (f" {finding.rule.name}", "bold"),
        f": {printable(finding.message)}",
    )
    first, *others = finding.occurrences
    yield from _occurrence_lines(first, first.message if others else "", complete=complete)
    shown = others if complete else others[:_SHOWN_PLACES]
    for occurrence in shown:
        place = f"{occurrence.place}: " if occurrence.place else ""
        yield Text.assemble("  also ", (place, "cyan"), printable(occurrence.message))
    if len(shown) < len(others):
        rest = counted(len(others) - len(shown), "more place")
        yield Text(f"  and {rest} (-v shows them)", style="dim")
    if first.fix:
        yield Text.assemble(("  fix: ", "green"), printable(first.fix))


def _occurrence_lines(occurrence: Occurrence, label: str, *, complete: bool) -> Iterator[Text]:
    if occurrence.place is not None:
        yield from _excerpt(occurrence, occurrence.place, label)
    elif occurrence.subject:
        yield Text.assemble(("  --> ", "blue"), printable(occurrence.subject))
    itself = occurrence.subject, occurrence.place
    evidence = [e for e in occurrence.evidence if e.place is None or (e.text, e.place) != itself]
    shown = evidence if complete else evidence[:_SHOWN_EVIDENCE]
    for part in shown:
        yield Text(f"   = {printable(str(part))}", style="dim")
    if len(shown) < len(evidence):
        rest = counted(len(evidence) - len(shown), "more step")
        yield Text(f"   = and {rest} (-v shows them)", style="dim")


def _excerpt(occurrence: Occurrence, place: Place, label: str) -> Iterator[Text]:
    """The place, the line of the model, and carets under what stands there, with a label."""
    yield Text.assemble(("  --> ", "blue"), (printable(str(place)), "cyan"))
    source = linecache.getline(place.file, place.line).rstrip()
    if not source.strip():
        return
    code = printable(source.expandtabs(4))
    code, start, end = _window(code, *_marked(code, occurrence))
    number = f"{place.line:>5}"
    yield Text.assemble((f"{number} | ", "blue"), code)
    left, wide = cell_len(code[:start]), cell_len(code[start:end])
    marks = f"{'^' * wide} {printable(label)}".rstrip()
    yield Text.assemble((f"{' ' * len(number)} | ", "blue"), " " * left, (marks, "bold red"))


def _window(code: str, start: int, end: int) -> tuple[str, int, int]:
    """What of a long line is shown, so that the mark is seen, and the columns of the mark in it."""
    first = max(0, min(start - _BEFORE_THE_MARK, end - _WIDEST_LINE))
    before = "..." if first else ""
    after = "..." if len(code) > first + _WIDEST_LINE else ""
    shift = len(before) - first
    shown = code[first : first + _WIDEST_LINE]
    return before + shown + after, start + shift, min(end, first + len(shown)) + shift


def _marked(code: str, occurrence: Occurrence) -> tuple[int, int]:
    """The columns of the element's constructor, else of the first call, else of the line."""
    name = occurrence.subject.rpartition(" -> ")[2]
    names = "|".join(re.escape(word) for word in (name, name.rpartition(".")[2]))
    constructor = rf"\b{occurrence.kind}\("
    named = re.search(rf"{constructor}[\"'](?:{names})[\"']", code)
    found = re.compile(constructor).search(code, named.start() if named else 0)
    start = found.start() if found else len(code) - len(code.lstrip())
    opening = found.end() if found else code.find("(", start) + 1
    if not opening:
        return start, max(start + 1, len(code.rstrip(" ,[{")))
    depth = 0
    for column, sign in enumerate(code[opening - 1 :], opening - 1):
        depth += (sign in "([{") - (sign in ")]}")
        if depth == 0:
            return start, column + 1
    return start, opening - 1 if found is None else opening


# -- the undecided, the rules, the summary --------------------------------------------------------


def _print_questions(
    console: Console, result: Verification, *, verbose: bool, complete: bool
) -> None:
    console.print()
    console.print(Text("undecided: what the model does not declare", style="bold"))
    if verbose:
        _print_questions_by_rule(console, result)
        return
    found = suggestions(result.outcomes)
    shown = found if complete else found[:_SHOWN_QUESTIONS]
    for suggestion in shown:
        console.print(_question_line(suggestion))
    if len(shown) < len(found):
        rest = counted(len(found) - len(shown), "more attribute")
        console.print(
            Text(f"  and {rest} (-v shows them, --suggest shows where to begin)", style="dim")
        )


def _question_line(suggestion: Suggestion) -> Text:
    rules = ", ".join(suggestion.rules[:6])
    more = f" and {len(suggestion.rules) - 6} more" if len(suggestion.rules) > 6 else ""
    return Text.assemble(
        f"  {request_verb(suggestion.attribute)} ",
        (printable(suggestion.attribute), "magenta"),
        f" in {counted(len(suggestion.subjects), 'place')}: decides {rules}{more}",
    )


def _print_questions_by_rule(console: Console, result: Verification) -> None:
    for question in result.questions:
        lines = [
            Text.assemble(
                "  ",
                (f"{question.rule.id} {question.rule.name}", "magenta"),
                f": {printable(question.request)} ({counted(len(question.subjects), 'place')})",
            )
        ]
        for name, place, threshold in question.subjects:
            where = f"{place}: " if place else ""
            tail = f" ({threshold})" if threshold else ""
            lines.append(Text.assemble("    ", (where, "cyan"), printable(f"{name}{tail}")))
        console.print(Text("\n").join(lines))


def print_suggestions(console: Console, results: Sequence[Verification]) -> None:
    """What to declare first, by how many rules it would help to decide."""
    for result in results:
        found = suggestions(result.outcomes)
        console.print(_headline(result))
        if not found:
            console.print("  every rule is decided")
        for number, suggestion in enumerate(found, 1):
            console.print(Text.assemble(f"{number:>3}.", _question_line(suggestion)))
            for name, place in suggestion.subjects[:_SHOWN_PLACES]:
                where = f"{place}: " if place else ""
                console.print(Text.assemble("       ", (where, "cyan"), printable(name)))
            if len(suggestion.subjects) > _SHOWN_PLACES:
                rest = len(suggestion.subjects) - _SHOWN_PLACES
                console.print(Text(f"       and {rest} more", style="dim"))


def _print_rules(console: Console, outcomes: Iterable[RuleOutcome]) -> None:
    console.print()
    console.print(Text("rules", style="bold"))
    for outcome in outcomes:
        reason = f" ({printable(outcome.not_applicable)})" if outcome.not_applicable else ""
        console.print(Text(f"  {outcome.rule.id} {outcome.rule.name}: {outcome.verdict}{reason}"))


def _print_broken(console: Console, outcome: RuleOutcome) -> None:
    console.print()
    console.print(
        Text.assemble(
            (f"broken rule {outcome.rule.id} {outcome.rule.name}", "bold red"),
            f": {printable(outcome.broken)}",
        )
    )


def _summary(result: Verification) -> Text:
    severities: tuple[Severity, ...] = ("error", "warning", "info")
    counts = ", ".join(counted(result.count(severity), severity) for severity in severities)
    places = {(f.rule.id, each.subject) for f in result.findings for each in f.occurrences}
    if len(places) > len(result.findings):
        counts += f" in {len(places)} places"
    verdicts = result.verdicts()
    rules = (
        f"{verdicts['holds']} hold, {verdicts['violated']} violated, "
        f"{verdicts['undecided']} undecided, {verdicts['not applicable']} not applicable"
    )
    if result.broken:
        rules += f", {verdicts['broken']} broken"
    style = "bold red" if result.count("error") or result.broken else "bold green"
    accepted = "".join(
        f"; {counted(sum(len(f.occurrences) for f in findings), 'place')} {word}"
        for findings, word in (
            (result.suppressed, "suppressed"),
            (result.baselined, "in the baseline"),
        )
        if findings
    )
    return Text.assemble(
        "\n", (counts, style), f"; {counted(len(result.outcomes), 'rule')}: {rules}{accepted}"
    )
