"""What has state and is shared: breakers, bulkheads and limits of a service for a callee."""

from __future__ import annotations

from collections import defaultdict
from typing import Literal

from archcheck.graph import Graph, Interaction

Mechanism = Literal["breaker", "bulkhead", "rate_limit"]


def sharing(graph: Graph, mechanism: Mechanism) -> list[tuple[Interaction, ...]]:
    """The steps that have the mechanism, those together that share one.

    In each replica of a service there is one for a callee, of all that declare the same.
    """
    found: defaultdict[tuple[str, str], list[list[Interaction]]] = defaultdict(list)
    groups: list[list[Interaction]] = []
    for step in graph.questions:
        declared = getattr(step.protection, mechanism)
        if declared is None:
            continue
        known = found[step.source.name, step.target.name]
        same = [each for each in known if getattr(each[0].protection, mechanism) == declared]
        if not same:
            same = [[]]
            known += same
            groups += same
        same[0].append(step)
    return [tuple(group) for group in groups]
