"""How often an answer is an error at least, by the error rates that are declared.

What :class:`archcheck.capacity.responses.Responses` bounds from above is bounded from below here:
only errors that no try, fallback or optional step takes away, and no timeouts. Requests draw their
errors independently of each other.
"""

from __future__ import annotations

import math
from collections.abc import Sequence

from archcheck.graph import Graph, Interaction
from archcheck.graph.error_rates import error_rate_of
from archcheck.graph.shapes import shape_of
from archcheck.model import External, Step
from archcheck.model.steps import Group

_RARE = 1e-9
"""A share below which nothing is counted: rounding, not requests."""


class SureErrors:
    """The least share of errors of each operation, computed once."""

    def __init__(self, graph: Graph) -> None:
        self._graph = graph
        plain = Graph(graph.system, today=graph.today, cold_caches=graph.cold_caches)
        self._steps = {id(step.declared): step for step in plain.interactions}
        self._known: dict[str, float] = {}

    def of(self, reference: str) -> float:
        """Of the answers of an endpoint, a consumer or an external party."""
        if reference not in self._known:
            self._known[reference] = 0.0  # a circle of calls: nothing is sure of it
            operation = self._graph.operations.get(reference)
            owner, part = (
                (operation.owner, operation.part)
                if operation is not None
                else self._graph.system.endpoint(reference)
            )
            own = error_rate_of(owner, part)
            steps = part.steps if part is not None and not isinstance(owner, External) else ()
            self._known[reference] = _either(own, self._any_of(steps))
        return self._known[reference]

    def of_step(self, step: Interaction) -> float:
        """Of the executions of a step, before its fallback is asked: all tries fail."""
        if step.mode != "call":
            return 0.0
        guard = step.protection
        share = self.of(step.target_name) ** (guard.tries * guard.mesh_tries * guard.hedged)
        return share if share > _RARE else 0.0

    def _any_of(self, steps: Sequence[Step]) -> float:
        good = math.prod(1 - self._fails(step) for step in steps)
        return 1 - good

    def _fails(self, step: Step) -> float:
        if isinstance(step, Group):
            return self._group(step)
        found = self._steps.get(id(step))
        return 0.0 if found is None or found.can_fail_softly else self.of_step(found)

    def _group(self, step: Group) -> float:
        shape = shape_of(self._graph.system, step, cold_caches=self._graph.cold_caches)
        if not shape.is_share_known:
            return 0.0
        waited = [
            self._any_of(steps)
            for steps, is_waited in zip(shape.sequences, shape.waited, strict=True)
            if is_waited
        ]
        once = max(waited, default=0.0)
        return shape.share * (1 - (1 - once) ** shape.times)


def _either(first: float, second: float) -> float:
    return 1 - (1 - first) * (1 - second)
