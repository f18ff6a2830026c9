"""Two services talk a bounded number of times for one run of a journey.

Why it matters: each call is a round trip, a chance to fail and a thread that waits; many small
calls between the same two services say that the line between them is in the wrong place.

The calls are counted by the traffic equations: the expected calls for one run of the journey,
probabilities, repeats and cache hits counted, retries not.

How to fix: ask for everything at once (a batch endpoint), or move the data or the logic to the
side that needs it.

False positives: a journey that really consists of many separate requests of a user; split it
into journeys.

Sources: Azure Architecture Center, Chatty I/O antipattern; Lazowska et al., Quantitative System
Performance, 1984, chapter 6 (visit counts). The default limit is our proposal.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass

from archcheck import Call, Endpoint, Journey, Repeat, Service, System
from archcheck.findings import NotApplicable, Result, Rule, Violation, option
from archcheck.graph import Graph, Interaction


@dataclass(frozen=True)
class Options:
    """Thresholds."""

    max_calls: float = option(10.0, "calls between two services for one run of a journey")


rule = Rule(
    "BND010",
    "chatty-pair",
    severity="warning",
    method="calc",
    on_unknown="never",
    options=Options,
)


@rule.check
def check(graph: Graph, options: Options) -> Iterator[Result]:
    if not graph.system.journeys:
        yield NotApplicable("the system declares no journey")
    worst: dict[tuple[str, str], tuple[float, Journey, list[Interaction]]] = {}
    for journey in graph.system.journeys:
        for pair, (calls, steps) in _calls(graph, journey).items():
            if calls > worst.get(pair, (options.max_calls,))[0]:
                worst[pair] = calls, journey, steps
    for (source, target), (calls, journey, steps) in worst.items():
        yield Violation(
            steps[0],
            f"{source} calls {target} {calls:.3g} times in one run of {journey.name}, more than "
            f"{options.max_calls:g}",
            fix=f"an endpoint of {target} that answers for many at once",
            evidence=tuple(steps),
        )


def _calls(
    graph: Graph, journey: Journey
) -> dict[tuple[str, str], tuple[float, list[Interaction]]]:
    total: dict[tuple[str, str], float] = defaultdict(float)
    steps: dict[tuple[str, str], list[Interaction]] = defaultdict(list)
    for step, count in graph.visits(journey).interactions:
        if step.mode == "call":
            pair = step.source.name, step.target.name
            total[pair] += count
            steps[pair].append(step)
    return {pair: (calls, steps[pair]) for pair, calls in total.items()}


def _repeated(times: int) -> System:
    return System(
        "shop",
        [
            Service(
                "web", endpoints=[Endpoint("page", steps=[Repeat(times, [Call("stock.get")])])]
            ),
            Service("stock", endpoints=[Endpoint("get")]),
        ],
        journeys=[Journey("browse", "web.page")],
    )


@rule.bad("web.page -> stock.get")
def once_for_each_line() -> System:
    return _repeated(11)


@rule.borderline()
def just_often_enough() -> System:
    return _repeated(10)


@rule.good
def once() -> System:
    return _repeated(1)
