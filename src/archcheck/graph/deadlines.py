"""Which calls end in time without a timeout of their own, by a deadline that comes from above."""

from __future__ import annotations

from archcheck.graph import Graph, Interaction
from archcheck.model import Endpoint


def inherits_deadline(
    graph: Graph, step: Interaction, above: frozenset[Interaction] = frozenset()
) -> bool:
    """Whether whoever asks for the operation of a step bounds it and lets it know how long.

    The step must pass the deadline on as well. Who comes from outside sets none. ``above``: the
    steps that are asked already.
    """
    operation = step.operation
    if not step.protection.passes_deadline_on or not isinstance(operation.part, Endpoint):
        return False
    if operation.name in graph.entered_from_outside():
        return False
    if operation.name in graph.reached_by_the_public or step in above:
        return False
    asking = [
        edge
        for edge in graph.reaching.get(operation.owner.name, ())
        if edge.target_name == operation.name
    ]
    return bool(asking) and all(
        edge.deadline_is_kept
        and (
            edge.protection.attempt() is not None or inherits_deadline(graph, edge, above | {step})
        )
        for edge in asking
    )
