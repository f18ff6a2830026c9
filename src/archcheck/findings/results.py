"""What a check yields: a violation, an open question, or that it does not apply."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from typing import TypeAlias

from archcheck.graph import Interaction, Operation
from archcheck.model import ArchcheckError, Element, Named, Policy, Suppression, System

Subject: TypeAlias = Named | Operation | Interaction | Policy | Suppression | System
"""What a result is about."""


@dataclass(frozen=True, slots=True)
class UnderLoad:
    """The scenario under which something is wrong, and how much: ``strain`` is comparable.

    What is wrong in several scenarios is one fact: the worst is shown and names the others.
    ``about`` tells facts about the same subject apart.
    """

    scenario: str
    strain: float
    about: str = ""


@dataclass(frozen=True, slots=True)
class Violation:
    """The rule does not hold for ``subject``.

    ``message`` is one sentence that names the numbers; ``evidence`` spells out the path, the
    cycle or the sum: subjects are shown with their lines, text as it is. ``fix`` could be pasted
    into the model. Violations of a rule with the same ``cause`` (a clause without names and
    numbers, such as "no timeout is declared") are one finding with many places. Those that differ
    in the scenario of their ``load`` are one place.
    """

    subject: Subject
    message: str
    fix: str = ""
    evidence: tuple[Subject | str, ...] = ()
    cause: str = ""
    load: UnderLoad | None = None


@dataclass(frozen=True, slots=True)
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


class CannotDecideError(ArchcheckError):
    """A check cannot be finished; the text says what it would take, after "needs"."""


Result: TypeAlias = Violation | Undecided | NotApplicable


def subject_name(subject: Subject) -> str:
    """The name under which a subject appears in reports and in the examples of rules."""
    return subject.title() if isinstance(subject, Policy | Suppression) else subject.name


def subject_element(subject: Subject) -> Element:
    """The element that declares a subject."""
    match subject:
        case Operation():
            return subject.part
        case Interaction():
            return subject.declared
        case _:
            return subject


def subject_owner(subject: Subject) -> Named | None:
    """The named element that a subject belongs to, for choosing what a rule looks at."""
    match subject:
        case Operation():
            return subject.owner
        case Interaction():
            return subject.source
        case Named():
            return subject
        case _:
            return None


def worst_of_scenarios(violations: Iterable[Violation]) -> Iterator[Violation]:
    """Of what is wrong in several scenarios the worst, with the names of the others."""
    alike: dict[object, list[Violation]] = {}
    for number, each in enumerate(violations):
        load = each.load
        key = number if load is None else (subject_name(each.subject), each.cause, load.about)
        alike.setdefault(key, []).append(each)
    for several in alike.values():
        worst = max(several, key=lambda each: each.load.strain if each.load else 0.0)
        others = [each.load.scenario for each in several if each is not worst and each.load]
        yield replace(worst, message=worst.message + also_in(others))


def also_in(scenarios: Sequence[str]) -> str:
    """`` (also in 'day' and 'evening')``; empty for none."""
    if not scenarios:
        return ""
    *most, last = map(repr, scenarios)
    return f" (also in {', '.join(most)}{' and ' if most else ''}{last})"
