"""One run of a journey causes a bounded number of remote calls.

Why it matters: every remote call adds latency and a chance to fail: at 99.9% each, thirty calls
fail once in thirty-four runs.

Calls and queries are counted by the traffic equations, asynchronous work included; published
messages are not. A journey's own ``max_remote_calls`` counts before the default. Repeats that rule
COM007 names, and pairs of services that rule BND010 names, count as the one call that they should
be: the journey is reported if it makes too many calls without them. Where nobody says how often a
cache hits and it matters, the rule asks.

How to fix: collect what belongs together in one call, cache, or do a part of it later.

False positives: journeys of many requests of a user; split them.

Sources: Azure Architecture Center, Chatty I/O antipattern; Lazowska et al., Quantitative System
Performance, 1984, chapter 6. The default budget is our proposal.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace

from archcheck import (
    Cached,
    Call,
    Endpoint,
    Journey,
    LocalCache,
    MySQL,
    Publish,
    Read,
    Redis,
    Repeat,
    Service,
    System,
    Topic,
)
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

    max_calls: int = option(30, "calls and queries of one run of a journey")


rule = Rule(
    "PRF012",
    "chatty-journey",
    severity="warning",
    method="calc",
    options=Options,
    follows=("COM007", "BND010"),
)


@rule.review
def check(graph: Graph, options: Options, outcomes: tuple[RuleOutcome, ...]) -> Iterator[Result]:
    if not graph.system.journeys:
        yield NotApplicable("the system declares no journey")
    repeats = steps_said(outcomes, "COM007", "BND010")
    merged, best = MergedGraph(graph, repeats), MergedGraph(with_best_hits(graph), repeats)
    for journey in graph.system.journeys:
        budget = journey.max_remote_calls or options.max_calls
        steps = _remote(graph.visits(journey))
        others = _remote(merged.visits(journey))
        calls, left = _sum(steps), _sum(others)
        most_calls = budget * (1 + 1e-9)
        if left > most_calls and _sum(_remote(best.visits(journey))) <= most_calls:
            asked = {step for step, _ in steps}
            lookups = (step for step in open_lookups(graph) if step in asked)
            yield from (Undecided(step, "hit_ratio") for step in lookups)
        elif left > most_calls:
            most = sorted(others, key=lambda entry: -entry[1])[:5]
            beside = f", {left:.3g} of them beside known repeats" if left < calls else ""
            yield Violation(
                journey,
                f"one run of {journey.name} makes {calls:.3g} remote calls{beside}, more than "
                f"{budget}",
                fix="an endpoint that answers for many at once, where a call repeats most",
                evidence=tuple(step for step, _ in most),
            )


def _sum(steps: list[tuple[Interaction, float]]) -> float:
    return sum(count for _, count in steps)


def _remote(visits: Visits) -> list[tuple[Interaction, float]]:
    return [
        (step, count)
        for step, count in visits.interactions
        if step.mode != "publish" and not step.is_in_process
    ]


def _calling(times: int, budget: int | None = None, *, is_loop: bool = False) -> System:
    """A page that reads as many tables once, or asks the stock as often in a loop."""
    reads = [Read("db") for _ in range(times)]
    loop = Repeat(times, [Call("stock.get")])
    steps = [*([loop] if is_loop else reads), *[Publish("seen")] * 5]
    return System(
        "shop",
        [
            Topic("seen"),
            MySQL("db"),
            Service("web", endpoints=[Endpoint("page", steps=steps)]),
            Service("stock", endpoints=[Endpoint("get")]),
        ],
        journeys=[Journey("browse", "web.page", max_remote_calls=budget)],
    )


@rule.bad("browse")
def thirty_one() -> System:
    return _calling(31)


@rule.bad("browse")
def more_than_its_own_budget() -> System:
    return _calling(6, budget=5)


@rule.borderline()
def thirty() -> System:
    return _calling(30)


@rule.good
def a_budget_of_its_own() -> System:
    return _calling(40, budget=50)


@rule.borderline()
def a_loop_is_what_com007_says() -> System:
    return _calling(31, is_loop=True)


@rule.unknown("hit_ratio")
def nobody_says_how_often_a_cache_saves_them() -> System:
    reads = Cached("shelf", [Read("db") for _ in range(40)])
    page = Endpoint("page", steps=[reads])
    return System(
        "shop",
        [MySQL("db"), Redis("shelf"), Service("web", endpoints=[page])],
        journeys=[Journey("browse", "web.page")],
    )


@rule.borderline()
def a_cache_in_the_process_is_not_far_away() -> System:
    system = _calling(31)
    return replace(system, elements=[LocalCache("db"), *system.elements[:1], *system.elements[2:]])
