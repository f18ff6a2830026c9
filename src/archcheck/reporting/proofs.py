"""Answers of proofs as text and as plain data."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from rich.console import Console
from rich.text import Text

from archcheck.findings import Subject, subject_element, subject_name
from archcheck.model import Place, System
from archcheck.proof import Answer, Answered, Availability, Proofs, Proved, Refuted, Undecided
from archcheck.replaying import Replay
from archcheck.reporting.console import counted, printable, some
from archcheck.reporting.sheets import Cell, Sheet, Tone, Words, print_sheet
from archcheck.units import Fraction

FORMAT = "archcheck.prove/1"
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


def proofs_data(
    proofs: Proofs,
    available: Sequence[Availability],
    replays: Mapping[int, Replay] | None = None,
) -> dict[str, object]:
    """All answers as plain data; rationals as ``numerator/denominator``."""
    return {
        "format": FORMAT,
        "system": proofs.system.name,
        "questions": [
            {
                "name": part.question.name,
                "text": part.question.text,
                "stopped": part.stopped or None,
                "answers": [
                    _answer(proofs.system, answer, (replays or {}).get(id(answer)))
                    for answer in part.answers
                ],
            }
            for part in proofs.answered
        ],
        "availability": [
            {
                "journey": found.journey.name,
                "low": str(found.bounds.low),
                "high": str(found.bounds.high),
                "missing": [f"{subject_name(g.holder)}: {g.attribute}" for g in found.gaps],
            }
            for found in available
        ],
    }


def _answer(system: System, answer: Answer, played: Replay | None) -> dict[str, object]:
    data: dict[str, object] = {
        "verdict": type(answer).__name__.lower(),
        "subject": subject_name(answer.subject),
        "place": _place(system.place(subject_element(answer.subject))),
        "claim": answer.claim,
    }
    match answer:
        case Proved():
            data["assumptions"] = list(answer.assumptions)
        case Refuted(counterexample=shown):
            data["counterexample"] = {
                "message": shown.message,
                "story": [_told(system, part) for part in shown.story],
                "conflict": [subject_name(part) for part in shown.conflict],
                "marks": dict(shown.marks),
            }
            data["fix"] = answer.fix
            if played is not None:
                data["replay"] = {"shown": played.is_shown, "text": played.text}
        case Undecided():
            data["reason"] = answer.reason
            data["missing"] = [
                {
                    "element": subject_name(gap.holder),
                    "attribute": gap.attribute,
                    "threshold": gap.threshold or None,
                }
                for gap in answer.gaps
            ]
    return data


def _place(place: Place | None) -> dict[str, Any] | None:
    return {"file": place.shown_file(), "line": place.line} if place else None
