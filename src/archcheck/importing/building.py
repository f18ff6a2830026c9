"""Facts put together to elements: which of several facts counts, and where each value is from."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

from archcheck.importing.facts import Fact, FieldItem, Path, Step, spelled
from archcheck.model import Element, ModelError, Place
from archcheck.model.element import declared_at, field_names
from archcheck.model.sites import Site


@dataclass(frozen=True)
class Ranked:
    """A fact, and who said it: the lower its rank, the more it counts."""

    fact: Fact
    rank: int


@dataclass(frozen=True)
class Conflict:
    """Two sources say different things about the same value."""

    kept: Fact
    dropped: Fact


@dataclass
class Builder:
    """Builds elements out of ranked facts, and keeps what was decided on the way."""

    used: list[Fact] = field(default_factory=list)
    conflicts: list[Conflict] = field(default_factory=list)
    unheld: list[Fact] = field(default_factory=list)
    """Facts for which the vocabulary has no field."""

    def build(self, facts: Sequence[Ranked], path: Path = ()) -> Element:
        """The element (or the part of it at ``path``) that the facts describe.

        Raises :class:`ModelError` with the line, where a value is none that the part can have.
        """
        own = [ranked for ranked in facts if ranked.fact.path == path]
        chosen = self._chosen(own)
        kind = chosen.value
        if not isinstance(kind, type) or not issubclass(kind, Element):
            raise TypeError(f"{spelled(path)} of {chosen.element} has no class")
        losing = self._losing(own, kind, path)
        alike = {ranked.rank for ranked in own if ranked.fact.value is kind}
        self._note_dropped(facts, path, losing, alike)
        inside = _by_step(facts, len(path), losing)
        values: dict[str, object] = {"name": chosen.element} if not path else {}
        places: dict[str, Place] = {}
        members: dict[str, list[object]] = defaultdict(list)
        for step, group in inside.items():
            name = step.field if isinstance(step, FieldItem) else step
            if name not in field_names(kind):
                self.unheld += [ranked.fact for ranked in group]
                continue
            places.setdefault(name, group[0].fact.place)
            value = self._value(group, (*path, step))
            if isinstance(step, FieldItem):
                members[name].append(value)
            else:
                values[name] = value
        values |= {name: tuple(items) for name, items in members.items()}
        return _constructed(kind, values, chosen.place, places)

    def _losing(self, own: Sequence[Ranked], kind: type, path: Path) -> set[int]:
        """The sources whose word about this part does not count.

        A part of an element (its deployment, a probe) is one source's as a whole: a path of one
        and a period of another would be a probe that nobody has. Elements are everybody's.
        """
        best = min(ranked.rank for ranked in own)
        if path:
            return {ranked.rank for ranked in own if ranked.rank != best}
        return {ranked.rank for ranked in own if ranked.fact.value is not kind}

    def _note_dropped(
        self, facts: Sequence[Ranked], path: Path, losing: set[int], alike: set[int]
    ) -> None:
        """Conflicts between what is kept of a part and what is dropped with its source.

        Parts of different kinds are not compared: Compose's health check is no probe of a pod.
        """
        below = [ranked for ranked in facts if len(ranked.fact.path) > len(path)]
        kept = {ranked.fact.path: ranked.fact for ranked in below if ranked.rank not in losing}
        for ranked in below if losing else ():
            fact = kept.get(ranked.fact.path)
            if ranked.rank in losing & alike and fact is not None:
                self._compare(fact, ranked.fact)

    def _value(self, group: list[Ranked], path: Path) -> object:
        own = [ranked for ranked in group if ranked.fact.path == path]
        best = min(own, key=lambda ranked: ranked.rank, default=None)
        if best is not None and not isinstance(best.fact.value, type):
            return self._chosen(own).value  # such as that there is none, whatever others say of it
        if any(len(ranked.fact.path) > len(path) for ranked in group):
            return self.build(group, path)
        chosen = self._chosen(group)
        return self.build([ranked for ranked in group if ranked.fact is chosen], path)

    def _chosen(self, group: Sequence[Ranked]) -> Fact:
        """The fact of the lowest rank; the first of them."""
        best, *others = sorted(group, key=lambda ranked: ranked.rank)
        self.used.append(best.fact)
        for other in others:
            self._compare(best.fact, other.fact)
        return best.fact

    def _compare(self, kept: Fact, dropped: Fact) -> None:
        """Note a conflict, each value of an attribute once."""
        if kept.value == dropped.value:
            return
        known = ((c.kept.element, c.kept.path, c.dropped.value) for c in self.conflicts)
        if (kept.element, kept.path, dropped.value) not in known:
            self.conflicts.append(Conflict(kept, dropped))


def _by_step(facts: Iterable[Ranked], depth: int, losing: set[int]) -> dict[Step, list[Ranked]]:
    """What is said below, by field or member; nothing of those who took the part for another."""
    found: dict[Step, list[Ranked]] = defaultdict(list)
    for ranked in facts:
        if len(ranked.fact.path) > depth and ranked.rank not in losing:
            found[ranked.fact.path[depth]].append(ranked)
    return found


def _constructed(
    kind: type[Element], values: dict[str, object], place: Place, places: dict[str, Place]
) -> Element:
    try:
        part = kind(**values)
    except ModelError as error:
        wrong = next((places[name] for name in places if name in error.sentence), place)
        raise ModelError(error.sentence, wrong) from None
    declared_at(part, Site((place,), values=places))
    return part
