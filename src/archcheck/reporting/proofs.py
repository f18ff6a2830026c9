"""Answers of proofs as text and as plain data."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal, TypeAlias

from rich.console import Console
from rich.text import Text

from archcheck.findings import Subject, subject_element, subject_name
from archcheck.model import Place, System
from archcheck.proof import Answer, Answered, Availability, Proofs, Proved, Refuted, Undecided
from archcheck.replaying import Replay
from archcheck.reporting.console import counted, printable, some
from archcheck.reporting.forms import plain
from archcheck.reporting.sheets import Cell, Sheet, Tone, Words, print_sheet
from archcheck.units import Fraction

_PLAYED = {True: "cyan", False: "bold yellow", None: "dim"}


def print_proofs(
    console: Console,
    proofs: Proofs,
    available: Sequence[Availability] = (),
    replays: Mapping[int, Replay] | None = None,
    *,
    verbose: bool = False,
) -> None:
    """Each question with its verdicts, the counterexamples as stories, what is not declared.

    ``replays``: what a run made of refuted answers, by their ``id``.
    """
    system = proofs.system
    console.print(Text.assemble((printable(system.name), "bold"), ": what is proved"))
    print_sheet(console, _sheet(proofs.answered))
    for part in proofs.answered:
        for refuted in part.refuted:
            _print_refuted(console, system, part.question.name, refuted)
            if (played := (replays or {}).get(id(refuted))) is not None:
                console.print(Text(f"  {printable(str(played))}", style=_PLAYED[played.is_shown]))
        _print_undecided(console, part, verbose=verbose)
        if verbose:
            _print_proved(console, part)
    if available:
        console.print(Text("\navailability, if units fail independently", style="bold"))
        for found in available:
            console.print(Text(f"  {printable(found.journey.name)}: {_availability(found)}"))
    console.print()
    console.print(_summary(proofs.answered))


def _sheet(asked: Sequence[Answered]) -> Sheet:
    rows = []
    for part in asked:
        proved = len(part.answers) - len(part.refuted) - len(part.undecided)
        counts = [proved, len(part.refuted), len(part.undecided)]
        tone: Tone = "bad" if part.refuted else "" if part.answers else "quiet"
        cells = [part.question.name, *(str(count) if count else "-" for count in counts)]
        rows.append(tuple(Cell(text, tone) for text in (*cells, part.question.text)))
    columns = ("question", "proved", "refuted", "undecided", Words("what is asked"))
    return Sheet("", columns, tuple(rows))


def _print_refuted(console: Console, system: System, name: str, refuted: Refuted) -> None:
    shown = refuted.counterexample
    console.print()
    label = (f"refuted[{name}] ", "bold red")
    console.print(Text.assemble(label, printable(shown.message)))
    place = system.place(subject_element(refuted.subject))
    if place:
        console.print(Text.assemble("  --> ", (str(place), "cyan")))
    for part in shown.story:
        console.print(Text(f"    {_told(system, part)}"))
    if len(shown.conflict) > 1:
        names = ", ".join(printable(subject_name(part)) for part in shown.conflict)
        console.print(Text(f"  cannot all stand: {names}"))
    if refuted.fix:
        console.print(Text.assemble(("  fix: ", "green"), printable(refuted.fix)))


def _told(system: System, part: Subject | str) -> str:
    if isinstance(part, str):
        return printable(part)
    place = system.place(subject_element(part))
    return f"{printable(subject_name(part))}{f' ({place})' if place else ''}"


def _print_undecided(console: Console, part: Answered, *, verbose: bool) -> None:
    if part.stopped:
        console.print(Text(f"\nundecided[{part.question.name}] needs {part.stopped}"))
    attributes: dict[str, list[str]] = {}
    for answer in part.undecided:
        for gap in answer.gaps:
            told = subject_name(gap.holder) + (f" ({gap.threshold})" if gap.threshold else "")
            attributes.setdefault(gap.attribute, []).append(told)
        if not answer.gaps:
            attributes.setdefault(answer.reason, []).append(subject_name(answer.subject))
    for attribute, holders in attributes.items():
        listed = some(list(dict.fromkeys(holders)), verbose=verbose)
        label = (f"\nundecided[{part.question.name}] ", "bold yellow")
        console.print(Text.assemble(label, f"needs {printable(attribute)}: {listed}"))


def _print_proved(console: Console, part: Answered) -> None:
    for answer in part.answers:
        if isinstance(answer, Proved):
            console.print(
                Text.assemble((f"proved[{part.question.name}] ", "green"), printable(answer.claim))
            )
            for text in answer.assumptions:
                console.print(Text(f"    if {printable(text)}", style="dim"))


def _availability(found: Availability) -> str:
    low, high = (Fraction(float(bound)) for bound in (found.bounds.low, found.bounds.high))
    value = f"{low:.10}" if found.bounds.is_exact else f"between {low:.10} and {high:.10}"
    if not found.gaps:
        return value
    return f"at most {high:.10} ({counted(len(found.gaps), 'attribute')} not declared)"


def _summary(asked: Iterable[Answered]) -> str:
    parts = list(asked)
    answers = sum(len(part.answers) for part in parts)
    refuted = sum(len(part.refuted) for part in parts)
    undecided = sum(len(part.undecided) for part in parts)
    stopped = sum(bool(part.stopped) for part in parts)
    more = f", {counted(stopped, 'question')} not answered in full" if stopped else ""
    return (
        f"{counted(answers, 'claim')}: {answers - refuted - undecided} proved, "
        f"{refuted} refuted, {undecided} undecided{more}"
    )


# -- data -----------------------------------------------------------------------------------------


@dataclass(frozen=True)
class CounterexampleForm:
    """The case in which a claim does not hold."""

    message: str
    """What happens, in a sentence with the numbers."""
    story: tuple[str, ...]
    """What happens, in order."""
    conflict: tuple[str, ...]
    """The smallest set of declarations that cannot all stand."""
    marks: Mapping[str, str]
    """Element to what it suffers."""


@dataclass(frozen=True)
class ReplayForm:
    """What a run makes of a counterexample."""

    shown: bool | None
    """Whether the run shows it; null: it cannot be played."""
    text: str
    """What the run shows, in a sentence."""


@dataclass(frozen=True)
class ProvedForm:
    """A claim that holds in every case."""

    verdict: Literal["proved"]
    """What became of the claim; the fields after it depend on it."""
    subject: str
    """The element, endpoint or journey that the claim is about."""
    place: Place | None
    """Where that is declared; null where the model has no lines."""
    claim: str
    """What was asked."""
    assumptions: tuple[str, ...]
    """On what it rests."""


@dataclass(frozen=True)
class RefutedForm:
    """A claim that does not hold."""

    verdict: Literal["refuted"]
    """What became of the claim; the fields after it depend on it."""
    subject: str
    """The element, endpoint or journey that the claim is about."""
    place: Place | None
    """Where that is declared; null where the model has no lines."""
    claim: str
    """What was asked."""
    counterexample: CounterexampleForm
    """The case in which it does not hold."""
    fix: str
    """What could be written into the model; empty: nothing in particular."""
    replay: ReplayForm | None
    """What a run makes of it; null without --replay."""


@dataclass(frozen=True)
class GapForm:
    """An attribute that nobody declares."""

    element: str
    """What lacks it."""
    attribute: str
    """Its name."""
    threshold: str | None
    """The values with which the claim holds; null where it cannot be said."""


@dataclass(frozen=True)
class UndecidedForm:
    """A claim that can be neither proved nor refuted."""

    verdict: Literal["undecided"]
    """What became of the claim; the fields after it depend on it."""
    subject: str
    """The element, endpoint or journey that the claim is about."""
    place: Place | None
    """Where that is declared; null where the model has no lines."""
    claim: str
    """What was asked."""
    reason: str
    """Why it is undecided."""
    missing: tuple[GapForm, ...]
    """What nobody declares."""


AnswerForm: TypeAlias = ProvedForm | RefutedForm | UndecidedForm


@dataclass(frozen=True)
class QuestionForm:
    """A question with its answers."""

    name: str
    """Its name, as --question takes it."""
    text: str
    """What is asked."""
    stopped: str | None
    """What it would have needed to be answered in full; null: it was."""
    answers: tuple[AnswerForm, ...]
    """An answer for each claim."""


@dataclass(frozen=True)
class JourneyBoundsForm:
    """How available a journey is, if units fail independently."""

    journey: str
    """Its name."""
    low: str
    """The least share (of one) as a fraction, such as 999/1000."""
    high: str
    """The greatest share (of one) as a fraction."""
    missing: tuple[str, ...]
    """Availabilities that nobody declares."""


@dataclass(frozen=True, kw_only=True)
class ProofsForm:
    """The result of archcheck prove."""

    format: Literal["archcheck.prove/1"] = "archcheck.prove/1"
    """The name and version of this form."""
    system: str
    """The name of the system."""
    questions: tuple[QuestionForm, ...]
    """What was asked."""
    availability: tuple[JourneyBoundsForm, ...]
    """How available each journey is; empty when it was not asked."""


def proofs_data(
    proofs: Proofs,
    available: Sequence[Availability],
    replays: Mapping[int, Replay] | None = None,
) -> dict[str, Any]:
    """All answers as plain data; rationals as ``numerator/denominator``."""
    form = ProofsForm(
        system=proofs.system.name,
        questions=tuple(_question(proofs.system, part, replays or {}) for part in proofs.answered),
        availability=tuple(
            JourneyBoundsForm(
                found.journey.name,
                str(found.bounds.low),
                str(found.bounds.high),
                tuple(f"{subject_name(g.holder)}: {g.attribute}" for g in found.gaps),
            )
            for found in available
        ),
    )
    data: dict[str, Any] = plain(form)
    return data


def _question(system: System, part: Answered, replays: Mapping[int, Replay]) -> QuestionForm:
    answers = tuple(_answer(system, answer, replays.get(id(answer))) for answer in part.answers)
    return QuestionForm(part.question.name, part.question.text, part.stopped or None, answers)


def _answer(system: System, answer: Answer, played: Replay | None) -> AnswerForm:
    subject = subject_name(answer.subject)
    place = system.place(subject_element(answer.subject))
    match answer:
        case Proved():
            return ProvedForm("proved", subject, place, answer.claim, answer.assumptions)
        case Refuted(counterexample=shown):
            case_ = CounterexampleForm(
                shown.message,
                tuple(_told(system, part) for part in shown.story),
                tuple(subject_name(part) for part in shown.conflict),
                shown.marks,
            )
            replay = ReplayForm(played.is_shown, played.text) if played is not None else None
            return RefutedForm("refuted", subject, place, answer.claim, case_, answer.fix, replay)
        case Undecided():
            missing = tuple(
                GapForm(subject_name(gap.holder), gap.attribute, gap.threshold or None)
                for gap in answer.gaps
            )
            return UndecidedForm("undecided", subject, place, answer.claim, answer.reason, missing)
