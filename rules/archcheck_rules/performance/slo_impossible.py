"""Without any queueing, the latency already fits the objective.

Why it matters: queueing only adds. An objective that the bare service times exceed cannot be met
by any number of replicas.

The latency is the sum of the mean service times along the request: sequential steps add,
parallel branches count as the slowest, a cache saves its hits, retries do not count. It is
compared with each declared percentile, which lies above the mean for all usual distributions.

How to fix: run independent calls in parallel, cache, shorten the longest step, or correct the
objective.

False positives: declared service times that are longer than the real ones; a median objective
under a very skewed distribution, whose mean lies above its median.

Sources: Lazowska et al., Quantitative System Performance, 1984, chapter 5 (bounds).
"""

from __future__ import annotations

from collections.abc import Iterator

from archcheck import (
    Cached,
    Call,
    Endpoint,
    External,
    Fallback,
    Journey,
    MySQL,
    Read,
    Redis,
    Service,
    Slo,
    System,
    Work,
)
from archcheck.capacity import Latency, OperationLatencies
from archcheck.editing.spelling import plain_source
from archcheck.findings import NotApplicable, Result, Rule, Undecided, Violation
from archcheck.graph import Graph, Operation
from archcheck.units import Duration, ms
from archcheck_rules.hits import whatever_hits

rule = Rule("PRF002", "slo-impossible", severity="error", method="calc")


@rule.check
def check(graph: Graph) -> Iterator[Result]:
    yield from whatever_hits(graph, _judged)


def _judged(graph: Graph) -> Iterator[Result]:
    latencies = OperationLatencies(graph)
    promises: list[tuple[Journey | Operation, Slo, Latency]] = [
        (journey, journey.slo, latencies.of_journey(journey))
        for journey in graph.system.journeys
        if journey.slo is not None
    ]
    for name, operation in graph.operations.items():
        slo = getattr(operation.part, "slo", None)
        if slo is not None:
            promises.append((operation, slo, latencies.of(name)))
    if not promises:
        yield NotApplicable("no journey or endpoint declares a latency objective")
    for subject, slo, latency in promises:
        yield from _judge(subject, slo, latency)


def _judge(subject: Journey | Operation, slo: Slo, latency: Latency) -> Iterator[Result]:
    needed = Duration(latency.seconds)
    broken = [(name, bound) for name, _, bound in slo.latencies() if needed > bound]
    if broken:
        name, bound = broken[0]
        yield Violation(
            subject,
            f"{subject.name} needs {needed:.3} on average without any waiting, and promises "
            f"{name} = {bound}",
            fix=f"{name}={plain_source(Duration.parse(f'{needed * 3:.2}'))}, or shorter steps",
        )
    elif slo.latencies():
        for missing in latency.missing:
            slack = Duration(float(slo.latencies()[0][2]) - latency.seconds)
            yield Undecided(
                missing.holder, missing.attribute, f"{subject.name} has {slack:.3} left for it"
            )


def _promising(bound: Duration, read: Duration | None) -> System:
    steps = [Work(20 * ms), Read("ledger")]
    return System(
        "shop",
        [
            MySQL("ledger", read=read),
            Service("billing", endpoints=[Endpoint("due", steps=steps)]),
        ],
        journeys=[Journey("pay", "billing.due", slo=Slo(p99=bound))],
    )


@rule.bad("pay")
def the_steps_take_longer() -> System:
    return _promising(25 * ms, read=10 * ms)


@rule.good
def there_is_room() -> System:
    return _promising(200 * ms, read=10 * ms)


@rule.unknown("read")
def the_query_time_is_not_declared() -> System:
    return _promising(200 * ms, read=None)


@rule.borderline()
def exactly_the_objective() -> System:
    return _promising(30 * ms, read=10 * ms)


@rule.borderline("pay")
def just_above_the_objective() -> System:
    return _promising(30 * ms, read=10.1 * ms)


@rule.bad("pay")
def two_entries_one_after_the_other() -> System:
    return System(
        "shop",
        [
            Service(
                "billing",
                endpoints=[
                    Endpoint("due", steps=[Work(40 * ms)]),
                    Endpoint("settle", steps=[Work(40 * ms)]),
                ],
            )
        ],
        journeys=[Journey("pay", entries=["billing.due", "billing.settle"], slo=Slo(p99=50 * ms))],
    )


@rule.good
def nobody_waits_longer_for_what_is_optional() -> System:
    call = Call("bank", timeout=20 * ms, optional=True, fallback=Fallback("static"))
    return System(
        "shop",
        [
            External("bank", latency=500 * ms),
            Service("billing", endpoints=[Endpoint("due", steps=[call])]),
        ],
        journeys=[Journey("pay", "billing.due", slo=Slo(p99=50 * ms))],
    )


@rule.unknown("hit_ratio")
def nobody_says_how_often_a_cache_hits() -> System:
    due = Endpoint("due", steps=[Cached("hot", [Read("ledger")])])
    return System(
        "shop",
        [
            Redis("hot", read=1 * ms),
            MySQL("ledger", read=80 * ms),
            Service("billing", endpoints=[due]),
        ],
        journeys=[Journey("pay", "billing.due", slo=Slo(p99=50 * ms))],
    )
