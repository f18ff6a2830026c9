"""The kinds of edits that a repair may make, and what each costs unless told otherwise."""

from __future__ import annotations

from collections.abc import Mapping

from archcheck.editing.edits import Edit
from archcheck.model import ModelError
from archcheck.model.element import nearest

COSTS: Mapping[str, float] = {
    "timeout": 1.0,
    "attempts": 1.0,
    "pause": 1.0,
    "pool": 1.0,
    "breaker": 2.0,
    "fallback": 3.0,
    "failover": 3.0,
    "replica": 4.0,
    "zone": 6.0,
}
"""Kind to cost: set, raise or lower a timeout; try less often; add backoff or jitter between
attempts; make a pool smaller; add a circuit breaker; add a fallback; let a datastore fail over by
itself; add replicas; spread over more zones."""

_FIELDS: Mapping[str, str] = {
    "timeout": "timeout",
    "attempts": "attempts",
    "factor": "pause",
    "backoff": "pause",
    "jitter": "pause",
    "size": "pool",
    "breaker": "breaker",
    "fallback": "fallback",
    "failover": "failover",
    "replicas": "replica",
    "copies": "replica",
    "nodes": "replica",
    "min": "replica",
    "max": "replica",
    "zones": "zone",
}
"""What is changed to the kind of edit that this is."""


def kind_of(edit: Edit) -> str:
    """The kind of an edit of a repair."""
    return _FIELDS[next(iter(edit.values))]


def checked_costs(costs: Mapping[str, float]) -> Mapping[str, float]:
    """Costs of known kinds, above zero. Raises :class:`ModelError` for others, or for none."""
    if not costs:
        raise ModelError(f"no edit is allowed; allow some of {', '.join(COSTS)}")
    for kind, cost in costs.items():
        if kind not in COSTS:
            raise ModelError(
                f"there is no kind of edit {kind!r}{nearest(kind, list(COSTS))}; "
                f"there are {', '.join(COSTS)}"
            )
        if not 0 < cost < 1e6:
            raise ModelError(f"the cost of {kind} must be above 0 and below 1000000, got {cost}")
    return costs
