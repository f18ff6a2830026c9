"""Answers about a graph that are worked out once, however many rules, proofs and plans ask."""

from __future__ import annotations

from collections.abc import Callable
from functools import wraps
from typing import TypeVar

from archcheck.graph import Graph

T = TypeVar("T")


def once(question: Callable[[Graph], T]) -> Callable[[Graph], T]:
    """Let ``question`` be answered once for each graph; its answers live as long as the graph."""

    @wraps(question)
    def answer(graph: Graph) -> T:
        if question not in graph.answers:
            graph.answers[question] = question(graph)
        known: T = graph.answers[question]
        return known

    return answer
