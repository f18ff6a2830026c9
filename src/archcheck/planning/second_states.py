"""Loads that a system carries, but may not take up again once it has been too slow for a moment.

A callee that is slow for some seconds makes its callers give up and try again. Where the attempts
together are more than can be served, they go on timing out when the callee is as fast as before:
the system has a second stable state (Bronson, Aghayev, Charapko and Zhu, Metastable Failures in
Distributed Systems, 2021). The analytic solution finds it by starting with all attempts failing.
Whether something brings a system there, and whether it stays, is what ``archcheck chaos`` tries.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import cache

from archcheck.planning.changes import loaded
from archcheck.planning.flow import Flow, solve_plan
from archcheck.simulation.plan import Plan

_WORSE = 0.1
"""The share that fails besides what fails anyway, from which it is another state."""
_STEPS = 8
"""Halvings of the load below which there is one state only: to 0.4% of the declared one."""


@dataclass(frozen=True)
class SecondState:
    """A second solution at the declared load, in which a journey fails."""

    journey: str
    """The journey that fails in it."""
    failed: float
    """The share of it that does (of one)."""
    reason: str
    """What makes it fail."""
    single_below: float
    """The factor of the load below which there is no second solution; 0 where there always is."""

    def __str__(self) -> str:
        single = f", and none below x{self.single_below:.2g} of this load"
        return (
            "the analytic solution has a second stable state, in which "
            f"{self.failed:.0%} of {self.journey} fail ({self.reason})"
            f"{single if self.single_below else ''}; archcheck chaos tries what leads there"
        )


def second_states(plan: Plan, calm: Flow) -> Iterator[SecondState]:
    """The second states of a steady plan, by the analytic solution.

    It knows nothing of circuit breakers and load shedding, which may end them, so plans with either
    are not asked.
    """
    policies = [call.policy for call in plan.calls]
    if all(each.attempts == 1 for each in policies) or _may_end_it(plan):
        return
    congested = solve_plan(plan, start="congested")
    if not congested.converged:
        return

    @cache
    def both(factor: float) -> tuple[Flow, Flow]:
        at = loaded(plan, factor)
        return solve_plan(at), solve_plan(at, start="congested")

    for journey in congested.journeys:
        if journey.rate and _is_worse(journey.name, (calm, congested)):
            why = congested.why_fails(journey.name)
            reason = why.reason if why is not None else "its calls fail"
            below = _single_below(journey.name, both)
            yield SecondState(journey.name, journey.failed, reason, below)


def _may_end_it(plan: Plan) -> bool:
    has_breaker = any(call.policy.breaker >= 0 for call in plan.calls)
    return has_breaker or any(math.isfinite(group.shed) for group in plan.groups)


def _is_worse(journey: str, flows: tuple[Flow, Flow]) -> bool:
    calm, congested = (flow.journey(journey).failed for flow in flows)
    return congested > calm + _WORSE


def _single_below(journey: str, both: Callable[[float], tuple[Flow, Flow]]) -> float:
    """The largest factor of the load at which only the calm state is left; 0: there is none."""
    low, high = 0.0, 1.0
    for _ in range(_STEPS):
        middle = (low + high) / 2
        low, high = (low, middle) if _is_worse(journey, both(middle)) else (middle, high)
    return low
