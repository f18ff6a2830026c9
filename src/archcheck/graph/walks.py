"""Walks along directed edges: each node to those after it, in the order of their declaration.

Edges are plain mappings, so that a check of a small model need not load a library of graphs.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping
from typing import TypeVar

N = TypeVar("N")
V = TypeVar("V")


def reached_from(
    edges: Mapping[N, Iterable[N]], start: N, apart: Collection[N] = frozenset()
) -> set[N]:
    """``start``, and the nodes that it leads to without touching those ``apart``."""
    found, waiting = {start}, [start]
    while waiting:
        for node in edges.get(waiting.pop(), ()):
            if node not in found and node not in apart:
                found.add(node)
                waiting.append(node)
    return found


def shortest_path(edges: Mapping[N, Iterable[N]], start: N, end: N) -> tuple[N, ...] | None:
    """The first of the shortest ways from one node to another, ends included."""
    before: dict[N, N] = {start: start}
    waiting = deque([start])
    while waiting and end not in before:
        node = waiting.popleft()
        for after in edges.get(node, ()):
            if after not in before:
                before[after] = node
                waiting.append(after)
    if end not in before:
        return None
    path = [end]
    while path[-1] != start:
        path.append(before[path[-1]])
    return tuple(reversed(path))


def backward(edges: Mapping[N, Iterable[N]]) -> dict[N, dict[N, None]]:
    """All edges turned round."""
    turned: dict[N, dict[N, None]] = {node: {} for node in edges}
    for node, others in edges.items():
        for other in others:
            turned.setdefault(other, {})[node] = None
    return turned


def pairs(edges: Mapping[N, Iterable[N]]) -> Iterator[tuple[N, N]]:
    """Each edge as the node it leaves and the node it leads to."""
    return ((node, other) for node, others in edges.items() for other in others)


def kept(edges: Mapping[N, Mapping[N, V]], keep: Callable[[N, N], bool]) -> dict[N, dict[N, V]]:
    """The edges that ``keep`` is true for."""
    return {
        node: {other: what for other, what in others.items() if keep(node, other)}
        for node, others in edges.items()
    }


def components(edges: Mapping[N, Iterable[N]]) -> Iterator[set[N]]:
    """The groups of nodes that lead to each other, each before the groups that it leads to.

    By the algorithm of Kosaraju (Sharir, A Strong-Connectivity Algorithm, 1981).
    """
    turned = backward(edges)
    seen: set[N] = set()
    for node in reversed(_behind_first(edges)):
        if node not in seen:
            found = reached_from(turned, node, seen)
            seen |= found
            yield found


def is_acyclic(edges: Mapping[N, Iterable[N]]) -> bool:
    """Whether no node leads back to itself."""
    loops = any(node in others for node, others in edges.items())
    return not loops and all(len(found) == 1 for found in components(edges))


def _behind_first(edges: Mapping[N, Iterable[N]]) -> list[N]:
    """All nodes, each after those that it leads to and that are not on the way to it."""
    order: list[N] = []
    entered: set[N] = set()
    for root in edges:
        way = [] if root in entered else [(root, iter(edges[root]))]
        entered.add(root)
        while way:
            node, others = way[-1]
            after = next((other for other in others if other not in entered), None)
            if after is None:
                order.append(node)
                way.pop()
            else:
                entered.add(after)
                way.append((after, iter(edges.get(after, ()))))
    return order
