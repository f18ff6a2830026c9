"""Cycles, one for each group of nodes that reach each other: the shortest says the most."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import networkx as nx


def shortest_cycles(graph: nx.DiGraph[str]) -> Iterator[tuple[str, ...]]:
    """The shortest cycle of each strongly connected component, from its first name on.

    Of several the first by name. Each is found by searches from every node that go no deeper than
    the best cycle so far, so that a component with a short cycle costs little however large it is.
    """
    import networkx as nx

    for component in nx.strongly_connected_components(graph):
        loops = sorted(name for name in component if graph.has_edge(name, name))
        if loops:
            yield (loops[0],)
        elif len(component) > 1:
            yield _shortest(graph.subgraph(component))


def _shortest(graph: nx.DiGraph[str]) -> tuple[str, ...]:
    best: tuple[str, ...] = ()
    for start in sorted(graph):
        found = _back_to(graph, start, len(best) - 1 if best else len(graph))
        if found and (not best or len(found) < len(best)):
            best = found
        if len(best) == 2:
            break
    first = best.index(min(best))
    return (*best[first:], *best[:first])


def _back_to(graph: nx.DiGraph[str], start: str, longest: int) -> tuple[str, ...]:
    """The first shortest path from ``start`` back to it over at most ``longest`` edges."""
    before: dict[str, str] = {}
    waiting = deque([(start, 0)])
    while waiting:
        name, depth = waiting.popleft()
        if depth >= longest:
            break
        for target in sorted(graph.successors(name)):
            if target == start:
                path = [name]
                while path[-1] != start:
                    path.append(before[path[-1]])
                return tuple(reversed(path))
            if target not in before:
                before[target] = name
                waiting.append((target, depth + 1))
    return ()
