"""Two services talk a bounded number of times for one run of a journey.

Why it matters: each call is a round trip, a chance to fail and a thread that waits; many small
calls between the same two services say that the line between them is in the wrong place.

The calls are counted by the traffic equations: the expected calls for one run of the journey,
probabilities, repeats and cache hits counted, retries not. Repeats that rule COM007 names count as
the one call that they should be: too many calls because of a loop are one finding, the loop's.
Where nobody says how often a cache hits and it matters, the rule asks.

How to fix: ask for everything at once (a batch endpoint), or move the data or the logic to the
side that needs it.

False positives: a journey that really consists of many separate requests of a user; split it
into journeys.

Sources: Azure Architecture Center, Chatty I/O antipattern; Lazowska et al., Quantitative System
Performance, 1984, chapter 6 (visit counts). The default limit is our proposal.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from archcheck import Cached, Call, Endpoint, Journey, Redis, Repeat, Service, Step, System
from archcheck.capacity import open_lookups, with_best_hits
from archcheck.findings import (
    NotApplicable,
    Result,
    Rule,
    RuleOutcome,
    Undecided,
    Violation,
    option,
    steps_said,
)
from archcheck.graph import Graph, Interaction
from archcheck.graph.merging import MergedGraph
from archcheck.graph.visits import Visits


@dataclass(frozen=True)
class Options:
    """Thresholds."""

    max_calls: float = option(10.0, "calls between two services for one run of a journey")


rule = Rule(
    "BND010",
    "chatty-pair",
    severity="warning",
    method="calc",
    options=Options,
    follows=("COM007",),
)


@rule.review
def check(graph: Graph, options: Options, outcomes: tuple[RuleOutcome, ...]) -> Iterator[Result]:
    if not graph.system.journeys:
        yield NotApplicable("the system declares no journey")
    loops = steps_said(outcomes, "COM007")
    best = _worst(with_best_hits(graph), loops, options)
    for (source, target), (calls, journey, steps) in _worst(graph, loops, options).items():
        if (source, target) not in best:
            yield from (Undecided(step, "hit_ratio") for step in open_lookups(graph, target))
            continue
        yield Violation(
            steps[0],
            f"{source} calls {target} {calls:.3g} times in one run of {journey.name}, more than "
            f"{options.max_calls:g}",
            fix=f"an endpoint of {target} that answers for many at once",
            evidence=tuple(steps),
        )


def _worst(
    graph: Graph, loops: Iterable[frozenset[str]], options: Options
) -> dict[tuple[str, str], tuple[float, Journey, list[Interaction]]]:
    """The pairs that talk too often, each in the journey in which it does most."""
    without_loops = MergedGraph(graph, loops)
    worst: dict[tuple[str, str], tuple[float, Journey, list[Interaction]]] = {}
    for journey in graph.system.journeys:
        beside_loops = _calls(without_loops.visits(journey))
        for pair, (calls, steps) in _calls(graph.visits(journey)).items():
            if beside_loops[pair][0] <= options.max_calls:
                continue
            if calls > worst.get(pair, (options.max_calls,))[0]:
                worst[pair] = calls, journey, steps
    return worst


def _calls(visits: Visits) -> dict[tuple[str, str], tuple[float, list[Interaction]]]:
    total: dict[tuple[str, str], float] = defaultdict(float)
    steps: dict[tuple[str, str], list[Interaction]] = defaultdict(list)
    for step, count in visits.interactions:
        if step.mode == "call":
            pair = step.source.name, step.target.name
            total[pair] += count
            steps[pair].append(step)
    return {pair: (calls, steps[pair]) for pair, calls in total.items()}


def _shop(*steps: Step, prices: int = 0) -> System:
    """A page of these steps, and a stock whose twelve endpoints ask for so many prices."""
    price = [Repeat(prices, [Call("prices.get", batch=True)])] if prices else []
    return System(
        "shop",
        [
            Service("web", endpoints=[Endpoint("page", steps=steps)]),
            Service("stock", endpoints=[Endpoint(f"get{n}", steps=price) for n in range(12)]),
            Service("prices", endpoints=[Endpoint("get")]),
        ],
        journeys=[Journey("browse", "web.page")],
    )


@rule.bad("web.page -> stock.get0")
def eleven_questions_for_a_page() -> System:
    return _shop(*[Call(f"stock.get{n}") for n in range(11)])


@rule.bad("web.page -> stock.get0")
def eleven_pages_of_a_batch() -> System:
    return _shop(Repeat(11, [Call("stock.get0", batch=True)]))


@rule.borderline()
def just_often_enough() -> System:
    return _shop(*[Call(f"stock.get{n}") for n in range(10)])


@rule.borderline()
def once_for_each_line_is_what_com007_says() -> System:
    return _shop(Repeat(11, [Call("stock.get0")]))


@rule.borderline()
def nor_what_lies_behind_such_a_loop() -> System:
    return _shop(Repeat(6, [Call("stock.get0")]), prices=2)


@rule.borderline("web.page -> stock.get0")
def enough_beside_a_loop() -> System:
    return _shop(*[Call(f"stock.get{n}") for n in range(10)], Repeat(4, [Call("stock.get11")]))


@rule.good
def once() -> System:
    return _shop(Call("stock.get0"))


@rule.unknown("hit_ratio")
def nobody_says_how_often_a_cache_saves_them() -> System:
    asked = Cached("shelf", [Call(f"stock.get{n}") for n in range(12)])
    base = _shop()
    web = Service("web", endpoints=[Endpoint("page", steps=[asked])])
    return System("shop", [Redis("shelf"), web, *base.elements[1:]], journeys=base.journeys)
