"""No step repeats the same call for each item of a list.

Why it matters: the number of calls grows with the data: what takes three calls in the test takes
three hundred for the best customer, each with its own round trip.

A call in a ``Repeat`` counts with the product of the repeats around it, also when they are
``per_item``: then the number is the typical length of the list. Queries of datastores count too.
Loops of callers multiply those of their callees: three calls that each make three queries are nine.
Calls of one endpoint that stand beside each other count together; queries do not, since each may
ask something else; those of a cache in the process cost no round trip. Where only a schedule starts
the work, nobody waits for it, and it is left out.

How to fix: an endpoint or a query that takes the whole list (``batch=True``), a join, or a cache.

False positives: repeats that are bounded by the design, not by the data; raise ``max_repeats``.

Sources: Azure Architecture Center, Chatty I/O antipattern; Fowler, Patterns of Enterprise
Application Architecture, 2002 (lazy load, ripple loading). The default limit is our proposal.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from archcheck import (
    Call,
    Endpoint,
    MySQL,
    Parallel,
    Read,
    Repeat,
    Schedule,
    Service,
    Step,
    System,
    WithProbability,
)
from archcheck.findings import Result, Rule, Violation, option
from archcheck.graph import Graph, Interaction
from archcheck.graph.origins import caused_by_requests, loops_above
from archcheck.units import percent


@dataclass(frozen=True)
class Options:
    """Thresholds."""

    max_repeats: int = option(3, "times that a request may repeat the same step")


_FIX = "ask for the whole list at once, and say so: batch=True"

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
    above = loops_above(graph)
    waited_for = caused_by_requests(graph)
    for name in waited_for:
        steps = [step for step in graph.outgoing[name] if _counts(step)]
        for step in steps:
            times = step.repeats * above[name]
            if step.repeats > options.max_repeats or (step.repeats > 1 < above[name]):
                yield from _judge(step, times, above[name], options)
        yield from _beside(steps, options)


def _counts(step: Interaction) -> bool:
    is_remote = step.mode != "publish" and not step.is_in_process
    return is_remote and not getattr(step.step, "batch", False)


def _judge(step: Interaction, times: int, above: int, options: Options) -> Iterator[Violation]:
    if times > options.max_repeats:
        each = ", once for each item of a list" if step.per_item else ""
        loops = f" ({above} times by its callers)" if above > 1 else ""
        yield Violation(
            step,
            f"{step.operation.name} asks {step.target_name} {times} times in a "
            f"request{loops}{each}",
            fix=_FIX,
            cause="the same call is repeated in a request",
        )


def _beside(steps: list[Interaction], options: Options) -> Iterator[Violation]:
    """Calls of the same endpoint that stand beside each other."""
    together: dict[str, list[Interaction]] = {}
    for step in steps:
        if step.mode == "call" and step.repeats == 1:
            together.setdefault(step.target_name, []).append(step)
    for name, same in together.items():
        times = sum(step.visits for step in same)
        if times > options.max_repeats:
            yield Violation(
                same[0],
                f"{same[0].operation.name} asks {name} {times:.3g} times in a request, in "
                f"{len(same)} steps",
                fix=_FIX,
                evidence=tuple(same),
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


def _nested(times: int, *starters: Schedule) -> System:
    """A loop around a call whose callee has a loop around a query."""
    query = Repeat(times, [Read("db")], per_item=True)
    return System(
        "shop",
        [
            MySQL("db"),
            Service("cart", endpoints=[Endpoint("show", steps=[Repeat(2, [Call("prices.get")])])]),
            Service("prices", endpoints=[Endpoint("get", steps=[query])]),
            *starters,
        ],
    )


@rule.bad("prices.get -> db")
def a_loop_in_a_loop() -> System:
    return _nested(2)


@rule.borderline()
def a_loop_around_a_single_query() -> System:
    return _nested(1)


@rule.good
def nobody_waits_for_a_nightly_job() -> System:
    return _nested(100, Schedule("nightly", calls="cart.show"))


@rule.bad("cart.show -> prices.get")
def four_times_the_same_side_by_side() -> System:
    branches = Parallel([Call("prices.get") for _ in range(4)])
    return System(
        "shop",
        [
            Service("cart", endpoints=[Endpoint("show", steps=[branches])]),
            Service("prices", endpoints=[Endpoint("get")]),
        ],
    )


def _asking(*steps: Step) -> System:
    return System(
        "shop",
        [
            Service("cart", endpoints=[Endpoint("show", steps=steps)]),
            Service("prices", endpoints=[Endpoint("get")]),
        ],
    )


@rule.borderline()
def three_beside_each_other() -> System:
    return _asking(*[Call("prices.get")] * 3)


@rule.borderline("cart.show -> prices.get")
def hardly_more_than_three_beside_each_other() -> System:
    return _asking(*[Call("prices.get")] * 3, WithProbability(1 * percent, [Call("prices.get")]))
