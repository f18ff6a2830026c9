"""What is said about a system: rules, and the verdicts that they give.

A rule is one file with a docstring of fixed parts, a :class:`Rule`, a check over a
:class:`~archcheck.graph.Graph`, and examples::

    rule = Rule("RES001", "no-timeout", severity="error", method="attr")

    @rule.check
    def check(graph: Graph) -> Iterator[Result]:
        ...

    @rule.bad("shop.order -> payments.Charge")
    def call_without_timeout() -> System: ...

The check yields :class:`Violation`, :class:`Undecided` or :class:`NotApplicable` and never
prints; a check that yields nothing says that the rule holds. Unknown is never a pass.
"""

from __future__ import annotations

import inspect
import re
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from typing import Literal

from archcheck.graph import Graph, Interaction, Operation
from archcheck.model import Element, Named, Place, Policy, System

Severity = Literal["error", "warning", "info"]
Method = Literal["attr", "graph", "calc", "proof", "sim", "diff"]
Verdict = Literal["holds", "violated", "undecided", "not applicable"]
Subject = Named | Operation | Interaction | Policy | System

CONCERNS = {
    "BND": "service boundaries",
    "COM": "communication",
    "RES": "resilience",
    "DAT": "data",
    "DEP": "deployment",
    "OBS": "observability",
    "TEC": "technology",
    "DLV": "tests and delivery",
    "PRF": "performance",
    "EVO": "evolution",
    "MOD": "the model",
}
"""Prefix of a rule's id to the concern that it belongs to."""

DOC_PARTS = ("Why it matters", "How to fix", "False positives", "Sources")
"""Headings that the docstring of a rule must have, after its first paragraph."""


@dataclass(frozen=True)
class Violation:
    """The rule does not hold for ``subject``.

    ``message`` is one sentence that names the numbers; ``evidence`` spells out the path, the
    cycle or the sum; ``fix`` could be pasted into the model.
    """

    subject: Subject
    message: str
    fix: str = ""
    evidence: tuple[str, ...] = ()


@dataclass(frozen=True)
class Undecided:
    """The rule cannot be decided for ``subject`` because ``missing`` is not declared.

    ``threshold`` says what value would make it hold, where that can be said.
    """

    subject: Subject
    missing: str
    threshold: str = ""


@dataclass(frozen=True)
class NotApplicable:
    """The rule's precondition is false for the whole system."""

    reason: str


Result = Violation | Undecided | NotApplicable
Check = Callable[[Graph], Iterator[Result]]
Build = Callable[[], System]


@dataclass(frozen=True)
class Example:
    """A system that shows a rule, and what the rule must say of it."""

    build: Build
    kind: Literal["bad", "good", "unknown"]
    expected: tuple[str, ...] = ()
    """Names of the subjects of the violations (bad) or the missing attributes (unknown)."""


@dataclass
class Rule:
    """An entry of the catalogue. ``on_unknown`` says what an undeclared attribute means for it.

    ``undecided``: the rule cannot answer; ``violation``: leaving it out is the mistake;
    ``never``: the rule looks only at the structure, which is always known.
    """

    id: str
    name: str
    severity: Severity
    method: Method
    on_unknown: Literal["undecided", "violation", "never"] = "undecided"
    examples: list[Example] = field(default_factory=list)
    _check: Check | None = None

    def __post_init__(self) -> None:
        if not re.fullmatch(r"[A-Z]{3}\d{3}", self.id):
            raise ValueError(f"a rule's id is three capitals and three digits, got {self.id!r}")

    @property
    def concern(self) -> str:
        """The concern that the id's prefix stands for; other packs bring their own prefix."""
        return CONCERNS.get(self.id[:3], self.id[:3])

    def check(self, function: Check) -> Check:
        """Register the function that checks a graph."""
        self._check = function
        return function

    def bad(self, *subjects: str) -> Callable[[Build], Build]:
        """Register a system in which exactly these subjects violate the rule."""
        return self._example("bad", subjects)

    def good(self, function: Build) -> Build:
        """Register a system in which the rule holds."""
        return self._example("good", ())(function)

    def unknown(self, *missing: str) -> Callable[[Build], Build]:
        """Register a system in which these attributes keep the rule from deciding."""
        return self._example("unknown", missing)

    def _example(
        self, kind: Literal["bad", "good", "unknown"], expected: tuple[str, ...]
    ) -> Callable[[Build], Build]:
        def register(function: Build) -> Build:
            self.examples.append(Example(function, kind, expected))
            return function

        return register

    @property
    def checker(self) -> Check:
        """The registered check. Raises ``ValueError`` when the rule has none."""
        if self._check is None:
            raise ValueError(f"rule {self.id} has no check: decorate a function with @rule.check")
        return self._check

    def documentation(self) -> str:
        """The docstring of the rule's module."""
        return inspect.getdoc(inspect.getmodule(self.checker)) or ""

    def summary(self) -> str:
        """The first paragraph of the documentation: what holds when the rule is obeyed."""
        return " ".join(self.documentation().partition("\n\n")[0].split())


@dataclass(frozen=True)
class Finding:
    """A violation, complete: who, where, what, why, and how to mend it."""

    rule: Rule
    severity: Severity
    subject: str
    place: Place | None
    message: str
    evidence: tuple[str, ...]
    fix: str


@dataclass(frozen=True)
class OpenQuestion:
    """What a rule could not decide: the same missing attribute is one entry with its places."""

    rule: Rule
    missing: str
    subjects: tuple[tuple[str, Place | None, str], ...]
    """Name of the subject, where it is declared, and the threshold that would decide."""


@dataclass(frozen=True)
class RuleOutcome:
    """What one rule says of one system."""

    rule: Rule
    findings: tuple[Finding, ...]
    questions: tuple[OpenQuestion, ...]
    not_applicable: str = ""

    @property
    def verdict(self) -> Verdict:
        """Violated before undecided before not applicable before holds."""
        if self.findings:
            return "violated"
        if self.questions:
            return "undecided"
        return "not applicable" if self.not_applicable else "holds"


def subject_name(subject: Subject) -> str:
    """The name under which a subject appears in reports and in the examples of rules."""
    return subject.title() if isinstance(subject, Policy) else subject.name


def subject_element(subject: Subject) -> Element:
    """The element that declares a subject."""
    match subject:
        case Operation():
            return subject.part
        case Interaction():
            return subject.step
        case _:
            return subject


def evaluate(rule: Rule, graph: Graph) -> RuleOutcome:
    """Run one rule."""
    findings: list[Finding] = []
    open_subjects: dict[str, list[tuple[str, Place | None, str]]] = {}
    reason = ""
    for result in rule.checker(graph):
        match result:
            case Violation():
                findings.append(_finding(rule, graph.system, result))
            case Undecided():
                name, place = _locate(graph.system, result.subject)
                open_subjects.setdefault(result.missing, []).append((name, place, result.threshold))
            case NotApplicable():
                reason = result.reason
    questions = [
        OpenQuestion(rule, missing, tuple(subjects)) for missing, subjects in open_subjects.items()
    ]
    return RuleOutcome(rule, tuple(_ordered(findings)), tuple(questions), reason)


def _finding(rule: Rule, system: System, violation: Violation) -> Finding:
    name, place = _locate(system, violation.subject)
    return Finding(
        rule, rule.severity, name, place, violation.message, violation.evidence, violation.fix
    )


def _locate(system: System, subject: Subject) -> tuple[str, Place | None]:
    return subject_name(subject), system.place(subject_element(subject))


def _ordered(findings: Iterable[Finding]) -> list[Finding]:
    """By place, then by subject: the order in which a reader meets them."""

    def position(finding: Finding) -> tuple[str, int, str, str]:
        place = finding.place or Place("", 0)
        return place.file, place.line, finding.subject, finding.message

    return sorted(findings, key=position)
