"""Shortest cycles, against an enumeration of all cycles."""

from __future__ import annotations

import itertools
import os
import subprocess
import sys
from typing import Any

import networkx as nx
from depth import thorough
from hypothesis import given
from hypothesis import strategies as st

from archcheck.graph.cycles import cycles_of, shortest_cycles

NODES = "abcdef"
edges = st.lists(st.tuples(st.sampled_from(NODES), st.sampled_from(NODES)), max_size=18)


def digraph(pairs: list[tuple[str, str]]) -> nx.DiGraph[str]:
    graph: nx.DiGraph[str] = nx.DiGraph()
    graph.add_nodes_from(NODES)
    graph.add_edges_from(pairs)
    return graph


def after(graph: nx.DiGraph[Any]) -> dict[str, list[str]]:
    return {str(node): [*map(str, graph.successors(node))] for node in graph}


@given(edges)
def test_each_component_gives_its_shortest_cycle(pairs: list[tuple[str, str]]) -> None:
    graph = digraph(pairs)
    found = {frozenset(cycle): cycle for cycle in shortest_cycles(after(graph))}
    for component in nx.strongly_connected_components(graph):
        lengths = [len(c) for c in nx.simple_cycles(graph.subgraph(component))]
        mine = [cycle for nodes, cycle in found.items() if nodes <= component]
        assert [len(cycle) for cycle in mine] == ([min(lengths)] if lengths else [])
        for cycle in mine:
            assert cycle[0] == min(cycle)
            steps = [*itertools.pairwise(cycle), (cycle[-1], cycle[0])]
            assert all(graph.has_edge(*step) for step in steps)


@given(edges)
def test_turning_all_edges_round_makes_no_cycle(pairs: list[tuple[str, str]]) -> None:
    graph = digraph(pairs)
    back = graph.reverse()
    assert sorted(map(len, shortest_cycles(after(graph)))) == sorted(
        map(len, shortest_cycles(after(back)))
    )


def test_a_large_group_with_a_short_cycle_is_quick() -> None:
    ring = [(f"n{i}", f"n{(i + 1) % 1000}") for i in range(1000)]
    graph = digraph([*ring, ("n5", "n4")])
    assert list(shortest_cycles(after(graph))) == [("n4", "n5")]


def test_every_cycle_of_a_component_is_found_the_shortest_first() -> None:
    graph: nx.DiGraph[str] = nx.DiGraph()
    graph.add_edges_from([("a", "b"), ("b", "a"), ("b", "c"), ("c", "a"), ("x", "y"), ("y", "x")])
    found = {cycles.shortest for cycles in cycles_of(after(graph))}
    assert found == {(("a", "b"), ("a", "b", "c")), (("x", "y"),)}


@thorough
def test_of_many_cycles_the_rest_is_counted_and_of_very_many_bounded() -> None:
    (small,) = cycles_of(after(nx.complete_graph(4, nx.DiGraph())))
    assert [len(cycle) for cycle in small.shortest] == [2, 2, 2, 2, 2]
    assert (small.more, small.is_all_counted) == (20 - 5, True)  # 6 of two, 8 of three, 6 of four
    (large,) = cycles_of(after(nx.complete_graph(40, nx.DiGraph())))
    assert not large.is_all_counted
    (ring,) = cycles_of(after(nx.cycle_graph(1000, nx.DiGraph())))
    assert (len(ring.shortest), ring.more) == (1, 0)


_COUNT = """
from archcheck.graph.cycles import cycles_of
names = [f"service-{number}" for number in range(40)]
steps = [(i, i * times + more) for i in range(40) for times, more in [(7, 1), (11, 5), (1, 3)]]
edges = {name: [] for name in names}
for i, j in steps:
    edges[names[i]].append(names[j % 40])
print([(cycles.shortest, cycles.more) for cycles in cycles_of(edges)])
"""


def test_what_is_found_among_very_many_cycles_is_the_same_in_each_process() -> None:
    commands = [sys.executable, "-c", _COUNT]
    found = {
        subprocess.check_output(commands, env={**os.environ, "PYTHONHASHSEED": seed})
        for seed in "1234"
    }
    assert len(found) == 1
