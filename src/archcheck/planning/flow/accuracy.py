"""How far an analytic solution is off, by what its plan has.

Learnt from simulations of random systems of one kind each (``python benchmarks/analytic.py
--learn``), which nothing was fitted to: what nine of ten journeys were within. A plan with several
mechanisms is as far off as the worst of them.
"""

from __future__ import annotations

import math
from bisect import bisect_left
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from types import MappingProxyType

from archcheck.planning.flow.contention import is_limited
from archcheck.planning.flow.state import FlowState
from archcheck.simulation.plan import ArrivalKind, Discipline

_BANDS = (0.5, 0.8, 0.95)
"""Loads of the busiest resource up to which the columns of the table go. The last one, beyond, is
known of closed users alone: where others come, a queue is without an end there."""
_SELDOM = 1e-3
"""Shares of attempts below which failures change no time that is shown."""


@dataclass(frozen=True)
class Accuracy:
    """How far nine of ten such solutions are off at most, as shares of what they say."""

    mean: float
    """Of a mean time."""
    tail: float
    """Of a 95th percentile."""
    load: float
    """Of the load of the busiest resource, and so of what is carried."""


_OFTEN = 0.01
"""The share of calls that fail from which on breakers may open, and abandoned work counts. A
choice."""
LEARNT: Mapping[str, tuple[Accuracy, ...]] = MappingProxyType(
    {
        "threads": (
            Accuracy(0.03, 0.08, 0.03),
            Accuracy(0.05, 0.12, 0.03),
            Accuracy(0.21, 0.3, 0.04),
        ),
        "shared cores": (
            Accuracy(0.03, 0.08, 0.03),
            Accuracy(0.05, 0.15, 0.03),
            Accuracy(0.29, 0.27, 0.03),
        ),
        "threads and cores": (
            Accuracy(0.03, 0.08, 0.03),
            Accuracy(0.11, 0.17, 0.04),
            Accuracy(0.33, 0.48, 0.04),
        ),
        "CPU limits": (
            Accuracy(0.16, 0.3, 0.03),
            Accuracy(0.19, 0.23, 0.03),
            Accuracy(0.27, 0.41, 0.3),
        ),
        "errors and retries": (
            Accuracy(0.03, 0.31, 0.03),
            Accuracy(0.07, 0.27, 0.03),
            Accuracy(0.32, 0.43, 0.08),
        ),
        "timeouts and retries": (
            Accuracy(0.03, 0.08, 0.03),
            Accuracy(0.06, 0.12, 0.04),
            Accuracy(0.21, 0.47, 0.1),
        ),
        "users, threads": (
            Accuracy(0.03, 0.08, 0.03),
            Accuracy(0.22, 0.31, 0.03),
            Accuracy(0.44, 0.63, 0.05),
            Accuracy(0.21, 0.46, 0.03),
        ),
        "users, shared cores": (
            Accuracy(0.03, 0.08, 0.03),
            Accuracy(0.1, 0.19, 0.03),
            Accuracy(0.2, 0.24, 0.03),
            Accuracy(0.07, 0.53, 0.03),
        ),
        "users, threads and cores": (
            Accuracy(0.03, 0.08, 0.03),
            Accuracy(0.22, 0.34, 0.05),
            Accuracy(0.36, 0.4, 0.04),
            Accuracy(0.18, 0.46, 0.03),
        ),
        "users, CPU limits": (
            Accuracy(0.12, 0.19, 0.03),
            Accuracy(0.22, 0.33, 0.05),
            Accuracy(0.4, 0.82, 0.12),
            Accuracy(0.06, 1.57, 0.03),
        ),
    }
)
"""Mechanism to what was learnt, for each of the bands. 2026-12-01, seeds 1,000 to 1,399."""


def band(load: float) -> int:
    """The column for the load of the busiest resource."""
    return bisect_left(_BANDS, load)


def mechanisms(state: FlowState) -> Iterator[str]:
    """What a plan has of which the table speaks."""
    plan = state.shape.plan
    users = "users, " if any(each.kind == ArrivalKind.CLOSED for each in plan.streams) else ""
    yield f"{users}threads"
    asked = {state.shape.host(plan.operations[number].group) for number in state.rates}
    groups = [plan.groups[number] for number in asked if number >= 0]
    stations = [(group, plan.stations[group.cores]) for group in groups if group.cores >= 0]
    if any(is_limited(station) for _, station in stations):
        yield f"{users}CPU limits"
    if any(station.discipline == Discipline.SHARING for _, station in stations):
        yield f"{users}shared cores"
    if any(group.slots >= 0 and plan.stations[group.slots].servers for group, _ in stations):
        yield f"{users}threads and cores"
    outcomes = state.outcomes.values()
    if any(each.timed_out > _SELDOM for each in outcomes):
        yield "timeouts and retries"
    if any(each.failed > each.timed_out + _SELDOM for each in outcomes) or any(
        each.attempts > 1 + _SELDOM for each in outcomes
    ):
        yield "errors and retries"


def _misses(state: FlowState) -> bool:
    """Whether something acts that the solution leaves out: breakers only do where calls fail."""
    plan = state.shape.plan
    if any(each.failed > _OFTEN or each.timed_out > _OFTEN for each in state.outcomes.values()):
        return bool(plan.breakers) or any(call.policy.drops for call in plan.calls)
    return (
        any(call.policy.hedges > 1 for call in plan.calls)
        or any(station.discipline == Discipline.PRIORITY for station in plan.stations)
        or any(math.isfinite(group.shed) for group in plan.groups)
    )


def accuracy(state: FlowState, load: float) -> Accuracy | None:
    """What is learnt of solutions like this one; ``None``: nothing.

    Where a resource is nearly full, and where something acts that solutions leave out.
    """
    column = band(load)
    rows = [LEARNT[name] for name in mechanisms(state)]
    if _misses(state) or any(column >= len(row) for row in rows):
        return None
    found = [row[column] for row in rows]
    return Accuracy(
        max(each.mean for each in found),
        max(each.tail for each in found),
        max(each.load for each in found),
    )
