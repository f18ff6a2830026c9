"""What callers do about slowness and failure, compiled."""

from __future__ import annotations

from typing import Any, TypeVar

from archcheck.model import (
    Absent,
    Bulkhead,
    CircuitBreaker,
    Fallback,
    Hedge,
    Mesh,
    RateLimit,
    Retry,
    RetryBudget,
    Service,
)
from archcheck.model.steps import Interaction
from archcheck.simulation import plan as p
from archcheck.simulation.compiling.assumed import BURST_SECONDS, OPEN_FOR
from archcheck.simulation.compiling.tables import Tables
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
    tables: Tables, owner: Service, step: Interaction, callee: str, fallback: int
) -> p.Policy:
    """The policy of a call, a read or a write. What the mesh does counts where the step is silent.

    Guards are shared by all steps of a service that declare the same ones for the same callee.
    """
    mesh = owner.mesh if isinstance(owner.mesh, Mesh) else None
    link = f"{owner.name} -> {callee.partition('.')[0]}"
    timeout = _known(step.timeout, Duration) or (mesh.timeout if mesh else None)
    retry = _known(step.retry, Retry) or (mesh.retry if mesh else None)
    breaker = _known(getattr(step, "breaker", None), CircuitBreaker)
    bulkhead = _known(getattr(step, "bulkhead", None), Bulkhead)
    limit = _known(getattr(step, "rate_limit", None), RateLimit)
    hedge = _known(getattr(step, "hedge", None), Hedge)
    return p.Policy(
        timeout=float(timeout) if timeout is not None else p.FOREVER,
        optional=step.optional or _known(step.fallback, Fallback) is not None,
        fallback=fallback,
        propagates=_propagates(tables, owner, step, timeout is not None),
        hedges=hedge.max_attempts if hedge else 1,
        hedge_after=float(hedge.after) if hedge else 0.0,
        bulkhead=_bulkhead(tables, link, bulkhead) if bulkhead else -1,
        breaker=_breaker(tables, link, breaker) if breaker else -1,
        limit=add_limit(tables, link, limit) if limit else -1,
        ejects=bool(mesh and mesh.outlier_detection),
        **_retries(tables, retry),
    )


def _known(value: object, kind: type[E]) -> E | None:
    return value if isinstance(value, kind) else None


def _propagates(tables: Tables, owner: Service, step: Interaction, matters: bool) -> bool:
    declared = getattr(step, "propagates_deadline", None)
    if declared is None and owner.runtime is not None:
        declared = owner.runtime.deadline_propagation
    if declared is None and matters:
        reason = "neither the calls nor the runtime declare it"
        tables.assumed.add(owner.name, "deadline_propagation", "no", reason)
    return bool(declared)


def _retries(tables: Tables, retry: Retry | None) -> dict[str, Any]:
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
        "budget": _budget(tables, retry.budget) if retry.budget else -1,
    }


def _budget(tables: Tables, budget: RetryBudget) -> int:
    floor = float(budget.minimum) if budget.minimum is not None else 0.0
    return tables.budgets.place_of(p.BudgetSpec(float(budget.ratio), floor))


def _bulkhead(tables: Tables, link: str, bulkhead: Bulkhead) -> int:
    wait = float(bulkhead.max_wait) if bulkhead.max_wait is not None else 0.0
    return tables.bulkheads.place_of(p.BulkheadSpec(link, bulkhead.max_concurrent, wait))


def _breaker(tables: Tables, link: str, breaker: CircuitBreaker) -> int:
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


def add_limit(tables: Tables, name: str, limit: RateLimit) -> int:
    """The token bucket of a rate limit."""
    burst = float(limit.burst) if limit.burst is not None else None
    if burst is None:
        burst = max(1.0, float(limit.rate) * BURST_SECONDS)
        reason = f"the rate limit does not declare it: {BURST_SECONDS:g} s of its rate"
        tables.assumed.add(name, "burst", f"{burst:g}", reason)
    spec = p.LimitSpec(name, float(limit.rate), burst, _SCOPES[limit.per])
    return tables.limits.place_of(spec)


def optional_policy(timeout: Duration | Absent | None) -> p.Policy:
    """The policy of a question whose failure does not matter, such as the lookup in a cache."""
    seconds = float(timeout) if isinstance(timeout, Duration) else p.FOREVER
    return p.Policy(timeout=seconds)
