"""Loads that a system carries, but does not take up again once it has been too slow for a moment.

A callee that is slow for some seconds makes its callers give up and try again. Where the attempts
together are more than can be served, they go on timing out when the callee is as fast as before:
the system has a second stable state (Bronson, Aghayev, Charapko and Zhu, Metastable Failures in
Distributed Systems, 2021). The analytic solution finds it by starting with all attempts failing; a
simulation has to show it, after everything has been slow for a moment, before a plan speaks of it.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, replace

from archcheck.model import Scenario, System
from archcheck.planning.changes import loaded
from archcheck.planning.flow import Flow, solve_plan
from archcheck.simulation import SimulationResult, simulate
from archcheck.simulation.plan import FaultKind, Plan, PlannedFault
from archcheck.simulation.replications import Stop
from archcheck.simulation.run_lengths import EVENTS_PER_REQUEST
from archcheck.units import Duration, s

SLOWER = 10.0
"""So much longer everything takes during the trigger. A choice: a garbage collection, a lock or a
failover can slow a service down by more."""
_WORSE = 0.1
"""The share that fails besides what fails anyway, from which it is another state."""
_SHORTEST, _LONGEST = 2.0, 20.0
"""Seconds of the trigger: some timeouts long. A choice."""
_TIMEOUTS = 10
_PARTS = 7
"""A run has one part before the trigger, one of it, three to recover, two that are looked at."""
_STEPS = 8
"""Halvings of the load below which it recovers: to 0.4% of the declared one."""
_MOST_EVENTS = 4_000_000
"""Of a run: a few seconds on the compiled engine. A choice."""


@dataclass(frozen=True)
class StuckState:
    """A journey that fails for good after everything was slow for a moment.

    ``failed``: the share of it that still fails ``after`` seconds from the end of the ``trigger``
    (seconds in which everything took :data:`SLOWER` times as long), where ``before`` failed before.
    ``reason``: what makes it fail. ``recovers_below``: the factor of the load below which it comes
    back by itself, by the analytic solution; 0 where it never does.
    """

    journey: str
    before: float
    failed: float
    trigger: float
    after: float
    reason: str
    recovers_below: float

    def __str__(self) -> str:
        back = (
            f"by itself it recovers below x{self.recovers_below:.2g} of this load"
            if self.recovers_below
            else "by itself it does not recover at any load"
        )
        return (
            f"{self.journey} can get stuck: {Duration(self.after):.3} after everything was "
            f"{SLOWER:g} times slower for {Duration(self.trigger):.3}, "
            f"{self.failed:.0%} of it still fail "
            f"({self.reason}); {back}"
        )


def stuck_states(
    system: System, scenario: Scenario, plan: Plan, calm: Flow, *, seed: int, stop: Stop
) -> tuple[StuckState, ...] | None:
    """The second states of a steady plan; ``None``: there may be one, and a run takes too long.

    Raises :class:`StoppedError` when it is time to stop.
    """
    if not any(call.policy.attempts > 1 for call in plan.calls):
        return ()
    congested = solve_plan(plan, start="congested")
    names = [
        journey.name
        for journey in congested.journeys
        if journey.rate and journey.failed > calm.journey(journey.name).failed + _WORSE
    ]
    part = _part(plan)
    if not names:
        return ()
    if congested.requests * EVENTS_PER_REQUEST * _PARTS * part > _MOST_EVENTS:
        return None
    result = _after_a_trigger(system, scenario, plan, part, seed, stop)
    found = []
    for name in names:
        failed = _failing(result, name, 5 * part, 7 * part)
        before = _failing(result, name, 0, part)
        is_falling = _failing(result, name, 6 * part, 7 * part) < failed - _WORSE
        if failed < before + _WORSE or is_falling:
            continue
        why = congested.why_fails(name)
        reason = why.reason if why is not None else "its calls fail"
        below = _recovers_below(plan, name)
        found.append(StuckState(name, before, failed, part, 4 * part, reason, below))
    return tuple(found)


def _part(plan: Plan) -> float:
    timeouts = [call.policy.timeout for call in plan.calls if math.isfinite(call.policy.timeout)]
    return min(_LONGEST, max(_SHORTEST, _TIMEOUTS * max(timeouts, default=0.0)))


def _after_a_trigger(
    system: System, scenario: Scenario, plan: Plan, part: float, seed: int, stop: Stop
) -> SimulationResult:
    own = tuple(n for n, operation in enumerate(plan.operations) if operation.group >= 0)
    slow = PlannedFault(FaultKind.SLOW, part, 2 * part, own, SLOWER)
    return simulate(
        system,
        scenario,
        plan=replace(plan, faults=(slow,), is_stationary=False),
        duration=_PARTS * part * s,
        warmup=0 * s,
        seed=seed,
        stop=stop,
    )


def _failing(result: SimulationResult, journey: str, start: float, end: float) -> float:
    """The share that failed of those who got an answer, or gave up, in a part of a run."""
    points = [each for each in result.series[journey] if start <= each.time < end]
    failed = math.fsum(each.failures for each in points)
    ended = failed + math.fsum(each.throughput for each in points)
    return failed / ended if ended else 1.0


def _recovers_below(plan: Plan, journey: str) -> float:
    """The largest factor of the load at which only the calm state is left; 0: there is none."""
    low, high = 0.0, 1.0
    for _ in range(_STEPS):
        middle = (low + high) / 2
        at = loaded(plan, middle)
        both = solve_plan(at), solve_plan(at, start="congested")
        calm, congested = (flow.journey(journey).failed for flow in both)
        low, high = (low, middle) if congested > calm + _WORSE else (middle, high)
    return low
