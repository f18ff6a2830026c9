"""A unified diff of two texts that are alike but for a few lines, in time that grows with both.

``difflib`` looks for the longest block that two texts have in common, which takes minutes where
many lines are alike, as in a large JSON model. Here both texts are read side by side; where they
part, the nearest place is sought where three lines of both are the same again.
"""

from __future__ import annotations

import difflib
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

_CONTEXT = 3
"""Lines around a change, as in all unified diffs."""
_ALIKE = 3
"""Lines in a row that must be the same for two texts to have met again. A choice: one brace is the
same as any other."""
_FARTHEST = 400
"""Lines that are skipped in both texts together, at most, until they meet again. A choice: beyond
it the rest is compared by ``difflib``."""


@dataclass(frozen=True)
class _Change:
    """Lines ``a[i:k]`` that become ``b[j:m]``."""

    i: int
    k: int
    j: int
    m: int


def unified_diff(before: str, after: str, old: str, new: str) -> Iterator[str]:
    """The lines of a diff from the text of the file ``old`` to that of ``new``; none if alike."""
    a, b = lines_of(before), lines_of(after)
    hunks = _hunks([*_changes(a, b)])
    for number, hunk in enumerate(hunks):
        if number == 0:
            yield from (f"--- {old}\n", f"+++ {new}\n")
        yield from _printed(hunk, a, b)


def lines_of(text: str) -> list[str]:
    """As git counts them: other characters that end lines for Python do not here."""
    return re.findall(r"[^\n]*\n|[^\n]+", text)


def _changes(a: Sequence[str], b: Sequence[str]) -> Iterator[_Change]:
    i = j = 0
    while i < len(a) or j < len(b):
        if i < len(a) and j < len(b) and a[i] == b[j]:
            i, j = i + 1, j + 1
            continue
        met = _meeting(a, b, i, j)
        if met is None:
            yield from _compared(a, b, i, j)
            return
        yield _Change(i, met[0], j, met[1])
        i, j = met


def _meeting(a: Sequence[str], b: Sequence[str], i: int, j: int) -> tuple[int, int] | None:
    """The nearest places from which on both texts are the same for a while, or at their ends."""
    for skipped in range(1, _FARTHEST + 1):
        for here in range(skipped + 1):
            k, m = i + here, j + skipped - here
            if k <= len(a) and m <= len(b) and a[k : k + _ALIKE] == b[m : m + _ALIKE]:
                return k, m
    return None


def _compared(a: Sequence[str], b: Sequence[str], i: int, j: int) -> Iterator[_Change]:
    matcher = difflib.SequenceMatcher(None, a[i:], b[j:])
    for tag, first, last, start, end in matcher.get_opcodes():
        if tag != "equal":
            yield _Change(i + first, i + last, j + start, j + end)


def _hunks(changes: Sequence[_Change]) -> list[list[_Change]]:
    """Changes whose context would overlap stand together."""
    found: list[list[_Change]] = []
    for change in changes:
        if found and change.i - found[-1][-1].k <= 2 * _CONTEXT:
            found[-1].append(change)
        else:
            found.append([change])
    return found


def _printed(hunk: Sequence[_Change], a: Sequence[str], b: Sequence[str]) -> Iterator[str]:
    first, last = hunk[0], hunk[-1]
    lead = min(_CONTEXT, first.i)
    end = min(len(a), last.k + _CONTEXT)
    was = _range(first.i - lead, end)
    becomes = _range(first.j - lead, last.m + end - last.k)
    yield f"@@ -{was} +{becomes} @@\n"
    at = first.i - lead
    for change in hunk:
        yield from (_line(" ", text) for text in a[at : change.i])
        yield from (_line("-", text) for text in a[change.i : change.k])
        yield from (_line("+", text) for text in b[change.j : change.m])
        at = change.k
    yield from (_line(" ", text) for text in a[at:end])


def _range(first: int, end: int) -> str:
    """The first line, and how many; of none, the line before (POSIX, diff, unified format)."""
    count = end - first
    start = first + 1 if count else first
    return f"{start}" if count == 1 else f"{start},{count}"


def _line(sign: str, text: str) -> str:
    if text.endswith("\n"):
        return sign + text
    return f"{sign}{text}\n\\ No newline at end of file\n"
