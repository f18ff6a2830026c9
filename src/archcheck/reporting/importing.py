"""What an import read, joined and left open: as text and as JSON."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.text import Text

from archcheck.importing import Import
from archcheck.importing.facts import spelled
from archcheck.importing.missing import MissingAttribute
from archcheck.model import Named, Place
from archcheck.reporting.console import counted, printable

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


def import_data(found: Import, missing: Sequence[MissingAttribute]) -> dict[str, Any]:
    """The same as plain data, for ``--format json``."""
    joined = found.joined
    return {
        "format": "archcheck.import/1",
        "system": found.system.name,
        "files": [{"path": _short(file.path), "kind": file.kind} for file in found.files],
        "skipped": [{"path": _short(path), "reason": why} for path, why in found.skipped],
        "edges": [
            {"source": e.source, "target": e.target, "said": e.reach.said, **_place(e.reach.place)}
            for e in joined.edges
        ],
        "candidates": [
            {"source": c.reach.element, "targets": list(c.targets), "said": c.reach.said,
             "reason": c.reason, **_place(c.reach.place)}
            for c in joined.candidates
        ],
        "unexplained": [
            {"source": r.element, "address": str(r.address), "said": r.said, **_place(r.place)}
            for r in joined.unexplained
        ],
        "conflicts": [
            {"element": c.kept.element, "attribute": spelled(c.kept.path),
             "kept": {"value": _value(c.kept.value), **_place(c.kept.place)},
             "dropped": {"value": _value(c.dropped.value), **_place(c.dropped.place)}}
            for c in joined.conflicts
        ],
        "remarks": [{"remark": r.sentence, **_place(r.place)} for r in joined.remarks],
        "values": [
            {"element": f.element, "attribute": spelled(f.path), "value": _value(f.value),
             **_place(f.place)}
            for f in joined.facts
        ],
        "missing": [
            {"attribute": m.attribute, "elements": m.elements, "rules": list(m.rules)}
            for m in missing
        ],
    }  # fmt: skip


def _place(place: Place) -> dict[str, Any]:
    return {"file": Path(place.shown_file()).as_posix(), "line": place.line}
