"""Coherent structures: what must work for the whole to work, its minimal cut sets, its probability.

A structure is built of units that work or fail by themselves, of which all, any or at least so
many must work. More working units never make the whole fail (Barlow and Proschan, Statistical
Theory of Reliability and Life Testing, 1975, chapters 1 and 2).

*Minimal cut sets*, the smallest sets of failures that stop the whole, are found from the leaves
up, as MOCUS does from the top (Fussell and Vesely, A New Methodology for Obtaining Cut Sets for
Fault Trees, 1972), each step keeping only minimal sets up to the wanted size. *Probability*, for
units that fail independently, is exact: parts that share no unit multiply, shared units are
factored out one by one. Where that takes too long, bounds are given: units that fail
independently make all parts associated, so that all of them work with at least the product of
their probabilities (Esary, Proschan and Walkup, Association of Random Variables, 1967).
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Literal, TypeAlias

from archcheck.graph.copies import zone_called
from archcheck.graph.exact import Rational
from archcheck.proof.budget import left

UnitKind: TypeAlias = Literal[
    "replica", "zone", "copy", "node", "external", "link", "element", "answer"
]
_ONE = Rational(1)
_MAX_FACTORINGS = 5_000
"""Shared units that are factored out before bounds take the place of the exact value. A choice that
bounds the time: each factoring leaves two structures."""


@dataclass(frozen=True, order=True)
class Unit:
    """Something that fails as one: a replica, a zone, a copy of a datastore, an external party."""

    kind: UnitKind
    element: str
    """The element's name, the zone's, ``caller -> callee`` of a link, the step of an answer."""
    number: int = 0
    """Which one of several, from 1."""

    def __str__(self) -> str:
        match self.kind:
            case "external" | "element":
                return self.element
            case "zone":
                return zone_called(self.element)
            case "link":
                return f"the link {self.element}"
            case "answer":
                return f"the answer of {self.element}"
            case _:
                return f"{self.kind} {self.number} of {self.element}"

    @property
    def units(self) -> frozenset[Unit]:
        """Itself."""
        return frozenset({self})


@dataclass(frozen=True, eq=False)
class AtLeast:
    """Works while at least ``needed`` of its parts work."""

    needed: int
    parts: tuple[Structure, ...]

    @cached_property
    def units(self) -> frozenset[Unit]:
        """Everything that it is made of."""
        return frozenset().union(*(part.units for part in self.parts))


Structure: TypeAlias = Unit | AtLeast
CutSet: TypeAlias = frozenset[Unit]
NEVER: Structure = AtLeast(1, ())
"""What works in no case."""


def all_of(parts: Iterable[Structure]) -> Structure:
    """Works while all parts work; without parts, always."""
    flat = tuple(dict.fromkeys(_conjuncts(parts)))
    return flat[0] if len(flat) == 1 else AtLeast(len(flat), flat)


def _conjuncts(parts: Iterable[Structure]) -> Iterator[Structure]:
    """The parts of what needs all of its parts; a group of a single one stays together."""
    for part in parts:
        if isinstance(part, AtLeast) and part.needed == len(part.parts) != 1:
            yield from part.parts
        else:
            yield part


def any_of(parts: Iterable[Structure]) -> Structure:
    """Works while any part works; without parts, never."""
    kept = tuple(part for part in dict.fromkeys(parts) if part is not NEVER)
    return kept[0] if len(kept) == 1 else AtLeast(1, kept) if kept else NEVER


def works(structure: Structure, failed: frozenset[Unit]) -> bool:
    """Whether the whole works when exactly these units have failed."""
    if isinstance(structure, Unit):
        return structure not in failed
    return sum(works(part, failed) for part in structure.parts) >= structure.needed


# -- minimal cut sets -----------------------------------------------------------------------------


def minimal_cut_sets(
    structure: Structure, size: int, can_fail: Callable[[Unit], bool] = lambda _: True
) -> list[CutSet]:
    """All minimal sets of up to ``size`` failures that stop the whole, smallest first.

    ``can_fail`` leaves out units that never do.
    """
    found = _cuts(structure, size, can_fail)
    return sorted(found, key=lambda cut: (len(cut), sorted(cut)))


def _cuts(structure: Structure, size: int, can_fail: Callable[[Unit], bool]) -> set[CutSet]:
    if isinstance(structure, Unit):
        return {structure.units} if can_fail(structure) and size else set()
    failures = len(structure.parts) - structure.needed + 1
    if failures <= 0:
        return {frozenset()}
    left()
    if failures == 1:
        found = set[CutSet]()
        for part in structure.parts:
            found |= _cuts(part, size, can_fail)
        return _minimal(found, size)
    # by number of failed parts among those seen so far
    stopped: list[set[CutSet]] = [{frozenset()}, *(set() for _ in range(failures))]
    for part in structure.parts:
        own = _cuts(part, size, can_fail)
        for count in range(failures, 0, -1):
            both = {a | b for a in stopped[count - 1] for b in own if len(a | b) <= size}
            if both:
                stopped[count] = _minimal(stopped[count] | both, size)
        left()
    return stopped[failures]


def _minimal(cuts: set[CutSet], size: int) -> set[CutSet]:
    """Those that contain no other one."""
    if len(cuts) < 2 or size < 2:
        return {frozenset()} if frozenset() in cuts else cuts
    kept = set[CutSet]()
    for cut in sorted(cuts, key=len):
        if not any(smaller in kept for smaller in _proper_subsets(cut)):
            kept.add(cut)
    return kept


def _proper_subsets(cut: CutSet) -> Iterator[CutSet]:
    members = tuple(cut)
    for bits in range(2 ** len(members) - 1):
        yield frozenset(member for n, member in enumerate(members) if bits >> n & 1)


# -- probability ----------------------------------------------------------------------------------


@dataclass(frozen=True)
class Bounds:
    """What a probability lies between; exact when both are the same."""

    low: Rational
    high: Rational

    @property
    def is_exact(self) -> bool:
        """Whether the value itself is known."""
        return self.low == self.high


def probability(structure: Structure, up: Mapping[Unit, Rational]) -> Bounds:
    """How likely the whole works when each unit works with probability ``up`` (default: 1).

    Exact, unless too many units are shared between parts; then bounds.
    """
    exactly = _Factoring(up).of(structure)
    if exactly is not None:
        return Bounds(exactly, exactly)
    return _bounds(structure, up)


class _Factoring:
    def __init__(self, up: Mapping[Unit, Rational]) -> None:
        self._up = up
        self._made = 0

    def of(self, structure: Structure) -> Rational | None:
        if isinstance(structure, Unit):
            return self._up.get(structure, _ONE)
        shared = _most_shared(structure)
        if shared is None:
            return self._independent(structure.needed, structure.parts)
        if structure.needed == len(structure.parts):
            groups = _apart(structure.parts)
            if len(groups) > 1:
                together = [AtLeast(len(g), g) if len(g) > 1 else g[0] for g in groups]
                return self._independent(len(together), together)
        return self._factored(structure, shared)

    def _independent(self, needed: int, parts: Sequence[Structure]) -> Rational | None:
        chances = [self.of(part) for part in parts]
        known = [chance for chance in chances if chance is not None]
        return _at_least(needed, known) if len(known) == len(chances) else None

    def _factored(self, structure: AtLeast, unit: Unit) -> Rational | None:
        self._made += 1
        left()
        if self._made > _MAX_FACTORINGS:
            return None
        chance = self._up.get(unit, _ONE)
        up = self.of(_given(structure, unit, works=True)) if chance else _ONE
        down = self.of(_given(structure, unit, works=False)) if chance != 1 else _ONE
        return None if up is None or down is None else chance * up + (1 - chance) * down


def _at_least(needed: int, chances: list[Rational]) -> Rational:
    """Probability that enough independent parts work."""
    needed -= sum(chance == 1 for chance in chances)
    open_ = [chance for chance in chances if 0 < chance < 1]
    if needed <= 0:
        return _ONE
    if needed > len(open_):
        return Rational(0)
    spare = len(open_) - needed
    if spare < needed:
        return _at_most(spare, [1 - chance for chance in open_])
    return 1 - _at_most(needed - 1, open_)


def _at_most(number: int, chances: list[Rational]) -> Rational:
    """Probability that at most so many of independent events happen, by the number so far."""
    if number == 0:
        return _product(1 - chance for chance in chances)
    counts = [_ONE] + [Rational(0)] * number
    for chance in chances:
        for count in range(number, 0, -1):
            counts[count] = counts[count] * (1 - chance) + counts[count - 1] * chance
        counts[0] *= 1 - chance
    return sum(counts, Rational(0))


def _apart(parts: Sequence[Structure]) -> list[tuple[Structure, ...]]:
    """Parts in groups that share no unit with each other."""
    group_of: dict[Unit, int] = {}
    groups: dict[int, list[Structure]] = {}
    for number, part in enumerate(parts):
        groups[number] = [part]
        for other in {group_of[unit] for unit in part.units if unit in group_of}:
            groups[number] = [*groups.pop(other), *groups[number]]
        group_of.update((unit, number) for p in groups[number] for unit in p.units)
    return [tuple(group) for group in groups.values()]


def _product(chances: Iterable[Rational]) -> Rational:
    """All of them multiplied; reduced once, since reducing large fractions takes its time."""
    above, below = 1, 1
    for chance in chances:
        above *= chance.numerator
        below *= chance.denominator
    return Rational(above, below)


def _most_shared(structure: AtLeast) -> Unit | None:
    uses = Counter(unit for part in structure.parts for unit in part.units)
    unit, count = max(uses.items(), key=lambda entry: (entry[1], entry[0]), default=(None, 0))
    return unit if count > 1 else None


_ALWAYS: Structure = AtLeast(0, ())


def _given(structure: Structure, unit: Unit, *, works: bool) -> Structure:
    """The structure when it is known whether a unit works."""
    if unit not in structure.units:
        return structure
    if isinstance(structure, Unit):
        return _ALWAYS if works else NEVER
    parts, needed = [], structure.needed
    for part in structure.parts:
        left_over = _given(part, unit, works=works)
        if isinstance(left_over, AtLeast) and left_over.needed <= 0:
            needed -= 1
        elif not (isinstance(left_over, AtLeast) and left_over.needed > len(left_over.parts)):
            parts.append(left_over)
    return _ALWAYS if needed <= 0 else AtLeast(needed, tuple(parts))


def _bounds(structure: Structure, up: Mapping[Unit, Rational]) -> Bounds:
    if isinstance(structure, Unit):
        chance = up.get(structure, _ONE)
        return Bounds(chance, chance)
    parts = [_bounds(part, up) for part in structure.parts]
    if _most_shared(structure) is None:
        return Bounds(
            _at_least(structure.needed, [part.low for part in parts]),
            _at_least(structure.needed, [part.high for part in parts]),
        )
    lows, highs = [part.low for part in parts], [part.high for part in parts]
    if structure.needed == len(parts):
        return Bounds(_product(lows), min(highs))
    some_fail = _product(1 - high for high in highs)
    surest = sorted(lows, reverse=True)[: structure.needed]
    return Bounds(_product(surest), 1 - some_fail)
