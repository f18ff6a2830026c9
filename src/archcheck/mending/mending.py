"""Search, run beside the original, leave out what costs answers."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from functools import partial
from typing import NamedTuple

from archcheck.configuration import Settings
from archcheck.editing import COSTS, Edit, apply, gets_less, kind_of, labels_of, sharing, unshared
from archcheck.findings import Rule
from archcheck.graph import Graph
from archcheck.graph.exact import Rational, exact
from archcheck.mending.claims import Claims
from archcheck.mending.findings import Finder
from archcheck.mending.losses import Losses
from archcheck.mending.runs import judging_runs
from archcheck.mending.trials import RepairTrials
from archcheck.mending.waits import estimated_timeouts, measured_timeouts
from archcheck.model import System
from archcheck.planning.costs import currency_of, running_cost
from archcheck.plugins import rules as installed_rules
from archcheck.proof.budget import ProofBudget
from archcheck.proof.repair import STALE, Repair, repair
from archcheck.simulation.compiling import compile_plan
from archcheck.units import Duration

_MOST_SEARCHES = 3
"""Searches, each with timeouts twice as long where those of the one before cost answers. A choice:
four times the tail is enough, or it is not the timeouts."""
_MOST_OTHERS = 2
"""Searches without the longer timeouts that were refused. A choice: what is refused then, too, is
not a matter of values."""
_MOST_TOGETHER = 10
"""Parts that get the value of another because one text makes them all, at most. A choice."""
_OF_SIZE = frozenset({"replica", "zone"})
"""Kinds of edits that add resources."""
_SECONDS = 60.0
"""Seconds after which edits that are suggested are not tried any more. A choice: as for a review.
"""
_SHOWN = 3
"""Steps that are named of many."""
_NOT_OFFERED = "what would mend it is not offered"
_NOT_TAKEN = "what would mend it was not taken"
_Search = Callable[..., Repair]


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
    deadline = time.monotonic() + 2 * proof_budget  # half for the search, half for the trials
    system = unshared(system)  # so that an edit of one step is of that step alone
    settings = settings or Settings()
    prices = (settings.edits or COSTS) if costs is None else costs
    chosen = settings.chosen(installed_rules() if rules is None else tuple(rules))
    mended = Settings(select=tuple(only)).chosen(chosen) if only else chosen
    find = Finder(chosen, settings, system)
    search = partial(
        repair,
        system,
        tuple(mended),
        find,
        costs=prices,
        options=settings.options,
        budget=ProofBudget(proof_budget),
    )
    losses, claims = Losses(system), Claims(system, deadline)
    estimated = estimated_timeouts(system)
    first, measured = _first(system, search, losses, estimated, proof_budget)
    floors = estimated | measured
    trials = RepairTrials(system, find, first.before, losses, claims, deadline=deadline)
    wanted = _of_other_values(_tried(first, trials, prices), first, search, floors, trials, prices)
    keeping = replace(trials, mended=wanted.before - wanted.after, refused={}, untried=[])
    together = _together(wanted, keeping)
    if together:
        edits = (*wanted.edits, *(edit for edit in together if _changes(edit)))
        wanted = replace(
            wanted,
            edits=edits,
            system=apply(system, edits),
            cost=_cost(edits, prices),
            after=trials.found(edits),
        )
    later = RepairTrials(system, find, wanted.before, losses, claims, together=together)
    unseen = _unseen(wanted.edits, system, measured)
    wanted = replace(
        wanted,
        worthwhile=later.worthwhile,
        needless=_needless(wanted),
        without_simulation=find.leaves_out,
        not_run=(*losses.judging.not_run, *unseen, *_unproved(claims)) if first.edits else (),
    )
    return _measured(wanted, losses) if time.monotonic() < deadline else wanted


def _first(
    system: System,
    search: _Search,
    losses: Losses,
    estimated: dict[str, Rational],
    proof_budget: float,
) -> tuple[Repair, dict[str, Rational]]:
    """What the search finds, and the timeouts that were measured for it.

    Where a load is too much today, they are measured with the replicas that the search adds.
    """
    measured = measured_timeouts(system, losses.judging)
    found = _searched(search, estimated | measured, losses, proof_budget)
    larger = [edit for edit in found.edits if kind_of(edit) in _OF_SIZE]
    if not losses.judging.is_overloaded or not larger or found.is_out_of_time:
        return found, measured
    enlarged = apply(system, larger)
    measured = measured_timeouts(enlarged, judging_runs(enlarged))
    again = _searched(search, estimated | measured, losses, proof_budget)
    return (found if again.is_out_of_time else again), measured


def _tried(wanted: Repair, trials: RepairTrials, prices: Mapping[str, float]) -> Repair:
    """What is left of a repair when it is run beside the original."""
    trials.known[wanted.edits] = wanted.after
    kept = trials.kept(wanted.edits)
    if kept == wanted.edits:
        return wanted
    kept = tuple(trials.needed(kept))
    after = trials.found(kept)
    lost = {f"{rule} {name}": _NOT_OFFERED for rule, name in after - wanted.after}
    return replace(
        wanted,
        system=apply(wanted.original, kept),
        edits=kept,
        cost=_cost(kept, prices),
        after=after,
        at_least=wanted.at_least if after <= wanted.after else Rational(0),
        reasons={**wanted.reasons, **lost},
        refused=tuple(trials.refused.items()),
        untried=tuple(trials.untried),
    )


def _of_other_values(
    wanted: Repair,
    first: Repair,
    search: _Search,
    floors: Mapping[str, Rational],
    trials: RepairTrials,
    prices: Mapping[str, float],
) -> Repair:
    """A repair without the longer timeouts that were refused, where it mends more."""
    ceilings: dict[str, Rational] = {}
    latest = wanted
    for _ in range(_MOST_OTHERS):
        shorter = dict(_not_longer(latest, floors))
        if not shorter.keys() - ceilings.keys() or time.monotonic() > trials.deadline:
            break
        ceilings |= shorter
        found = search(floors=floors, ceilings=ceilings)
        if found.is_out_of_time:
            break
        fresh = replace(trials, refused={}, untried=[], count=0)
        latest = _tried(found, fresh, prices)
        if len(latest.after) < len(wanted.after):
            bound = first.at_least if latest.after <= first.after else Rational(0)
            wanted = replace(latest, at_least=bound)
    return wanted


def _not_longer(found: Repair, floors: Mapping[str, Rational]) -> Iterator[tuple[str, Rational]]:
    """The steps whose longer timeouts were refused, with what they have, or need at least."""
    names = _step_names(found.original)
    for edit, _ in found.refused:
        new, old = edit.values.get("timeout"), getattr(edit.part, "timeout", None)
        name = names.get(id(edit.part), edit.label)
        if isinstance(new, Duration):
            most = exact(old) if isinstance(old, Duration) else floors.get(name)
            if most is not None and most < exact(new):
                yield name, most


def _step_names(system: System) -> dict[int, str]:
    return {id(step.declared): step.name for step in Graph(system).interactions}


def _cost(edits: Iterable[Edit], prices: Mapping[str, float]) -> Rational:
    return sum((exact(prices[kind_of(edit)]) for edit in edits), Rational(0))


def _changes(edit: Edit) -> bool:
    return any(getattr(edit.part, name) != value for name, value in edit.values.items())


def _needless(wanted: Repair) -> tuple[str, ...]:
    """Suppressions of what is mended."""
    new = wanted.after - wanted.before
    return tuple(sorted(subject for rule, subject in new if rule == STALE))


def _unseen(
    edits: Iterable[Edit], system: System, measured: Mapping[str, Rational]
) -> Iterator[str]:
    """Whose timeouts rest on no run."""
    timed = [edit for edit in edits if "timeout" in edit.values]
    if timed and not any(scenario.load for scenario in system.scenarios):
        yield "anything under load, as no load is declared: timeouts are those of declared times"
        return
    names = _step_names(system)
    unseen = [e.label for e in timed if names.get(id(e.part), e.label) not in measured]
    if unseen:
        more = f" and {len(unseen) - _SHOWN} more" if len(unseen) > _SHOWN else ""
        yield f"what no run reaches ({', '.join(unseen[:_SHOWN])}{more})"


def _unproved(claims: Claims) -> Iterator[str]:
    if claims.unanswered:
        yield f"what is proved of {', '.join(claims.unanswered)} (the time was up)"


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
    find = repair.find
    assert isinstance(find, Finder)  # noqa: S101  # whoever mends knows what a finding is
    prices = ((settings or Settings()).edits or COSTS) if costs is None else costs
    losses, claims = Losses(repair.original), Claims(repair.original)
    trials = RepairTrials(repair.original, find, repair.before, losses, claims)
    kept = trials.kept(edits)
    made = apply(repair.original, kept)
    later = RepairTrials(repair.original, find, repair.before, losses, claims)
    after = trials.found(kept)
    lost = {f"{rule} {name}": _NOT_TAKEN for rule, name in after - repair.after}
    taken = replace(
        repair,
        system=made,
        edits=kept,
        cost=_cost(kept, prices),
        after=after,
        at_least=Rational(0),
        reasons={**lost, **repair.reasons},
        refused=(*repair.refused, *trials.refused.items()),
        untried=(*repair.untried, *trials.untried),
        worthwhile=later.worthwhile,
        is_chosen=True,
    )
    return _measured(replace(taken, needless=_needless(taken)), losses)


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


class Suggested(NamedTuple):
    """The edits that cost nothing, those that would with why, and what was not compared."""

    edits: tuple[Edit, ...]
    refused: tuple[tuple[Edit, str], ...]
    not_run: tuple[str, ...]


def without_losses(system: System, edits: Sequence[Edit]) -> Suggested:
    """Those of ``edits`` that cost no answers, bring no finding and lose nothing that is proved."""
    settings = Settings()
    find = Finder(settings.chosen(installed_rules()), settings, system)
    deadline = time.monotonic() + _SECONDS
    losses, claims = Losses(system), Claims(system, deadline)
    trials = RepairTrials(system, find, find(system), losses, claims, deadline=deadline)
    kept = trials.kept(edits)
    why = "not tried: too many others cost answers, or the time was up"
    measured = measured_timeouts(system, losses.judging)
    not_run = (*losses.judging.not_run, *_unseen(kept, system, measured), *_unproved(claims))
    untried = dict.fromkeys(trials.untried, why)
    return Suggested(kept, (*trials.refused.items(), *untried.items()), not_run if kept else ())


def _searched(
    search: _Search, floors: dict[str, Rational], losses: Losses, proof_budget: float
) -> Repair:
    """The repair whose timeouts let the load through, or the last one that there is time for.

    ``floors`` are raised to what that needs.
    """
    started = time.monotonic()
    wanted = search(floors=floors)
    took = time.monotonic() - started
    for number in range(1, _MOST_SEARCHES):
        if (number + 1) * took > proof_budget:
            break
        shorter = dict(_shorter(wanted))
        if not shorter or not losses.first(wanted.system):
            break
        floors |= shorter
        tried = search(floors=floors)
        if tried.is_out_of_time or len(tried.after) > len(wanted.after):
            break  # it is not the timeouts, or nothing longer fits: each is tried by itself then
        wanted = tried
    return wanted


def _shorter(found: Repair) -> Iterator[tuple[str, Rational]]:
    """The steps that wait less than today, each with twice as much, or as much as today."""
    names = _step_names(found.original)
    for edit in found.edits:
        new, old = edit.values.get("timeout"), getattr(edit.part, "timeout", None)
        name = names.get(id(edit.part), edit.label)
        if isinstance(new, Duration) and not isinstance(old, Duration):
            yield name, 2 * exact(new)
        elif isinstance(new, Duration) and isinstance(old, Duration) and new < old:
            yield name, min(2 * exact(new), exact(old))


def _together(wanted: Repair, trials: RepairTrials) -> dict[Edit, Edit]:
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
