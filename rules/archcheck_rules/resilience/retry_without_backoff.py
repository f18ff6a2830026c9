"""Retries wait longer after each failure.

Why it matters: immediate retries multiply the load on a dependency at the moment at which it
has too much of it; they turn a short overload into an outage.

The retries of a mesh count as well. One that does not say waits as Envoy does: 25 ms, growing and
spread. A ``max_backoff`` that is no longer than the first wait stops the growth.

How to fix: ``Retry(attempts=3, backoff=20 * ms, jitter=True)``; the wait doubles from retry to
retry unless ``factor`` says otherwise.

False positives: none known. One more attempt after a refusal (``on=["rejected"]``) needs no wait,
and a single wait cannot grow.

Sources: AWS Well-Architected, REL05-BP03; Azure Architecture Center, Retry Storm antipattern;
Brooker, Exponential Backoff And Jitter, 2015; Envoy, ``retry_back_off`` (25 ms).
"""

from __future__ import annotations

from collections.abc import Iterator

from archcheck import Call, Endpoint, Mesh, Retry, Service, System
from archcheck.findings import Result, Rule, Undecided, Violation
from archcheck.graph import Graph
from archcheck.units import ms, s

rule = Rule("RES005", "retry-without-backoff", severity="warning", method="attr")


@rule.check
def check(graph: Graph) -> Iterator[Result]:
    for step in graph.questions:
        for retry in step.protection.retries:
            if _is_one_more(retry):
                continue
            is_mesh = retry is step.protection.mesh_retry
            if retry.backoff is not None and (how := _evenly(retry)):
                who = f"the mesh of {step.source.name}" if is_mesh else step.operation.name
                yield Violation(
                    step,
                    f"{who} tries {step.target_name} up to {retry.attempts} times and {how} in "
                    "between",
                    fix=step.set_in("retry=Retry(attempts=3, backoff=20 * ms, jitter=True)"),
                )
            elif retry.backoff is None and not is_mesh:
                yield Undecided(step, "retry.backoff")


def _evenly(retry: Retry) -> str:
    """How it waits, if its waits do not grow; a single wait need not."""
    if not retry.backoff:
        return "waits for nothing"
    stops = retry.max_backoff is not None and retry.max_backoff <= retry.backoff
    if retry.attempts > 2 and (retry.factor == 1 or stops):
        return f"always waits {min(retry.backoff, retry.max_backoff or retry.backoff)}"
    return ""


def _is_one_more(retry: Retry) -> bool:
    """One more attempt after a refusal, which goes to another replica, needs no wait."""
    return retry.attempts == 2 and set(retry.on) <= {"rejected"}


def _retried(retry: Retry) -> System:
    return System(
        "shop",
        [
            Service("web", endpoints=[Endpoint("page", steps=[Call("ads.get", retry=retry)])]),
            Service("ads", endpoints=[Endpoint("get")]),
        ],
    )


@rule.bad("web.page -> ads.get")
def immediate_retries() -> System:
    return _retried(Retry(attempts=3, backoff=0 * s))


@rule.bad("web.page -> ads.get")
def a_constant_wait() -> System:
    return _retried(Retry(attempts=5, backoff=10 * ms, factor=1.0))


def _in_the_mesh(retry: Retry) -> System:
    mesh = Mesh("istio", retry=retry)
    return System(
        "shop",
        [
            Service("web", mesh=mesh, endpoints=[Endpoint("page", steps=[Call("ads.get")])]),
            Service("ads", endpoints=[Endpoint("get")]),
        ],
    )


@rule.bad("web.page -> ads.get")
def the_mesh_does_not_wait() -> System:
    return _in_the_mesh(Retry(attempts=3, backoff=0 * s))


@rule.good
def the_mesh_waits_as_it_does_by_default() -> System:
    return _in_the_mesh(Retry(attempts=3))


@rule.bad("web.page -> ads.get")
def a_maximum_stops_the_growth() -> System:
    return _retried(Retry(attempts=5, backoff=10 * ms, max_backoff=10 * ms))


@rule.good
def one_wait_cannot_grow() -> System:
    return _retried(Retry(attempts=2, backoff=100 * ms, factor=1.0))


@rule.good
def one_more_attempt_elsewhere() -> System:
    return _retried(Retry(attempts=2, backoff=0 * s, on=["rejected"]))


@rule.good
def growing_waits() -> System:
    return _retried(Retry(attempts=3, backoff=10 * ms))


@rule.unknown("retry.backoff")
def the_wait_is_not_declared() -> System:
    return _retried(Retry(attempts=3))


@rule.borderline()
def one_attempt_never_waits() -> System:
    return _retried(Retry(attempts=1, backoff=0 * s))


@rule.borderline()
def hardly_growing() -> System:
    return _retried(Retry(attempts=2, backoff=1 * ms, factor=1.01))


@rule.bad("web.page -> ads.get")
def a_maximum_below_the_first_wait() -> System:
    return _retried(Retry(attempts=4, backoff=1 * s, factor=2, max_backoff=0.5 * s))


@rule.good
def a_maximum_after_some_growth() -> System:
    return _retried(Retry(attempts=4, backoff=1 * s, factor=2, max_backoff=4 * s))


@rule.borderline()
def one_more_attempt_after_a_refusal() -> System:
    return _retried(Retry(attempts=2, backoff=0 * s, on=["rejected"]))


@rule.borderline("web.page -> ads.get")
def two_more_attempts_after_a_refusal() -> System:
    return _retried(Retry(attempts=3, backoff=0 * s, on=["rejected"]))


@rule.borderline("web.page -> ads.get")
def one_more_attempt_after_whatever_went_wrong() -> System:
    return _retried(Retry(attempts=2, backoff=0 * s, on=["rejected", "timeout"]))
