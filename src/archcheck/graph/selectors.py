"""Which elements a policy's selector means."""

from __future__ import annotations

from fnmatch import fnmatchcase

from archcheck.graph import Graph
from archcheck.model import Named


def selects(graph: Graph, selector: str, member: Named) -> bool:
    """Whether ``selector`` (a boundary, name, ``tag:NAME`` or glob) means ``member``."""
    if selector.startswith("tag:"):
        return selector.removeprefix("tag:") in getattr(member, "tags", ())
    if selector in (member.name, graph.boundary_of(member)):
        return True
    return fnmatchcase(member.name, selector)


def selected(graph: Graph, selector: str) -> list[str]:
    """Names of all elements that ``selector`` means."""
    return [m.name for m in graph.system.elements if selects(graph, selector, m)]
