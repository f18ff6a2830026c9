"""One run of a journey causes a bounded number of remote calls.

Why it matters: every remote call adds latency and a chance to fail: at 99.9% each, thirty calls
fail once in thirty-four runs.

Calls and queries are counted by the traffic equations, asynchronous work included; published
messages are not. A journey's own ``max_remote_calls`` counts before the default.

How to fix: collect what belongs together in one call, cache, or do a part of it later.

False positives: journeys of many requests of a user; split them.

Sources: Azure Architecture Center, Chatty I/O antipattern; Lazowska et al., Quantitative System
Performance, 1984, chapter 6. The default budget is our proposal.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from archcheck import Call, Endpoint, Journey, Publish, Repeat, Service, System, Topic
from archcheck.findings import NotApplicable, Result, Rule, Violation, option
from archcheck.graph import Graph


@dataclass(frozen=True)
class Options:
    """Thresholds."""

    max_calls: int = option(30, "calls and queries of one run of a journey")


rule = Rule(
    "PRF012",
    "chatty-journey",
    severity="warning",
    method="calc",
    on_unknown="never",
    options=Options,
)


@rule.check
def check(graph: Graph, options: Options) -> Iterator[Result]:
    if not graph.system.journeys:
        yield NotApplicable("the system declares no journey")
    for journey in graph.system.journeys:
        budget = journey.max_remote_calls or options.max_calls
        steps = [
            (step, count)
            for step, count in graph.visits(journey).interactions
            if step.mode != "publish"
        ]
        calls = sum(count for _, count in steps)
        if calls > budget * (1 + 1e-9):
            most = sorted(steps, key=lambda entry: -entry[1])[:5]
            yield Violation(
                journey,
                f"one run of {journey.name} makes {calls:.3g} remote calls, more than {budget}",
                fix="an endpoint that answers for many at once, where a call repeats most",
                evidence=tuple(step for step, _ in most),
            )


def _calling(times: int, budget: int | None = None) -> System:
    steps = [Repeat(times, [Call("stock")]), *[Publish("seen")] * 5]
    return System(
        "shop",
        [
            Topic("seen"),
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
