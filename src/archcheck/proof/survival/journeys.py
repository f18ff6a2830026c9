"""What a journey needs, as a structure of units, and the ways that lead to each of them.

A journey works while each of its entries does. An operation works while its service does and so
does everything that it cannot answer without: what it calls, reads, writes and publishes, on
every branch that may be taken and is waited for, and the actions of its saga. A step that is
optional, or that a fixed, omitted or stale answer can stand in for, is not needed; a fallback that
asks somebody else makes one of both enough. Lookups in a cache fail into the steps behind them;
messages in an outbox wait for their broker.

A step that may fail must end: where no timeout ends it, or only one that is longer than who waits
above, a cut link stops the caller, optional or not, so that the link is needed. So does a cut link
further down, where nothing on the way gives up in time and no earlier step fails without it.

Calls in a circle work by the least fixed point: who is asked again by its own fallback helps
nobody, and failures that close the circle start requests that go round: whether they end is open.
So is, for a circle of calls without any way around, whether all of them are made every time.

Calls that share a breaker are all stopped by it: what one of them needs, the others may need as
well. A breaker ends what outlasts who waits above, too, once it has opened: whether it does is
open. Whether an answer comes while nothing is lost, :mod:`answering` says.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field, replace
from functools import cached_property

from archcheck.graph import Graph, Interaction
from archcheck.graph.exact import Rational, exact
from archcheck.graph.reach import asked_behind
from archcheck.graph.shared import sharing
from archcheck.model import Absent, Fallback, Journey, LocalCache, Named
from archcheck.proof.answers import ENDLESS, Gap
from archcheck.proof.budget import left
from archcheck.proof.survival.answering import Answering
from archcheck.proof.survival.circles import coming_back, on_circles
from archcheck.proof.survival.components import Components, ElementStructure, up_probability
from archcheck.proof.survival.needs import (
    NOTHING,
    Needs,
    Way,
    all_needed,
    behind,
    one_needed,
    open_question,
)
from archcheck.proof.survival.structure import NEVER, Structure, Unit, all_of, any_of, works
from archcheck.units import Duration

NESTED = "who waits above a step that may fail waits for all its attempts (question deadlines)"
HARD = "what it cannot do without is lost, and neither slow nor behind a cut link"
_MOST_LOOKS = 5_000
"""Steps of a journey of which it is asked whether they end, each as often as another way leads to
it. A choice that bounds the time where fallbacks lead to each other: a few seconds."""
_TANGLED = "fewer fallbacks that lead to each other"
SOONER = "timeout below that of who waits above"


class Survival:
    """The needs of the journeys and operations of one system.

    With ``links`` each connection between two elements can fail, not only those of steps that may
    fail themselves. The other options are those of :class:`Components`.
    """

    def __init__(
        self,
        graph: Graph,
        *,
        links: bool = False,
        as_sold: bool = False,
        worst: bool = False,
        noticed: bool = False,
        by_chance: bool = False,
        zones_fail: bool = False,
    ) -> None:
        self.graph = graph
        self._components = Components(graph, as_sold, worst, noticed, by_chance, zones_fail)
        self._links = links
        self._worst = worst
        self._by_chance = by_chance
        self._answering = Answering(graph, self._components, worst=worst, by_chance=by_chance)
        self._known: dict[tuple[object, ...], Needs] = {}
        self._looks = 0
        """How often it was asked whether a step ends, for one journey."""
        self._late: tuple[Gap, ...] = ()
        """The patience of a user whom the journey may outlast that is asked about."""
        self._open: set[str] = set()
        self._met: set[str] = set()
        """References that were open when they were asked for, since the innermost one opened."""

    def of_journey(self, journey: Journey) -> Needs:
        """What all entries of a journey need."""
        patience = exact(journey.timeout) if isinstance(journey.timeout, Duration) else None
        entries = journey.all_entries()
        self._looks = self._other_way._looks = 0
        self._late = self._other_way._late = self._answering.too_late(journey)
        needs = self._closure([(entry, None) for entry in entries], patience)
        needs = all_needed((needs, self._answering.journey(journey)))
        if not self._worst:
            return needs
        return all_needed((needs, *self._round_and_round(entries, patience)))

    def _answers(self, step: Interaction) -> Needs:
        """What else must hold for a step whose target works to get its answer."""
        return all_needed((self._answering.step(step), self._let_through(step)))

    def _let_through(self, step: Interaction) -> Needs:
        """What else must work for a step that shares its breaker with others."""
        others = [
            other
            for other in self._beside.get(id(step), ())
            if (other.target_name, other.mode) != (step.target_name, step.mode)
        ]
        if not others:
            return NOTHING
        gap = Gap(step, "a breaker of its own")
        if not self._worst:
            return Needs(all_of(()), (gap,))
        needed = [
            self.of(other.target_name, other).structure
            if other.mode == "call"
            else self._components.of_step(other).structure
            for other in others
        ]
        return Needs(all_of(needed), (gap,))

    @cached_property
    def _beside(self) -> dict[int, tuple[Interaction, ...]]:
        """To each step behind a breaker, by its identity, those that share it."""
        return {id(step): group for group in sharing(self.graph, "breaker") for step in group}

    def _round_and_round(
        self, entries: Iterable[str], patience: Rational | None
    ) -> Iterator[Needs]:
        """What must not fail together, or requests go round from fallback to fallback for ever.

        Wherever such a circle is, what may fail behind a timeout included: nobody waits for it
        then, but it goes on, and more come.
        """
        reached = [
            name
            for entry in entries
            for name in asked_behind(self.graph, self._name(entry), fallbacks=True)
        ]
        for name in dict.fromkeys(reached):
            for step in self.graph.needing.get(name, ()):
                if step.fallback is None:
                    continue
                for also in coming_back(self.graph, step.fallback):
                    left()
                    needed = [
                        self._over(each, self._asked(each, patience)).structure
                        for each in dict.fromkeys((step, also))
                    ]
                    yield Needs(any_of(needed), (Gap(step.operation, ENDLESS),))

    def of(
        self, reference: str, step: Interaction | None = None, patience: Rational | None = None
    ) -> Needs:
        """What an endpoint or an external party needs, which ``step`` asks (else: a user).

        ``patience``: seconds for which somebody waits above; ``None``: nobody gives up.
        """
        name = self._name(reference)
        if name in self._open:
            self._met.add(name)
            return Needs(NEVER)
        key = (name, id(step), patience, self._late)
        if key not in self._known:
            left()
            outer, self._met = self._met, set()
            self._open.add(name)
            found = self._closure([(reference, step)], patience)
            self._open.discard(name)
            self._met.discard(name)
            if self._met:  # it holds only while those are open
                self._met |= outer
                return found
            self._met = outer
            self._known[key] = found
        return self._known[key]

    def alternatives(
        self, step: Interaction, patience: Rational | None = None
    ) -> tuple[Needs, Needs] | None:
        """What a step needs and what its fallback needs, where that asks somebody else."""
        if not isinstance(getattr(step.step, "fallback", None), Fallback) or step.fallback is None:
            return None
        return self._asked(step, patience), self._asked(step.fallback, patience)

    def _name(self, reference: str) -> str:
        owner, endpoint = self.graph.system.endpoint(reference)
        return f"{owner.name}.{endpoint.name}" if endpoint else owner.name

    def _asked(self, step: Interaction, patience: Rational | None) -> Needs:
        if step.mode == "call":
            found = self.of(step.target_name, step, _less(patience, step))
        else:
            part = self._components.of_step(step)
            found = Needs(part.structure, part.gaps, {step.target.name: ()}, part.assumptions)
        found = all_needed((found, self._answers(step)))
        if not self._links or found.structure is NEVER:
            return found
        return replace(found, structure=all_of((found.structure, _link(step))))

    def _closure(
        self, entries: Iterable[tuple[str, Interaction | None]], patience: Rational | None
    ) -> Needs:
        """Everything that is needed for certain, and the pairs of which one is enough."""
        walk = _Walk()
        waiting: deque[tuple[str, Interaction | None, Way, Rational | None]]
        waiting = deque((name, step, (), patience) for name, step in entries)
        seen: dict[str, Rational | None] = {}
        edges: dict[str, set[str]] = {}
        while waiting:
            left()
            reference, asked, way, limit = waiting.popleft()
            owner, _ = self.graph.system.endpoint(reference)
            name = self._name(reference)
            walk.need(owner, way, self._components.of_member(owner, asked))
            walk.take(self._answering.operation(owner, name), way)
            if self._by_chance:
                walk.take(Needs(self._answering.chance(owner, name, asked)), way)
            if name in seen and not _is_shorter(limit, seen[name]):
                continue
            seen[name] = limit
            edges.setdefault(name, set())
            for step in self.graph.needing.get(name, ()):
                if not step.visits or not step.is_awaited or self._is_spared(step):
                    continue
                onward = (*way, step)
                self._follow(walk, step, onward, limit)
                if step.mode == "call" and not step.can_fail_softly:
                    waiting.append((step.target_name, step, onward, _less(limit, step)))
                    if step.visits >= 1 and step.cached_by is None:
                        edges[name].add(self._name(step.target_name))
        self._end(walk, edges)
        return walk.needs()

    def _is_spared(self, step: Interaction) -> bool:
        """Whether some requests do without a step; at best all do, where chances are asked for."""
        return self._by_chance and not self._worst and step.visits < step.repeats

    def up(self, unit: Unit) -> tuple[Rational | None, Gap | None]:
        """How often a unit of a structure works, or the attribute that would say it."""
        if unit in self._answering.chances:
            return self._answering.chances[unit], None
        declared, gap = up_probability(self.graph, unit)
        return None if declared is None else exact(declared), gap

    def _end(self, walk: _Walk, edges: dict[str, set[str]]) -> None:
        """Calls that lead back to themselves, every time, have no end that anybody declares."""
        for name in on_circles(edges):
            gap = Gap(self.graph.operations[name], ENDLESS)
            structure = NEVER if self._worst else all_of(())
            walk.add(ElementStructure(structure, (gap,)))

    def _follow(
        self,
        walk: _Walk,
        step: Interaction,
        way: Way,
        patience: Rational | None,
    ) -> None:
        """What a step adds, the operation that it calls left out."""
        if step.mode == "cache":
            walk.take(self._answering.joining(step), way)
        if step.can_fail_softly:
            self._may_fail(walk, step, way, patience)
            return
        walk.take(self._answers(step), way)
        if self._links:
            walk.need(step.target, way, ElementStructure(_link(step)))
        elif not self._by_chance:
            walk.assumptions.setdefault(HARD)
        if step.mode != "call":
            walk.need(step.target, way, self._components.of_step(step))
            broker = getattr(step.target, "broker", None)
            if broker:
                walk.ways.setdefault(str(broker), way)

    def _may_fail(
        self,
        walk: _Walk,
        step: Interaction,
        way: Way,
        patience: Rational | None,
    ) -> None:
        """A step that may fail: it must end, and its fallback may ask somebody else."""
        walk.take(self._ends(step, patience), way)
        both = self.alternatives(step, patience)
        if both is not None and not step.optional:
            walk.take(one_needed(self._linked(step, both)), way)

    def _ends(self, step: Interaction, patience: Rational | None, met: _Met | None = None) -> Needs:
        """The links that must hold for a step to end, whether or not it gets its answer."""
        met = _Met() if met is None else met
        waits = step.is_synchronous and not isinstance(step.target, LocalCache)
        if self._by_chance or not waits:
            return NOTHING
        self._looks += 1
        if self._looks > _MOST_LOOKS:
            return open_question([Gap(step.operation, _TANGLED)], worst=self._worst)
        guard = step.protection
        attempt = guard.attempt()
        found = [self._instead(step, patience, met)]
        fits = attempt is not None and (
            patience is None or guard.longest_wait(attempt)[0] < patience
        )
        late = (*self._late, *self._answering.outlasts(step.operation)) if fits else ()
        gaps = _unsaid(step) or late
        if fits and not late:
            found.append(Needs(all_of(()), assumptions=(NESTED,)))
        elif gaps and not self._worst:
            found.append(Needs(all_of(()), gaps))
        else:
            link = _link(step)
            if link not in met.harmless:
                found.append(Needs(link, gaps, {link.element: ()}))
            found += self._end_below(step, patience, met)
        return all_needed(found)

    def _instead(self, step: Interaction, patience: Rational | None, met: _Met) -> Needs:
        """Where a fallback asks somebody in turn: either nobody asks it, or it ends as well."""
        if step.fallback is None:
            return NOTHING
        apart = _Met(dict(met.below), met.harmless)
        ends = behind(step.fallback, self._ends(step.fallback, patience, apart))
        if not ends.structure.units:
            return ends
        answered, _ = self._linked(step, (self._asked(step, patience), ends))
        return one_needed((answered, ends))

    def _linked(self, step: Interaction, both: tuple[Needs, Needs]) -> tuple[Needs, Needs]:
        """A step and its fallback need their links, which may be one and the same."""
        if step.fallback is None:
            return both
        return self._over(step, both[0]), self._over(step.fallback, both[1])

    def _over(self, step: Interaction, needs: Needs) -> Needs:
        """What a step asks, and the link to it, which has no availability of its own."""
        if self._by_chance or not step.is_synchronous or isinstance(step.target, LocalCache):
            return needs
        return replace(needs, structure=all_of((needs.structure, _link(step))))

    def _end_below(
        self, step: Interaction, patience: Rational | None, met: _Met
    ) -> Iterator[Needs]:
        """What must end at the callee for its caller to go on.

        A link whose loss ends the callee at an earlier step keeps nobody waiting at a later one.
        """
        limit, name = _less(patience, step), step.target_name
        if step.mode != "call" or met.covers(name, limit):
            return
        left()
        met.below[name] = (limit, met.harmless)
        for inner in self.graph.outgoing.get(name, ()):
            if inner.visits and inner.is_awaited:
                ends = self._ends(inner, limit, met)
                yield behind(inner, ends)
                harmless = met.harmless | (self._lost_with(inner, limit) - ends.structure.units)
                met = _Met(met.below, harmless)

    def _lost_with(self, step: Interaction, patience: Rational | None) -> frozenset[Unit]:
        """The links without which, each alone, a step that is always made fails its operation.

        What is not declared is taken the other way round than here: so that a link is left out
        only where that is certain (at the worst), and wherever that may be (at the best).
        """
        if step.visits < 1 or step.parallel is not None or step.cached_by is not None:
            return frozenset()
        needs = self._other_way._asked(step, patience).structure
        if step.can_fail_softly:
            both = self._other_way.alternatives(step, patience)
            if both is None or step.optional:
                return frozenset()
            needs = any_of(each.structure for each in both)
        links = (unit for unit in needs.units if unit.kind == "link")
        return frozenset(link for link in links if not works(needs, link.units))

    @cached_property
    def _other_way(self) -> Survival:
        """With all links, and what is not declared taken the other way round."""
        other = Survival(self.graph, links=True, worst=not self._worst)
        if self._links:
            other._other_way = self
        return other


@dataclass(frozen=True)
class _Met:
    """Where a walk to what must end has been."""

    below: dict[str, tuple[Rational | None, frozenset[Unit]]] = field(default_factory=dict)
    """Operation to the patience above it, and to what was harmless there."""
    harmless: frozenset[Unit] = frozenset()
    """Links whose loss keeps nobody waiting here, since an earlier step fails without them."""

    def covers(self, name: str, limit: Rational | None) -> bool:
        """Whether all that must end below an operation has been found already."""
        if name not in self.below:
            return False
        patience, harmless = self.below[name]
        return harmless <= self.harmless and not _is_shorter(limit, patience)


def _unsaid(step: Interaction) -> tuple[Gap, ...]:
    """What would say whether a step ends before who waits above gives up."""
    if step.protection.attempt() is not None:
        return (Gap(step, SOONER),) if step.protection.breaker is not None else ()
    return () if isinstance(step.timeout, Absent) else (Gap(step, "timeout"),)


def _link(step: Interaction) -> Unit:
    return Unit("link", f"{step.source.name} -> {step.target.name}")


def _less(patience: Rational | None, step: Interaction) -> Rational | None:
    """What is left of somebody's patience behind a step: no more than its own timeout."""
    limits = [each for each in (patience, step.protection.attempt()) if each is not None]
    return min(limits, default=None)


def _is_shorter(one: Rational | None, other: Rational | None) -> bool:
    return one is not None and (other is None or one < other)


@dataclass
class _Walk:
    """What a walk from a journey's entries has found."""

    parts: dict[Structure, None] = field(default_factory=dict)
    gaps: dict[Gap, None] = field(default_factory=dict)
    ways: dict[str, Way] = field(default_factory=dict)
    assumptions: dict[str, None] = field(default_factory=dict)

    def add(self, part: ElementStructure) -> None:
        """Something that must work."""
        self.parts.setdefault(part.structure)
        self.gaps.update(dict.fromkeys(part.gaps))
        self.assumptions.update(dict.fromkeys(part.assumptions))

    def need(self, member: Named, way: Way, part: ElementStructure) -> None:
        """An element that must work."""
        self.add(part)
        self.ways.setdefault(member.name, way)

    def take(self, needs: Needs, way: Way) -> None:
        """What a step further down this way needs."""
        self.add(ElementStructure(needs.structure, needs.gaps, needs.assumptions))
        for element, inner in needs.ways.items():
            self.ways.setdefault(element, (*way, *inner))

    def needs(self) -> Needs:
        """All of it."""
        gaps, assumptions = tuple(self.gaps), tuple(sorted(self.assumptions))
        return Needs(all_of(self.parts), gaps, self.ways, assumptions)
