"""What a request changes: the datastores that it writes to before it is answered, and the way."""

from __future__ import annotations

from collections.abc import Iterator

from archcheck.graph import Graph, Interaction
from archcheck.model import Datastore

Way = tuple[Interaction, ...]
"""Calls, and the write at their end."""


def is_durable_write(step: Interaction) -> bool:
    """Whether a step changes data that somebody keeps: caches do not count."""
    store = step.target
    return step.mode == "write" and isinstance(store, Datastore) and not store.is_cache


def changes_of(graph: Graph, operation: str) -> list[Way]:
    """A way to each write of a request, by calls that are waited for, by those that are made
    instead when one fails, and by the actions of its saga; messages come later."""
    return list(_ways(graph, operation, {operation}))


def changes_behind(graph: Graph, step: Interaction) -> list[Way]:
    """The ways that begin with a step: itself if it writes, else those of what it calls, and those
    of what its fallback asks."""
    return list(_ways_of(graph, step, {step.operation.name}))


def _ways(graph: Graph, operation: str, seen: set[str]) -> Iterator[Way]:
    for step in graph.needing.get(operation, ()):
        yield from _ways_of(graph, step, seen)


def _ways_of(graph: Graph, step: Interaction, seen: set[str]) -> Iterator[Way]:
    if is_durable_write(step):
        yield (step,)
    elif step.mode == "call" and step.target_name not in seen:
        seen.add(step.target_name)
        yield from ((step, *way) for way in _ways(graph, step.target_name, seen))
    if step.fallback is not None:
        yield from _ways_of(graph, step.fallback, seen)
