"""Retries of different callers do not come at the same time.

Why it matters: callers that failed together and wait equally long come back together; the
dependency meets the same peak again and again.

The retries of a mesh count as well; one that does not say spreads its waits, as Envoy does. A retry
without any wait is rule RES005's finding.

How to fix: ``Retry(attempts=3, backoff=20 * ms, jitter=True)`` draws each wait evenly between
zero and the backoff.

False positives: a single caller that runs one request at a time, such as a nightly job.

Sources: Brooker, Exponential Backoff And Jitter, 2015; Amazon Builders' Library, Timeouts,
retries, and backoff with jitter.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Literal

from archcheck import Call, Endpoint, Mesh, Retry, Service, System
from archcheck.findings import Result, Rule, Undecided, Violation
from archcheck.graph import Graph
from archcheck.units import ms

rule = Rule("RES006", "retry-without-jitter", severity="warning", method="attr")


@rule.check
def check(graph: Graph) -> Iterator[Result]:
    for step in graph.questions:
        for retry in step.protection.retries:
            if not _waits(retry):
                continue
            is_mesh = retry is step.protection.mesh_retry
            if retry.jitter is False:
                who = f"the mesh of {step.source.name}" if is_mesh else step.operation.name
                yield Violation(
                    step,
                    f"{who} retries {step.target_name} after fixed waits, as all others do that "
                    "failed with it",
                    fix=step.set_in("retry=Retry(attempts=3, backoff=20 * ms, jitter=True)"),
                )
            elif retry.jitter is None and not is_mesh:
                yield Undecided(step, "retry.jitter")


def _waits(retry: Retry) -> bool:
    """Whether there is a wait that could be spread, or may be: one more attempt after a refusal
    needs none."""
    if retry.backoff is None:
        return retry.attempts != 2 or not set(retry.on) <= {"rejected"}
    return bool(retry.backoff)


def _retried(*, attempts: int, jitter: bool | None) -> System:
    retry = Retry(attempts=attempts, backoff=10 * ms, jitter=jitter)
    return System(
        "shop",
        [
            Service("web", endpoints=[Endpoint("page", steps=[Call("ads.get", retry=retry)])]),
            Service("ads", endpoints=[Endpoint("get")]),
        ],
    )


@rule.bad("web.page -> ads.get")
def everyone_waits_equally_long() -> System:
    return _retried(attempts=2, jitter=False)


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
def the_mesh_waits_equally_long() -> System:
    return _in_the_mesh(Retry(attempts=3, backoff=25 * ms, jitter=False))


@rule.good
def the_mesh_spreads_its_waits_by_default() -> System:
    return _in_the_mesh(Retry(attempts=3))


@rule.good
def waits_are_spread() -> System:
    return _retried(attempts=2, jitter=True)


@rule.borderline()
def one_attempt_never_waits() -> System:
    return _retried(attempts=1, jitter=False)


@rule.borderline()
def one_more_attempt_without_a_wait() -> System:
    retry = Retry(attempts=2, backoff=0 * ms, jitter=False, on=["rejected"])
    return System(
        "shop",
        [
            Service("web", endpoints=[Endpoint("page", steps=[Call("ads.get", retry=retry)])]),
            Service("ads", endpoints=[Endpoint("get")]),
        ],
    )


@rule.unknown("retry.jitter")
def nobody_says() -> System:
    return _retried(attempts=2, jitter=None)


@rule.borderline("app.page -> ads.get")
def one_more_attempt_after_a_refusal_has_no_wait() -> System:
    retry = Retry(attempts=2, backoff=0 * ms, jitter=False, on=["rejected"])
    ask = Call("ads.get", retry=retry)
    later = Call("ads.get", retry=Retry(attempts=3, backoff=10 * ms, jitter=False))
    return System(
        "shop",
        [
            Service("web", endpoints=[Endpoint("page", steps=[ask])]),
            Service("app", endpoints=[Endpoint("page", steps=[later])]),
            Service("ads", endpoints=[Endpoint("get")]),
        ],
    )


def _without_backoff(attempts: int, *on: Literal["rejected", "timeout"]) -> System:
    retry = Retry(attempts=attempts, jitter=False, on=on)
    return System(
        "shop",
        [
            Service("web", endpoints=[Endpoint("page", steps=[Call("ads.get", retry=retry)])]),
            Service("ads", endpoints=[Endpoint("get")]),
        ],
    )


@rule.borderline()
def one_more_attempt_may_come_at_once() -> System:
    return _without_backoff(2, "rejected")


@rule.borderline("web.page -> ads.get")
def two_more_attempts_may_not() -> System:
    return _without_backoff(3, "rejected")


@rule.borderline("web.page -> ads.get")
def one_more_attempt_after_a_timeout_may_not() -> System:
    return _without_backoff(2, "timeout")


@rule.borderline()
def no_wait_at_all_is_res005s() -> System:
    retry = Retry(attempts=3, backoff=0 * ms, jitter=False)
    steps = [Call("ads.get", retry=retry)]
    web = Service("web", endpoints=[Endpoint("page", steps=steps)])
    return System("shop", [web, Service("ads", endpoints=[Endpoint("get")])])
