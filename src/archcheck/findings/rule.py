"""A rule of the catalogue: what it says, how it checks, and the examples that hold it to it."""

from __future__ import annotations

import dataclasses
import datetime
import inspect
import re
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from typing import Any, Literal, TypeVar

from archcheck.findings.outcome import RuleOutcome, Severity
from archcheck.findings.results import Result
from archcheck.findings.supposing import Answer, with_questions
from archcheck.graph import Graph
from archcheck.model import System

T = TypeVar("T")

Method = Literal["attr", "graph", "calc", "proof", "sim", "diff"]
Kind = Literal["bad", "good", "borderline", "unknown"]
Check = Callable[..., Iterator[Result]]
Build = Callable[[], System]

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


EXAMPLES_DAY = datetime.date(2026, 7, 1)
"""The date of the check for all examples, so that they say the same on every day."""


@dataclass(frozen=True)
class Example:
    """A system that shows a rule, and what the rule must say of it."""

    build: Build
    kind: Kind
    expected: tuple[str, ...] = ()
    """Names of the subjects of the violations (bad, borderline) or the missing attributes."""

    def graph(self) -> Graph:
        """The system as rules see it, on :data:`EXAMPLES_DAY`."""
        return Graph(self.build(), today=EXAMPLES_DAY)


def option(default: T, meaning: str) -> T:
    """A threshold of a rule: a field of its options class, with its meaning for the page.

    ``max_depth: int = option(5, "synchronous calls one after the other")``.
    """
    return field(default=default, metadata={"meaning": meaning})


@dataclass
class Rule:
    """An entry of the catalogue. ``on_unknown`` says what an undeclared attribute means for it.

    ``undecided``: the rule cannot answer; ``violation``: leaving it out is the mistake;
    ``never``: the rule looks only at the structure, which is always known.

    ``options`` is a frozen dataclass of thresholds; the check takes it as its second argument.
    ``recommended`` says whether the rule is in the default profile; the others are in ``strict``.
    ``follows`` are the ids of rules that name the root of what this one sees: it runs after them
    (as a review) and says nothing that one of them has said, so that one fact is one finding.
    ``concerns`` is the attribute of the journeys that the rule is about (``critical``, ``public``):
    it asks for it where a journey does not say it and would violate the rule.
    """

    id: str
    name: str
    severity: Severity
    method: Method
    on_unknown: Literal["undecided", "violation", "never"] = "undecided"
    options: type[Any] | None = None
    recommended: bool = True
    examples: list[Example] = field(default_factory=list)
    reviews: bool = False
    follows: tuple[str, ...] = ()
    concerns: Answer | None = None
    _check: Check | None = None

    def __post_init__(self) -> None:
        if not re.fullmatch(r"[A-Z]{3}\d{3}", self.id):
            raise ValueError(f"a rule's id has three capitals and three digits; got {self.id!r}")

    @property
    def concern(self) -> str:
        """The concern that the id's prefix stands for; other packs bring their own prefix."""
        return CONCERNS.get(self.id[:3], self.id[:3])

    def check(self, function: Check) -> Check:
        """Register the function that checks a graph."""
        self._check = function
        return function

    def review(self, function: Check) -> Check:
        """Register a check that also takes what all other rules say: ``(graph, outcomes)``."""
        self.reviews = True
        return self.check(function)

    def bad(self, *subjects: str) -> Callable[[Build], Build]:
        """Register a system in which exactly these subjects violate the rule."""
        return self._example("bad", subjects)

    def good(self, function: Build) -> Build:
        """Register a system in which the rule holds."""
        return self._example("good", ())(function)

    def borderline(self, *subjects: str) -> Callable[[Build], Build]:
        """Register a system just at the limit; exactly these subjects (or none) violate it."""
        return self._example("borderline", subjects)

    def unknown(self, *missing: str) -> Callable[[Build], Build]:
        """Register a system in which these attributes keep the rule from deciding."""
        return self._example("unknown", missing)

    def _example(self, kind: Kind, expected: tuple[str, ...]) -> Callable[[Build], Build]:
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

    @property
    def rank(self) -> int:
        """When it runs: first what looks at the system, then what follows others, then reviews."""
        return (1 if self.follows else 2) if self.reviews else 0

    def arguments(self) -> tuple[str, ...]:
        """What the check takes: the graph, the options if there are any, the outcomes it reviews.

        The names are for messages; the order is what counts.
        """
        options = ("options",) if self.options is not None else ()
        return ("graph", *options, *(("outcomes",) if self.reviews else ()))

    def run(
        self, graph: Graph, options: object | None = None, outcomes: Iterable[RuleOutcome] = ()
    ) -> Iterator[Result]:
        """The results of the check on one system."""
        arguments: list[object] = []
        if self.options is not None:
            arguments.append(self.options() if options is None else options)
        if self.reviews:
            arguments.append(tuple(outcomes))
        if self.concerns is None:
            return self.checker(graph, *arguments)
        return with_questions(graph, self.concerns, lambda each: self.checker(each, *arguments))

    def documentation(self) -> str:
        """The docstring of the rule's module, which is not in ``sys.modules`` if it is a file."""
        said = getattr(self.checker, "__globals__", {}).get("__doc__")
        return inspect.cleandoc(said or "")

    def summary(self) -> str:
        """The first paragraph of the documentation: what holds when the rule is obeyed."""
        return " ".join(self.documentation().partition("\n\n")[0].split())

    def thresholds(self) -> Iterator[tuple[str, object, str]]:
        """The options with their default and meaning."""
        for part in dataclasses.fields(self.options) if self.options else ():
            yield part.name, part.default, str(part.metadata.get("meaning", ""))
