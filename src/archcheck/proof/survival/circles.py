"""Circles: operations that lead back to themselves, by calls or once fallbacks are asked."""

from __future__ import annotations

from collections.abc import Mapping

from archcheck.graph import Graph, Interaction
from archcheck.graph.once import once
from archcheck.graph.reach import asked_behind


def on_circles(edges: Mapping[str, set[str]]) -> list[str]:
    """The operations that lead back to themselves, in the order in which they were met."""
    found = []
    for name in edges:
        waiting, seen = [*edges[name]], set[str]()
        while waiting:
            other = waiting.pop()
            if other not in seen:
                seen.add(other)
                waiting += edges.get(other, ())
        if name in seen:
            found.append(name)
    return found


def coming_back(graph: Graph, fallback: Interaction) -> list[Interaction]:
    """The steps whose failure, after that of a step with this fallback, closes a circle.

    The step itself, where what is asked instead leads back by calls that are made anyway; else
    those whose fallbacks lead back.
    """
    home = fallback.operation.name
    reached = asked_behind(graph, fallback.target_name)
    if home in reached:
        return [step for step in graph.needing[home] if step.fallback is fallback]
    return [
        step
        for name in reached
        for step in graph.needing.get(name, ())
        if step.fallback is not None
        and home in asked_behind(graph, step.fallback.target_name, fallbacks=True)
    ]


@once
def asked_in_rounds(graph: Graph) -> frozenset[str]:
    """Elements behind a call that is made again and again while it fails, by way of its fallback.

    Each time another replica may be chosen, so that all of a request's rounds may find one that
    works.
    """
    behind = dict[str, None]()
    for step in graph.every_call():
        if step.fallback is not None and coming_back(graph, step.fallback):
            for asked in (step, step.fallback):
                behind |= asked_behind(graph, asked.target_name, fallbacks=True)
    return frozenset(
        graph.operations[name].owner.name for name in behind if name in graph.operations
    )
