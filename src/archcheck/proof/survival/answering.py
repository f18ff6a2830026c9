"""Whether an answer comes while nothing is lost, and how often.

That is taken for granted, but not against what is declared: of a step that usually takes longer
than its timeout, or than its breaker lets it, of one whose limits or whose target a declared load
is sure to exceed, and of a journey whose user gives up before, it is open whether it ever works.
"""

from __future__ import annotations

import math
from collections import Counter, defaultdict
from collections.abc import Iterator, Mapping
from dataclasses import replace
from functools import cached_property

from archcheck.capacity.latency import OperationLatencies, latency_of
from archcheck.capacity.responses import Responses
from archcheck.graph import Graph, Interaction, Operation
from archcheck.graph.error_rates import error_rate_of
from archcheck.graph.exact import Rational, exact, shown
from archcheck.graph.shared import filled_by_others
from archcheck.graph.transfer import entry_trip, round_trip
from archcheck.model import Call, Journey, ModelError, Named
from archcheck.proof.answers import Gap
from archcheck.proof.limits.exceeded import exceeded
from archcheck.proof.survival.components import Components, tries_elsewhere
from archcheck.proof.survival.needs import NOTHING, Needs, all_needed, open_question
from archcheck.proof.survival.structure import Structure, Unit
from archcheck.proof.worst_cases import OWN_FILLS, worst_cases
from archcheck.units import Duration

_RARE = 20.0
"""Negative logarithm of the chance that errors within their rate open a breaker for once: 2 in a
thousand million windows, of which there are some in a second. A choice."""


_QUICK = "no queue makes answers slow for a breaker (slow_call)"


def stays_closed(rate: float, calls: int, errors: float) -> bool:
    """Whether a breaker that opens at ``rate`` of so many calls stays closed, if each of them is an
    error with a chance of ``errors``, by Chernoff's bound.
    """
    if not errors or errors >= rate:
        return not errors
    distance = rate * math.log(rate / errors)
    if rate < 1:
        distance += (1 - rate) * math.log((1 - rate) / (1 - errors))
    return calls * distance >= _RARE


class Answering:
    """Whether the steps, operations and journeys of a system are answered at all.

    ``worst`` and ``by_chance`` are those of :class:`Components`.
    """

    def __init__(
        self, graph: Graph, components: Components, *, worst: bool, by_chance: bool
    ) -> None:
        self._graph = graph
        self._components = components
        self._worst = worst
        self._by_chance = by_chance
        self._responses = Responses(graph)
        self._outlasted: dict[str, tuple[Gap, ...]] = {}
        self._latencies = OperationLatencies(graph)
        self._known: dict[int, Needs] = {}
        self._counted: dict[tuple[str, str], int] = {}
        self.chances: dict[Unit, Rational] = {}
        """How often each unit of :meth:`chance` works."""

    def step(self, step: Interaction) -> Needs:
        """What else must hold for a step whose target works to get its answer."""
        if id(step) not in self._known:
            gaps = () if self._by_chance else exceeded(self._graph).of(step)
            asked = self.operation(step.target) if step.mode != "call" else NOTHING
            gaps = (*gaps, *self._trips(step))
            limits = open_question(gaps, worst=self._worst)
            breaker = step.protection.breaker
            if breaker is not None and breaker.slow_call is not None:
                limits = replace(limits, assumptions=(_QUICK,))
            self._known[id(step)] = all_needed((asked, limits, self._in_time(step)))
        return self._known[id(step)]

    def _trips(self, step: Interaction) -> Iterator[Gap]:
        """The breaker of a step that errors which are declared, or slow answers, may open."""
        breaker = step.protection.breaker
        if breaker is None or not isinstance(step.step, Call):
            return
        found, least = self._responses.asked(step.step), breaker.minimum_calls
        if not stays_closed(float(breaker.failure_rate), least, found.errors):
            yield Gap(step, f"breaker.failure_rate well above {100 * found.errors:.3g}% of errors")
        slow = found.longer_than(float(breaker.slow_call)) if breaker.slow_call else 0.0
        rate = 1.0 if breaker.slow_call_rate is None else float(breaker.slow_call_rate)
        if slow < 1 and not stays_closed(rate, least, slow):
            yield Gap(step, "breaker.slow_call well above what its answers take")

    def operation(self, member: Named, name: str = "") -> Needs:
        """Whether an element may be expected to carry its load, and to answer well at all."""
        if self._by_chance:
            return NOTHING
        found = exceeded(self._graph)
        gaps = [found.elements.get(member.name), found.operations.get(name)]
        if self._error_rate(member, name) == 1:
            gaps.append(Gap(self._graph.operations.get(name, member), "error_rate below 100%"))
        return open_question((gap for gap in gaps if gap is not None), worst=self._worst)

    def journey(self, journey: Journey) -> Needs:
        """Whether the answers to a journey may be expected before its user leaves."""
        patience = journey.timeout
        try:
            entries = [self._latencies.of(name).seconds for name in journey.all_entries()]
        except ModelError:  # operations that call each other without end
            return NOTHING
        seconds = max(entries) + float(entry_trip(self._graph.system))  # users wait for each
        late = isinstance(patience, Duration) and seconds > float(patience)
        gaps = [Gap(journey, f"timeout above {shown(exact(seconds))}")] * late
        return open_question(gaps, worst=self._worst)

    def joining(self, lookup: Interaction) -> Needs:
        """Whether a lookup gets what another step fetches, whatever that needs."""
        shared = not self._by_chance and lookup in filled_by_others(self._graph)
        return open_question([Gap(lookup, OWN_FILLS)] * shared, worst=self._worst)

    def too_late(self, journey: Journey) -> tuple[Gap, ...]:
        """The patience of a user whom the worst case of a journey outlasts."""
        if not isinstance(journey.timeout, Duration):
            return ()
        case = worst_cases(self._graph).of_journey(journey)
        if case.at_most <= exact(journey.timeout):
            return ()
        return (Gap(journey, f"timeout of at least {shown(case.at_most)}"),)

    def outlasts(self, operation: Operation) -> tuple[Gap, ...]:
        """The timeouts of its callers that the worst case of an operation outlasts.

        Of one that is told of a deadline nobody else asks it: the question of deadlines says that
        it stops. So what is undeclared below is a gap here.
        """
        if operation.name not in self._outlasted:
            self._outlasted[operation.name] = tuple(self._outlasting(operation))
        return self._outlasted[operation.name]

    def _outlasting(self, operation: Operation) -> Iterator[Gap]:
        for edge in self._graph.reaching.get(operation.owner.name, ()):
            limit = edge.protection.attempt()
            if edge.target_name != operation.name or limit is None or edge.can_fail_softly:
                continue
            case = worst_cases(self._graph).needed(edge)
            if case.at_most > limit:
                yield Gap(edge, f"timeout of at least {shown(case.at_most)}")
            elif edge.deadline_is_kept:
                yield from case.gaps

    def _in_time(self, step: Interaction) -> Needs:
        """Whether the answer to a step may be expected, on average and without any queue."""
        if not step.is_synchronous:
            return NOTHING
        try:
            seconds = latency_of(self._latencies, step).seconds
        except ModelError:
            return NOTHING
        seconds += float(round_trip(self._graph.system, step)[0])
        guard, breaker = step.protection, step.protection.breaker
        limits = {
            "timeout": guard.attempt(),
            "per_try_timeout": guard.per_try_timeout,
            "breaker.slow_call": breaker.slow_call if breaker is not None else None,
        }
        gaps = (
            Gap(step, f"{name} above {shown(exact(seconds))}")
            for name, limit in limits.items()
            if limit is not None and seconds > float(limit)
        )
        return open_question(gaps, worst=self._worst)

    def chance(self, owner: Named, name: str, asked: Interaction | None) -> Structure:
        """The answer of an operation, as a unit that fails as often as its requests do.

        At best somebody who asks again, at any distance, gets an answer in the end; at worst a
        retry that something may stop is none, and each of all times that it is asked in a run fails
        by itself.
        """
        errors = self._error_rate(owner, name)
        if not errors or (not self._worst and owner.name in self._components.asked_after_errors):
            return NOTHING.structure
        tries, repeats = 1, 1
        if asked is not None and self._worst:
            tries += tries_elsewhere(asked.protection)
            steps = self._graph.outgoing.get(asked.operation.name, ())
            same = [each for each in steps if each.target_name == asked.target_name]
            repeats = sum(each.repeats for each in same) or 1
            repeats *= max(1, self._runs(asked.operation.name))
        unit = Unit("answer", asked.name if asked is not None else name, int(self._worst))
        self.chances[unit] = (1 - errors**tries) ** repeats
        return unit

    def _runs(self, name: str) -> int:
        """How often an operation may run in one run of a journey, of that which does so most."""
        journeys = self._graph.system.journeys
        return max((self._runs_in(each, name) for each in journeys), default=1)

    def _runs_in(self, journey: Journey, name: str) -> int:
        """The same in one journey; a circle of calls counts once."""
        key = journey.name, name
        if key not in self._counted:
            self._counted[key] = 0
            self._counted[key] = self._starts[journey.name][name] + sum(
                step.repeats * self._runs_in(journey, step.operation.name)
                for step in self._asking[name]
            )
        return self._counted[key]

    @cached_property
    def _starts(self) -> Mapping[str, Counter[str]]:
        """Journey to the operations that it enters."""
        system = self._graph.system
        return {
            journey.name: Counter(
                f"{owner.name}.{end.name}" if end else owner.name
                for owner, end in map(system.endpoint, journey.all_entries())
            )
            for journey in system.journeys
        }

    @cached_property
    def _asking(self) -> Mapping[str, list[Interaction]]:
        """To each operation the steps that ask it."""
        found: dict[str, list[Interaction]] = defaultdict(list)
        for step in self._graph.questions:
            found[step.target_name].append(step)
        return found

    def _error_rate(self, member: Named, operation: str) -> Rational:
        known = self._graph.operations.get(operation)
        return exact(error_rate_of(member, known.part if known is not None else None))
