"""Retry amplification: how many times over can retries make an element do the work of a request?

Each attempt of a step may fail, each failure may be retried, and each layer does it by itself: a
layer that tries up to n times multiplies what arrives below it by n in the worst case, and the
layers of a path multiply each other. For every path some pattern of failures reaches the product:
the last element fails all the time, or all but the last time where the run must go on.

A hedge sends its extra copies with each attempt, and a mesh repeats the attempts of a call. A
consumer that fails gets its message again; who published it does not notice, so that nothing above
is tried again, but in a bound, where the publisher may fail by itself. The question that a fallback
asks instead comes on top of what its target is asked anyway.

A step that is optional or has a fallback keeps its failures to itself: who asks above it tries
again only after a timeout that may be over before the answer is there. That is the pattern of one
failure. A bound holds for all of them: who has the fallback may fail by itself, or be late because
it is busy, so that in a bound the layers above it multiply as if there were none.

What holds a step back, in the long run: a budget of b lets through 1 + b (and its minimum in each
replica). A breaker that opens at a failure rate f lets through 1/(1 - f), since of x attempts for a
request x - 1 have failed; each time that it closes and opens again, its window and its probes come
on top. One that sees too few calls never opens. A deadline that is passed on leaves room for T / t
attempts that each wait for their whole timeout t, where only timeouts are retried.

A cache that is lost multiplies the work behind it, too. That is no retry: the claim says so.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import TypeVar

from archcheck.capacity import demands
from archcheck.graph import Graph, Interaction
from archcheck.graph.exact import Rational, exact
from archcheck.graph.messages import deliveries, receivers_of
from archcheck.graph.protection import OPEN_FOR
from archcheck.graph.shared import sharing
from archcheck.graph.visits import Visits
from archcheck.graph.walks import components
from archcheck.model import CircuitBreaker, Consumer, Journey, Retry
from archcheck.model.scenarios import OpenArrivals
from archcheck.proof.answers import ENDLESS, Gap
from archcheck.proof.worst_cases import may_time_out, worst_cases
from archcheck.units import Duration

K = TypeVar("K")
_ONCE = Rational(1)
UNBOUNDED = Rational(10**9)
"""More than any declared number of attempts multiplies to before it counts as too many. What is
behind a cache that answers everything works so many times as much without it."""


@dataclass(frozen=True)
class _Way:
    """The path on which most attempts arrive at an operation."""

    factor: Rational = _ONCE
    last: Interaction | None = None
    own: Rational = _ONCE
    """The factor of the last step."""
    gaps: Mapping[Gap, Rational] = field(default_factory=dict)
    """Undeclared retries on any way, each with the known factor of the others on its way."""
    at_most: Rational = _ONCE
    """A bound of all ways together: the questions of fallbacks come on top of the others."""
    caches: Mapping[str, Rational] = field(default_factory=dict)
    """The caches on any way, each with what its loss multiplies the work by."""
    above: _Way | None = None
    """The way to the operation of the last step."""


class Amplification:
    """For each operation and store the worst multiplication over all paths from the outside.

    ``one_failure``: bounds hold while nothing fails but the element itself; else for all failures.
    """

    def __init__(self, graph: Graph, *, one_failure: bool = False) -> None:
        self._graph = graph
        self._one_failure = one_failure
        self._rates = [demand.steps for demand in demands(graph)]
        loads = [load for scenario in graph.system.scenarios for load in scenario.load]
        self._is_steady = all(_is_steady(load.arrivals) for load in loads)
        self._callers = _callers(graph)
        self._circles = _circles(graph, self._callers)
        runs = [] if self._circles else list(_runs(graph))
        self._shares = _shares(runs)
        self._beside = _beside(graph, runs)
        self._entries = graph.entered_from_outside()
        self._cases = worst_cases(graph)
        self._with_others = _with_others(graph)
        self._least: dict[Interaction, Rational | None] = {}
        self._known: dict[tuple[str, bool], _Way] = {}

    def of(self, name: str, *, fails: bool = True) -> _Way:
        """The worst way to an operation, datastore or external, by its name.

        ``fails``: whether it fails to its callers; else it answers all of them, perhaps late.
        """
        if name in self._circles:
            return _Way(gaps={Gap(self._graph.operations[name], ENDLESS): _ONCE})
        if (name, fails) not in self._known:
            callers = self._callers.get(name, ())
            ways = [self._through(step, fails=fails) for step in callers]
            besides = [
                way.at_most * self._beside[step]
                for step, way in zip(callers, ways, strict=True)
                if step in self._beside
            ]
            self._known[name, fails] = self._delivered(name, self._together(ways, besides), fails)
        return self._known[name, fails]

    def _delivered(self, name: str, way: _Way, fails: bool) -> _Way:
        """The same for a consumer, whose messages may come again and again."""
        operation = self._graph.operations.get(name)
        if operation is None or not isinstance(operation.part, Consumer):
            return way
        count = deliveries(self._graph.system, operation.part)
        if count is None:
            gap = Gap(operation, "max_deliveries")
            return replace(way, gaps={**way.gaps, gap: way.factor})
        again = count if fails else 1
        gaps = {gap: factor * again for gap, factor in way.gaps.items()}
        factor, own = way.factor * again, way.own * again
        return replace(way, factor=factor, own=own, gaps=gaps, at_most=way.at_most * count)

    def _through(self, step: Interaction, *, fails: bool) -> _Way:
        """The way through a step whose target fails, or is only late.

        Where it is late, who asks tries again if its timeout may be over before the answer.
        """
        fails = step.mode != "publish" and (fails or may_time_out(self._cases, step))
        above = self.of(step.operation.name, fails=fails and not step.can_fail_softly)
        own, most = self.factor(step), self._most(step)
        if own is not None and not fails:
            own = Rational(step.protection.hedged)
            most = own if self._one_failure else most
        gaps = {gap: factor * (own or 1) for gap, factor in above.gaps.items()}
        lost = {c: 1 / exact(share) if share else UNBOUNDED for c, share in step.misses}
        caches = _largest([above.caches, lost])
        if own is None:
            gaps[Gap(step, self._undeclared(step))] = above.factor
            return _Way(
                above.factor, step, gaps=gaps, at_most=above.at_most, caches=caches, above=above
            )
        if step.is_fallback:
            own *= step.repeats
            most *= max(self._shares.get(step, _ONCE), Rational(step.repeats))
        return _Way(above.factor * own, step, own, gaps, above.at_most * most, caches, above)

    @staticmethod
    def _together(ways: Sequence[_Way], besides: Sequence[Rational]) -> _Way:
        """The worst of all ways to an element, and the bound of all of them together.

        ``besides``: what comes on top since those who ask it answer in somebody's place.
        """
        worst = max(ways, key=lambda way: way.factor, default=_Way())
        gaps = _largest([way.gaps for way in ways])
        caches = _largest([way.caches for way in ways])
        asked = [way.at_most for way in ways if way.last is None or not way.last.is_fallback]
        instead = [way.at_most for way in ways if way.last is not None and way.last.is_fallback]
        at_most = max(asked, default=Rational(0)) + sum((*instead, *besides), Rational(0))
        at_most = max(at_most, _ONCE)
        return _Way(worst.factor, worst.last, worst.own, gaps, at_most, caches, worst.above)

    @staticmethod
    def _undeclared(step: Interaction) -> str:
        """Which of a call's retries nobody declares."""
        return "retry" if step.protection.retry is None and not step.is_fallback else "mesh.retry"

    def callers_of(self, name: str) -> list[Interaction]:
        """The steps that send work to an operation, datastore or external."""
        return self._callers.get(name, [])

    def path_to(self, name: str) -> tuple[tuple[Interaction, ...], tuple[Rational, ...]]:
        """The steps of the worst way, outermost first, with their factors."""
        steps: list[Interaction] = []
        factors: list[Rational] = []
        way: _Way | None = self.of(name)
        while way is not None and way.last is not None and way.last not in steps:
            steps.append(way.last)
            factors.append(way.own)
            way = way.above
        return tuple(reversed(steps)), tuple(reversed(factors))

    def factor(
        self,
        step: Interaction,
        tries: int | None = None,
        breaks_at: Rational | None = None,
    ) -> Rational | None:
        """The attempts of one step that failures bring about, in the long run.

        ``None``: retries are not declared. ``tries`` instead of the declared attempts, and with a
        breaker that opens at a failure rate of ``breaks_at`` where none is declared.
        """
        guard = step.protection
        if guard.retry is None and step.mode == "call" and not step.is_fallback:
            return None
        if guard.mesh is not None and guard.mesh.retry is None:
            return None  # meshes retry by default: Istio twice
        attempts = Rational(guard.that_ask(guard.tries))
        if isinstance(guard.retry, Retry):
            attempts = Rational(guard.that_ask(tries)) if tries is not None else attempts
            attempts = min(
                attempts, self._budget(step, guard.retry), self._deadline(step, guard.retry)
            )
        rate = exact(guard.breaker.failure_rate) if guard.breaker is not None else breaks_at
        if rate is not None and rate < 1 and not self._never_opens(step):
            attempts = min(attempts, 1 / (1 - rate))
        if guard.mesh_retry is not None:  # inside each attempt that the code's breaker lets through
            attempts *= min(Rational(guard.mesh_tries), self._budget(step, guard.mesh_retry))
        return attempts * guard.hedged

    def _budget(self, step: Interaction, retry: Retry) -> Rational:
        if retry.budget is None:
            return Rational(retry.attempts)
        share = 1 + exact(retry.budget.ratio)
        if not retry.budget.minimum:
            return share
        least = self._least_rate(step)
        if least is None:  # each replica of the caller has the minimum to itself
            return Rational(retry.attempts)
        return share + exact(retry.budget.minimum) / least

    def _most(self, step: Interaction) -> Rational:
        """A bound of :meth:`factor` at every moment, whatever its breaker does, and whatever goes
        well that shares its breaker or its budget.
        """
        guard, known = step.protection, self.factor(step) or _ONCE
        most = guard.that_ask(guard.tries) * guard.mesh_tries * guard.hedged
        if step in self._with_others:
            return max(known, Rational(most))
        if guard.breaker is None:
            return known
        closed = max(known, self._unfilled(step, guard.breaker))
        return max(known, min(Rational(most), closed + self._again(step, guard.breaker)))

    def _unfilled(self, step: Interaction, breaker: CircuitBreaker) -> Rational:
        """Attempts for a request with which a window of time has too few calls to open."""
        least = self._least_rate(step)
        if least is None or not isinstance(breaker.window, Duration):
            return Rational(0)
        return breaker.minimum_calls / (least * exact(breaker.window))

    def _again(self, step: Interaction, breaker: CircuitBreaker) -> Rational:
        """Attempts for a request each time that a breaker has closed and opens once more."""
        least = self._least_rate(step)
        open_for = exact(breaker.open_for if breaker.open_for is not None else OPEN_FOR)
        if least is None or not open_for:
            return UNBOUNDED
        filled = breaker.minimum_calls
        if not isinstance(breaker.window, Duration):
            filled = max(filled, breaker.window)
        return (filled + breaker.half_open_calls) / open_for / least

    def _never_opens(self, step: Interaction) -> bool:
        """Whether so few attempts come in the time that a breaker looks at that it may not open."""
        breaker, least = step.protection.breaker, self._least_rate(step)
        if breaker is None or least is None or not isinstance(breaker.window, Duration):
            return False
        return least * step.protection.tries * exact(breaker.window) < breaker.minimum_calls

    def _least_rate(self, step: Interaction) -> Rational | None:
        """The fewest requests a second for which one replica takes a step, under any load.

        ``None``: not known, or a load is declared that is lower at other times than at its peak.
        """
        if step not in self._least:
            rates = [exact(steps[step]) for steps in self._rates if steps.get(step)]
            deployment = getattr(step.source, "deployment", None)
            replicas: int | None = deployment.most_at_once() if deployment is not None else None
            is_known = self._is_steady and bool(rates)
            self._least[step] = min(rates) / replicas if is_known and replicas else None
        return self._least[step]

    def _deadline(self, step: Interaction, retry: Retry) -> Rational:
        """Attempts that fit a deadline which all callers pass on, if only timeouts are retried."""
        callers = [c for c in self._callers.get(step.operation.name, ()) if c.mode == "call"]
        each = step.protection.attempt()
        early = step.protection.has_sidecar
        if set(retry.on) != {"timeout"} or not each or not callers or early:
            return Rational(retry.attempts)  # a mesh can time out early, by jitter
        if step.operation.name in self._entries:
            return Rational(retry.attempts)  # who comes from outside passes no deadline on
        limits = [c.protection.attempt() for c in callers if c.deadline_is_kept]
        known = [limit for limit in limits if limit is not None]
        if len(known) < len(callers):
            return Rational(retry.attempts)
        return Rational(math.ceil(max(known) / each))


def _with_others(graph: Graph) -> frozenset[Interaction]:
    """Steps whose breaker or budget calls of other endpoints share, which may go well."""
    groups = [*sharing(graph, "breaker"), *sharing(graph, "budget")]
    several = [group for group in groups if len({step.target_name for step in group}) > 1]
    return frozenset(step for group in several for step in group)


def _is_steady(arrivals: object) -> bool:
    """Closed loads come more slowly while answers are slow."""
    return isinstance(arrivals, OpenArrivals) and arrivals.is_steady


def _largest(tables: Iterable[Mapping[K, Rational]]) -> dict[K, Rational]:
    found: dict[K, Rational] = {}
    for key, factor in (entry for table in tables for entry in table.items()):
        found[key] = max(factor, found.get(key, factor))
    return found


def _callers(graph: Graph) -> dict[str, list[Interaction]]:
    """What is asked to the steps that ask it; a consumer's are those that publish to its topic, or
    to one whose dead letters it gets."""
    found: dict[str, list[Interaction]] = {}
    for step in graph.interactions:
        if step.mode == "publish":
            for reader in receivers_of(graph, step.target.name):
                found.setdefault(reader.name, []).append(step)
        elif step.mode != "cache":
            found.setdefault(step.target_name, []).append(step)
        if step.fallback is not None:
            found.setdefault(step.fallback.target_name, []).append(step.fallback)
    return found


def _circles(graph: Graph, callers: Mapping[str, Sequence[Interaction]]) -> frozenset[str]:
    """The operations that come back to themselves, by calls, messages or fallbacks."""
    asking = {name: {step.operation.name for step in steps} for name, steps in callers.items()}
    rings = (part for part in components(asking) if len(part) > 1)
    alone = (name for name, others in asking.items() if name in others)
    return frozenset().union(*rings, alone) & graph.operations.keys()


def _runs(graph: Graph) -> Iterator[Visits]:
    """What each journey visits, and each other start from outside."""
    starts = graph.entered_from_outside().items()
    yield from (graph.visits(journey) for journey in graph.system.journeys)
    for name, by in starts:
        if not all(isinstance(who, Journey) for who in by):
            yield graph.visits_from(name)


def _shares(runs: Iterable[Visits]) -> dict[Interaction, Rational]:
    """For each question of a fallback how often it may be asked for each time that its target is
    asked anyway: as often as the step that fails.
    """
    found: dict[Interaction, Rational] = {}
    for visits in runs:
        usual = visits.of_targets()
        for step, count in visits.interactions:
            if step.fallback is not None:
                base = usual.get(step.fallback.target_name, 0.0)
                share = exact(count / base if base else count)
                found[step.fallback] = max(share, found.get(step.fallback, share))
    return found


def _beside(graph: Graph, runs: Iterable[Visits]) -> dict[Interaction, Rational]:
    """Steps of operations that only a fallback or a dead letter leads to, each with how often it is
    taken for each time that its target is asked anyway.
    """
    found: dict[Interaction, Rational] = {}
    for visits in runs:
        usual = {**visits.of_targets(), **visits.operations}
        for name in _answering_instead(graph, visits):
            for step in graph.outgoing.get(name, ()):
                for asked in _asked_by(graph, step):
                    if usual.get(asked) and not visits.operations.get(name):
                        share = exact(step.visits / usual[asked])
                        found[step] = max(share, found.get(step, share))
    return found


def _answering_instead(graph: Graph, visits: Visits) -> set[str]:
    """The operations that the fallbacks and the dead letters of what is visited lead to."""
    found: set[str] = set()
    new: list[str] = []
    for step, count in visits.interactions:
        if count and step.fallback is not None:
            new.append(step.fallback.target_name)
        if count and step.mode == "publish":
            new += [each for each in _asked_by(graph, step) if not visits.operations.get(each)]
    while new:
        name = new.pop()
        if name not in found:
            found.add(name)
            for step in graph.outgoing.get(name, ()):
                new += _asked_by(graph, step)
                new += [step.fallback.target_name] if step.fallback is not None else []
    return found


def _asked_by(graph: Graph, step: Interaction) -> Sequence[str]:
    """The names that work of a step arrives at."""
    if step.mode == "publish":
        return [reader.name for reader in receivers_of(graph, step.target.name)]
    return (step.target_name,)
