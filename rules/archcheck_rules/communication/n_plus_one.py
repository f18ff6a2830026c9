"""No step repeats the same call for each item of a list.

Why it matters: the number of calls grows with the data: what takes three calls in the test takes
three hundred for the best customer, each with its own round trip.

A call in a ``Repeat`` counts with the product of the repeats around it, also when they are
``per_item``: then the number is the typical length of the list. Queries of datastores count too.

How to fix: an endpoint or a query that takes the whole list (``batch=True``), a join, or a cache.

False positives: repeats that are bounded by the design, not by the data; raise ``max_repeats``.

Sources: Azure Architecture Center, Chatty I/O antipattern; Fowler, Patterns of Enterprise
Application Architecture, 2002 (lazy load, ripple loading). The default limit is our proposal.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from archcheck import Call, Endpoint, Repeat, Service, System
from archcheck.findings import Result, Rule, Violation, option
from archcheck.graph import Graph


@dataclass(frozen=True)
class Options:
    """Thresholds."""

    max_repeats: int = option(3, "times that a request may repeat the same step")


rule = Rule(
    "COM007",
    "n-plus-one",
    severity="warning",
    method="attr",
    on_unknown="never",
    options=Options,
)


@rule.check
def check(graph: Graph, options: Options) -> Iterator[Result]:
    for step in graph.interactions:
        if step.repeats <= options.max_repeats or step.mode == "publish":
            continue
        if isinstance(step.step, Call) and step.step.batch:
            continue
        each = ", once for each item of a list" if step.per_item else ""
        yield Violation(
            step,
            f"{step.operation.name} asks {step.target_name} {step.repeats} times in a "
            f"request{each}",
            fix="ask for the whole list at once, and say so: batch=True",
            cause="the same call is repeated in a request",
        )


def _prices(times: int, *, batch: bool | None = None) -> System:
    loop = Repeat(times, [Call("prices.get", batch=batch)], per_item=True)
    return System(
        "shop",
        [
            Service("cart", endpoints=[Endpoint("show", steps=[loop])]),
            Service("prices", endpoints=[Endpoint("get")]),
        ],
    )


@rule.bad("cart.show -> prices.get")
def a_call_for_each_line() -> System:
    return _prices(4)


@rule.borderline()
def three_at_most() -> System:
    return _prices(3)


@rule.good
def pages_of_a_batch() -> System:
    return _prices(8, batch=True)
