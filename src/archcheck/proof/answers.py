"""What a proof answers: proved, refuted with a counterexample, or undecided with the reason.

Every question is a function from a graph to answers, in the order of the model. An answer is a
value: the same model gives the same answers and the same counterexamples in every run.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import TypeAlias

from archcheck.findings import Result, Subject, Violation, subject_name
from archcheck.findings import Undecided as OpenResult


@dataclass(frozen=True)
class Counterexample:
    """Why a claim is false, so that a person can follow it.

    ``message`` is one sentence with the numbers; ``story`` what happens, in order: subjects are
    shown with their lines, text as it is. ``conflict`` is the smallest set of declarations that
    cannot all stand. ``marks`` says what each element suffers, for the diagram. The classes that
    extend this one carry the numbers, so that a counterexample can be replayed.
    """

    message: str
    story: tuple[Subject | str, ...]
    conflict: tuple[Subject, ...] = ()
    marks: Mapping[str, str] = field(default_factory=dict)

    def __str__(self) -> str:
        lines = [part if isinstance(part, str) else subject_name(part) for part in self.story]
        return "\n".join([self.message, *(f"  {line}" for line in lines)])


@dataclass(frozen=True, eq=False)
class Gap:
    """An attribute that nobody declares, and the values of it with which the claim holds.

    Two gaps are the same when they are of the very same holder: comparing elements field by field
    would take most of the time of a proof.
    """

    holder: Subject
    attribute: str
    threshold: str = ""

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Gap) and self._key() == other._key()

    def __hash__(self) -> int:
        return hash(self._key())

    def _key(self) -> tuple[int, str, str]:
        return id(self.holder), self.attribute, self.threshold


ENDLESS = "an end of the calls that come back to it"
"""What an operation lacks that calls, fallbacks or messages lead back to."""


@dataclass(frozen=True)
class Proved:
    """``claim`` holds for ``subject`` in every case, as far as ``assumptions`` do."""

    subject: Subject
    claim: str
    assumptions: tuple[str, ...] = ()

    def __str__(self) -> str:
        return f"proved: {self.claim}"


@dataclass(frozen=True)
class Refuted:
    """``claim`` does not hold for ``subject``; ``fix`` could be pasted into the model."""

    subject: Subject
    claim: str
    counterexample: Counterexample
    fix: str = ""

    def __str__(self) -> str:
        return f"refuted: {self.counterexample}"


@dataclass(frozen=True)
class Undecided:
    """``claim`` can be neither proved nor refuted: something is not declared, or time is up."""

    subject: Subject
    claim: str
    reason: str
    gaps: tuple[Gap, ...] = ()

    def __str__(self) -> str:
        return f"undecided: {self.claim}; {self.reason}"


Answer: TypeAlias = Proved | Refuted | Undecided


def results(
    answers: Iterable[Answer], *, cause: str = "", asked_elsewhere: str = ""
) -> Iterator[Result]:
    """What a rule says of the answers to its question: nothing of what is proved.

    ``asked_elsewhere``: an attribute for which another rule asks already.
    """
    for answer in answers:
        match answer:
            case Refuted(counterexample=shown):
                yield Violation(answer.subject, shown.message, answer.fix, shown.story, cause)
            case Undecided(gaps=()):
                yield OpenResult(answer.subject, answer.reason)
            case Undecided(gaps=gaps):
                for gap in gaps:
                    if gap.attribute != asked_elsewhere:
                        yield OpenResult(gap.holder, gap.attribute, gap.threshold)


def marked(refuted: Iterable[Refuted]) -> dict[str, str]:
    """What counterexamples do to each element, for a diagram of them all."""
    marks: dict[str, dict[str, None]] = {}
    for answer in refuted:
        for name, text in answer.counterexample.marks.items():
            marks.setdefault(name, {}).setdefault(text)
    return {name: ", ".join(texts) for name, texts in marks.items()}


def missing(gaps: Iterable[Gap]) -> str:
    """The reason of an answer that is undecided because of ``gaps``."""
    names = dict.fromkeys(f"{subject_name(gap.holder)}: {gap.attribute}" for gap in gaps)
    return f"not declared: {', '.join(names)}"
