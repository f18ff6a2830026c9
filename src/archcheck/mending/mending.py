"""Search, run beside the original, leave out what costs answers."""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import NamedTuple

from archcheck import verification
from archcheck.configuration import Settings
from archcheck.editing import COSTS, Edit, apply, gets_less, kind_of, labels_of, sharing
from archcheck.findings import Rule
from archcheck.graph import Graph
from archcheck.graph.exact import Rational, exact
from archcheck.graph.reach import waited_for
from archcheck.mending.losses import Losses, run_seconds
from archcheck.mending.waits import shortest_timeouts
from archcheck.model import System
from archcheck.model.linking import walk
from archcheck.planning.costs import currency_of, running_cost
from archcheck.plugins import rules as installed_rules
from archcheck.proof.budget import ProofBudget
from archcheck.proof.repair import Repair, repair
from archcheck.proof.repair.repairing import Found
from archcheck.simulation.compiling import compile_plan
from archcheck.units import Duration

_MOST_SEARCHES = 3
"""Searches, each with timeouts twice as long where those of the one before cost answers. A choice:
four times the tail is enough, or it is not the timeouts."""
_MOST_TOGETHER = 10
"""Parts that get the value of another because one text makes them all, at most. A choice."""
_MOST_LEFT_OUT = 40
"""Edits that are tried to be left out where others were refused. A choice: each is a verification.
"""
_MOST_TRIALS = 14
"""Sets of edits that are run beside the original, at most. A choice: one edit in a hundred that
costs answers is found with so many."""
_OF_TIME = frozenset({"timeout", "attempts", "pause"})
"""Kinds of edits that change how long callers wait."""
_NOT_OFFERED = "what would mend it is not offered"
_NOT_TAKEN = "what would mend it was not taken"


def mend(
    system: System,
    rules: Iterable[Rule] | None = None,
    *,
    settings: Settings | None = None,
    costs: Mapping[str, float] | None = None,
    only: Sequence[str] = (),
    proof_budget: float,
) -> Repair:
    """The cheapest edits that make the rules hold, without those that would cost answers.

    The arguments are explained at :func:`archcheck.fix`.
    """
    settings = settings or Settings()
    prices = (settings.edits or COSTS) if costs is None else costs
    chosen = settings.chosen(installed_rules() if rules is None else tuple(rules))
    find = _finder(chosen, settings)
    mended = Settings(select=tuple(only)).chosen(chosen) if only else chosen
    budget = ProofBudget(proof_budget)
    deadline = time.monotonic() + 2 * proof_budget  # half for the search, half for the trials

    def search(floors: Mapping[str, Rational]) -> Repair:
        return repair(
            system,
            tuple(mended),
            find,
            costs=prices,
            options=settings.options,
            floors=floors,
            budget=budget,
        )

    losses = Losses(system)
    wanted = _searched(system, search, losses, proof_budget)
    wanted = replace(wanted, not_run=tuple(_not_run(system)))
    trials = _Trials(system, find, wanted.before, losses, deadline=deadline)
    trials.known[wanted.edits] = wanted.after
    kept = trials.kept(wanted.edits)
    if len(kept) < len(wanted.edits):
        wanted = _without_refused(wanted, trials, kept, prices)
    together = _together(wanted, trials)
    edits = (*wanted.edits, *together)
    if together:
        made = apply(system, edits)
        cost = wanted.cost + sum((exact(prices[kind_of(e)]) for e in together), Rational(0))
        wanted = replace(wanted, edits=edits, system=made, cost=cost, after=trials.found(edits))
    later = _Trials(system, find, wanted.before, losses, together=together)
    wanted = replace(wanted, worthwhile=later.worthwhile)
    return _measured(wanted, losses) if time.monotonic() < deadline else wanted


def of_edits(
    repair: Repair,
    edits: Sequence[Edit],
    *,
    settings: Settings | None = None,
    costs: Mapping[str, float] | None = None,
) -> Repair:
    """What is left of a repair when somebody takes other edits: tried as a whole, as it was.

    ``settings`` and ``costs`` are those of :func:`archcheck.fix`.
    """
    assert repair.find is not None  # noqa: S101  # whoever mends knows what a finding is
    prices = ((settings or Settings()).edits or COSTS) if costs is None else costs
    losses = Losses(repair.original)
    trials = _Trials(repair.original, repair.find, repair.before, losses)
    kept = trials.kept(edits)
    made = apply(repair.original, kept)
    later = _Trials(repair.original, repair.find, repair.before, losses)
    after = trials.found(kept)
    lost = {f"{rule} {name}": _NOT_TAKEN for rule, name in after - repair.after}
    return _measured(
        replace(
            repair,
            system=made,
            edits=kept,
            cost=sum((exact(prices[kind_of(edit)]) for edit in kept), Rational(0)),
            after=after,
            at_least=Rational(0),
            reasons={**lost, **repair.reasons},
            refused=(*repair.refused, *trials.refused.items()),
            untried=(*repair.untried, *trials.untried),
            worthwhile=later.worthwhile,
        ),
        losses,
    )


def _measured(wanted: Repair, losses: Losses) -> Repair:
    """With what the edits make of journeys and of the price."""
    effects = tuple(losses.effects(wanted.system)) if wanted.edits else ()
    price = _running_cost(wanted.original, wanted.system)
    return replace(wanted, effects=effects, running_cost=price)


def _running_cost(before: System, after: System) -> tuple[float, float, str] | None:
    if not before.scenarios:
        return None
    old, new = (
        running_cost(system, compile_plan(system, system.scenarios[0]))
        for system in (before, after)
    )
    return old, new, currency_of(before)


def without_losses(
    system: System, edits: Sequence[Edit]
) -> tuple[tuple[Edit, ...], tuple[tuple[Edit, str], ...]]:
    """Those of ``edits`` that cost no answers and bring no finding, and the others with why."""
    settings = Settings()
    find = _finder(settings.chosen(installed_rules()), settings)
    trials = _Trials(system, find, find(system), Losses(system))
    kept = trials.kept(edits)
    untried = dict.fromkeys(trials.untried, "not tried, as too many others cost answers")
    return kept, (*trials.refused.items(), *untried.items())


def _finder(rules: Iterable[Rule], settings: Settings) -> Callable[[System], Found]:
    """What counts as a finding. Each step of a search verifies again: rules that simulate are left
    out, as the runs beside the original judge the same."""
    fast = [rule for rule in rules if rule.method != "sim"]

    def find(made: System) -> Found:
        return frozenset(
            (finding.rule.id, occurrence.subject)
            for finding in verification.verify(made, fast, settings=settings).findings
            for occurrence in finding.occurrences
        )

    return find


def _searched(
    system: System,
    search: Callable[[Mapping[str, Rational]], Repair],
    losses: Losses,
    proof_budget: float,
) -> Repair:
    """The repair whose timeouts let the load through, or the last one that there is time for."""
    floors = shortest_timeouts(system)
    started = time.monotonic()
    wanted = search(floors)
    took = time.monotonic() - started
    for number in range(1, _MOST_SEARCHES):
        if (number + 1) * took > proof_budget:
            break
        shorter = dict(_shorter(wanted.edits))
        if not shorter or next(losses.of(wanted.system), None) is None:
            break
        floors.update(shorter)
        tried = search(floors)
        if tried.is_out_of_time:
            break
        wanted = tried
    return wanted


def _shorter(edits: Iterable[Edit]) -> Iterator[tuple[str, Rational]]:
    """The steps that wait less than today, each with twice as much, or as much as today."""
    for edit in edits:
        new, old = edit.values.get("timeout"), getattr(edit.part, "timeout", None)
        if isinstance(new, Duration) and not isinstance(old, Duration):
            yield edit.label, 2 * exact(new)
        elif isinstance(new, Duration) and isinstance(old, Duration) and new < old:
            yield edit.label, min(2 * exact(new), exact(old))


def _not_run(system: System) -> Iterable[str]:
    return (each.name for each in system.scenarios if run_seconds(system, each) is None)


def _together(wanted: Repair, trials: _Trials) -> dict[Edit, Edit]:
    """Edits more, each with the one that it goes with.

    Of what a loop or a helper makes, all get the value that one needs, where that costs no answers,
    takes nothing from them and mends as much: else there were no place for it.
    """
    found: dict[Edit, Edit] = {}
    labels = labels_of(wanted.original)
    for edit, others in sharing(wanted.original, wanted.edits).items():
        more = {
            Edit(part, edit.values, labels.get(id(part), edit.label)): edit
            for part in others
            if not gets_less(part, edit)
        }
        if len(others) > _MOST_TOGETHER or len(more) < len(others):
            continue
        every = (*wanted.edits, *found, *more)
        if trials.is_over or trials.objection(every) is not None:
            continue
        if trials.found(every) <= wanted.after:
            found.update(more)
    return found


class _Objection(NamedTuple):
    """Why edits are not offered, and the elements on the way of the journeys that lose."""

    why: str
    on_way: frozenset[str] = frozenset()


@dataclass
class _Trials:
    """Sets of edits beside the original: which are kept, which are refused and why."""

    system: System
    find: Callable[[System], Found]
    before: Found
    losses: Losses
    refused: dict[Edit, str] = field(default_factory=dict)
    untried: list[Edit] = field(default_factory=list)
    count: int = 0
    deadline: float = math.inf
    """When nothing is tried any more, on the monotonic clock."""
    together: Mapping[Edit, Edit] = field(default_factory=dict)
    """Edits that only go with others."""
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
        """``before`` and as many of ``edits`` as cost nothing, found by halving."""
        if not edits:
            return before
        if self.is_over:
            self.untried += edits
            return before
        objection = self.objection((*before, *edits))
        if objection is None:
            return (*before, *edits)
        if len(edits) == 1:
            self.refused[edits[0]] = objection.why
            return before
        first, second = self._parted(edits, objection)
        return self.kept(second, self.kept(first, before))

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
            self.count += 1
            self._objections[tried] = self._tried(edits)
        return self._objections[tried]

    def _tried(self, edits: Sequence[Edit]) -> _Objection | None:
        new = sorted(self.found(edits) - self.before)
        if new:
            return _Objection(f"brings {' '.join(new[0])}")
        lost = [*self.losses.of(apply(self.system, edits))]
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


def _without_refused(
    wanted: Repair, trials: _Trials, kept: Sequence[Edit], prices: Mapping[str, float]
) -> Repair:
    """What is left of a repair: the edits that are kept and still mend something."""
    kept = trials.needed(kept)
    after = trials.found(kept)
    lost = {f"{rule} {name}": _NOT_OFFERED for rule, name in after - wanted.after}
    return replace(
        wanted,
        system=apply(wanted.original, kept),
        edits=tuple(kept),
        cost=sum((exact(prices[kind_of(edit)]) for edit in kept), Rational(0)),
        after=after,
        at_least=Rational(0),
        reasons={**wanted.reasons, **lost},
        refused=tuple(trials.refused.items()),
        untried=tuple(trials.untried),
    )
