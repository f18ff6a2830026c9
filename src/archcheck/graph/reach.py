"""How far requests reach, and who depends on whom: walks over the edges of a graph."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING

from archcheck.model import Named, System

if TYPE_CHECKING:
    from archcheck.graph import Graph


def asked_behind(graph: Graph, operation: str, *, fallbacks: bool = False) -> dict[str, None]:
    """An operation and all that it needs an answer of, directly or through others, by name.

    ``fallbacks``: what is asked instead, too.
    """
    waiting, seen = [operation], dict[str, None]()
    while waiting:
        name = waiting.pop()
        if name not in seen:
            seen[name] = None
            for step in graph.needing.get(name, ()):
                waiting.append(step.target_name)
                if fallbacks and step.fallback is not None:
                    waiting.append(step.fallback.target_name)
    return seen


def worked_by(graph: Graph, operations: Iterable[str]) -> dict[str, Named]:
    """What these operations ask, and what their messages make others ask, by name."""
    found, waiting = dict[str, Named](), [*operations]
    seen = set(waiting)
    while waiting:
        for step in graph.needing.get(waiting.pop(), ()):
            found[step.target.name] = step.target
            readers = graph.consumers.get(step.target.name, ()) if step.mode == "publish" else ()
            more = [name for name in (step.target_name, *readers) if name not in seen]
            seen.update(more)
            waiting += more
    return found


def waited_for(graph: Graph, operations: Iterable[str]) -> set[str]:
    """The elements that requests of these operations wait for, their own services included.

    What messages cause can wait for a quieter time.
    """
    found = set[str]()
    for name in waited_on(graph, operations):
        if name in graph.operations:
            found.add(graph.operations[name].owner.name)
        found.update(
            step.target.name
            for step in graph.outgoing.get(name, ())
            if step.is_synchronous and step.visits
        )
    return found


def waited_on(graph: Graph, operations: Iterable[str]) -> set[str]:
    """These operations, and the targets that their requests wait for."""
    waiting = [*operations]
    seen = set(waiting)
    while waiting:
        for step in graph.outgoing.get(waiting.pop(), ()):
            if step.is_synchronous and step.visits and step.target_name not in seen:
                seen.add(step.target_name)
                waiting.append(step.target_name)
    return seen


def dependencies(graph: Graph) -> dict[str, tuple[str, ...]]:
    """Each element to those that it asks, whatever makes it ask, reaches by a client, or whose
    messages it reads."""
    pairs = [(edge.source.name, edge.target.name) for edge in graph.edges]
    pairs += graph.connections
    for topic, readers in graph.consumers.items():
        pairs += [(graph.operations[reader].owner.name, topic) for reader in readers]
    return _grouped(graph, pairs)


def dependents(graph: Graph) -> dict[str, tuple[str, ...]]:
    """Each element to those that depend on it: :func:`dependencies` the other way round."""
    found = dependencies(graph).items()
    return _grouped(graph, ((other, name) for name, others in found for other in others))


def _grouped(graph: Graph, pairs: Iterable[tuple[str, str]]) -> dict[str, tuple[str, ...]]:
    found: dict[str, dict[str, None]] = {each.name: {} for each in graph.system.elements}
    for one, other in pairs:
        if one != other:
            found[one][other] = None
    return {name: tuple(others) for name, others in found.items()}


def zones_in(system: System) -> tuple[str, ...]:
    """The zones in which anything of the system runs, in the order of the model."""
    found: dict[str, None] = {}
    for member in system.elements:
        deployment = getattr(member, "deployment", None)
        for zones in (getattr(member, "zones", ()), getattr(deployment, "zones", ())):
            found |= dict.fromkeys(map(str, zones or ()))
    return tuple(found)
