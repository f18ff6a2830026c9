"""What an import read, joined and left open: as text and as JSON."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

from rich.console import Console
from rich.text import Text

from archcheck.importing import Import
from archcheck.importing.facts import Fact, spelled
from archcheck.importing.missing import MissingAttribute
from archcheck.model import Named, Place
from archcheck.reporting.console import counted, printable
from archcheck.reporting.forms import PlaceForm, plain

_SHOWN = 10
"""Lines of a list that are shown without ``-v``. A choice."""


def print_import(
    console: Console, found: Import, missing: Sequence[MissingAttribute], *, verbose: bool
) -> None:
    """What was read, joined, in conflict and is missing most."""
    joined = found.joined
    console.print(Text(f"{found.system.name}: {_kinds(found.system.elements)}", style="bold"))
    _head(console, "read", _read(found))
    pairs = {(edge.source, edge.target): edge for edge in reversed(joined.edges)}
    _head(console, "joined", _joined(found, len(pairs)))
    if verbose:
        _lines(console, (f"{e.source} -> {e.target}: {e.reach.said} ({_at(e.reach.place)})"
                         for e in sorted(pairs.values(), key=lambda e: (e.source, e.target))),
               verbose=True)  # fmt: skip
    _list(console, "in conflict", [_conflict(c) for c in joined.conflicts], verbose)
    candidates = [
        f"{c.reach.element} -> {', '.join(c.targets)}: {c.reach.said} ({_at(c.reach.place)}); "
        f"{c.reason}"
        for c in joined.candidates
    ]
    _list(console, "candidates, not taken", candidates, verbose)
    unexplained = [
        f"{r.element}: {r.address} in {r.said} ({_at(r.place)})" for r in joined.unexplained
    ]
    _list(console, "addresses of nobody in the files", unexplained, verbose)
    _list(console, "left out", _left_out(found, verbose), verbose)
    if verbose:
        _list(console, "not in the model", _not_held(found), verbose)
        _list(console, "values", [f"{fact} ({_at(fact.place)})" for fact in joined.facts], verbose)
    _print_missing(console, found, missing)


def _left_out(found: Import, verbose: bool) -> list[str]:
    """What was not read; without ``-v`` one line for each reason."""
    reasons: dict[str, list[str]] = {}
    for path, why in found.skipped:
        reasons.setdefault(why, []).append(_short(path))
    if verbose:
        return [f"{path}: {why}" for why, paths in reasons.items() for path in paths]
    more = {
        why: f" and {len(paths) - 1} more" if paths[1:] else "" for why, paths in reasons.items()
    }
    return [f"{paths[0]}{more[why]}: {why}" for why, paths in reasons.items()]


def _head(console: Console, word: str, text: str) -> None:
    console.print(Text.assemble((f"{word}: ", "bold"), printable(text)))


def _list(console: Console, word: str, lines: Sequence[str], verbose: bool) -> None:
    if lines:
        _head(console, word, str(len(lines)))
        _lines(console, lines, verbose=verbose)


def _lines(console: Console, lines: Iterable[str], *, verbose: bool) -> None:
    every = list(lines)
    for line in every if verbose else every[:_SHOWN]:
        console.print(Text(f"  {printable(line)}"))
    if not verbose and len(every) > _SHOWN:
        console.print(Text(f"  ... and {len(every) - _SHOWN} more; -v shows all"))


def _kinds(elements: Sequence[Named]) -> str:
    kinds = Counter(type(element).__name__ for element in elements)
    found = ", ".join(f"{count} {kind}" for kind, count in kinds.most_common())
    return found or "no element (contracts and settings say more of elements that other files name)"


def _read(found: Import) -> str:
    kinds = Counter(file.kind for file in found.files)
    files = ", ".join(f"{counted(count, 'file')} of {kind}" for kind, count in kinds.items())
    return f"{files}; {counted(len(found.joined.facts), 'value')}, each with its line (-v)"


def _joined(found: Import, pairs: int) -> str:
    starts = sum(len(getattr(e, "start_after", ())) for e in found.system.elements)
    if not pairs and not starts:
        return "nothing: no file says who reaches whom, so the model has no edges"
    return (
        f"{counted(pairs, 'edge')} by addresses, {counted(starts, 'start order')} "
        "(an address says who reaches whom, not what is asked)"
    )


def _conflict(conflict: Any) -> str:
    kept, dropped = conflict.kept, conflict.dropped
    return (
        f"{kept.element}: {spelled(kept.path)} is {_value(kept.value)} ({_at(kept.place)}), not "
        f"{_value(dropped.value)} ({_at(dropped.place)})"
    )


def _value(value: object) -> str:
    return value.__name__ if isinstance(value, type) else str(value)


def _not_held(found: Import) -> list[str]:
    remarks = [f"{r.sentence} ({_at(r.place)})" for r in found.joined.remarks]
    unheld = [f"{fact}: the vocabulary has no place ({_at(fact.place)})"
              for fact in found.joined.unheld]  # fmt: skip
    return remarks + unheld


def _print_missing(console: Console, found: Import, missing: Sequence[MissingAttribute]) -> None:
    lines = [
        f"{m.attribute}: of {counted(m.elements, 'element')}; would decide {', '.join(m.rules[:6])}"
        + (" ..." if len(m.rules) > 6 else "")
        for m in missing[:5]
    ]
    if lines:
        _head(console, "missing most", f"{counted(len(missing), 'attribute')} that rules ask for")
        _lines(console, lines, verbose=True)
    if not found.system.journeys:
        console.print(
            Text(
                "There are no journeys, because no file says what a request does: declare "
                "endpoints with their calls and a Journey, and simulate, prove and plan have "
                "something to work on."
            )
        )


def _at(place: Place) -> str:
    return str(place)


def _short(path: str) -> str:
    return Place(path, 1).shown_file() + ("/" if path.endswith("/") else "")


@dataclass(frozen=True)
class FileForm:
    """A file that was read."""

    path: str
    """The file, relative to the working folder where it lies in it."""
    kind: str
    """What it is, such as kubernetes or compose."""


@dataclass(frozen=True)
class SkippedForm:
    """A file that was not read."""

    path: str
    """The file or folder."""
    reason: str
    """Why."""


@dataclass(frozen=True)
class EdgeForm(PlaceForm):
    """Who reaches whom; file and line say where that is written."""

    source: str
    """The element that reaches."""
    target: str
    """The element that is reached."""
    said: str
    """What says so, such as the name of a variable."""


@dataclass(frozen=True)
class CandidateForm(PlaceForm):
    """An edge that was not taken; file and line say where it is written."""

    source: str
    """The element that may reach."""
    targets: tuple[str, ...]
    """The elements that it may reach."""
    said: str
    """What says so."""
    reason: str
    """Why it was not taken."""


@dataclass(frozen=True)
class UnexplainedForm(PlaceForm):
    """An address of nobody in the files; file and line say where it is written."""

    source: str
    """The element that has it."""
    address: str
    """The address."""
    said: str
    """What has it, such as the name of a variable."""


@dataclass(frozen=True)
class SaidForm(PlaceForm):
    """A value; file and line say where it is written."""

    value: str
    """The value."""


@dataclass(frozen=True)
class ConflictForm:
    """Two files that say different things."""

    element: str
    """Of which element."""
    attribute: str
    """Of which attribute."""
    kept: SaidForm
    """What the model has."""
    dropped: SaidForm
    """What it does not."""


@dataclass(frozen=True)
class RemarkForm(PlaceForm):
    """Something to know; file and line say where it is from."""

    remark: str
    """The sentence."""


@dataclass(frozen=True)
class ValueForm(PlaceForm):
    """A value of the model; file and line say where it is from."""

    element: str
    """Of which element."""
    attribute: str
    """Of which attribute."""
    value: str
    """The value with its unit."""


@dataclass(frozen=True, kw_only=True)
class ImportForm:
    """The result of archcheck import."""

    format: Literal["archcheck.import/1"] = "archcheck.import/1"
    """The name and version of this form."""
    system: str
    """The name of the system."""
    files: tuple[FileForm, ...]
    """What was read."""
    skipped: tuple[SkippedForm, ...]
    """What was not read."""
    edges: tuple[EdgeForm, ...]
    """Who reaches whom."""
    candidates: tuple[CandidateForm, ...]
    """Edges that were not taken."""
    unexplained: tuple[UnexplainedForm, ...]
    """Addresses of nobody in the files."""
    conflicts: tuple[ConflictForm, ...]
    """Where files say different things."""
    remarks: tuple[RemarkForm, ...]
    """What the model does not hold."""
    values: tuple[ValueForm, ...]
    """Each value of the model."""
    missing: tuple[MissingAttribute, ...]
    """What nobody says, first what would decide most rules."""


def import_data(found: Import, missing: Sequence[MissingAttribute]) -> dict[str, Any]:
    """The same as plain data, for ``--format json``."""
    joined = found.joined
    form = ImportForm(
        system=found.system.name,
        files=tuple(FileForm(_short(file.path), file.kind) for file in found.files),
        skipped=tuple(SkippedForm(_short(path), why) for path, why in found.skipped),
        edges=tuple(
            EdgeForm(*_place(e.reach.place), e.source, e.target, e.reach.said) for e in joined.edges
        ),
        candidates=tuple(
            CandidateForm(
                *_place(c.reach.place), c.reach.element, c.targets, c.reach.said, c.reason
            )
            for c in joined.candidates
        ),
        unexplained=tuple(
            UnexplainedForm(*_place(r.place), r.element, str(r.address), r.said)
            for r in joined.unexplained
        ),
        conflicts=tuple(
            ConflictForm(c.kept.element, spelled(c.kept.path), _said(c.kept), _said(c.dropped))
            for c in joined.conflicts
        ),
        remarks=tuple(RemarkForm(*_place(r.place), r.sentence) for r in joined.remarks),
        values=tuple(
            ValueForm(*_place(f.place), f.element, spelled(f.path), _value(f.value))
            for f in joined.facts
        ),
        missing=tuple(missing),
    )
    data: dict[str, Any] = plain(form)
    return data


def _said(fact: Fact) -> SaidForm:
    return SaidForm(*_place(fact.place), _value(fact.value))


def _place(place: Place) -> tuple[str, int]:
    return Path(place.shown_file()).as_posix(), place.line
