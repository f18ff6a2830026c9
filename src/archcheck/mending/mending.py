"""Search, run beside the original, leave out what costs answers."""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace

from archcheck import verification
from archcheck.configuration import Settings
from archcheck.editing import COSTS, Edit, apply, kind_of, sharing
from archcheck.findings import Rule
from archcheck.graph import Graph
from archcheck.graph.exact import Rational, exact
from archcheck.mending.losses import Losses, run_seconds
from archcheck.mending.waits import shortest_timeouts
from archcheck.model import Element, System
from archcheck.model.linking import walk
from archcheck.plugins import rules as installed_rules
from archcheck.proof.budget import Budget
from archcheck.proof.repair import Repair, repair
from archcheck.proof.repair.repairing import Found
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
_NOT_OFFERED = "what would mend it is not offered"


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
    budget = Budget(proof_budget)
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
    wanted = _searched(system, search, losses)
    wanted = replace(wanted, not_run=tuple(_not_run(system)))
    trials = _Trials(system, find, wanted.before, losses, deadline=deadline)
    kept = trials.kept(wanted.edits)
    if len(kept) < len(wanted.edits):
        wanted = _without_refused(wanted, trials, kept, prices)
    together = _together(wanted, trials)
    edits = (*wanted.edits, *together)
    if together:
        made = apply(system, edits)
        cost = wanted.cost + sum((exact(prices[kind_of(e)]) for e in together), Rational(0))
        wanted = replace(wanted, edits=edits, system=made, cost=cost, after=find(made))
    later = _Trials(system, find, wanted.before, losses, together=together)
    return replace(wanted, worthwhile=later.worthwhile)


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
    system: System, search: Callable[[Mapping[str, Rational]], Repair], losses: Losses
) -> Repair:
    """The repair whose timeouts let the load through, or the last one that there is time for."""
    floors = shortest_timeouts(system)
    wanted = search(floors)
    for _ in range(_MOST_SEARCHES - 1):
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

    Of what a loop or a helper makes, all get the value that one needs, where that costs no answers:
    else there were no place for it.
    """
    found: dict[Edit, Edit] = {}
    graph = Graph(wanted.original)
    labels = {id(p): step.name for step in graph.interactions for p in walk(step.declared)}
    for edit, others in sharing(wanted.original, wanted.edits).items():
        more = {
            Edit(part, edit.values, labels.get(id(part), edit.label)): edit
            for part in others
            if not _is_worse(part, edit)
        }
        if len(others) > _MOST_TOGETHER or len(more) < len(others):
            continue
        if not trials.is_over and trials.objection((*wanted.edits, *found, *more)) is None:
            found.update(more)
    return found


def _is_worse(part: Element, edit: Edit) -> bool:
    """Whether a part must not get the value: it would wait less than it does."""
    new, old = edit.values.get("timeout"), getattr(part, "timeout", None)
    return isinstance(new, Duration) and (not isinstance(old, Duration) or new < old)


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
            self.refused[edits[0]] = objection
            return before
        half = len(edits) // 2
        return self.kept(edits[half:], self.kept(edits[:half], before))

    def worthwhile(self, edits: Sequence[Edit]) -> Sequence[Edit]:
        """Of some edits, those that cost nothing and mend something without all others."""
        return self.needed(self.kept(edits))

    def needed(self, edits: Sequence[Edit]) -> Sequence[Edit]:
        """As few of the edits as mend as much."""
        after = self.find(apply(self.system, edits))
        for edit in [*reversed(edits)][:_MOST_LEFT_OUT]:
            if time.monotonic() > self.deadline:
                break
            if edit in self.together:
                continue
            others = [e for e in edits if e is not edit and self.together.get(e) is not edit]
            if self.find(apply(self.system, others)) == after:
                edits = others
        return edits

    @property
    def is_over(self) -> bool:
        """Whether nothing is tried any more."""
        return self.count >= _MOST_TRIALS or time.monotonic() > self.deadline

    def objection(self, edits: Sequence[Edit]) -> str | None:
        """Why a set of edits is not offered."""
        self.count += 1
        mended = apply(self.system, edits)
        new = sorted(self.find(mended) - self.before)
        if new:
            return f"brings {' '.join(new[0])}"
        return next(self.losses.of(mended), None)


def _without_refused(
    wanted: Repair, trials: _Trials, kept: Sequence[Edit], prices: Mapping[str, float]
) -> Repair:
    """What is left of a repair: the edits that are kept and still mend something."""
    kept = trials.needed(kept)
    after = trials.find(apply(wanted.original, kept))
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
