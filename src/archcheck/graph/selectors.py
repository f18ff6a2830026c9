"""Which elements a policy's selector means."""

from __future__ import annotations

from fnmatch import fnmatchcase

from archcheck.graph import Graph
from archcheck.model import Boundary, Flag, Named, Team


def selects(graph: Graph, selector: str, member: Named) -> bool:
    """Whether ``selector`` (a boundary, name, ``tag:NAME`` or glob) means ``member``."""
    if selector.startswith("tag:"):
        return selector.removeprefix("tag:") in getattr(member, "tags", ())
    if selector in (member.name, graph.boundary_of(member)):
        return True
    return fnmatchcase(member.name, selector)


def selected(graph: Graph, selector: str) -> list[str]:
    """Names of all elements that ``selector`` means, of those that may depend on each other."""
    return [each.name for each in dependable(graph) if selects(graph, selector, each)]


def dependable(graph: Graph) -> list[Named]:
    """Elements that may depend on each other: no teams, flags or boundaries, whose names others
    may have as well."""
    return [m for m in graph.system.elements if not isinstance(m, Boundary | Team | Flag)]
