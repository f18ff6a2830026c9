"""Timeouts that satisfy every deadline budget: the synthesis behind ``prove --suggest timeouts``.

Every budget asks that a caller waits at least as long as its callee may take, and every timeout
must be at least the callee's 99th percentile. Both bound timeouts from below by others further
down, so there is a least solution, found in one walk from the bottom up; the budgets can be met
if and only if it meets the limits of the journeys. Callers first, each operation then keeps as
much of its declared timeouts as its own limit allows: all of them go the same share of the way
from the least to the declared value.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass

from archcheck.editing import Edit
from archcheck.graph import Graph, Interaction
from archcheck.graph.exact import Rational, exact, longest, two_digits_up, written
from archcheck.model import Datastore, External, Write
from archcheck.proof.answers import Answer, Refuted
from archcheck.proof.deadlines import deadline_budgets, judged, limits_of
from archcheck.proof.worst_cases import WorstCases
from archcheck.units import Duration

_GRID = Rational(1, 1000)
"""Suggested timeouts are whole milliseconds, tenths of one below ten."""
_SHARES = 32
"""Steps on the way from the least timeouts back to the declared ones. A choice: the finer, the
closer to what was declared; each of them walks the whole graph."""


@dataclass(frozen=True)
class TimeoutSuggestion:
    """``edits`` make every budget hold; with ``conflicts`` no timeouts do."""

    edits: tuple[Edit, ...] = ()
    conflicts: tuple[Refuted, ...] = ()
    undecided: tuple[str, ...] = ()
    """Steps that need a timeout of which nothing says how long it must be."""


def suggest_timeouts(
    graph: Graph, measured: Mapping[str, Rational] | None = None
) -> TimeoutSuggestion:
    """Timeouts for every call and query with which all deadline budgets hold.

    A step keeps its timeout where it can; a step without one gets one. ``measured``: the shortest
    that may be suggested for steps of these names, beside what the model declares.
    """
    floors = {
        step: _longer(shortest_useful(graph, step), (measured or {}).get(step.name))
        for step in graph.interactions
        if step.is_synchronous
    }
    open_steps = tuple(
        step.name
        for step, floor in floors.items()
        if floor is None and step.protection.attempt() is None
    )
    least = _Least(graph, floors)
    conflicts = tuple(answer for answer in _journeys(graph, least) if isinstance(answer, Refuted))
    if conflicts:
        return TimeoutSuggestion(conflicts=conflicts, undecided=open_steps)
    chosen = closest(graph, least)
    if any(isinstance(a, Refuted) for a in deadline_budgets(graph, Given(graph, chosen))):
        # a fallback that is called shares its time with others: the least solution always fits
        chosen = {step: least.timeout_of(step) for step in floors}
        answers = deadline_budgets(graph, Given(graph, chosen))
        conflicts = tuple(answer for answer in answers if isinstance(answer, Refuted))
        if conflicts:  # a mesh gives up before its callee can answer, whatever the code waits
            return TimeoutSuggestion(conflicts=conflicts, undecided=open_steps)
    edits = [
        Edit(step.declared, {"timeout": written(seconds)}, step.name)
        for step, seconds in chosen.items()
        if seconds is not None and seconds != step.protection.attempt()
    ]
    return TimeoutSuggestion(tuple(edits), undecided=open_steps)


def _longer(declared: Rational | None, measured: Rational | None) -> Rational | None:
    """What nobody declares stays unknown: a run only assumes how long it takes."""
    return declared if declared is None or measured is None else max(declared, measured)


def _journeys(graph: Graph, least: WorstCases) -> list[Answer]:
    """Whether the least timeouts fit what journeys allow."""
    return [
        judged(
            journey,
            f"some timeouts let {journey.name} fit: {what} {limit}",
            least.of_journey(journey),
            exact(limit),
            f"{journey.name}: {what} {limit}, but with every timeout as short as its callee's "
            "99th percentile allows it still takes",
        )
        for journey in graph.system.journeys
        for what, limit in limits_of(journey)
    ]


def shortest_useful(graph: Graph, step: Interaction) -> Rational | None:
    """The shortest timeout that gives the callee a chance: its 99th percentile, as declared."""
    if step.endpoint is not None and step.endpoint.slo is not None:
        promised = {name: bound for name, _, bound in step.endpoint.slo.latencies()}
        bound = promised.get("p99", promised.get("p999"))
        if bound is not None:
            return exact(bound)
    if isinstance(step.target, External):
        return longest(step.target.latency)[0] if step.target.latency is not None else None
    if isinstance(step.target, Datastore):
        own = getattr(step.step, "time", None)
        is_write = isinstance(step.step, Write)
        time = own or (step.target.write if is_write else step.target.read)
        return longest(time)[0] if time is not None else None
    return Rational(0) if step.mode == "call" else None  # its own steps say how long it needs


class _Least(WorstCases):
    """Worst cases with the shortest timeouts that the budgets below each call allow."""

    def __init__(self, graph: Graph, floors: Mapping[Interaction, Rational | None]) -> None:
        super().__init__(graph)
        self._floors = floors
        self._least: dict[Interaction, Rational | None] = {}

    def timeout_of(self, step: Interaction) -> Rational | None:
        if step not in self._least:
            self._least[step] = self._shortest(step)
        return self._least[step]

    def _shortest(self, step: Interaction) -> Rational | None:
        floor = self._floors.get(step)
        if floor is None:
            return super().timeout_of(step)
        if step.endpoint is not None and step.target_name in self.graph.operations:
            below = self.needed(step)
            if not step.deadline_is_kept or floor == 0:
                floor = max(floor, below.seconds)
        if not floor:
            return super().timeout_of(step)
        grid = _GRID if floor >= 10 * _GRID else _GRID / 10
        return step.protection.attempt(math.ceil(floor / grid) * grid)


class Given(WorstCases):
    """Worst cases with given timeouts."""

    def __init__(
        self,
        graph: Graph,
        timeouts: Mapping[Interaction, Rational | None],
        tries: Mapping[Interaction, int] | None = None,
    ) -> None:
        super().__init__(graph, tries)
        self.timeouts = dict(timeouts)

    def timeout_of(self, step: Interaction) -> Rational | None:
        return step.protection.attempt(self.timeouts.get(step))


class RoundedUp(Given):
    """Worst cases with given timeouts as people write them, by ``rounding`` each to a longer one.

    What calls below wait longer for that, the calls above them wait longer, too.
    """

    def __init__(
        self,
        graph: Graph,
        timeouts: Mapping[Interaction, Rational],
        tries: Mapping[Interaction, int],
        rounding: Callable[[Rational], Rational] = two_digits_up,
    ) -> None:
        super().__init__(graph, {}, tries)
        self._least = timeouts
        self._rounding = rounding

    def timeout_of(self, step: Interaction) -> Rational | None:
        if step in self._least and step not in self.timeouts:
            least = self._least[step]
            if step.target_name in self.graph.operations and not step.deadline_is_kept:
                least = max(least, self.needed(step).seconds)
            self.timeouts[step] = self._rounding(least)
        return super().timeout_of(step)


def closest(
    graph: Graph,
    least: WorstCases,
    tries: Mapping[Interaction, int] | None = None,
    *,
    objectives: bool = True,
) -> dict[Interaction, Rational | None]:
    """Callers first, each operation's timeouts as near to the declared ones as its limit allows.

    ``least`` has the shortest timeouts that all budgets allow. ``objectives``: whether what a
    journey promises is such a limit, beside the patience of its users.
    """
    limits: dict[str, Rational] = {}
    for journey in graph.system.journeys:
        entries = [graph.system.endpoint(entry) for entry in journey.all_entries()]
        names = [f"{owner.name}.{part.name}" if part else owner.name for owner, part in entries]
        whole = least.of_journey(journey).seconds
        for _, limit in limits_of(journey, objectives=objectives):
            for name in dict.fromkeys(names):
                others = whole - least.of(name).seconds * names.count(name)
                _lower(limits, name, (exact(limit) - others) / names.count(name))
    chosen: dict[Interaction, Rational | None] = {}
    for name in callers_first(graph):
        picked = _pick(graph, least, name, limits.get(name), tries)
        chosen.update(picked)
        for step, seconds in picked.items():
            passes_on = step.deadline_is_kept
            if step.mode == "call" and seconds is not None and not passes_on:
                _lower(limits, step.target_name, seconds)
    return chosen


def _lower(limits: dict[str, Rational], name: str, limit: Rational) -> None:
    limits[name] = min(limit, limits.get(name, limit))


def callers_first(graph: Graph) -> list[str]:
    """Operations in an order in which callers come before what they call, where there is one."""
    waiting = dict.fromkeys(graph.operations, 0)
    for step in graph.calls():
        if step.target_name in waiting:
            waiting[step.target_name] += 1
    ready = [name for name, count in waiting.items() if not count]
    order: list[str] = []
    while waiting:
        if not ready:  # calls in a circle: go on somewhere
            ready = [next(iter(waiting))]
        name = ready.pop()
        if waiting.pop(name, None) is None:
            continue
        order.append(name)
        for step in graph.outgoing[name]:
            if step.mode == "call" and step.target_name in waiting:
                waiting[step.target_name] -= 1
                if not waiting[step.target_name]:
                    ready.append(step.target_name)
    return order


def _pick(
    graph: Graph,
    least: WorstCases,
    name: str,
    limit: Rational | None,
    tries: Mapping[Interaction, int] | None,
) -> dict[Interaction, Rational | None]:
    """The largest share of the way to the declared timeouts that fits the operation's limit."""
    steps = [step for step in graph.outgoing[name] if step.is_synchronous]

    def fits(share: int) -> bool:
        timeouts = _part_of_the_way(least, steps, share)
        return limit is None or Given(graph, timeouts, tries).of(name).seconds <= limit

    low, high = 0, _SHARES + 1
    if fits(_SHARES):
        low = _SHARES
    while high - low > 1:
        middle = (low + high) // 2
        low, high = (middle, high) if fits(middle) else (low, middle)
    return _part_of_the_way(least, steps, low)


def _part_of_the_way(
    least: WorstCases, steps: list[Interaction], share: int
) -> dict[Interaction, Rational | None]:
    picked: dict[Interaction, Rational | None] = {}
    for step in steps:
        lowest = least.timeout_of(step)
        declared = exact(step.timeout) if isinstance(step.timeout, Duration) else lowest
        if lowest is None or declared is None or declared <= lowest:
            picked[step] = lowest
        else:
            way = lowest + (declared - lowest) * share / _SHARES
            picked[step] = declared if share == _SHARES else max(lowest, way // _GRID * _GRID)
    return picked
