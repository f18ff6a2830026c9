"""What protects callers from slowness and failure, compiled."""

from __future__ import annotations

from typing import Any, TypeVar

from archcheck.graph.protection import (
    OPEN_FOR,
    Protection,
    drops_late_requests,
    protection_of,
    stops_late_work,
)
from archcheck.model import (
    Absent,
    Bulkhead,
    CircuitBreaker,
    External,
    Fallback,
    Grpc,
    RateLimit,
    Retry,
    RetryBudget,
    Service,
)
from archcheck.model.steps import RemoteStep
from archcheck.model.values import effective
from archcheck.simulation import plan as p
from archcheck.simulation.compiling.assumed import BURST_SECONDS
from archcheck.simulation.compiling.tables import PlanRows
from archcheck.units import Duration

_FAILURES = {
    "timeout": p.Outcome.TIMED_OUT,
    "rejected": p.Outcome.REJECTED,
    "broken": p.Outcome.BROKEN,
    "failed": p.Outcome.FAILED,
}
_SCOPES = {"replica": p.Scope.REPLICA, "service": p.Scope.SERVICE, "client": p.Scope.CLIENT}
E = TypeVar("E")


def compile_policy(
    tables: PlanRows, owner: Service, step: RemoteStep, callee: str, fallback: int
) -> p.PolicySpec:
    """The policy of the code for a call, a read or a write.

    Breakers, bulkheads, limits and budgets are shared by all steps of a service toward one callee
    that have the same ones: from a client, or declared alike.
    """
    guard = protection_of(owner, step)
    link = f"{owner.name} -> {callee.partition('.')[0]}"
    timeout = attempt_timeout(guard)
    if timeout < p.FOREVER and _may_pass(tables, owner, callee):
        _note_assumptions(tables, owner, guard, callee)
    return p.PolicySpec(
        timeout=timeout,
        optional=step.optional or _known(step.fallback, Fallback) is not None,
        fallback=fallback,
        **_late(tables, guard, callee, timeout < p.FOREVER),
        hedges=guard.hedged,
        hedge_after=float(guard.hedge.after) if guard.hedge else 0.0,
        bulkhead=_bulkhead(tables, link, guard.bulkhead) if guard.bulkhead else -1,
        breaker=_breaker(tables, link, guard.breaker) if guard.breaker else -1,
        limit=add_limit(tables, link, guard.rate_limit) if guard.rate_limit else -1,
        ejects=_ejects(guard) and not guard.has_sidecar,
        **_retries(tables, link, _known(guard.retry, Retry)),
    )


def attempt_timeout(guard: Protection) -> float:
    """Seconds until the code gives an attempt up, or the mesh all of its own for it."""
    known = (_known(guard.timeout, Duration), guard.mesh_timeout)
    return min((float(each) for each in known if each is not None), default=p.FOREVER)


def compile_mesh_policy(
    tables: PlanRows, link: str, guard: Protection, callee: str
) -> p.PolicySpec:
    """The policy of a sidecar for its own attempts; ``link``: its process and the callee's."""
    each = guard.per_try_timeout
    return p.PolicySpec(
        timeout=float(each) if each is not None else p.FOREVER,
        **_late(tables, guard, callee, True),
        ejects=_ejects(guard),
        **_retries(tables, link, guard.mesh_retry),
    )


def _ejects(guard: Protection) -> bool:
    return bool(guard.mesh and guard.mesh.outlier_detection)


def _known(value: object, kind: type[E]) -> E | None:
    return value if isinstance(value, kind) else None


def _may_pass(tables: PlanRows, owner: Service, callee: str) -> bool:
    """Whether there is a deadline to pass on, or somebody who could work on after it."""
    asked = tables.system.directory.elements.get(callee.partition(".")[0])
    goes_on = isinstance(asked, Service)
    return goes_on or bool(tables.graph.incoming.get(owner.name))


def _note_assumptions(tables: PlanRows, owner: Service, guard: Protection, callee: str) -> None:
    """What is taken for granted about who passes a deadline on, and who heeds it."""
    if guard.deadline.origin == "default":
        said = "yes" if guard.passes_deadline_on else "no"
        tables.assumed.add(owner.name, "deadline_propagation", said, guard.deadline.source)
    elif guard.deadline.origin == "unknown":
        reason = "neither the calls nor the runtime declare it"
        tables.assumed.add(owner.name, "deadline_propagation", "no", reason)
    target = tables.system.directory.elements.get(callee.partition(".")[0])
    if not isinstance(target, Service):
        return
    if guard.passes_deadline_on and stops_late_work(target) is None:
        tables.assumed.add(target.name, "stops_late_work", "yes", "its runtime does not declare it")
    late = _late(tables, guard, callee, is_bounded=True)
    for attribute, happens in (("drops_late_requests", "drops"), ("stops_late_work", "stops")):
        found = effective(target.runtime, attribute)
        if late and found.origin == "default":
            said = "yes" if late.get(happens) else "no"
            tables.assumed.add(target.name, attribute, said, found.source)


def _late(tables: PlanRows, guard: Protection, callee: str, is_bounded: bool) -> dict[str, bool]:
    """Who heeds the deadline of a call, and how.

    Where the caller passes deadlines on, a callee of which nothing is known heeds them. gRPC tells
    the callee of the call's own timeout in any case; then counts only what its runtime does for
    certain.
    """
    target = tables.system.directory.elements.get(callee.partition(".")[0])
    drops, stops = drops_late_requests(target), stops_late_work(target)
    if guard.passes_deadline_on:
        passed_on = effective(getattr(target, "runtime", None), "deadline_propagation").value
        tells = stops is not False or bool(passed_on)
        return {"inherits": True, "tells": tells, "drops": drops is not False,
                "stops": stops is not False}  # fmt: skip
    if guard.is_silent or not is_bounded or not _speaks_grpc(tables, callee):
        return {}
    runtime = getattr(target, "runtime", None)
    return {
        "drops": bool(effective(runtime, "drops_late_requests").value),
        "stops": bool(effective(runtime, "stops_late_work").value),
    }


def _speaks_grpc(tables: PlanRows, callee: str) -> bool:
    owner = tables.system.directory.elements.get(callee.partition(".")[0])
    if not isinstance(owner, Service | External):
        return False
    _, endpoint = tables.system.endpoint(callee)
    return endpoint is not None and isinstance(endpoint.protocol, Grpc)


def _retries(tables: PlanRows, link: str, retry: Retry | None) -> dict[str, Any]:
    if retry is None:
        return {}
    if retry.backoff is None and retry.attempts > 1:
        tables.assumed.add("retries", "backoff", "0 s", "where a retry does not declare it")
    return {
        "attempts": retry.attempts,
        "backoff": float(retry.backoff or 0),
        "factor": retry.factor,
        "max_backoff": float(retry.max_backoff) if retry.max_backoff is not None else p.FOREVER,
        "jitter": bool(retry.jitter),
        "retried": sum(1 << _FAILURES[name] for name in dict.fromkeys(retry.on)),
        "budget": _budget(tables, link, retry.budget) if retry.budget else -1,
    }


def _budget(tables: PlanRows, link: str, budget: RetryBudget) -> int:
    floor = float(budget.minimum) if budget.minimum is not None else 0.0
    return tables.budgets.place_of(p.BudgetSpec(link, float(budget.ratio), floor))


def _bulkhead(tables: PlanRows, link: str, bulkhead: Bulkhead) -> int:
    wait = float(bulkhead.max_wait) if bulkhead.max_wait is not None else 0.0
    return tables.bulkheads.place_of(p.BulkheadSpec(link, bulkhead.max_concurrent, wait))


def _breaker(tables: PlanRows, link: str, breaker: CircuitBreaker) -> int:
    if breaker.open_for is None:
        reason = "Resilience4j: waitDurationInOpenState"
        tables.assumed.add(link, "open_for", OPEN_FOR, reason)
    rate = breaker.slow_call_rate
    watches_slow = breaker.slow_call is not None
    spec = p.BreakerSpec(
        link,
        float(breaker.failure_rate),
        float(rate) if watches_slow and rate is not None else 1.0 if watches_slow else 2.0,
        float(breaker.slow_call) if breaker.slow_call is not None else p.FOREVER,
        float(breaker.window),
        isinstance(breaker.window, Duration),
        breaker.minimum_calls,
        float(breaker.open_for if breaker.open_for is not None else OPEN_FOR),
        breaker.half_open_calls,
    )
    return tables.breakers.place_of(spec)


def add_limit(tables: PlanRows, name: str, limit: RateLimit) -> int:
    """The token bucket of a rate limit."""
    burst = float(limit.burst) if limit.burst is not None else None
    if burst is None:
        burst = max(1.0, float(limit.rate) * BURST_SECONDS)
        reason = f"the rate limit does not declare it: {BURST_SECONDS:g} s of its rate"
        tables.assumed.add(name, "burst", f"{burst:g}", reason)
    spec = p.LimitSpec(name, float(limit.rate), burst, _SCOPES[limit.per])
    return tables.limits.place_of(spec)


def optional_policy(timeout: Duration | Absent | None) -> p.PolicySpec:
    """The policy of a question whose failure does not matter, such as the lookup in a cache."""
    seconds = float(timeout) if isinstance(timeout, Duration) else p.FOREVER
    return p.PolicySpec(timeout=seconds)
