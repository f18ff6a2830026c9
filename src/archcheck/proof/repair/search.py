"""The cheapest set of edits: an implicit hitting set problem, whose sets are found on the way.

z3 proposes the cheapest edits that obey all cuts known so far (weighted MaxSMT over booleans with
linear constraints); a trial says what they cannot mend, and what has to be saved there; that is a
new cut. Every cut holds for every repair, so the first proposal that mends everything is a cheapest
one (Moreno-Centeno and Karp, The Implicit Hitting Set Approach, 2013; Davies and Bacchus, MaxHS,
2011). The timeouts themselves are no variables of z3.

What no allowed edits can mend is given up, so that it does not keep the rest from being mended:
each cut holds only while what it is about is not given up, at a price above that of all edits.

With the edits known, timeouts are put as near to the declared ones as their limits allow, and
attempts are lowered no more than is needed.
"""

from __future__ import annotations

import math
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from archcheck.editing import Edit, kind_of
from archcheck.findings import subject_name
from archcheck.graph import Graph, Interaction
from archcheck.graph.exact import (
    Rational,
    preferred_down,
    preferred_up,
    shown,
    two_digits_up,
    written,
)
from archcheck.model import Retry
from archcheck.proof.budget import BudgetSpentError, left, milliseconds_left, share_spent
from archcheck.proof.deadlines import deadline_budgets
from archcheck.proof.repair.choices import EditChoice, breaker_for, label_of, merged, timeout_label
from archcheck.proof.repair.trial import Atom, Cut, Edits, Trial
from archcheck.proof.timeouts import Given, RoundedUp, callers_first, closest

_ZERO = Rational(0)
_GRID = Rational(1, 1000)
"""Timeouts are sought in whole milliseconds, as people write them."""
EFFORT = 1_000_000
"""z3's own count of steps for all proposals together: a few seconds, and the same on every
machine."""
_GIVEN_UP = 10**9
"""What it costs to leave something as it is: more than any edits."""
_SHARES = 16
"""Steps on the way from the least timeouts to those that are nearest to the declared ones."""
_WALKED = 5_000
"""Steps of a system that are walked to make a repair nicer: to do without edits that the others
make needless, to round timeouts one by one. A choice: a second or two at any size."""


@dataclass(frozen=True)
class Wanted:
    """What a repair must bring about."""

    deadlines: bool
    """Every deadline budget holds."""
    factor: Rational | None
    """Retries multiply by at most this much, if that is wanted."""
    timeouts: tuple[Interaction, ...]
    """Steps that must get a timeout."""
    choices: tuple[tuple[EditChoice, ...], ...]
    """For each other violation the choices that mend it."""


@dataclass(frozen=True)
class CheapestEdits:
    """The edits that cost least, and what they cost."""

    edits: tuple[Edit, ...]
    cost: Rational
    at_least: Rational
    """No repair costs less than this: the cost itself, unless the search had to be cut short."""
    given_up: Mapping[str, str]
    """What stays as it is, by the names of steps, journeys and elements, with the reason."""


def cheapest(
    graph: Graph,
    wanted: Wanted,
    costs: Mapping[str, Rational],
    floors: Mapping[str, Rational],
    ceilings: Mapping[str, Rational],
) -> CheapestEdits:
    """The cheapest edits that bring about all that is wanted and possible.

    ``floors``: what is known of the shortest timeouts, by the names of steps; ``ceilings``: the
    longest that may be set. Where z3 does not end within :data:`EFFORT`, a repair with a bound on
    what the cheapest one costs.

    Raises :class:`BudgetSpentError` when the time is up.
    """
    return _Search(Edits(graph, costs, wanted.timeouts, floors, ceilings), wanted, costs).solved()


NO_EDIT = "no allowed edits mend it"
NOT_FOUND = "no edits were found that mend it"
"""What is left though nobody has proved that it must be: other edits brought it back."""
NOT_TOGETHER = f"{NO_EDIT} together with the others"


def _missing(cut: Cut) -> str:
    """Why no allowed edits mend what a cut is about."""
    if not cut.savings:
        return NO_EDIT
    missing = cut.needed - sum(cut.savings.values(), _ZERO)
    return (
        f"with timeouts that let the load through, {shown(missing)} are missing: wait longer above "
        "it, call side by side, or talk about its limit"
    )


_SEARCHED = 0.5
"""The share of the time after which nothing is sought any more: the rest is for the values."""
NO_TIME = "not repaired within the time"


class _TooHardError(Exception):
    """z3 gave up within its effort."""


@dataclass(frozen=True)
class _Proposal:
    atoms: tuple[Atom, ...]
    choices: tuple[EditChoice, ...]
    cost: Rational
    given_up: frozenset[str] = frozenset()


class _Search:
    def __init__(self, edits: Edits, wanted: Wanted, costs: Mapping[str, Rational]) -> None:
        import z3

        self._z3 = z3
        self._edits = edits
        self._wanted = wanted
        self._costs = costs
        self._context = z3.Context()
        """Of its own: which of several cheapest repairs is found must not hang on what the process
        asked z3 before."""
        self._solver = z3.Optimize(ctx=self._context)
        self._atoms: dict[Atom, Any] = {}
        self._choices: dict[tuple[object, ...], tuple[Any, EditChoice]] = {}
        self._changes: dict[tuple[int, str], Any] = {}
        self._scale = math.lcm(*(cost.denominator for cost in costs.values()))
        self._prices: list[tuple[Any, Rational]] = []
        self._mended: dict[str, Any] = {}
        self._hopeless: dict[str, str] = {}
        self._banned: set[Atom] = set()
        """Edits that a greedy search has taken back."""
        self._fails_today: frozenset[str] = frozenset()
        """Budgets that fail without any edit: only these may stay as they are."""
        self._walks = _WALKED // max(1, len(edits.graph.interactions))

    def solved(self) -> CheapestEdits:
        """The cheapest repair, or the one that was found within the effort."""
        self._fails_today = frozenset(cut.about for cut in self._failing(()))
        for step in self._wanted.timeouts:
            self._solver.add_soft(self._atom(("timeout", step)), str(_GIVEN_UP * self._scale))
        for choices in self._wanted.choices:
            self._solver.add(self._z3.Or(*(self._choice(choice) for choice in choices)))
        best = _Proposal((), (), Rational(0))
        while True:
            try:
                best = self._proposal()
            except _TooHardError:
                return self._greedy(best)
            cuts = self._failing(best.atoms, given_up=best.given_up)
            if not cuts:
                return self._solution(best, best.cost)
            for cut in cuts:
                self._learn(cut)

    def _greedy(self, best: _Proposal) -> CheapestEdits:
        """Add what saves most for its cost until all is well, then leave out what is not needed."""
        chosen = dict.fromkeys(best.atoms)
        added: list[Atom] = []
        known = {*self._hopeless, *best.given_up}
        while cuts := self._failing(tuple(chosen)):
            is_late = share_spent() > _SEARCHED
            for cut in cuts:
                enough = [] if is_late else self._enough(cut, chosen)
                if not enough and self._is_undone(cut, chosen):
                    continue
                if not enough:
                    self._give_up(cut.about, NO_TIME if is_late else _missing(cut))
                chosen.update(dict.fromkeys(enough))
                added += enough
        for atom in [*dict.fromkeys(reversed(added))][: self._walks]:
            if share_spent() > _SEARCHED:
                break
            rest = tuple(other for other in chosen if other != atom)
            if not self._failing(rest):
                del chosen[atom]
        cost = best.cost + sum((self._costs[a[0]] for a in chosen if a not in best.atoms), _ZERO)
        cost -= sum((self._costs[a[0]] for a in best.atoms if a not in chosen), _ZERO)
        # what was proposed would have mended more than this: its cost is no bound then
        at_least = best.cost if self._hopeless.keys() <= known else _ZERO
        return self._solution(_Proposal(tuple(chosen), best.choices, cost), at_least)

    def _is_undone(self, cut: Cut, chosen: dict[Atom, None]) -> bool:
        """Whether edits are taken back that break what holds today; they are not made again."""
        if cut.about in self._fails_today:
            return False
        broken = [atom for atom, wanted in cut.savings if not wanted and atom in chosen]
        for atom in broken:
            del chosen[atom]
            self._banned.add(atom)
            self._hopeless.setdefault(atom[1].name, NOT_TOGETHER)
        return bool(broken)

    def _give_up(self, about: str, why: str) -> None:
        """Leave something as it is: what was learnt about it asks for no edits any more."""
        self._hopeless[about] = why
        if about in self._mended:
            self._solver.add(self._z3.Not(self._mended[about]))

    def _enough(self, cut: Cut, chosen: Collection[Atom]) -> list[Atom]:
        """The edits that save most for their cost, until a cut is obeyed."""
        useful = [
            (min(saved, cut.needed) / self._costs[atom[0]], number, atom, saved)
            for number, ((atom, wanted), saved) in enumerate(cut.savings.items())
            if wanted and atom not in chosen and atom not in self._banned
        ]
        found, total = [], _ZERO
        for _, _, atom, saved in sorted(useful, key=lambda entry: (-entry[0], entry[1])):
            if total >= cut.needed:
                break
            found.append(atom)
            total += saved
        return found

    def _learn(self, cut: Cut) -> None:
        """In whole milliseconds: savings rounded up and the need down, which every repair obeys."""
        holds_today = cut.about not in self._fails_today
        if sum(cut.savings.values()) < cut.needed and not holds_today:
            self._give_up(cut.about, _missing(cut))
            return
        unit = _GRID if cut.needed >= _GRID else cut.needed
        terms = [
            (self._literal(atom, wanted), math.ceil(min(saved, cut.needed) / unit))
            for (atom, wanted), saved in cut.savings.items()
        ]
        if holds_today:
            self._solver.add(self._z3.PbGe(terms, math.floor(cut.needed / unit)))
            return
        if cut.about not in self._mended:
            self._mended[cut.about] = self._variable(f"mended {len(self._mended)}")
            self._solver.add_soft(self._mended[cut.about], str(_GIVEN_UP * self._scale))
        obeyed = self._z3.PbGe(terms, math.floor(cut.needed / unit))
        self._solver.add(self._z3.Implies(self._mended[cut.about], obeyed))

    def _proposal(self) -> _Proposal:
        """The cheapest edits that obey all cuts so far, but for what has to be given up."""
        limit = milliseconds_left()
        if limit is not None:
            self._solver.set("timeout", max(1, int(limit * _SEARCHED)))
        if share_spent() > _SEARCHED:
            raise _TooHardError
        self._solver.set("rlimit", EFFORT)
        outcome = self._solver.check()
        if outcome != self._z3.sat:
            raise _TooHardError
        model = self._solver.model()
        return _Proposal(
            tuple(atom for atom, variable in self._atoms.items() if self._is(model, variable)),
            tuple(
                choice for variable, choice in self._choices.values() if self._is(model, variable)
            ),
            sum((price for variable, price in self._prices if self._is(model, variable)), _ZERO),
            frozenset(self._left(model)),
        )

    def _left(self, model: Any) -> Iterator[str]:
        """What a proposal leaves as it is."""
        yield from (name for name, held in self._mended.items() if not self._is(model, held))
        for step in self._wanted.timeouts:
            if not self._is(model, self._atoms["timeout", step]):
                yield step.name

    def _is(self, model: Any, variable: Any) -> bool:
        return bool(self._z3.is_true(model.eval(variable, model_completion=True)))

    def _variable(self, name: str) -> Any:
        return self._z3.Bool(name, self._context)

    def _literal(self, atom: Atom, wanted: bool) -> Any:
        return self._atom(atom) if wanted else self._z3.Not(self._atom(atom))

    def _atom(self, atom: Atom) -> Any:
        if atom not in self._atoms:
            self._atoms[atom] = self._variable(f"edit {len(self._atoms)}")
            self._pay(self._atoms[atom], self._costs[atom[0]])
        return self._atoms[atom]

    def _choice(self, choice: EditChoice) -> Any:
        """The variable of a choice; a breaker is the one that bounds retries as well."""
        if choice.kinds == ("breaker",):
            part = choice.edits[0].part
            step = next(s for s in self._edits.graph.interactions if s.declared is part)
            return self._atom(("breaker", step))
        if choice.key not in self._choices:
            variable = self._variable(f"choice {len(self._choices)}")
            self._choices[choice.key] = variable, choice
            for edit in choice.edits:
                self._solver.add(self._z3.Implies(variable, self._change(edit)))
        return self._choices[choice.key][0]

    def _change(self, edit: Edit) -> Any:
        """The variable of a change that several choices may share: it is paid for once."""
        key = (id(edit.part), kind_of(edit))
        if key not in self._changes:
            self._changes[key] = self._variable(f"change {len(self._changes)}")
            self._pay(self._changes[key], self._costs[kind_of(edit)])
        return self._changes[key]

    def _pay(self, variable: Any, price: Rational) -> None:
        self._prices.append((variable, price))
        self._solver.add_soft(self._z3.Not(variable), str(int(price * self._scale)))

    @staticmethod
    def _lowered(chosen: Collection[Atom]) -> list[Interaction]:
        return [step for kind, step in chosen if kind == "attempts"]

    def _failing(
        self,
        chosen: Collection[Atom],
        tries: Mapping[Interaction, int] | None = None,
        given_up: Collection[str] = (),
    ) -> list[Cut]:
        """What a set of edits does not mend, without what is given up."""
        left()
        lowered = dict.fromkeys(self._lowered(chosen), 1)
        trial = Trial(self._edits, chosen, tries if tries is not None else lowered)
        cuts = list(trial.late()) if self._wanted.deadlines else []
        if self._wanted.factor is not None:
            cuts += trial.stormy(self._wanted.factor)
        return [
            cut for cut in cuts if cut.about not in given_up and cut.about not in self._hopeless
        ]

    # -- values -------------------------------------------------------------------------------

    def _solution(self, proposal: _Proposal, at_least: Rational) -> CheapestEdits:
        chosen = proposal.atoms
        tries = self._attempts(chosen, proposal.given_up)
        graph = self._edits.graph
        edits = [
            Edit(step.declared, {"timeout": written(seconds)}, timeout_label(graph, step))
            for step, seconds in self._timeouts(chosen, tries).items()
        ]
        for step, count in tries.items():
            retry = getattr(step.step, "retry", None)
            if isinstance(retry, Retry):
                edits.append(Edit(retry, {"attempts": count}, label_of(graph, step)))
        edits += [
            breaker_for(step, label_of(graph, step)) for kind, step in chosen if kind == "breaker"
        ]
        for choice in proposal.choices:
            edits += choice.edits
        edits = merged(edits)
        reasons = dict.fromkeys(sorted(proposal.given_up), NOT_TOGETHER) | self._hopeless
        return CheapestEdits(tuple(edits), proposal.cost, at_least, reasons)

    def _attempts(
        self, chosen: Collection[Atom], given_up: Collection[str]
    ) -> dict[Interaction, int]:
        """For each step whose attempts change, the most with which all is well."""
        tries = dict.fromkeys(self._lowered(chosen), 1)
        for step in [*tries][: self._walks]:
            for count in range(self._edits.tries(step) - 1, 1, -1):
                if not self._failing(chosen, {**tries, step: count}, given_up):
                    tries[step] = count
                    break
        return tries

    def _timeouts(
        self, chosen: Collection[Atom], tries: Mapping[Interaction, int]
    ) -> dict[Interaction, Rational]:
        """Timeouts that mend what the chosen edits can: where there is time, not the shortest."""
        trial = Trial(self._edits, chosen, tries)
        bounds = {step: trial.timeout(step) for kind, step in chosen if kind == "timeout"}
        least = {step: bound.seconds for step, bound in bounds.items() if bound is not None}
        try:
            return self._near_declared(least, tries)
        except BudgetSpentError:
            return least

    def _near_declared(
        self, least: Mapping[Interaction, Rational], tries: Mapping[Interaction, int]
    ) -> dict[Interaction, Rational]:
        """As near to the declared ones as the budgets allow, in values that people write."""
        graph = self._edits.graph
        near = closest(graph, Given(graph, least, tries), tries, objectives=False)
        # what is published has no answer and no declared timeout to come near to
        found = {step: near.get(step) or seconds for step, seconds in least.items()}
        late = self._late(least, tries)

        def part_of_the_way(share: int) -> dict[Interaction, Rational]:
            part = Rational(share, _SHARES)
            return {step: low + part * (found[step] - low) for step, low in least.items()}

        low, high = 0, _SHARES + 1
        middle = _SHARES
        while high - low > 1:
            fits = self._late(part_of_the_way(middle), tries) <= late
            low, high = (middle, high) if fits else (low, middle)
            middle = (low + high) // 2
        timeouts = part_of_the_way(low)
        for written_ones in self._as_written(timeouts, tries):
            if self._late(written_ones, tries) <= late:
                return written_ones
        if len(timeouts) <= self._walks:
            return self._rounded(timeouts, least, tries)
        whole = {step: math.ceil(seconds / _GRID) * _GRID for step, seconds in timeouts.items()}
        return whole if self._late(whole, tries) <= late else timeouts

    def _as_written(
        self, timeouts: Mapping[Interaction, Rational], tries: Mapping[Interaction, int]
    ) -> Iterator[dict[Interaction, Rational]]:
        """All timeouts as people write them, alone and with what then waits longer above."""
        for rounding in (preferred_up, two_digits_up):
            yield {step: rounding(seconds) for step, seconds in timeouts.items()}
            above = RoundedUp(self._edits.graph, timeouts, tries, rounding)
            yield {step: above.timeout_of(step) or seconds for step, seconds in timeouts.items()}

    def _rounded(
        self,
        found: Mapping[Interaction, Rational],
        least: Mapping[Interaction, Rational],
        tries: Mapping[Interaction, int],
    ) -> dict[Interaction, Rational]:
        """As many of the timeouts as people write them as the budgets allow, one by one."""
        late, timeouts = self._late(found, tries), dict(found)
        # callers first: what they wait longer is room for what they call
        order = {name: number for number, name in enumerate(callers_first(self._edits.graph))}
        for step in sorted(found, key=lambda each: order[each.operation.name]):
            seconds = found[step]
            lowest = math.ceil(least[step] / _GRID) * _GRID
            shorter = two_digits_up(seconds * Rational(9, 10))
            whole = math.ceil(seconds / _GRID) * _GRID
            nice = (preferred_up(seconds), preferred_down(seconds), two_digits_up(seconds), shorter)
            for value in (*nice, whole, lowest):
                if value >= lowest and self._late({**timeouts, step: value}, tries) <= late:
                    timeouts[step] = value
                    break
        return timeouts

    def _late(
        self, timeouts: Mapping[Interaction, Rational], tries: Mapping[Interaction, int]
    ) -> frozenset[str]:
        """Whose worst case does not fit with these timeouts."""
        cases = Given(self._edits.graph, timeouts, tries)
        broken = self._edits.budgets.is_broken
        late = [
            subject_name(answer.subject)
            for answer in deadline_budgets(self._edits.graph, cases)
            if broken(answer)
        ]
        most = self._edits.ceilings
        late += [step.name for step, long in timeouts.items() if long > most.get(step.name, long)]
        return frozenset(late)
