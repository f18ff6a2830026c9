"""Whether an operation may be carried out twice without a further effect."""

from __future__ import annotations

from archcheck.graph import Graph, Interaction, Operation
from archcheck.model import Endpoint, Protocol

_SAFE_TO_REPEAT = frozenset({"GET", "HEAD", "OPTIONS", "TRACE", "PUT", "DELETE"})
"""The idempotent methods of HTTP (RFC 9110, 9.2.2)."""


SAFE_METHODS = frozenset({"GET", "HEAD", "OPTIONS", "TRACE"})
"""The methods of HTTP that only read (RFC 9110, 9.2.1)."""


def is_read(step: Interaction) -> bool:
    """Whether a step is there for its answer: then no event can take its place."""
    if step.mode in ("read", "cache"):
        return True
    method = getattr(step.protocol, "method", None) if step.endpoint else None
    return method is not None and method.upper() in SAFE_METHODS


def is_idempotent(
    graph: Graph, operation: Operation, protocol: Protocol | None = None
) -> bool | None:
    """As declared, else by its method of HTTP, else if it declares steps that only read.

    ``None``: nobody says. What it calls may have effects, so that calls leave it open, but for
    those by a method of HTTP that only reads. ``protocol``: the one that it is asked by, where that
    is not its first.
    """
    part = operation.part
    if part.idempotent is not None:
        return part.idempotent
    if isinstance(part, Endpoint):
        method = getattr(protocol or part.protocol, "method", None)
        if method is not None and method.upper() in _SAFE_TO_REPEAT:
            return True
        if part.atomicity is not None:
            return None
    steps = graph.outgoing[operation.name]
    only_reads = all(map(is_read, steps))
    return True if part.steps and only_reads else None
