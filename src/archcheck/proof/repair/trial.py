"""What a set of edits brings about, and how much more each other edit could help.

With a set of edits chosen, the best that they can do is known without searching: a timeout that may
change is as short as its callee allows, attempts that may change are one. A budget that fails even
then fails by some time, and every further edit of a step on its longest path saves at most so much
of it: the edits that are made must together save enough. Such a *cut* holds for every repair, since
other branches only take longer; it is what the search learns from a trial.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import Literal, TypeAlias

from archcheck.findings import subject_name
from archcheck.graph import Graph, Interaction, Operation
from archcheck.graph.cpu import longest_computing
from archcheck.graph.exact import Rational, exact
from archcheck.graph.transfer import ONE_WAY, round_trip
from archcheck.model import Journey, Named
from archcheck.proof.amplification import Amplification
from archcheck.proof.answers import Answer, Proved, Refuted
from archcheck.proof.budget import left
from archcheck.proof.deadlines import claim_of, deadline_budgets, limits_of
from archcheck.proof.repair.choices import BREAKS_AT
from archcheck.proof.timeouts import shortest_useful
from archcheck.proof.walk import LongestWalk
from archcheck.proof.worst_cases import worst_cases
from archcheck.units import Duration

Atom: TypeAlias = tuple[Literal["timeout", "attempts", "breaker"], Interaction]
"""An edit of one step."""
Savings: TypeAlias = Mapping[tuple[Atom, bool], Rational]
"""The most that each edit saves when it is made (or, with ``False``, left out)."""
_NONE: Savings = {}
_ZERO = Rational(0)
_ACKNOWLEDGED = Rational(1, 4)
"""The shortest timeout of a published message: neither the model nor a run tells how long a broker
takes to copy and acknowledge it. What RES001 advises."""


@dataclass(frozen=True)
class Cut:
    """What every repair of ``about`` obeys: its edits save at least ``needed`` together."""

    savings: Savings
    needed: Rational
    about: str


@dataclass(frozen=True)
class LowerBound:
    """The least that something takes, and what other edits could save of it."""

    seconds: Rational = _ZERO
    savings: Savings = field(default_factory=dict)

    def __add__(self, other: LowerBound) -> LowerBound:
        return LowerBound(self.seconds + other.seconds, _merged(self.savings, other.savings))

    def times(self, count: int) -> LowerBound:
        """The same so many times over."""
        more = {key: saved * count for key, saved in self.savings.items()}
        return LowerBound(self.seconds * count, more)


def _merged(first: Savings, second: Savings) -> Savings:
    if not first or not second:
        return first or second
    merged = dict(first)
    for key, saved in second.items():
        merged[key] = merged.get(key, _ZERO) + saved
    return merged


class BudgetsToday:
    """The deadline budgets that are proved today: an edit must not lose one of them.

    Not even where nobody declares whether a callee stops when its caller gives up, and not where
    it is an objective, which no edit has to bring about.
    """

    def __init__(self, graph: Graph) -> None:
        answers = [*deadline_budgets(graph)]
        keys = {_key(answer) for answer in answers}
        demanded = {_key(answer) for answer in deadline_budgets(graph, objectives=False)}
        open_ = {_key(answer) for answer in answers if not isinstance(answer, Proved)}
        self._objectives, self._proved = keys - demanded, keys - open_
        self._steps = {each.subject for each in answers if _key(each) in self._proved}
        self._journeys: dict[str, list[Rational]] = {}
        for journey in graph.system.journeys:
            patience = limits_of(journey, objectives=False)
            promised = [each for each in limits_of(journey) if each not in patience]
            kept = [limit for what, limit in promised if self._holds(journey, what, limit)]
            self._journeys[journey.name] = [exact(limit) for _, limit in patience]
            self._journeys[journey.name] += [exact(limit) for limit in kept]

    def _holds(self, journey: Journey, what: str, limit: Duration) -> bool:
        return (journey.name, claim_of(journey, what, limit)) in self._proved

    def binds(self, step: Interaction) -> bool:
        """Whether a callee must be done before its caller gives up."""
        kept = step.deadline_is_kept
        return kept is False or (kept is None and step in self._steps)

    def limits(self, journey: Journey) -> list[Rational]:
        """What the worst case of a journey must fit, in seconds."""
        return self._journeys[journey.name]

    def is_broken(self, answer: Answer) -> bool:
        """Whether an answer after some edits says that a budget fails, or is proved no more."""
        key = _key(answer)
        if isinstance(answer, Refuted):
            return key in self._proved or key not in self._objectives
        return not isinstance(answer, Proved) and key in self._proved


def _key(answer: Answer) -> tuple[str, str]:
    return subject_name(answer.subject), answer.claim


class Edits:
    """Which edits of steps are allowed, and how long timeouts must be to be of use."""

    def __init__(
        self,
        graph: Graph,
        kinds: Collection[str],
        new: Collection[Interaction],
        floors: Mapping[str, Rational],
        ceilings: Mapping[str, Rational],
    ) -> None:
        """``floors``: what is known of the shortest timeouts, by the names of steps; ``ceilings``:
        the longest ones that may be set.
        """
        self.graph = graph
        self._floors = floors
        self.ceilings = ceilings
        self.kinds = frozenset(kinds)
        self.new = frozenset(new)
        """Steps that get a timeout and had none."""
        self.declared = worst_cases(graph)
        self.amplification = Amplification(graph)
        self._useful: dict[Interaction, Rational] = {}

    @cached_property
    def budgets(self) -> BudgetsToday:
        """Which deadline budgets are proved before any edit."""
        return BudgetsToday(self.graph)

    def useful(self, step: Interaction) -> Rational:
        """The shortest timeout that a step may get."""
        if step not in self._useful:
            declared = shortest_useful(self.graph, step)
            measured = self._floors.get(step.name)
            known = [floor for floor in (declared, measured) if floor is not None]
            guess = _ACKNOWLEDGED if step.mode == "publish" else _ZERO
            floor = max(known, default=self.declared.timeout_of(step) or guess)
            self._useful[step] = max(floor, Rational(1, 1000))
        return self._useful[step]

    def limit(self, step: Interaction) -> Rational | None:
        """What no timeout of the code makes longer."""
        known = (step.protection.mesh_limit, self.ceilings.get(step.name))
        return min((limit for limit in known if limit is not None), default=None)

    def tries(self, step: Interaction) -> int:
        """Declared attempts."""
        return step.protection.tries

    def can(self, kind: Literal["timeout", "attempts", "breaker"], step: Interaction) -> bool:
        """Whether an edit of a step is allowed and changes anything."""
        if kind not in self.kinds:
            return False
        if kind == "timeout":
            return step in self.new or self.declared.timeout_of(step) is not None
        if kind == "attempts":
            return self.tries(step) > 1
        if step.mode != "call" or getattr(step.step, "breaker", None) is not None:
            return False
        plain = self.amplification.factor(step) or 1
        return plain > (self.amplification.factor(step, None, BREAKS_AT) or 1)


class Trial(LongestWalk[LowerBound]):
    """The best that a set of edits can do; ``tries`` are attempts that are lowered to a number."""

    def __init__(
        self, edits: Edits, chosen: Collection[Atom], tries: Mapping[Interaction, int]
    ) -> None:
        super().__init__(edits.graph)
        self._edits = edits
        self._chosen = frozenset(chosen)
        self._tries = tries
        self._timeouts: dict[Interaction, LowerBound | None] = {}

    # -- deadlines ----------------------------------------------------------------------------

    def late(self) -> Iterator[Cut]:
        """For every deadline budget that fails, what has to be saved."""
        for step in self.graph.calls():
            left()
            if not self._edits.budgets.binds(step):
                continue  # it holds, or nobody knows
            declared = self._edits.declared.timeout_of(step)
            is_chosen = ("timeout", step) in self._chosen
            if is_chosen:
                declared = self._edits.limit(step)
            if step.endpoint is not None and declared is not None:
                below = self.of(step.target_name)
                excess = below.seconds - declared
                more = _NONE if is_chosen else self._more("timeout", step, excess)
                if excess > 0:
                    yield Cut(_merged(below.savings, more), excess, step.name)
        for journey in self.graph.system.journeys:
            for limit in self._edits.budgets.limits(journey):
                whole = self.of_journey(journey)
                if whole.seconds > limit:
                    excess = whole.seconds - limit
                    yield Cut(whole.savings, excess, journey.name)

    def timeout(self, step: Interaction) -> LowerBound | None:
        """The shortest timeout that a step can have, or what else bounds it; ``None``: nothing."""
        if step not in self._timeouts:
            self._timeouts[step] = self._shortest(step)
        return self._timeouts[step]

    def _shortest(self, step: Interaction) -> LowerBound | None:
        declared = self._edits.declared.timeout_of(step)
        useful = self._edits.useful(step)
        if ("timeout", step) not in self._chosen:
            if declared is None:
                if self._edits.declared.bound_of(step) is None:
                    return None
                pauses = LowerBound(step.protection.unbounded_attempt(_ZERO))
                return self.needed(step).times(step.protection.mesh_tries) + pauses
            return LowerBound(declared, self._more("timeout", step, max(_ZERO, declared - useful)))
        least = LowerBound(useful)
        passes_on = step.deadline_is_kept
        if step.endpoint is not None and (step in self._edits.new or not passes_on):
            below = self.needed(step) + LowerBound(self._way(step))
            least = below if below.seconds > useful else least
        if least.seconds > (declared or _ZERO):  # it would be shorter if left alone
            kept: Savings = {(("timeout", step), False): least.seconds - (declared or _ZERO)}
            least = LowerBound(least.seconds, {**least.savings, **kept})
        limit = self._edits.limit(step)
        return least if limit is None or least.seconds <= limit else LowerBound(limit)

    def _way(self, step: Interaction) -> Rational:
        """The time of a network whose delay nobody declares, without which nothing is proved."""
        return _ZERO if round_trip(self.graph.system, step)[1] else 2 * exact(ONE_WAY)

    def _more(
        self, kind: Literal["timeout", "attempts", "breaker"], step: Interaction, saved: Rational
    ) -> Savings:
        return {((kind, step), True): saved} if saved and self._edits.can(kind, step) else _NONE

    def nothing(self) -> LowerBound:
        return LowerBound()

    def working(self, operation: Operation, work: tuple[Rational, bool]) -> LowerBound:
        return LowerBound(longest_computing(operation.owner, work[0]))

    def waiting(self, step: Interaction) -> LowerBound:
        timeout = self.timeout(step)
        if timeout is None:
            return LowerBound()
        count = self._tries.get(step, self._edits.tries(step))
        each = timeout
        if later := step.protection.hedged_after(timeout.seconds):
            each += LowerBound(later, self._more("timeout", step, later))
        pauses = LowerBound(sum(step.protection.pauses(count), _ZERO))
        waits = each.times(step.protection.that_last(count)) + pauses
        fewer = waits.seconds - each.seconds
        more = self._more("attempts", step, fewer) if step not in self._tries else _NONE
        return waits + LowerBound(_ZERO, more)

    def fixed(
        self, subject: Interaction | Operation | Named, seconds: Rational, text: str
    ) -> LowerBound:
        return LowerBound(seconds)

    def assumed(self, text: str) -> LowerBound:
        return LowerBound()

    def undeclared(self, holder: Interaction | Operation | Named, attribute: str) -> LowerBound:
        return LowerBound()

    def unknown_delay(self, passages: int) -> LowerBound:
        return LowerBound()

    def longest(self, branches: Sequence[LowerBound]) -> LowerBound:
        return max(branches, key=lambda bound: bound.seconds, default=LowerBound())

    def endless(self, operation: Operation) -> LowerBound:
        return LowerBound()

    # -- retries ------------------------------------------------------------------------------

    def stormy(self, bound: Rational) -> Iterator[Cut]:
        """For every element that works too often, the edits of which one is needed."""
        arrives: dict[str, LowerBound] = {}
        for name in self.graph.operations:
            self._arrives(name, arrives)
        for step in self.graph.interactions:
            left()
            if step.mode in ("call", "read", "write"):
                total = self._through(step, arrives)
                if total.seconds > bound:
                    yield Cut(total.savings, Rational(1), step.target_name)

    def _arrives(self, name: str, arrives: dict[str, LowerBound]) -> LowerBound:
        if name not in arrives:
            arrives[name] = LowerBound(Rational(1))
            callers = self._edits.amplification.callers_of(name)
            ways = [self._through(step, arrives) for step in callers]
            arrives[name] = self.longest([LowerBound(Rational(1)), *ways])
        return arrives[name]

    def _through(self, step: Interaction, arrives: dict[str, LowerBound]) -> LowerBound:
        """How often work arrives behind a step, in place of seconds; an edit that helps saves 1."""
        above = self._arrives(step.operation.name, arrives)
        broken = ("breaker", step) in self._chosen
        rate = BREAKS_AT if broken else None
        factor = self._edits.amplification.factor(step, self._tries.get(step), rate) or Rational(1)
        savings = dict(above.savings)
        if factor > 1:
            if step not in self._tries:
                savings.update(self._more("attempts", step, Rational(1)))
            if not broken:
                savings.update(self._more("breaker", step, Rational(1)))
        return LowerBound(above.seconds * factor, savings)
