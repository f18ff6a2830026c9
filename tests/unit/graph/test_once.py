"""Answers are worked out once for each graph, and forgotten with it."""

from __future__ import annotations

import gc
import weakref

from archcheck.graph import Graph
from archcheck.graph.once import once
from archcheck.model import System


def test_a_question_is_answered_once_for_each_graph() -> None:
    asked: list[Graph] = []

    @once
    def question(graph: Graph) -> Graph:
        asked.append(graph)
        return graph

    first, second = Graph(System("shop")), Graph(System("shop"))
    assert question(first) is question(first) is first
    assert question(second) is second
    assert asked == [first, second]


def test_an_answer_does_not_keep_its_graph() -> None:
    graph = Graph(System("shop"))
    once(lambda asked: asked)(graph)
    left = weakref.ref(graph)
    del graph
    gc.collect()
    assert left() is None
