"""Rules for their readers: the page of one, and the table of all."""

from __future__ import annotations

import inspect
import re
import textwrap
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import groupby
from typing import Any

from rich.console import Console
from rich.markdown import Markdown

from archcheck.configuration import Settings
from archcheck.findings import (
    DOC_PARTS,
    EXAMPLES_DAY,
    Example,
    Rule,
    RuleOutcome,
    Severity,
    evaluate,
)
from archcheck.findings.rule import Method
from archcheck.reporting.forms import plain
from archcheck.reporting.sheets import Cell, Sheet, Words, print_sheet, sheet_markdown
from archcheck.verification import verify

_KINDS = {
    "bad": "Violated",
    "borderline": "At the limit",
    "good": "Obeyed",
    "unknown": "Undecided",
}
_METHODS = {
    "attr": "looking at one element",
    "graph": "walking the graph of the system",
    "calc": "computing with the declared load and times",
    "proof": "proof",
    "sim": "simulation",
    "diff": "comparing two revisions",
}

_INDEX_NOTE = """`archcheck explain RES002` prints a page. MOD001 (references to what does not
exist) and MOD006 (names that are taken) need no rule: such a model does not load."""


def rule_page(rule: Rule) -> str:
    """The page of a rule in Markdown, made from the rule itself.

    What it asks for, why, how to fix a finding, when it is wrong, its thresholds, its examples as
    they stand in the source, its sources.
    """
    return "\n\n".join([rule_summary(rule), *_examples(rule)]) + "\n"


def rule_summary(rule: Rule) -> str:
    """The same without the examples."""
    return "\n\n".join([*_documentation(rule), *_thresholds(rule)])


def _documentation(rule: Rule) -> Iterator[str]:
    profile = "" if rule.recommended else " · only in the profile strict"
    yield f"# {rule.id} {rule.name}"
    yield f"{rule.concern} · {rule.severity} · decided by {_METHODS[rule.method]}{profile}"
    for paragraph in rule.documentation().split("\n\n"):
        heading, _, text = paragraph.partition(": ")
        part = f"**{heading}.** {text[:1].upper()}{text[1:]}"
        yield part if heading in DOC_PARTS else paragraph


def _thresholds(rule: Rule) -> Iterator[str]:
    rows = tuple(
        (
            Cell(f"`{name.replace('_', '-')}`", is_markdown=True),
            Cell(_shown(default), is_markdown=True),
            Cell(meaning, is_markdown=True),
        )
        for name, default, meaning in rule.thresholds()
    )
    if rows:
        head = f"## Configuration\nIn `[tool.archcheck.rules.{rule.id}]`:\n\n"
        columns = ("threshold", Words("default"), Words("meaning"))
        yield head + sheet_markdown(Sheet("", columns, rows)).rstrip()


def _shown(default: object) -> str:
    if isinstance(default, tuple):
        return ", ".join(map(str, default)) or "none"
    return str(default)


def _examples(rule: Rule) -> Iterator[str]:
    order = list(_KINDS)
    for example in sorted(rule.examples, key=lambda each: order.index(each.kind)):
        title = f"## {_KINDS[example.kind]}: {example.build.__name__.replace('_', ' ')}"
        yield f"{title}\n```python\n{_source(example.build)}\n```"
        said = list(_said(rule, example))
        if said:
            yield "\n".join(["archcheck says:", "```text", *said, "```"])
    shared = list(dict.fromkeys(_helpers(rule.examples)))
    if shared:
        code = "\n\n\n".join(_source(helper) for helper in shared)
        yield f"## What the examples share\n```python\n{code}\n```"


def _said(rule: Rule, example: Example) -> Iterator[str]:
    """What the rule says of an example, without the lines."""
    outcome = _outcome(rule, example)
    for finding in outcome.findings:
        for occurrence in finding.occurrences:
            named = occurrence.subject in occurrence.message
            yield occurrence.message if named else f"{occurrence.subject}: {occurrence.message}"
            yield from (f"  = {part.text}" for part in occurrence.evidence)
            yield f"  fix: {occurrence.fix}"
    for question in outcome.questions:
        for name, _, threshold in question.subjects:
            tail = f" ({threshold})" if threshold else ""
            yield f"{name}: {question.request}{tail}"
    if outcome.not_applicable and not outcome.findings:
        yield f"not applicable: {outcome.not_applicable}"


def _outcome(rule: Rule, example: Example) -> RuleOutcome:
    if not rule.reviews:
        return evaluate(rule, example.graph())
    done = verify(example.build(), settings=Settings(profile="strict"), today=EXAMPLES_DAY)
    return next(outcome for outcome in done.outcomes if outcome.rule is rule)


def _helpers(examples: Iterable[Example]) -> Iterator[Any]:
    """The private functions of the module that the examples call."""
    for example in examples:
        module = getattr(example.build, "__globals__", {})
        for name in re.findall(r"\b(_\w+)\(", inspect.getsource(example.build)):
            helper = module.get(name)
            if inspect.isfunction(helper):
                yield helper


def _source(function: Any) -> str:
    return textwrap.dedent(inspect.getsource(function)).rstrip()


def rules_index(rules: Sequence[Rule]) -> str:
    """All rules as a page in Markdown, by concern, with links to their pages."""
    parts = [f"# The rules\n\n{len(rules)} rules; {_INDEX_NOTE}"]
    columns = ("id", Words("name"), Words("severity"), Words("profile"), Words("what holds"))
    for concern, group in groupby(rules, key=lambda rule: rule.concern):
        rows = tuple(
            (
                Cell(f"[{rule.id}]({rule.id}.md)", is_markdown=True),
                rule.name,
                rule.severity,
                "" if rule.recommended else "strict",
                Cell(rule.summary(), is_markdown=True),
            )
            for rule in group
        )
        title = f"{concern[0].upper()}{concern[1:]}"
        parts.append(sheet_markdown(Sheet(title, columns, rows)).rstrip())
    return "\n\n".join(parts) + "\n"


def print_rules(console: Console, rules: Sequence[Rule], chosen: Sequence[Rule]) -> None:
    """All rules as a table by concern; those that the settings leave out are marked."""
    running = {rule.id for rule in chosen}
    columns = ("id", Words("name"), Words("severity"), Words("runs"), Words("what holds"))
    for concern, group in groupby(rules, key=lambda rule: rule.concern):
        rows = tuple(
            (
                rule.id,
                rule.name,
                rule.severity,
                "yes" if rule.id in running else "no",
                rule.summary(),
            )
            for rule in group
        )
        print_sheet(console, Sheet(concern, columns, rows))
    console.print(f"{len(running)} of {len(rules)} rules run; archcheck explain ID prints a page")


def print_page(console: Console, page: str) -> None:
    """A page: formatted on a terminal, Markdown in a pipe."""
    if console.is_terminal:
        console.print(Markdown(page))
    else:
        console.out(page, end="")


@dataclass(frozen=True)
class ThresholdForm:
    """A threshold of a rule."""

    default: str
    """What counts when the configuration says nothing."""
    meaning: str
    """What it decides."""


@dataclass(frozen=True)
class RuleForm:
    """A rule, as archcheck rules lists it."""

    id: str
    """Its id, such as RES002."""
    name: str
    """Its name."""
    concern: str
    """Its group, such as resilience."""
    severity: Severity
    """How grave a finding is, unless the configuration says otherwise."""
    method: Method
    """How it decides: attr (looks at one element), graph (walks the system), calc (computes with
    load and times), proof, sim (simulates), diff (compares two revisions)."""
    recommended: bool
    """Whether it is in the profile recommended."""
    runs: bool
    """Whether it runs under this configuration."""
    summary: str
    """What it demands."""
    thresholds: Mapping[str, ThresholdForm]
    """Its thresholds by their names in the configuration."""


def rules_data(rules: Sequence[Rule], chosen: Sequence[Rule]) -> list[dict[str, Any]]:
    """All rules as plain data."""
    running = {rule.id for rule in chosen}
    data: list[dict[str, Any]] = plain([_rule_form(rule, rule.id in running) for rule in rules])
    return data


def _rule_form(rule: Rule, runs: bool) -> RuleForm:
    return RuleForm(
        id=rule.id,
        name=rule.name,
        concern=rule.concern,
        severity=rule.severity,
        method=rule.method,
        recommended=rule.recommended,
        runs=runs,
        summary=rule.summary(),
        thresholds={
            name.replace("_", "-"): ThresholdForm(_shown(default), meaning)
            for name, default, meaning in rule.thresholds()
        },
    )
