"""The cheapest set of edits: an implicit hitting set problem, whose sets are found on the way.

z3 proposes the cheapest edits that obey all cuts known so far (weighted MaxSMT over booleans with
linear constraints); a trial says what they cannot mend, and what has to be saved there; that is a
new cut. Every cut holds for every repair, so the first proposal that mends everything is a cheapest
one (Moreno-Centeno and Karp, The Implicit Hitting Set Approach, 2013; Davies and Bacchus, MaxHS,
2011). The timeouts themselves are no variables of z3.

With the edits known, timeouts are put as near to the declared ones as their limits allow, and
attempts are lowered no more than is needed.
"""

from __future__ import annotations

import math
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from typing import Any

from archcheck.editing import Edit
from archcheck.graph import Graph, Interaction
from archcheck.graph.exact import Rational
from archcheck.model import Retry
from archcheck.proof.answers import Refuted
from archcheck.proof.budget import left, milliseconds_left
from archcheck.proof.deadlines import deadline_budgets
from archcheck.proof.repair.choices import Choice, breaker_for
from archcheck.proof.repair.trial import Atom, Cut, Edits, Trial
from archcheck.proof.timeouts import Given, closest
from archcheck.units import Duration

_ZERO = Rational(0)
_GRID = Rational(1, 1000)
"""Timeouts are sought in whole milliseconds, as people write them."""
EFFORT = 20_000_000
"""z3's own count of steps for one proposal: a few seconds, and the same on every machine."""


@dataclass(frozen=True)
class Wanted:
    """What a repair must bring about."""

    deadlines: bool
    """Every deadline budget holds."""
    factor: Rational | None
    """Retries multiply by at most this much, if that is wanted."""
    timeouts: tuple[Interaction, ...]
    """Steps that must get a timeout."""
    choices: tuple[tuple[Choice, ...], ...]
    """For each other violation the choices that mend it."""


@dataclass(frozen=True)
class Solution:
    """The edits that cost least, and what they cost."""

    edits: tuple[Edit, ...]
    cost: Rational
    at_least: Rational
    """No repair costs less than this: the cost itself, unless the search had to be cut short."""


def cheapest(graph: Graph, wanted: Wanted, costs: Mapping[str, Rational]) -> Solution | None:
    """The cheapest edits that bring about all that is wanted; ``None``: no allowed edits do.

    Where z3 does not end within :data:`EFFORT`, a repair of which no edit can be left out, with a
    bound on what the cheapest one costs.

    Raises :class:`BudgetSpentError` when the time is up.
    """
    return _Search(Edits(graph, costs, wanted.timeouts), wanted, costs).solved()


class _TooHardError(Exception):
    """z3 gave up within its effort."""


@dataclass(frozen=True)
class _Proposal:
    atoms: tuple[Atom, ...]
    choices: tuple[Choice, ...]
    cost: Rational


class _Search:
    def __init__(self, edits: Edits, wanted: Wanted, costs: Mapping[str, Rational]) -> None:
        import z3

        self._z3 = z3
        self._edits = edits
        self._wanted = wanted
        self._costs = costs
        self._solver = z3.Optimize()
        self._atoms: dict[Atom, Any] = {}
        self._choices: dict[tuple[object, ...], tuple[Any, Choice]] = {}
        self._scale = math.lcm(*(cost.denominator for cost in costs.values()))
        self._prices: list[tuple[Any, Rational]] = []

    def solved(self) -> Solution | None:
        for step in self._wanted.timeouts:
            self._solver.add(self._atom(("timeout", step)))
        for choices in self._wanted.choices:
            self._solver.add(self._z3.Or(*(self._choice(choice) for choice in choices)))
        best = _Proposal((), (), Rational(0))
        while True:
            try:
                proposal = self._proposal()
            except _TooHardError:
                return self._greedy(best)
            if proposal is None:
                return None
            best = proposal
            cuts = self._failing(best.atoms)
            if not cuts:
                return self._solution(best, best.cost)
            if any(sum(cut.savings.values()) < cut.needed for cut in cuts):
                return None
            for cut in cuts:
                self._learn(cut)

    def _greedy(self, best: _Proposal) -> Solution | None:
        """Add what saves most for its cost until all is well, then leave out what is not needed."""
        chosen = dict.fromkeys(best.atoms)
        added: list[Atom] = []
        while cuts := self._failing(tuple(chosen)):
            before = len(chosen)
            for cut in cuts:
                for atom in self._enough(cut, chosen):
                    chosen.setdefault(atom)
                    added.append(atom)
            if len(chosen) == before:
                return None
        for atom in reversed(dict.fromkeys(added)):
            rest = tuple(other for other in chosen if other != atom)
            if not self._failing(rest):
                del chosen[atom]
        cost = best.cost + sum((self._costs[a[0]] for a in chosen if a not in best.atoms), _ZERO)
        cost -= sum((self._costs[a[0]] for a in best.atoms if a not in chosen), _ZERO)
        return self._solution(_Proposal(tuple(chosen), best.choices, cost), best.cost)

    def _enough(self, cut: Cut, chosen: Collection[Atom]) -> list[Atom]:
        """The edits that save most for their cost, until a cut is obeyed."""
        useful = [
            (min(saved, cut.needed) / self._costs[atom[0]], number, atom, saved)
            for number, ((atom, wanted), saved) in enumerate(cut.savings.items())
            if wanted and atom not in chosen
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
        unit = _GRID if cut.needed >= _GRID else cut.needed
        terms = [
            (self._literal(atom, wanted), math.ceil(min(saved, cut.needed) / unit))
            for (atom, wanted), saved in cut.savings.items()
        ]
        self._solver.add(self._z3.PbGe(terms, math.floor(cut.needed / unit)))

    def _proposal(self) -> _Proposal | None:
        """The cheapest edits that obey all cuts so far; ``None``: there are none."""
        limit = milliseconds_left()
        if limit is not None:
            self._solver.set("timeout", limit)
        self._solver.set("rlimit", EFFORT)
        outcome = self._solver.check()
        if outcome == self._z3.unknown:
            left()
            raise _TooHardError
        if outcome == self._z3.unsat:
            return None
        model = self._solver.model()
        return _Proposal(
            tuple(atom for atom, variable in self._atoms.items() if self._is(model, variable)),
            tuple(
                choice for variable, choice in self._choices.values() if self._is(model, variable)
            ),
            sum((price for variable, price in self._prices if self._is(model, variable)), _ZERO),
        )

    def _is(self, model: Any, variable: Any) -> bool:
        return bool(self._z3.is_true(model.eval(variable, model_completion=True)))

    def _literal(self, atom: Atom, wanted: bool) -> Any:
        return self._atom(atom) if wanted else self._z3.Not(self._atom(atom))

    def _atom(self, atom: Atom) -> Any:
        if atom not in self._atoms:
            self._atoms[atom] = self._z3.Bool(f"edit {len(self._atoms)}")
            self._pay(self._atoms[atom], self._costs[atom[0]])
        return self._atoms[atom]

    def _choice(self, choice: Choice) -> Any:
        """The variable of a choice; a breaker is the one that bounds retries as well."""
        if choice.kinds == ("breaker",):
            part = choice.edits[0].part
            step = next(s for s in self._edits.graph.interactions if s.declared is part)
            return self._atom(("breaker", step))
        if choice.key not in self._choices:
            variable = self._z3.Bool(f"choice {len(self._choices)}")
            self._choices[choice.key] = variable, choice
            self._pay(variable, sum((self._costs[kind] for kind in choice.kinds), _ZERO))
        return self._choices[choice.key][0]

    def _pay(self, variable: Any, price: Rational) -> None:
        self._prices.append((variable, price))
        self._solver.add_soft(self._z3.Not(variable), str(int(price * self._scale)))

    @staticmethod
    def _lowered(chosen: Collection[Atom]) -> list[Interaction]:
        return [step for kind, step in chosen if kind == "attempts"]

    def _failing(
        self, chosen: Collection[Atom], tries: Mapping[Interaction, int] | None = None
    ) -> list[Cut]:
        left()
        lowered = dict.fromkeys(self._lowered(chosen), 1)
        trial = Trial(self._edits, chosen, tries if tries is not None else lowered)
        cuts = list(trial.late()) if self._wanted.deadlines else []
        if self._wanted.factor is not None:
            cuts += trial.stormy(self._wanted.factor)
        return cuts

    # -- values -------------------------------------------------------------------------------

    def _solution(self, proposal: _Proposal, at_least: Rational) -> Solution:
        chosen = proposal.atoms
        tries = self._attempts(chosen)
        edits = [
            Edit(step.declared, {"timeout": Duration(float(seconds))}, step.name)
            for step, seconds in self._timeouts(chosen, tries).items()
        ]
        for step, count in tries.items():
            retry = getattr(step.step, "retry", None)
            if isinstance(retry, Retry):
                edits.append(Edit(retry, {"attempts": count}, step.name))
        edits += [breaker_for(step) for kind, step in chosen if kind == "breaker"]
        for choice in proposal.choices:
            edits += choice.edits
        return Solution(tuple(edits), proposal.cost, at_least)

    def _attempts(self, chosen: Collection[Atom]) -> dict[Interaction, int]:
        """For each step whose attempts change, the most with which all is well."""
        tries = dict.fromkeys(self._lowered(chosen), 1)
        for step in tries:
            for count in range(self._edits.tries(step) - 1, 1, -1):
                if not self._failing(chosen, {**tries, step: count}):
                    tries[step] = count
                    break
        return tries

    def _timeouts(
        self, chosen: Collection[Atom], tries: Mapping[Interaction, int]
    ) -> dict[Interaction, Rational]:
        """As near to the declared ones as the budgets allow, in whole milliseconds if possible."""
        graph = self._edits.graph
        trial = Trial(self._edits, chosen, tries)
        bounds = {step: trial.timeout(step) for kind, step in chosen if kind == "timeout"}
        least = {step: bound.seconds for step, bound in bounds.items() if bound is not None}
        near = closest(graph, Given(graph, least, tries), tries)
        found = {step: near[step] or seconds for step, seconds in least.items()}
        round_ = {step: math.ceil(seconds / _GRID) * _GRID for step, seconds in found.items()}
        for timeouts in (round_, found):
            cases = Given(graph, timeouts, tries)
            if not any(isinstance(a, Refuted) for a in deadline_budgets(graph, cases)):
                return timeouts
        return least
