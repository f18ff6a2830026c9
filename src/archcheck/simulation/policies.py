"""What callers do about slowness and failure, compiled."""

from __future__ import annotations

from archcheck.model import Absent, Retry
from archcheck.model.steps import Interaction
from archcheck.simulation import plan as p
from archcheck.simulation.assumed import Assumed
from archcheck.units import Duration

_FAILURES = {
    "timeout": p.Outcome.TIMED_OUT,
    "rejected": p.Outcome.REJECTED,
    "failed": p.Outcome.FAILED,
}
_LATER = {
    "breaker": "circuit breakers",
    "bulkhead": "bulkheads",
    "rate_limit": "rate limits",
    "hedge": "hedged calls",
}


def compile_policy(step: Interaction, assumed: Assumed) -> p.Policy:
    """The policy of a call, a read or a write; what is not simulated goes on the list."""
    for attribute, what in _LATER.items():
        declared = getattr(step, attribute, None)
        if declared is not None and not isinstance(declared, Absent):
            assumed.leave_out(what)
    timeout = step.timeout
    seconds = float(timeout) if isinstance(timeout, Duration) else p.FOREVER
    optional = step.optional or (
        step.fallback is not None and not isinstance(step.fallback, Absent)
    )
    retry = step.retry
    if not isinstance(retry, Retry):
        return p.Policy(timeout=seconds, optional=optional)
    if retry.budget:
        assumed.leave_out("retry budgets")
    return p.Policy(
        timeout=seconds,
        attempts=retry.attempts,
        backoff=float(retry.backoff or 0),
        factor=retry.factor,
        max_backoff=float(retry.max_backoff) if retry.max_backoff else p.FOREVER,
        jitter=bool(retry.jitter),
        retried=frozenset(_FAILURES[name] for name in retry.on if name in _FAILURES),
        optional=optional,
    )
