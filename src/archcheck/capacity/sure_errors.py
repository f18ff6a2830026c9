"""How often an answer is an error at least, by the error rates that are declared.

What :class:`archcheck.capacity.responses.Responses` bounds from above is bounded from below here:
only errors that no try, fallback or optional step takes away, and timeouts that are over before any
answer. Requests draw their errors independently of each other.
"""

from __future__ import annotations

import math
from collections.abc import Sequence

from archcheck.capacity.responses import Responses
from archcheck.graph import Graph, Interaction
from archcheck.graph.error_rates import error_rate_of
from archcheck.graph.protection import backoffs
from archcheck.graph.shapes import shape_of
from archcheck.model import External, Retry, Step
from archcheck.model.steps import Group

_RARE = 1e-9
"""A share below which nothing is counted: rounding, not requests."""


class SureErrors:
    """The least share of errors of each operation, computed once."""

    def __init__(self, graph: Graph) -> None:
        self._graph = graph
        plain = Graph(graph.system, today=graph.today, cold_caches=graph.cold_caches)
        self._steps = {id(step.declared): step for step in plain.interactions}
        self._responses = Responses(plain)
        self._known: dict[str, float] = {}
        self._ends: dict[int, float] = {}

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
        guard, limit = step.protection, step.protection.attempt()
        if limit is not None and self._responses.asked(step.step).least > float(limit):
            return 1.0
        if step.mode != "call":
            return 0.0
        share = self.of(step.target_name) ** (guard.tries * guard.mesh_tries * guard.hedged)
        return share if share > _RARE else 0.0

    def tries(self, step: object) -> tuple[float, float]:
        """How often a call is tried at least on average, and the seconds of the pauses between.

        A budget, a breaker or a mesh may make it fewer: then it is once.
        """
        found = self._steps.get(id(step))
        retry = found.protection.retry if found is not None else None
        if found is None or found.mode != "call" or not isinstance(retry, Retry):
            return 1.0, 0.0
        is_bounded = retry.budget is not None or found.protection.breaker is not None
        share = 0.0 if is_bounded or "failed" not in retry.on else self.of(found.target_name)
        mean = 1.0 if retry.jitter is False else 0.5
        pauses = (
            share**number * mean * float(pause)
            for number, pause in enumerate(backoffs(retry), start=1)
        )
        return math.fsum(share**number for number in range(retry.attempts)), math.fsum(pauses)

    def _any_of(self, steps: Sequence[Step]) -> float:
        good = math.prod(1 - self.fails(step) for step in steps)
        return 1 - good

    def fails(self, step: Step) -> float:
        """The least share of the executions of a step that end what it is in."""
        key = id(step)
        if key not in self._ends:
            self._ends[key] = 0.0  # a circle of calls: nothing is sure of it
            self._ends[key] = self._ends_it(step)
        return self._ends[key]

    def _ends_it(self, step: Step) -> float:
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
