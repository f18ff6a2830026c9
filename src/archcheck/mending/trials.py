"""Sets of edits beside the original: which are kept, which are refused and why."""

from __future__ import annotations

import math
import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property
from itertools import takewhile
from typing import NamedTuple

from archcheck.editing import Edit, apply, kind_of
from archcheck.graph import Graph
from archcheck.graph.reach import waited_for
from archcheck.mending.claims import Claims
from archcheck.mending.findings import Finder
from archcheck.mending.losses import Losses
from archcheck.model import System
from archcheck.model.linking import walk
from archcheck.proof.repair import STALE, Found

_MOST_LEFT_OUT = 40
"""Edits that are tried to be left out where others were refused. A choice: each is a verification.
"""
_MOST_TRIALS = 14
"""Sets of edits that are run beside the original, at most. A choice: one edit in a hundred that
costs answers is found with so many."""
_MOST_OTHERS = 3
"""Other numbers that are run in place of one that costs answers. A choice: each takes seconds."""
_OF_TIME = frozenset({"timeout", "attempts", "pause"})
"""Kinds of edits that change how long callers wait."""
_COUNTS = ("replicas", "copies", "nodes", "max", "size")
"""Fields of which another number may do where one does not."""
_STEPS = (1.1, 1.25, 1.5, 2.0, 2.5, 3.0, 4.0, 6.0, 10.0)
"""What a refused number is multiplied by, in turn. A choice: replicas up to twice as many, pools
up to what they have today."""
_MOST_MORE = 2.0


class _Objection(NamedTuple):
    """Why edits are not offered, and the elements on the way of the journeys that lose."""

    why: str
    on_way: frozenset[str] = frozenset()


@dataclass
class RepairTrials:
    """What sets of edits of one system cost, each tried once."""

    system: System
    find: Finder
    before: Found
    losses: Losses
    claims: Claims
    deadline: float = math.inf
    """When nothing is tried any more, on the monotonic clock."""
    together: Mapping[Edit, Edit] = field(default_factory=dict)
    """Edits that only go with others."""
    mended: Found = frozenset()
    """Findings that must not come back."""
    refused: dict[Edit, str] = field(default_factory=dict)
    untried: list[Edit] = field(default_factory=list)
    count: int = 0
    """Sets that were run beside the original."""
    known: dict[tuple[Edit, ...], Found] = field(default_factory=dict)
    """What is found with some edits: each verification of a large system takes seconds."""
    _objections: dict[frozenset[Edit], _Objection | None] = field(default_factory=dict)

    def found(self, edits: Sequence[Edit]) -> Found:
        """What is wrong with the system once it has these edits."""
        key = tuple(edits)
        if not key:
            return self.before
        if key not in self.known:
            self.known[key] = self.find(apply(self.system, key))
        return self.known[key]

    def kept(self, edits: Sequence[Edit], before: tuple[Edit, ...] = ()) -> tuple[Edit, ...]:
        """``before`` and as many of ``edits`` as cost nothing, found by halving.

        In place of a number that is refused stands the next one that is not, if there is one.
        """
        if not edits:
            return before
        if self.is_over:
            self.untried += edits
            return before
        objection = self.objection((*before, *edits))
        if objection is None:
            return (*before, *edits)
        if len(edits) == 1:
            other = self._other(edits[0], before)
            if other is not None:
                return (*before, other)
            self.refused[edits[0]] = objection.why
            return before
        first, second = self._parted(edits, objection)
        return self.kept(second, self.kept(first, before))

    def _other(self, edit: Edit, before: tuple[Edit, ...]) -> Edit | None:
        """The next number that mends as much as a refused one and costs nothing."""
        mends = self.before - self.found((*before, edit))
        runs = 0
        for other in _other_numbers(edit):
            if self.is_over or runs >= _MOST_OTHERS:
                break
            tried = (*before, other)
            if not mends <= self.before - self.found(tried):
                continue
            count = self.count
            if self.objection(tried) is None:
                return other
            runs += self.count - count
        return None

    def _parted(
        self, edits: Sequence[Edit], objection: _Objection
    ) -> tuple[Sequence[Edit], Sequence[Edit]]:
        """Edits that are likely harmless, and the others.

        What changes how long calls take hangs together and is what costs answers, on the way of
        the journeys that lose; where that tells nothing apart, halves.
        """
        on_way = (e for e in edits if self._owners.get(id(e.part)) in objection.on_way)
        for found in ((e for e in edits if kind_of(e) in _OF_TIME), on_way):
            suspects = dict.fromkeys(found)
            if suspects and len(suspects) < len(edits):
                return [edit for edit in edits if edit not in suspects], [*suspects]
        half = len(edits) // 2
        return edits[:half], edits[half:]

    @cached_property
    def _owners(self) -> Mapping[int, str]:
        """The element of each part."""
        return {id(part): each.name for each in self.system.elements for part in walk(each)}

    @cached_property
    def _graph(self) -> Graph:
        return Graph(self.system)

    def worthwhile(self, edits: Sequence[Edit]) -> Sequence[Edit]:
        """Of some edits, those that cost nothing and mend something without all others."""
        return self.needed(self.kept(edits))

    def needed(self, edits: Sequence[Edit]) -> Sequence[Edit]:
        """As few of the edits as mend as much."""
        after = self.found(edits)
        for edit in [*reversed(edits)][:_MOST_LEFT_OUT]:
            if time.monotonic() > self.deadline:
                break
            if edit in self.together:
                continue
            others = [e for e in edits if e is not edit and self.together.get(e) is not edit]
            if self.found(others) == after:
                edits = others
        return edits

    @property
    def is_over(self) -> bool:
        """Whether nothing is tried any more."""
        return self.count >= _MOST_TRIALS or time.monotonic() > self.deadline

    def objection(self, edits: Sequence[Edit]) -> _Objection | None:
        """Why a set of edits is not offered."""
        tried = frozenset(edits)
        if tried not in self._objections:
            self._objections[tried] = self._tried(edits)
        return self._objections[tried]

    def _tried(self, edits: Sequence[Edit]) -> _Objection | None:
        new = sorted(self.found(edits) - (self.before - self.mended))
        brought = [each for each in new if each[0] != STALE]
        if brought:
            return _Objection(f"brings {' '.join(brought[0])}")
        changed = apply(self.system, edits)
        claims = [*self.claims.lost(changed)]
        if claims:
            return _Objection(claims[0].text, frozenset().union(*(c.on_way for c in claims)))
        self.count += 1
        lost = self.losses.first(changed)
        if not lost:
            return None
        losing = {loss.journey for loss in lost}
        entries = [
            str(entry)
            for journey in self.system.journeys
            if journey.name in losing
            for entry in journey.all_entries()
        ]
        return _Objection(lost[0].text, frozenset(waited_for(self._graph, entries)))


def _other_numbers(edit: Edit) -> Iterator[Edit]:
    """The edit with the next larger numbers.

    Of what grows up to twice as many, of what shrinks up to less than there is today.
    """
    name = next((name for name in _COUNTS if name in edit.values), None)
    if name is None:
        return
    number, today = edit.values[name], getattr(edit.part, name, None) or 0
    most = today - 1 if number < today else math.floor(_MOST_MORE * number)
    larger = dict.fromkeys([number + 1, *(math.ceil(number * step) for step in _STEPS)])
    for other in takewhile(lambda each: each <= most, larger):
        yield replace(edit, values={**edit.values, name: other})
