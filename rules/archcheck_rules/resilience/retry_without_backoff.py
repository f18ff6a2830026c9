"""Retries wait longer after each failure.

Why it matters: immediate retries multiply the load on a dependency at the moment at which it
has too much of it; they turn a short overload into an outage.

How to fix: ``Retry(attempts=3, backoff=20 * ms, jitter=True)``; the wait doubles from retry to
retry unless ``factor`` says otherwise.

False positives: none known. One more attempt after a refusal (``on=["rejected"]``) needs no wait,
and a single wait cannot grow.

Sources: AWS Well-Architected, REL05-BP03; Azure Architecture Center, Retry Storm antipattern;
Brooker, Exponential Backoff And Jitter, 2015.
"""

from __future__ import annotations

from collections.abc import Iterator

from archcheck import Call, Endpoint, Retry, Service, System
from archcheck.findings import Result, Rule, Undecided, Violation
from archcheck.graph import Graph
from archcheck.units import ms, s

rule = Rule("RES005", "retry-without-backoff", severity="warning", method="attr")


@rule.check
def check(graph: Graph) -> Iterator[Result]:
    for step in graph.interactions:
        retry = step.protection.retry
        if not isinstance(retry, Retry) or retry.attempts == 1 or _is_one_more(retry):
            continue
        if retry.backoff is None:
            yield Undecided(step, "retry.backoff")
        elif not retry.backoff or (retry.factor == 1 and retry.attempts > 2):
            how = f"always waits {retry.backoff}" if retry.backoff else "waits for nothing"
            yield Violation(
                step,
                f"{step.operation.name} tries {step.target_name} up to {retry.attempts} times "
                f"and {how} in between",
                fix="retry=Retry(attempts=3, backoff=20 * ms, jitter=True)",
            )


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
