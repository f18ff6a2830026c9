"""What to do first: the few actions that fix most of what the rules found.

Findings come from somewhere: a helper that declares forty elements, an attribute that nobody set.
An action is one fix at one place of the model, whatever rules ask for it, or one fix that a rule
asks for at many places.
"""

from __future__ import annotations

import re
from collections import Counter, defaultdict
from collections.abc import Collection, Iterable
from dataclasses import dataclass

from archcheck.configuration import RANK
from archcheck.findings import Finding, Occurrence
from archcheck.model import Place

_MOST = 5
"""Actions. A choice: what a team does before it looks again."""
_FEWEST_FIXED = 2
"""An action that fixes one place says no more than the finding."""

_UNITS = "us|ms|s|min|h|minutes|hours|percent|KiB|MiB|GiB"
_NUMBER = re.compile(rf"(?<![\w.-])\d+(?:\.\d+)?(?: ?\*? ?(?:{_UNITS})\b)?(?!\w)")
"""A number that stands alone; its unit is replaced with it."""

_Entry = tuple[Finding, Occurrence]


@dataclass(frozen=True)
class Action:
    """What to declare or change, where, and what that fixes."""

    fix: str
    """As the findings say it; what differs between them is left open: ``timeout=...``."""
    place: Place | None
    """The first place, by file and line."""
    edits: int
    """Places of the model that have to be edited."""
    fixed: tuple[tuple[str, int], ...]
    """Rule to how many of its findings are fixed (each place of a finding counted), most first."""
    subjects: tuple[str, ...] = ()
    """What the fixed findings are about, each once, in their order."""

    @property
    def count(self) -> int:
        """How many findings are fixed, each place counted."""
        return sum(number for _, number in self.fixed)

    @property
    def effect(self) -> str:
        """``fixes 40 findings (RES001) in 2 places, the first at shop.py:12``."""
        rules = ", ".join(rule for rule, _ in self.fixed)
        fixes = f"fixes {self.count} finding{'' if self.count == 1 else 's'} ({rules})"
        if self.edits > 1:
            first = f", the first at {self.place}" if self.place else ""
            return f"{fixes} in {self.edits} places{first}"
        where = "at" if self.count == 1 else "all at"
        return f"{fixes}, {where} {self.place}" if self.place else fixes


def actions(
    findings: Iterable[Finding],
    most: int = _MOST,
    *,
    fewest: int = _FEWEST_FIXED,
    critical: Collection[str] = (),
) -> list[Action]:
    """The actions that fix most, the gravest findings first; each finding is counted once.

    ``fewest``: places that an action fixes at least. ``critical``: elements that matter most; what
    fixes findings about them comes before what fixes as grave ones elsewhere.
    """
    groups: defaultdict[tuple[str, ...], list[_Entry]] = defaultdict(list)
    for finding in findings:
        for occurrence in finding.occurrences:
            if occurrence.fix:
                for key in _keys(finding, occurrence):
                    groups[key].append((finding, occurrence))
    found: list[Action] = []
    left = [group for group in groups.values() if len(group) >= fewest]
    while left and len(found) < most:
        chosen = max(left, key=lambda group: _weight(group, critical))
        found.append(_action(chosen))
        done = {id(occurrence) for _, occurrence in chosen}
        rest = ([entry for entry in group if id(entry[1]) not in done] for group in left)
        left = [group for group in rest if len(group) >= fewest]
    return found


def _keys(finding: Finding, occurrence: Occurrence) -> Iterable[tuple[str, ...]]:
    shape = _shape(occurrence)
    if occurrence.place is not None:
        attribute = re.match(r"\w+=", shape)
        yield "place", str(occurrence.place), attribute[0] if attribute else shape
    yield "rule", finding.rule.id, shape


def _shape(occurrence: Occurrence) -> str:
    """The fix without the names and the numbers of its place."""
    named = [occurrence.subject, *(part.text for part in occurrence.evidence if part.place)]
    whole = dict.fromkeys(end for name in named for end in (name, *name.split(" -> ")))
    parts = dict.fromkeys(part for name in whole for part in name.split("."))
    shape = occurrence.fix
    for name in (*whole, *parts):
        if name not in shape:  # each name needs a pattern of its own, which takes time to make
            continue
        shape = re.sub(rf"(?<![\w.-]){re.escape(name)}(?![\w-])(?!=)", "...", shape)
    return _NUMBER.sub("...", shape)


def _weight(entries: list[_Entry], critical: Collection[str]) -> tuple[int, ...]:
    """Errors before warnings before infos, those about critical elements first of each.

    Of as many, what needs the fewest edits.
    """
    count = Counter(RANK[finding.severity] for finding, _ in entries)
    grave = Counter(
        RANK[finding.severity] for finding, place in entries if critical and _about(place, critical)
    )
    ranks = sorted(RANK.values(), reverse=True)
    by_severity = (number for rank in ranks for number in (grave[rank], count[rank]))
    return (*by_severity, -len({occurrence.place for _, occurrence in entries}))


def _about(occurrence: Occurrence, names: Collection[str]) -> bool:
    """Whether a place is about one of these elements, an operation of theirs, or a call to them."""
    ends = occurrence.subject.split(" -> ")
    return any(end in names or end.rpartition(".")[0] in names for end in ends)


def _action(entries: list[_Entry]) -> Action:
    texts = {occurrence.fix for _, occurrence in entries}
    shapes = {_shape(occurrence) for _, occurrence in entries}
    first = entries[0][1].fix
    different = shapes.pop() if len(shapes) == 1 else f"{first.partition('=')[0]}=..."
    places = {(p.file, p.line): p for _, occurrence in entries if (p := occurrence.place)}
    rules = Counter(finding.rule.id for finding, _ in entries)
    return Action(
        first if len(texts) == 1 else different,
        places[min(places)] if places else None,
        len(places) or len(entries),
        tuple(sorted(rules.items(), key=lambda entry: (-entry[1], entry[0]))),
        tuple(dict.fromkeys(occurrence.subject for _, occurrence in entries)),
    )
