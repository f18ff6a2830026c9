"""Requests that ask many at once still meet their objective.

Why it matters: a request that waits for n answers is as slow as the slowest of them. When one in
a hundred is slow and ten are asked, one request in ten is slow.

For each parallel group the share of requests that wait longer than the objective's bound B for
some branch is 1 - (1 - p1)(1 - p2)..., with the tail of a branch taken as exponential through
its declared p99 (p = 0.01 ^ (B / p99)), or through its mean latency without queueing where
nothing is promised (p = exp(-B / mean)). A hedged branch is late if all of its attempts are, each
with what is left of B when it is sent. Groups below count as well, along the calls that each
request waits for. It must not exceed what the objective allows: 1% for a
p99.

How to fix: fewer branches, hedged reads, a cache, optional branches with a fallback, or a bound
that fits.

False positives: branches whose slow answers come together; tails that are shorter than
exponential.

Sources: Dean and Barroso, The Tail at Scale, CACM 2013.
"""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Iterator

from archcheck import (
    Call,
    Endpoint,
    External,
    Hedge,
    Journey,
    Parallel,
    Service,
    Slo,
    System,
    WithProbability,
    Work,
)
from archcheck.capacity import Missing, OperationLatencies, latency_of
from archcheck.findings import NotApplicable, Result, Rule, Undecided, Violation
from archcheck.graph import Graph, Interaction, Operation
from archcheck.units import Duration, Fraction, ms, percent, s

rule = Rule("PRF006", "fan-out-tail", severity="warning", method="calc")


@rule.check
def check(graph: Graph) -> Iterator[Result]:
    latencies = OperationLatencies(graph)
    applies = False
    for subject, slo, operation in _promises(graph):
        groups = _fan_outs(graph, operation)
        if not groups or not slo.latencies():
            continue
        applies = True
        name, quantile, bound = slo.latencies()[-1]
        for steps in groups:
            yield from _judge(latencies, subject, (name, quantile, bound), steps)
    if not applies:
        yield NotApplicable("nothing with a latency objective asks several at once")


def _promises(graph: Graph) -> Iterator[tuple[Journey | Operation, Slo, str]]:
    for journey in graph.system.journeys:
        if journey.slo is not None and len(journey.all_entries()) == 1:
            owner, endpoint = graph.system.endpoint(journey.all_entries()[0])
            if endpoint is not None:
                yield journey, journey.slo, f"{owner.name}.{endpoint.name}"
    for name, operation in graph.operations.items():
        slo = getattr(operation.part, "slo", None)
        if isinstance(slo, Slo):
            yield operation, slo, name


def _fan_outs(graph: Graph, operation: str) -> list[list[Interaction]]:
    """The required branches of each parallel group that every request waits for, here and below."""
    groups: dict[int, list[Interaction]] = defaultdict(list)
    waiting, seen = [operation], {operation}
    while waiting:
        for step in graph.outgoing.get(waiting.pop(), ()):
            waits = step.mode in ("call", "read", "write") and step.visits >= 1
            if not waits or step.can_fail_softly:
                continue
            if step.parallel is not None:
                groups[id(step.parallel)].append(step)
            elif step.mode == "call" and step.target_name not in seen:
                seen.add(step.target_name)
                waiting.append(step.target_name)
    return [steps for steps in groups.values() if len(steps) > 1]


def _judge(
    latencies: OperationLatencies,
    subject: Journey | Operation,
    objective: tuple[str, float, Duration],
    steps: list[Interaction],
) -> Iterator[Result]:
    name, quantile, bound = objective
    on_time, unknown = 1.0, False
    for step in steps:
        late, missing = _late(latencies, step, float(bound))
        on_time *= 1 - late
        for part in missing:
            unknown = True
            yield Undecided(part.holder, part.attribute)
    late_share, allowed = 1 - on_time, 1 - quantile
    if not unknown and late_share > allowed * (1 + 1e-9):
        yield Violation(
            subject,
            f"{Fraction(late_share):.3} of the requests of {subject.name} wait longer than "
            f"{bound} for "
            "one of "
            f"{len(steps)} branches, and {name} = {bound} allows {Fraction(allowed):.3}",
            fix="fewer required branches, or hedge them",
            evidence=tuple(steps),
        )


def _late(
    latencies: OperationLatencies, step: Interaction, bound: float
) -> tuple[float, tuple[Missing, ...]]:
    """The share of a branch's answers that come after ``bound``, and what is missing for it.

    With hedges, all attempts are late: each has what is left of the bound when it is sent.
    """
    slo = step.endpoint.slo if step.endpoint else None
    missing: tuple[Missing, ...] = ()
    if slo is not None and slo.p99 is not None:
        mean = float(slo.p99) / math.log(100)
    else:
        latency = latency_of(latencies, step)
        mean, missing = latency.seconds, latency.missing
    if not mean:
        return 0.0, missing
    hedge = step.protection.hedge
    sent = [float(hedge.after) * n for n in range(hedge.max_attempts)] if hedge else [0.0]
    return math.prod(math.exp(-max(0.0, bound - at) / mean) for at in sent), missing


def _asking(
    branches: int,
    bound: Duration,
    *,
    p99: Duration | None = 100 * ms,
    external: bool = False,
    hedge: Hedge | None = None,
) -> System:
    work = [] if p99 else [Work(10 * ms)]
    leaves: list[Service | External] = [
        Service(f"s{n}", endpoints=[Endpoint("get", slo=Slo(p99=p99) if p99 else None, steps=work)])
        for n in range(branches)
    ]
    if external:
        leaves[0] = External("s0")
    page = Endpoint("page", steps=[Parallel([Call(f"s{n}", hedge=hedge) for n in range(branches)])])
    return System(
        "shop",
        [Service("web", endpoints=[page]), *leaves],
        journeys=[Journey("browse", "web.page", slo=Slo(p99=bound))],
    )


@rule.bad("browse")
def ten_branches_with_the_same_objective() -> System:
    return _asking(10, 100 * ms)


@rule.bad("browse")
def ten_branches_of_ten_milliseconds() -> System:
    return _asking(10, 46 * ms, p99=None)  # a single one is late in 1% of the cases


@rule.bad("browse")
def the_branches_are_in_the_service_below() -> System:
    system = _asking(10, 100 * ms)
    edge = Service("edge", endpoints=[Endpoint("page", steps=[Call("web.page")])])
    promise = Journey("browse", "edge.page", slo=Slo(p99=100 * ms))
    return System("shop", [edge, *system.elements], journeys=[promise])


@rule.good
def each_branch_is_hedged() -> System:
    return _asking(10, 100 * ms, hedge=Hedge(30 * ms))


@rule.borderline("browse")
def two_branches_at_the_very_bound() -> System:
    return _asking(2, 100 * ms)


@rule.borderline()
def one_branch_is_no_fan_out() -> System:
    return System(
        "shop",
        [*_asking(1, 100 * ms).elements, *_two().elements],
        journeys=[
            Journey("browse", "web.page", slo=Slo(p99=100 * ms)),
            Journey("both", "two.page", slo=Slo(p99=1 * s)),
        ],
    )


def _two() -> System:
    leaves = [Service(f"t{n}", endpoints=[Endpoint("get", slo=Slo(p99=1 * ms))]) for n in (1, 2)]
    page = Endpoint("page", steps=[Parallel([Call("t1"), Call("t2")])])
    return System("two", [Service("two", endpoints=[page]), *leaves])


@rule.good
def a_bound_with_room() -> System:
    return _asking(10, 200 * ms)


@rule.unknown("latency")
def a_party_that_promises_nothing() -> System:
    return _asking(3, 200 * ms, external=True)


@rule.bad("web.page")
def an_endpoint_promises_too() -> System:
    leaves = [Service(f"s{n}", endpoints=[Endpoint("get", slo=_QUICK)]) for n in range(3)]
    calls = [Call(f"s{n}", optional=n == 2) for n in range(3)]
    promised = Slo(p50=50 * ms, p99=110 * ms)
    page = Endpoint("page", steps=[Parallel(calls)], slo=promised)
    return System("shop", [Service("web", endpoints=[page]), *leaves])


@rule.borderline()
def branches_that_not_every_request_takes() -> System:
    leaves = [Service(f"s{n}", endpoints=[Endpoint("get", slo=_QUICK)]) for n in range(4)]
    rare = [WithProbability(50 * percent, [Call(f"s{n}")]) for n in range(3)]
    steps = [Parallel([Call("s3"), *rare]), Call("s3")]
    page = Endpoint("page", steps=steps, slo=Slo(p99=100 * ms))
    return System("shop", [Service("web", endpoints=[page]), *leaves])


@rule.borderline()
def two_groups_one_after_the_other() -> System:
    leaves = [Service(f"s{n}", endpoints=[Endpoint("get", slo=_QUICK)]) for n in range(4)]
    groups = [Parallel([Call("s0"), Call("s1")]), Parallel([Call("s2"), Call("s3")])]
    page = Endpoint("page", steps=groups, slo=Slo(p99=120 * ms))
    return System("shop", [Service("web", endpoints=[page]), *leaves])


@rule.borderline()
def a_journey_of_two_requests_is_not_one_fan_out() -> System:
    return System(
        "shop",
        _asking(10, 100 * ms).elements,
        journeys=[Journey("twice", entries=["web.page", "web.page"], slo=Slo(p99=100 * ms))],
    )


_QUICK = Slo(p99=100 * ms)
