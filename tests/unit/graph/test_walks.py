"""Walks along edges, against networkx."""

from __future__ import annotations

import networkx as nx
from hypothesis import given
from hypothesis import strategies as st

from archcheck.graph.walks import (
    backward,
    components,
    is_acyclic,
    kept,
    pairs,
    reached_from,
    shortest_path,
)

NODES = "abcdef"
some_edges = st.dictionaries(
    st.sampled_from(NODES), st.lists(st.sampled_from(NODES), unique=True), max_size=6
)


def digraph(edges: dict[str, list[str]]) -> nx.DiGraph[str]:
    graph: nx.DiGraph[str] = nx.DiGraph()
    graph.add_nodes_from(NODES)
    graph.add_edges_from(pairs(edges))
    return graph


@given(some_edges, st.sampled_from(NODES), st.sampled_from(NODES))
def test_what_is_reached_and_how(edges: dict[str, list[str]], start: str, end: str) -> None:
    graph = digraph(edges)
    reached = reached_from(edges, start)
    assert reached == nx.descendants(graph, start) | {start}
    assert reached_from(backward(edges), start) == nx.ancestors(graph, start) | {start}
    path = shortest_path(edges, start, end)
    assert (path is not None) == (end in reached)
    if path is not None:
        assert nx.is_path(graph, path)
        assert len(path) == nx.shortest_path_length(graph, start, end) + 1


@given(some_edges)
def test_components_come_before_those_that_they_lead_to(edges: dict[str, list[str]]) -> None:
    graph = digraph(edges)
    found = [frozenset(each) for each in components(edges)]
    named = {node for pair in pairs(edges) for node in pair} | edges.keys()
    theirs = map(frozenset, nx.strongly_connected_components(graph.subgraph(named)))
    assert set(found) == set(theirs)
    assert len(set(found)) == len(found)
    place = {node: number for number, each in enumerate(found) for node in each}
    assert all(place[one] <= place[other] for one, other in pairs(edges))
    assert is_acyclic(edges) == nx.is_directed_acyclic_graph(graph)


@given(some_edges)
def test_edges_are_kept_as_they_are_asked_for(edges: dict[str, list[str]]) -> None:
    counted = {node: dict.fromkeys(others, 1) for node, others in edges.items()}
    left = kept(counted, lambda here, there: here < there)
    assert set(pairs(left)) == {(one, other) for one, other in pairs(edges) if one < other}
    assert left.keys() == edges.keys()
