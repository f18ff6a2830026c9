"""What the declared loads are sure to exceed while nothing has failed.

A claim that takes room for granted (that what is left after a failure carries the load) must not
take for granted what the model itself contradicts: it asks here first.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass, field

from archcheck.capacity import Demand, concurrency_limits
from archcheck.findings import subject_name
from archcheck.graph import Graph, Interaction
from archcheck.graph.exact import Rational
from archcheck.graph.once import once
from archcheck.model import Named, RateLimit
from archcheck.model.errors import EndlessError
from archcheck.proof.answers import Gap, Refuted
from archcheck.proof.limits.figures import left_without_a_zone, worst_demands
from archcheck.proof.limits.load import carried
from archcheck.units import Rate

_ROOM = "room for its load (rule PRF001)"
_FULL = Rational(1)
"""The share of a resource that can be busy: of more, requests wait for ever longer."""

_ROUNDED = 1 + 1e-9
"""Rates are sums of floats: a limit of exactly the rate holds."""


@dataclass(frozen=True)
class Exceeded:
    """By name, what asks for more than there is; each is what would have to be larger."""

    elements: dict[str, Gap] = field(default_factory=dict)
    """Services, datastores and external parties that do not carry a load, or that do not once a
    zone is lost."""
    operations: dict[str, Gap] = field(default_factory=dict)
    """Endpoints whose rate limit is lower than their rate."""
    steps: dict[tuple[str, str], Gap] = field(default_factory=dict)
    """Operation and target of the steps whose rate limit, bulkhead or pool is too small."""

    def of(self, step: Interaction) -> tuple[Gap, ...]:
        """What a step lacks on its caller's side."""
        gap = self.steps.get(_key(step))
        return () if gap is None else (gap,)


@once
def exceeded(graph: Graph) -> Exceeded:
    """Everything that is too small for a scenario at its highest declared rates.

    Nothing where operations call each other without end: they have no rates.
    """
    found = Exceeded()
    try:
        _fill(found, graph)
    except EndlessError:
        return Exceeded()
    return found


def _fill(found: Exceeded, graph: Graph) -> None:
    for answer in carried(graph, _FULL):
        if isinstance(answer, Refuted):
            found.elements[subject_name(answer.subject)] = Gap(answer.subject, _ROOM)
    for demand in worst_demands(graph):
        found.operations.update(_operations(graph, demand))
        found.steps.update(_steps(graph, demand))


def _operations(graph: Graph, demand: Demand) -> Iterator[tuple[str, Gap]]:
    for name, rate in demand.rates.items():
        operation = graph.operations.get(name)
        if operation is not None and _is_beyond(rate, operation.owner, operation.part):
            yield name, Gap(operation, f"rate_limit above {Rate(rate):.4}")


def _steps(graph: Graph, demand: Demand) -> Iterator[tuple[tuple[str, str], Gap]]:
    own = {_key(step): step for step in graph.interactions}
    for step, rate in demand.steps.items():
        if _is_beyond(rate, step.source, step.step):
            yield _key(step), Gap(own[_key(step)], f"rate_limit above {Rate(rate):.4}")
    for limit in concurrency_limits(demand.graph):
        used = limit.in_use(demand).seconds / _replicas_left(limit.caller)
        if used > limit.size * _ROUNDED:
            for step in limit.steps:
                needed = f"{limit.kind} above {used:.4g} in each replica"
                yield _key(step), Gap(own[_key(step)], needed)


def _key(step: Interaction) -> tuple[str, str]:
    return step.operation.name, step.target_name


def _is_beyond(rate: float, owner: Named, limited: object) -> bool:
    """Whether a rate is above the limit that is declared for it, if one is."""
    limit = getattr(limited, "rate_limit", None)
    if not isinstance(limit, RateLimit) or limit.per == "client":
        return False  # of several clients each has its own
    buckets = _replicas_left(owner) if limit.per == "replica" else 1
    return rate > float(limit.rate) * buckets * _ROUNDED


def _replicas_left(owner: Named) -> float:
    """What a lost zone leaves of the largest scale, at least one; without end if it is not known.

    Whether one is left at all is asked elsewhere.
    """
    deployment = getattr(owner, "deployment", None)
    replicas = deployment.most_replicas() if deployment else None
    if deployment is None or replicas is None:
        return math.inf
    return max(1, left_without_a_zone(replicas, len(set(deployment.zones))))
