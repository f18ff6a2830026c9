"""Who promises an objective: journeys, and endpoints."""

from __future__ import annotations

from collections.abc import Iterator

from archcheck.graph import Graph, Operation
from archcheck.model import Endpoint, Journey, Slo


def promises(graph: Graph) -> Iterator[tuple[Journey | Operation, Slo]]:
    """Everything that declares an objective, with the objective."""
    for journey in graph.system.journeys:
        if journey.slo is not None:
            yield journey, journey.slo
    for operation in graph.operations.values():
        if isinstance(operation.part, Endpoint) and operation.part.slo is not None:
            yield operation, operation.part.slo
