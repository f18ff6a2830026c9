"""Timeouts and retries of a call are set in one place, or the two places agree.

Why it matters: the caller's library and its mesh do not know each other: retries multiply, and
the shorter of two timeouts wins, whatever the other one says.

Retries must be in one of the two; what a mesh allows all its attempts (its timeout, or its tries of
``per_try_timeout`` with the waits between them) must be no shorter than the caller's own timeout. A
mesh sees calls over HTTP and gRPC: what a query or a call over Thrift sets is set once. Calls of
fallbacks count.

How to fix: leave retries to one side (``retry=Absent("the mesh retries")``), and the mesh's
timeout above the caller's.

False positives: routes that the mesh's settings do not apply to; declare them without the mesh.

Sources: AWS Well-Architected, REL05-BP03; Istio, Traffic Management (timeouts and retries with
application fault handling).
"""

from __future__ import annotations

from collections.abc import Iterator

from archcheck import Absent, Call, Endpoint, Mesh, Retry, Service, System
from archcheck.editing.spelling import plain_source
from archcheck.findings import NotApplicable, Result, Rule, Undecided, Violation
from archcheck.graph import Graph, Interaction
from archcheck.units import Duration, ms, s

rule = Rule("TEC009", "mechanism-set-twice", severity="warning", method="attr")


@rule.check
def check(graph: Graph) -> Iterator[Result]:
    guarded = [
        (step, step.mesh)
        for step in graph.calls(fallbacks=True)
        if step.mesh is not None and step.is_readable is not False
    ]
    if not guarded:
        yield NotApplicable("no call goes through a mesh")
    for step, mesh in guarded:
        if mesh.retry is not None and mesh.retry.attempts > 1:
            yield from _retries(step, mesh.retry)
        if isinstance(step.timeout, Duration):
            yield from _timeouts(step, step.timeout)


def _retries(step: Interaction, retry: Retry) -> Iterator[Result]:
    tries = step.protection.tries
    if step.protection.retry is None and not step.is_fallback:
        yield Undecided(step, "retry", "holds without retries of its own")
    elif tries > 1:
        yield Violation(
            step,
            f"{step.name} is tried {tries} times by the caller and {retry.attempts} "
            f"times by its mesh: {tries * retry.attempts} times in all",
            fix=step.set_in('retry=Absent("the mesh retries")'),
        )


def _timeouts(step: Interaction, own: Duration) -> Iterator[Result]:
    guard = step.protection
    if (limit := guard.mesh_limit) is None:
        each = guard.per_try_timeout
        if guard.mesh_retry is not None and each is not None and each * guard.mesh_tries < own:
            least = own - each * guard.mesh_tries
            yield Undecided(step.source, "mesh.retry.backoff", f"holds if all waits make {least}")
    elif (mesh := Duration(float(limit))) < own:
        yield Violation(
            step,
            f"{step.name} waits {own}, but its mesh gives up after {mesh}",
            fix=f"{step.set_in(f'timeout={plain_source(mesh)}')} here, or a longer one in the mesh",
        )


def _twice(retry: Retry | Absent | None, timeout: Duration | None, mesh: Mesh) -> System:
    call = Call("pay", retry=retry, timeout=timeout)
    return System(
        "shop",
        [
            Service("orders", mesh=mesh, endpoints=[Endpoint("place", steps=[call])]),
            Service("pay", endpoints=[Endpoint("charge")]),
        ],
    )


@rule.bad("orders.place -> pay.charge")
def both_retry() -> System:
    return _twice(Retry(attempts=3), None, Mesh("istio", retry=Retry(attempts=2)))


@rule.bad("orders.place -> pay.charge")
def the_mesh_gives_up_first() -> System:
    return _twice(None, 2 * s, Mesh("istio", timeout=1 * s))


@rule.borderline()
def they_agree() -> System:
    return _twice(Retry(attempts=1), 500 * ms, Mesh("istio", timeout=500 * ms))


@rule.borderline()
def a_mesh_that_tries_once() -> System:
    return _twice(Retry(attempts=3), None, Mesh("istio", retry=Retry(attempts=1)))


@rule.good
def only_the_mesh_retries() -> System:
    mesh = Mesh("istio", retry=Retry(attempts=2), timeout=5 * s)
    return _twice(Absent("the mesh retries"), 1 * s, mesh)


@rule.unknown("retry")
def nobody_says_whether_the_caller_retries() -> System:
    return _twice(None, 1 * s, Mesh("istio", retry=Retry(attempts=2)))
