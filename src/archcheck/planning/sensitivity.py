"""Which numbers of the model move the answer most, so that people know what to measure."""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from archcheck.findings import Objective
from archcheck.planning.changes import farther, loaded, missing_more, slower
from archcheck.planning.flow import Flow, solve_plan
from archcheck.planning.sustaining import analytic_limit
from archcheck.simulation.plan import Plan

_CHANGE = 1.1
"""By how much each number grows: 10%, about as well as times are known before they are measured."""
_WORTH = 0.005
"""The least effect on the sustainable load that is listed; the bisection is exact to 0.2%."""
_BUSY, _SHARE = 0.3, 0.02
"""Below this load, and this share of each journey's time, an element is not tried. A choice that
saves a bisection for each: 10% more of 2% is less than ``_WORTH``."""


@dataclass(frozen=True)
class Influence:
    """A number, and what the sustainable load does when it is 10% more."""

    subject: str
    """The element."""
    number: str
    """The number."""
    effect: float
    """The relative change of the sustainable load when the number is 10% more."""
    assumed: bool
    """Whether a value that goes into it is not declared."""


def influences(plan: Plan, objectives: tuple[Objective, ...], factor: float) -> Iterator[Influence]:
    """The numbers whose change by 10% moves the sustainable load by 0.5% at least, as found.

    ``factor``: the sustainable load by the analytic solution.
    """
    if not 0 < factor < math.inf:
        return
    assumed = {assumption.subject for assumption in plan.assumptions}
    for subject, number, changed in _variants(plan, _idle(solve_plan(loaded(plan, factor)))):
        reached, _ = analytic_limit(changed, objectives)
        effect = reached / factor - 1
        if abs(effect) >= _WORTH:
            yield Influence(subject, number, effect, subject in assumed)


def most_first(found: Iterable[Influence]) -> tuple[Influence, ...]:
    """Influences in the order of their effects, the largest first."""
    return tuple(sorted(found, key=lambda each: (-abs(each.effect), each.subject)))


def _idle(flow: Flow) -> set[str]:
    """Elements that are little busy and take little of the time of journeys: 10% is nothing."""
    loads = {each.name.removesuffix(" cores"): each.load for each in flow.stations}
    means = {each.name: each.rate * each.time.mean for each in flow.journeys if each.rate}
    return {
        name
        for name, shares in flow.shares.items()
        if loads.get(name, 0.0) < _BUSY
        and all(busy < _SHARE * means[j] for j, busy in shares.items() if j in means)
    }


def _variants(plan: Plan, idle: set[str]) -> Iterator[tuple[str, str, Plan]]:
    for index, group in enumerate(plan.groups):
        if group.name in idle:
            continue
        changed = slower(plan, index, _CHANGE)
        if changed != plan:
            yield group.name, "time of its work", changed
    outside = slower(plan, -1, _CHANGE)
    if outside != plan:
        yield "externals", "latency", outside
    yield "network", "delay", farther(plan, _CHANGE)
    misses = missing_more(plan, _CHANGE)
    if misses != plan:
        yield "caches", "misses (declared hit ratios)", misses
