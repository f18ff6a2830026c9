"""Cycles of each group of nodes that reach each other, the shortest first: it says the most."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import islice

from archcheck.graph.walks import components

_Places = list[list[int]]
"""Edges between numbered nodes: those after each."""


def shortest_cycles(graph: Mapping[str, Iterable[str]]) -> Iterator[tuple[str, ...]]:
    """The shortest cycle of each strongly connected component, from its first name on.

    Of several the first by name. Each is found by searches from every node that go no deeper than
    the best cycle so far, so that a component with a short cycle costs little however large it is.
    """
    for names, edges in _circular(graph):
        yield _named(names, _shortest(edges))


MOST = 5
"""Cycles of a component that are told one by one. A choice: cutting these changes the others."""
_COUNTED = 1000
"""Cycles above which nobody counts: a component of n nodes can have more than n! of them."""


@dataclass(frozen=True)
class Cycles:
    """The shortest cycles of a component, each from its first name on, and how many more it has.

    ``more`` is the least number where ``is_all_counted`` is false.
    """

    shortest: tuple[tuple[str, ...], ...]
    more: int
    is_all_counted: bool = True


def cycles_of(graph: Mapping[str, Iterable[str]], most: int = MOST) -> Iterator[Cycles]:
    """The elementary cycles of each strongly connected component: the shortest ones first.

    They are sought (Gupta and Suzumura, 2021, as networkx does) with a bound on their length that
    is doubled until all are found or there are too many to count.
    """
    for names, edges in _circular(graph):
        first = _shortest(edges)
        bound, found = len(first), {first}
        while True:
            found |= _no_longer_than(edges, bound)
            if len(found) > _COUNTED or bound >= len(edges):
                break
            bound = min(2 * bound, len(edges))
        ordered = sorted(found, key=lambda cycle: (len(cycle), cycle))
        shortest = tuple(_named(names, cycle) for cycle in ordered[:most])
        yield Cycles(shortest, max(0, len(found) - most), len(found) <= _COUNTED)


def _circular(graph: Mapping[str, Iterable[str]]) -> Iterator[tuple[list[str], _Places]]:
    """The names of each component that has a cycle, in order, and the edges between their places.

    Numbers lie in sets in the same order in each process, names do not, and on that order depends
    which cycles networkx finds before a search ends.
    """
    for component in components(graph):
        names = sorted(component)
        places = {name: place for place, name in enumerate(names)}
        edges = [
            sorted(places[after] for after in graph.get(name, ()) if after in places)
            for name in names
        ]
        if any(edges):
            yield names, edges


def _no_longer_than(edges: _Places, bound: int) -> set[tuple[int, ...]]:
    """Cycles of at most ``bound`` edges, not many more than are counted."""
    import networkx as nx  # takes long to load, and few systems have a circle

    graph = nx.DiGraph((place, after) for place, others in enumerate(edges) for after in others)
    some = islice(nx.simple_cycles(graph, length_bound=bound), _COUNTED + 1)
    return {_turned(cycle) for cycle in some}


def _named(names: Sequence[str], cycle: Iterable[int]) -> tuple[str, ...]:
    return tuple(names[place] for place in cycle)


def _turned(cycle: Sequence[int]) -> tuple[int, ...]:
    first = cycle.index(min(cycle))
    return (*cycle[first:], *cycle[:first])


def _shortest(edges: _Places) -> tuple[int, ...]:
    """The shortest cycle of a component, of several the first."""
    best: tuple[int, ...] = ()
    for start in range(len(edges)):
        found = _back_to(edges, start, len(best) - 1 if best else len(edges))
        if found and (not best or len(found) < len(best)):
            best = found
        if len(best) == 1:
            break
    return _turned(best)


def _back_to(edges: _Places, start: int, longest: int) -> tuple[int, ...]:
    """The first shortest path from ``start`` back to it over at most ``longest`` edges."""
    before: dict[int, int] = {}
    waiting = deque([(start, 0)])
    while waiting:
        place, depth = waiting.popleft()
        if depth >= longest:
            break
        for target in edges[place]:
            if target == start:
                path = [place]
                while path[-1] != start:
                    path.append(before[path[-1]])
                return tuple(reversed(path))
            if target not in before:
                before[target] = place
                waiting.append((target, depth + 1))
    return ()
