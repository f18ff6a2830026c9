"""A caller waits at least as long as each thing that its callee waits for.

Why it matters: when the caller gives up first, the callee goes on working for nobody, and the
caller never learns what went wrong further down. Retries then pile work upon lost work.

How to fix: shorten the inner timeout or the number of its attempts, lengthen the outer one, or
propagate the deadline (``propagates_deadline=True``), so that the callee stops too.

The longest time of a step is ``attempts * timeout`` plus the longest backoffs between them.

False positives: an inner step that runs only when there is time left.

Sources: grpc.io, Deadlines; Azure Architecture Center, Retry pattern (layered tasks).
"""

from __future__ import annotations

from collections.abc import Iterator

from archcheck import Absent, Call, Endpoint, Retry, Service, System
from archcheck.findings import Result, Rule, Undecided, Violation
from archcheck.graph import Graph, Interaction
from archcheck.graph.worst_case import longest_wait
from archcheck.proof.deadlines import passes_deadline_on
from archcheck.units import Duration, ms

rule = Rule("RES002", "timeout-inversion", severity="error", method="graph")


@rule.check
def check(graph: Graph) -> Iterator[Result]:
    for outer in graph.calls():
        if outer.endpoint is None or passes_deadline_on(outer):
            continue
        if outer.timeout is None or isinstance(outer.timeout, Absent):
            continue  # that is rule RES001's finding
        for inner in graph.outgoing[outer.target_name]:
            if inner.is_synchronous:
                yield from _compare(graph, outer, outer.timeout, inner)


def _compare(
    graph: Graph, outer: Interaction, patience: Duration, inner: Interaction
) -> Iterator[Result]:
    wait = longest_wait(inner)
    if wait is None:
        yield Undecided(inner, "timeout", f"holds up to {patience}, the timeout of {outer.name}")
    elif wait.total > patience:
        yield Violation(
            outer,
            f"{outer.operation.name} gives up on {outer.target_name} after {patience}, but "
            f"{inner.name} may take {wait.total}",
            fix=f"wait at least {wait.total} here, or shorten {inner.name}",
            evidence=(outer, inner, wait.sum),
        )


def _chain(outer: Duration, inner: Call) -> System:
    return System(
        "shop",
        [
            Service(
                "edge", endpoints=[Endpoint("buy", steps=[Call("orders.place", timeout=outer)])]
            ),
            Service("orders", endpoints=[Endpoint("place", steps=[inner])]),
            Service("payments", endpoints=[Endpoint("Charge")]),
        ],
    )


@rule.bad("edge.buy -> orders.place")
def the_caller_gives_up_first() -> System:
    return _chain(200 * ms, Call("payments.Charge", timeout=500 * ms))


@rule.bad("edge.buy -> orders.place")
def retries_take_longer() -> System:
    retry = Retry(attempts=3, backoff=50 * ms)
    return _chain(600 * ms, Call("payments.Charge", timeout=200 * ms, retry=retry))


@rule.good
def the_caller_is_more_patient() -> System:
    return _chain(600 * ms, Call("payments.Charge", timeout=500 * ms))


@rule.unknown("timeout")
def the_inner_call_has_no_timeout() -> System:
    return _chain(600 * ms, Call("payments.Charge"))


@rule.borderline()
def exactly_as_patient() -> System:
    return _chain(500 * ms, Call("payments.Charge", timeout=500 * ms))


@rule.borderline()
def the_deadline_is_passed_on() -> System:
    return System(
        "shop",
        [
            Service(
                "edge",
                endpoints=[
                    Endpoint(
                        "buy",
                        steps=[Call("orders.place", timeout=50 * ms, propagates_deadline=True)],
                    )
                ],
            ),
            *_chain(50 * ms, Call("payments.Charge", timeout=500 * ms)).elements[1:],
        ],
    )
