"""The worst case of an operation: the longest run of what it does, and what that takes for granted.

It is found by one walk. Steps add up, parallel branches count as the longest that is waited for,
repeats multiply, and everything that may happen does, in every configuration of the feature flags.
How long a call or query keeps its caller is decided by :mod:`archcheck.graph.protection`; the
question of a fallback adds what it takes itself. Pauses of CPU limits that come in any case are
part of it; those that may come are told apart.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Self

from archcheck.graph import Graph, Interaction, Operation
from archcheck.graph.cpu import (
    NO_LIMIT,
    cores_of,
    cpu_limit_of,
    pauses,
    says_its_cpu_limit,
)
from archcheck.graph.exact import Rational, shown
from archcheck.graph.once import once
from archcheck.graph.pools import pool_of
from archcheck.graph.shapes import shape_of
from archcheck.graph.shared import filled_by_others
from archcheck.model import (
    Absent,
    LocalCache,
    ModelError,
    Named,
    Service,
    Step,
    Work,
)
from archcheck.model.steps import Group
from archcheck.proof.answers import (
    ENDLESS,
    Gap,
)
from archcheck.proof.feature_flags import FeatureFlags
from archcheck.proof.walk import TAIL, LongestWalk

_NOTHING = Rational(0)
_NO_RETRY = "calls whose retries nobody declares are tried once"
_AT_ONCE = "a rejection comes at once"
_NO_QUEUE = "requests do not wait for threads, cores or connections"
_QUOTA = "no other request uses up the quota of a CPU limit"
_QUOTA_TOGETHER = "computing in turn, or a higher CPU limit: branches use up one quota together"
_CORES_TOGETHER = "computing in turn, or more cores: branches wait for each other"
_ROOM_TOGETHER = "of {} or more, which one request takes at once"
OWN_FILLS = "a cache whose misses wait for no other step's fetches"
_TURN = "timeout, which bounds the wait for its {}"


@dataclass(frozen=True)
class WorstWait:
    """What one step of the worst case takes, and how that comes about."""

    subject: Interaction | Operation | Named
    seconds: Rational
    text: str
    computing: Rational = _NOTHING
    """What of it is computing, which uses up the quota of a CPU limit."""


@dataclass(frozen=True)
class WorstCase:
    """The longest run: its steps in order, what is not declared, what was assumed.

    ``passages`` counts how often it crosses a network whose delay nobody declares. ``perhaps``:
    pauses of CPU limits that may come on top, by how the work falls into their periods.
    """

    parts: tuple[WorstWait, ...] = ()
    gaps: tuple[Gap, ...] = ()
    assumptions: tuple[str, ...] = ()
    passages: int = 0
    perhaps: Rational = _NOTHING

    @property
    def at_most(self) -> Rational:
        """The sum of what is known, with every pause that may come."""
        return self.seconds + self.perhaps

    @cached_property
    def seconds(self) -> Rational:
        """The sum of what is known."""
        return sum((part.seconds for part in self.parts), _NOTHING)

    def beside(self, gap: Gap) -> Rational:
        """The sum of what is known, without what the holder of a gap takes."""
        others = (part.seconds for part in self.parts if part.subject is not gap.holder)
        return sum(others, _NOTHING)

    def __add__(self, other: WorstCase) -> WorstCase:
        return WorstCase(
            self.parts + other.parts,
            tuple(dict.fromkeys(self.gaps + other.gaps)),
            tuple(dict.fromkeys(self.assumptions + other.assumptions)),
            self.passages + other.passages,
            self.perhaps + other.perhaps,
        )

    def times(self, count: int) -> WorstCase:
        """The same so many times over."""
        return replace(
            self,
            parts=self.parts * count,
            passages=self.passages * count,
            perhaps=self.perhaps * count,
        )


class WorstCases(LongestWalk[WorstCase]):
    """The worst case of each operation of a system.

    ``tries`` are attempts of steps, instead of those that are declared.
    """

    def __init__(self, graph: Graph, tries: Mapping[Interaction, int] | None = None) -> None:
        super().__init__(graph)
        self._tries = tries or {}
        self._single: dict[str, tuple[tuple[Interaction, WorstCase], ...]] = {}

    def within(self, configuration: Mapping[str, bool]) -> Self:
        walk = super().within(configuration)
        walk._single = {}
        return walk

    @cached_property
    def by_configuration(self) -> list[WorstCases] | None:
        """The worst cases in each configuration; ``None``: there are too many."""
        found = FeatureFlags(self.graph.system).configurations()
        return None if found is None else [self.within(each) for each in found]

    def timeout_of(self, step: Interaction) -> Rational | None:
        """The longest that an attempt lasts, by the client's timeout and the mesh's, in seconds."""
        return step.protection.attempt()

    def bound_of(self, step: Interaction) -> WorstCase | None:
        """What bounds a call that has deliberately no timeout: what its callee needs at most.

        A fallback's question has none either; a query then may wait for ever, behind others.
        """
        if step.mode != "call":
            queue = WorstCase(gaps=(Gap(step, "timeout"),))
            return self.needed(step) + queue if step.is_fallback else None
        if step.is_fallback:
            return self.needed(step)
        if isinstance(step.timeout, Absent):
            below = self.needed(step)
            return None if below.gaps else below
        return None

    def single_steps(self, name: str) -> tuple[tuple[Interaction, WorstCase], ...]:
        """What an operation waits for, each step with the longest that it takes by itself."""
        if name not in self._single:
            self._single[name] = tuple(
                (step, self.waiting(step))
                for step in self.graph.outgoing.get(name, ())
                if step.is_synchronous
                and step.is_awaited
                and not isinstance(step.target, LocalCache)
            )
        return self._single[name]

    def nothing(self) -> WorstCase:
        return WorstCase()

    def working(self, operation: Operation, work: tuple[Rational, bool]) -> WorstCase:
        computing, more = work
        text = f"{operation.name} computes for {shown(computing)}"
        owner = operation.owner
        seconds = computing + pauses(owner, computing)[0]
        if seconds > computing:
            text += f", by its CPU limit within {shown(seconds)}"
        waits = (WorstWait(operation, seconds, text, computing),) if seconds else ()
        limit = cpu_limit_of(owner) if isinstance(owner, Service) else None
        assumptions = (*([TAIL] if more else []), _NO_QUEUE)
        at_once = self._at_once(operation.part.steps, lambda step: isinstance(step, Work))
        cores = cores_of(owner).parallel if isinstance(owner, Service) else None
        gaps = (Gap(operation, _CORES_TOGETHER),) if cores and at_once > cores else ()
        if limit is None:
            unsaid = isinstance(owner, Service) and not says_its_cpu_limit(owner)
            more_assumed = (NO_LIMIT,) if unsaid and computing else ()
            return WorstCase(waits, gaps, (*assumptions, *more_assumed))
        if at_once > max(1.0, limit):
            gaps = (*gaps, Gap(operation, _QUOTA_TOGETHER))
        return WorstCase(waits, gaps, (*assumptions, _QUOTA))

    def coding(self, part: Operation | Interaction, seconds: Rational, text: str) -> WorstCase:
        """Before and after something else, so that no pause between is sure."""
        return WorstCase((WorstWait(part, seconds, text, seconds),))

    def joining(self, lookup: Interaction) -> WorstCase:
        shared = lookup in filled_by_others(self.graph)
        return WorstCase(gaps=(Gap(lookup, OWN_FILLS),)) if shared else WorstCase()

    def throttled(self, operation: Operation, inside: WorstCase) -> WorstCase:
        """With the pauses that come where all that an operation computes uses up one quota."""
        own = [part for part in inside.parts if _computed_by(part) == operation.name]
        sure = sum((part.seconds - part.computing for part in own), _NOTHING)
        fewest, most = pauses(operation.owner, sum((p.computing for p in own), _NOTHING))
        if not most:
            return inside
        at_most = fewest if operation.owner.name in self._asked_once else most
        return replace(inside, perhaps=inside.perhaps + max(_NOTHING, at_most - sure))

    @cached_property
    def _asked_once(self) -> frozenset[str]:
        """The services that no run of a journey, nor of what else begins, asks twice."""
        graph = self.graph
        try:
            runs = [(graph.visits(each), each.all_entries()) for each in graph.system.journeys]
            starts = graph.entered_from_outside()
            runs += [(graph.visits_from(name), (name,)) for name in starts]
        except ModelError:  # calls come back to where they began
            return frozenset()
        often = set[str]()
        for visits, entries in runs:
            asked = [step for step, _ in visits.interactions]
            asked += [step.fallback for step in asked if step.fallback is not None]
            count = Counter(step.target.name for step in asked)
            count.update(name.partition(".")[0] for name in entries)
            often |= {name for name, times in count.items() if times > 1}
            often |= {step.target.name for step in asked if _may_come_again(step)}
        return frozenset(service.name for service in graph.system.services) - often

    def _at_once(self, steps: Sequence[Step], counts: Callable[[Step], bool]) -> int:
        """How many steps that count one request is in at the same time, in its own container."""
        most = 0
        for step in steps:
            if isinstance(step, Group):
                shape = shape_of(self.graph.system, step)
                inside = [self._at_once(branch, counts) for branch in shape.sequences]
                most = max(most, sum(inside) if shape.is_parallel else max(inside, default=0))
            elif counts(step):
                most = max(most, 1)
        return most

    def _crowded(self, step: Interaction) -> Iterator[Gap]:
        """The bulkhead and the pool of a step that one request alone may fill, and wait for."""
        bulkhead, source = step.protection.bulkhead, step.source
        if not step.in_parallel:
            return
        asked = {
            id(each.declared)
            for each in self.graph.outgoing[step.operation.name]
            if each.target is step.target
        }
        most = self._at_once(step.operation.part.steps, lambda each: id(each) in asked)
        if bulkhead is not None and most > bulkhead.max_concurrent:
            yield Gap(step, f"bulkhead.max_concurrent {_ROOM_TOGETHER.format(most)}")
        pool = pool_of(source, step.target) if isinstance(source, Service) else None
        if pool is not None and most > pool[0]:
            yield Gap(source, f"a pool for {step.target.name} {_ROOM_TOGETHER.format(most)}")

    def waiting(self, step: Interaction) -> WorstCase:
        guard, timeout, below = step.protection, self.timeout_of(step), WorstCase()
        gaps, assumptions = self._undeclared(step, is_bounded=timeout is not None)
        gaps = (*gaps, *self._crowded(step))
        if timeout is None:
            gaps = (*gaps, *_turns(step))
            bound = self.bound_of(step)
            if bound is None:
                return self._unbounded(step) + WorstCase(gaps=(Gap(step, "timeout"), *gaps))
            below, timeout = bound, guard.unbounded_attempt(bound.seconds)
        tries = self._tries.get(step, guard.tries)
        seconds, text = guard.longest_wait(timeout, tries)
        asked = guard.that_ask(tries) * guard.hedged * guard.mesh_tries
        verb = "falls back for" if step.is_fallback else "waits"
        return WorstCase(
            (WorstWait(step, seconds, f"{step.name} {verb} {text}"),),
            tuple(dict.fromkeys((*below.gaps, *gaps))),
            tuple(dict.fromkeys((*below.assumptions, *assumptions))),
            below.passages * asked,
            below.perhaps * asked,
        )

    def _unbounded(self, step: Interaction) -> WorstCase:
        """What a step without a timeout takes at least: as long as its callee may."""
        below = self.needed(step)
        text = f"{step.name} waits {shown(below.seconds)}, as nothing ends it before"
        waits = (WorstWait(step, below.seconds, text),) if below.seconds else ()
        return WorstCase(waits, perhaps=below.perhaps)

    def _undeclared(
        self, step: Interaction, *, is_bounded: bool
    ) -> tuple[tuple[Gap, ...], tuple[str, ...]]:
        """What a wait depends on and nobody declares, as gaps and as assumptions."""
        names = step.protection.undeclared(is_bounded=is_bounded)
        is_once = step.protection.retry is None and not step.is_fallback
        assumptions = [_NO_RETRY] if is_once else []
        if step.protection.that_last(2) == 1:
            assumptions.append(_AT_ONCE)
        return tuple(Gap(step, name) for name in names), tuple(assumptions)

    def fixed(
        self, subject: Interaction | Operation | Named, seconds: Rational, text: str
    ) -> WorstCase:
        return WorstCase((WorstWait(subject, seconds, text),) if seconds else ())

    def assumed(self, text: str) -> WorstCase:
        return WorstCase(assumptions=(text,))

    def undeclared(self, holder: Interaction | Operation | Named, attribute: str) -> WorstCase:
        return WorstCase(gaps=(Gap(holder, attribute),))

    def unknown_delay(self, passages: int) -> WorstCase:
        return WorstCase(passages=passages)

    def longest(self, branches: Sequence[WorstCase]) -> WorstCase:
        """The longest counts; the gaps and assumptions of all of them stay."""
        slowest = max(branches, key=lambda branch: branch.seconds, default=WorstCase())
        at_most = max((branch.at_most for branch in branches), default=_NOTHING)
        return WorstCase(
            slowest.parts,
            tuple(dict.fromkeys(gap for branch in branches for gap in branch.gaps)),
            tuple(dict.fromkeys(text for branch in branches for text in branch.assumptions)),
            max((branch.passages for branch in branches), default=0),
            at_most - slowest.seconds,
        )

    def endless(self, operation: Operation) -> WorstCase:
        return WorstCase(gaps=(Gap(operation, ENDLESS),))


def _computed_by(part: WorstWait) -> str:
    """The operation whose container a part computes in; empty where it does not."""
    if not part.computing:
        return ""
    subject = part.subject
    return subject.operation.name if isinstance(subject, Interaction) else subject.name


def _may_come_again(step: Interaction) -> bool:
    guard = step.protection
    return guard.attempts != 1 or guard.hedged > 1 or step.repeats > 1


def _turns(step: Interaction) -> Iterator[Gap]:
    """The bulkhead and the pool of a step without a timeout, which may let it wait its turn."""
    bulkhead = step.protection.bulkhead
    if bulkhead is not None and float(bulkhead.max_wait or 0) > 0:
        yield Gap(step, _TURN.format("bulkhead"))
    pools = step.source.pools if isinstance(step.source, Service) else ()
    if any(str(pool.target) == step.target.name for pool in pools):
        yield Gap(step, _TURN.format("pool"))


@once
def worst_cases(graph: Graph) -> WorstCases:
    """Those of a graph as it is declared, found once for all who ask."""
    return WorstCases(graph)


def may_time_out(cases: WorstCases, step: Interaction) -> bool:
    """Whether an attempt may end before its callee answers that does not fail."""
    timeout = step.protection.attempt()
    if timeout is None:
        return False
    case = cases.needed(step)
    return bool(case.gaps) or case.at_most > timeout
