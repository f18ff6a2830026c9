"""The search for the cheapest sizes that carry a load."""

from __future__ import annotations

import heapq
import math
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field, replace

from archcheck.findings import PERCENTILES, Objective, Reading, tightest
from archcheck.planning.budget import share_of_time
from archcheck.planning.changes import Resource, lifted, sized, zone_lost
from archcheck.planning.flow import Flow, solve_plan
from archcheck.planning.readings import read_flow
from archcheck.simulation.plan import Plan, label_of
from archcheck.simulation.replications import StoppedError

MOST_NODES = 4096
"""Nodes of a group above which nothing is tried: more than anybody runs of one service."""
_TRIES = 400
"""Vectors of sizes that are tried in the order of their cost, before sizes are chosen greedily.

A choice: each takes an analytic solution of about 10 ms, so that the search takes seconds.
"""
_SEARCH = 0.5
"""Of the time that is left, what the search in the order of cost may use. A choice: the greedy one
needs time too."""
_MOST_STEPS = 2_000
"""Steps of the greedy search. A choice: each adds one node."""
_CALMER = 0.85
"""Of how busy a resource may be, what is left after a simulation was busier. A choice: large
enough that a few rounds are enough, small enough that sizes do not jump."""


@dataclass(frozen=True)
class SizingQuestion:
    """Whether sizes carry a load."""

    plan: Plan
    objectives: tuple[Objective, ...]
    loses_zone: bool
    most_busy: float
    tighter: Mapping[Objective, float] = field(default_factory=dict)
    """Objective to the part of its bound that may be used."""

    def tightened(self, readings: Sequence[Reading]) -> SizingQuestion:
        """With more room for the latencies that the simulation has missed, or less busy servers."""
        missed = {each.objective: each.strain for each in readings if each.strain > 1}
        tighter = dict(self.tighter)
        for objective, strain in missed.items():
            if objective.name in PERCENTILES:
                tighter[objective] = tighter.get(objective, 1.0) / min(strain, 2.0)
        full = any(objective.name == "load" for objective in missed)
        return replace(self, tighter=tighter, most_busy=self.most_busy * (_CALMER if full else 1))

    def flow(self, nodes: Mapping[int, int], free: set[Resource] | None = None) -> Flow:
        """The solution with so many nodes of each group, ``free`` resources endless."""
        changed = sized(self.plan, nodes)
        if self.loses_zone:
            changed = zone_lost(changed)
        return solve_plan(lifted(changed, free) if free else changed)

    def worst(self, nodes: Mapping[int, int], free: set[Resource] | None = None) -> Reading | None:
        """the objective that is nearest to being missed."""
        flow = self.flow(nodes, free)
        readings = read_flow(self.objectives, flow, self.most_busy, self.tighter)
        return tightest(readings) if readings else None

    def holds(self, nodes: Mapping[int, int], free: set[Resource] | None = None) -> bool:
        """Whether all objectives are kept."""
        found = self.worst(nodes, free)
        return found is None or found.strain <= 1


def stations_of(plan: Plan, index: int) -> set[Resource]:
    """The resources that more nodes of a group bring more of."""
    hosted = [group for group in plan.groups if group.host == index]
    copies = [group for group in plan.groups if group.name == f"{plan.groups[index].name} replicas"]
    found: set[Resource] = set()
    for group in (plan.groups[index], *hosted, *copies):
        for station in (group.slots, group.cores):
            if station >= 0:
                found.add((plan.stations[station].name, plan.stations[station].what))
    for bulkhead in {call.policy.bulkhead for call in plan.calls if call.source == index} - {-1}:
        found.add((plan.bulkheads[bulkhead].name, "permits"))
    return found


def least_sizes(question: SizingQuestion, prices: Mapping[int, float]) -> dict[int, int]:
    """For each group the least size that can be enough, all others endless."""
    plan = question.plan
    stations = {index: stations_of(plan, index) for index in prices}
    return {
        index: _least(
            question, index, set().union(*(stations[n] for n in prices if n != index), set())
        )
        for index in prices
    }


def _least(question: SizingQuestion, index: int, free: set[Resource]) -> int:
    """The least size of a group that keeps all objectives with the ``free`` resources endless.

    A load grows in inverse proportion to the nodes, so the size that is just enough is known from
    any other; latencies and popular keys need more, which doubling finds.
    """
    low, high, known = 0, 1, question.worst({index: 1}, free)
    if known is None or known.strain <= 1:
        return 1
    if known.objective.name == "load" and known.strain < MOST_NODES:
        guess = math.ceil(known.strain)
        low, high = (1, guess) if question.holds({index: guess}, free) else (guess, 2 * guess)
        if high == guess and (guess == 2 or not question.holds({index: guess - 1}, free)):
            return guess
    while not question.holds({index: high}, free):
        low, high = high, high * 2
        if high > 2 * MOST_NODES:
            break
    while high - low > 1:
        middle = (low + high) // 2
        low, high = (low, middle) if question.holds({index: middle}, free) else (middle, high)
    return high


class Cheapest:
    """The search through vectors of sizes in the order of their cost."""

    def __init__(
        self, question: SizingQuestion, prices: Mapping[int, float], least: Mapping[int, int]
    ) -> None:
        self._question = question
        self._order = sorted(prices)
        self._costs = [prices[index] for index in self._order]
        self._start = tuple(least[index] for index in self._order)
        self._known: dict[tuple[int, ...], tuple[Flow, Reading | None]] = {}
        self.worst: Objective | None = None
        """What was missed by the last vector that was tried."""

    def found(self) -> tuple[dict[int, int] | None, float]:
        """Sizes that carry the load, and the cost below which none do."""
        heap = [(self._cost(self._start), self._start)]
        with suppress(StoppedError), share_of_time(_SEARCH):
            found = self._searched(heap)
            if found is not None:
                return found
        bound = heap[0][0] if heap else self._cost(self._start)
        return self._greedy(), bound

    def _searched(
        self, heap: list[tuple[float, tuple[int, ...]]]
    ) -> tuple[dict[int, int], float] | None:
        """The cheapest sizes that carry the load, if so many tries find them."""
        seen = {self._start}
        for _ in range(_TRIES):
            if not heap:
                break
            cost, sizes = heap[0]
            if self._holds(sizes):
                return dict(zip(self._order, sizes, strict=True)), cost
            heapq.heappop(heap)
            for place in self._helpful(sizes):
                bigger = (*sizes[:place], sizes[place] + 1, *sizes[place + 1 :])
                if bigger not in seen:
                    seen.add(bigger)
                    heapq.heappush(heap, (self._cost(bigger), bigger))
        return None

    def _cost(self, sizes: Sequence[int]) -> float:
        return math.fsum(c * count for c, count in zip(self._costs, sizes, strict=True))

    def _tried(self, sizes: tuple[int, ...]) -> tuple[Flow, Reading | None]:
        if sizes not in self._known:
            question = self._question
            flow = question.flow(dict(zip(self._order, sizes, strict=True)))
            readings = read_flow(question.objectives, flow, question.most_busy, question.tighter)
            self._known[sizes] = flow, tightest(readings) if readings else None
        return self._known[sizes]

    def _holds(self, sizes: tuple[int, ...]) -> bool:
        worst = self._tried(sizes)[1]
        self.worst = worst.objective if worst is not None else None
        return worst is None or worst.strain <= 1

    def _strain(self, sizes: tuple[int, ...]) -> float:
        worst = self._tried(sizes)[1]
        return min(worst.strain, 1e9) if worst is not None else 0.0

    def _helpful(self, sizes: tuple[int, ...]) -> list[int]:
        """Places whose growth can matter: of the resource that is too busy, else of all waits.

        How busy cores and connections are depends on the size of their own group alone.
        """
        flow, worst = self._tried(sizes)
        plan = self._question.plan
        if worst is not None and worst.objective.name == "load":
            full = worst.objective.subject
            own = [
                place
                for place, index in enumerate(self._order)
                if full in {label_of(name, what) for name, what in stations_of(plan, index)}
            ]
            if own and not full.endswith(" threads"):
                return own
        waits = {(each.name, each.what) for each in flow.stations if each.wait or each.load > 0.05}
        return [
            place for place, index in enumerate(self._order) if stations_of(plan, index) & waits
        ]

    def _greedy(self) -> dict[int, int] | None:
        """Grow where it helps most for its price until the load is carried, then shrink again."""
        sizes = self._start
        for _ in range(_MOST_STEPS):
            if self._holds(sizes):
                break
            before = self._strain(sizes)
            best, chosen = 1e-9, None
            for place in self._helpful(sizes):
                grown = (*sizes[:place], sizes[place] + 1, *sizes[place + 1 :])
                gain = (before - self._strain(grown)) / max(self._costs[place], 1e-9)
                if gain > best:
                    best, chosen = gain, grown
            if chosen is None:
                return None
            sizes = chosen
        else:
            return None
        for place in sorted(range(len(sizes)), key=lambda each: -self._costs[each]):
            while sizes[place] > self._start[place]:
                fewer = (*sizes[:place], sizes[place] - 1, *sizes[place + 1 :])
                if not self._holds(fewer):
                    break
                sizes = fewer
        return dict(zip(self._order, sizes, strict=True))
