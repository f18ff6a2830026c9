"""How often a callee is asked because one step is executed once: hedges, retries, fallbacks.

Two accounts of the same graph. What *surely* comes: the hedges of a call whose callee needs longer
than their delay in any case. What comes *at most*: all hedges and tries of code and mesh, what each
fallback asks (while its first callee is down, that is every request), and messages again and again
after errors that are declared and after timeouts that an answer may exceed without queues.
"""

from __future__ import annotations

import datetime
import math
from collections.abc import Iterator
from dataclasses import replace
from functools import cached_property

from archcheck.capacity.responses import Responses
from archcheck.graph import Graph, Interaction
from archcheck.graph.exact import exact
from archcheck.graph.messages import deliveries
from archcheck.model import Consumer, System

_MANY = 1000
"""Deliveries of a message that nobody bounds. A choice: more than any resource has room for."""


class Attempted(Graph):
    """A graph whose steps are visited as often as their callees are asked."""

    def __init__(
        self,
        system: System,
        *,
        today: datetime.date | None = None,
        cold_caches: bool = False,
        at_most: bool = False,
    ) -> None:
        """``at_most``: all that may come, else what surely does."""
        super().__init__(system, today=today, cold_caches=cold_caches)
        self.at_most = at_most

    @cached_property
    def outgoing(self) -> dict[str, tuple[Interaction, ...]]:
        """Operation name to what it does outside its process, each attempt counted."""
        declared = super().outgoing
        return {
            name: tuple(asked for step in steps for asked in self._asked(step))
            for name, steps in declared.items()
        }

    @cached_property
    def _responses(self) -> Responses:
        return Responses(self)

    def _asked(self, step: Interaction) -> Iterator[Interaction]:
        if step.mode == "publish" and self.at_most:
            often = self._delivered(step)
            yield step if often == 1 else replace(step, visits=step.visits * often)
            return
        if step.mode not in ("call", "read", "write"):
            yield step
            return
        attempts = self._most(step) if self.at_most else self._least(step)
        yield step if attempts == 1 else replace(step, visits=step.visits * attempts)
        if step.fallback is not None and self.at_most:
            yield step.fallback

    def _least(self, step: Interaction) -> float:
        """Hedges that are sent whatever happens: no answer can be there before."""
        hedge = step.protection.hedge
        if hedge is None:
            return 1.0
        least = self._responses.asked(step.step).least
        timeout = step.protection.attempt()
        if timeout is not None:
            least = min(least, float(timeout))
        sent = math.ceil(least / float(hedge.after) - 1e-9) - 1 if hedge.after else math.inf
        return 1.0 + min(hedge.max_attempts - 1, max(0, sent))

    @staticmethod
    def _most(step: Interaction) -> float:
        """Every hedge and every try of code and mesh: one queue that is long enough makes all of
        them, and a load that is carried without them can be one that is not carried with them.
        """
        protection = step.protection
        hedge, attempt = protection.hedge, protection.attempt()
        late = hedge is not None and attempt is not None and exact(hedge.after) > attempt
        hedged = 1 if late else protection.hedged
        return hedged * protection.that_ask(protection.tries) * protection.mesh_tries

    def _delivered(self, step: Interaction) -> float:
        """How often a message is delivered on average, by the reader that fails most often."""
        often = 1.0
        for name in self.consumers.get(step.target.name, ()):
            reader = self.operations[name].part
            most = deliveries(self.system, reader) if isinstance(reader, Consumer) else 1
            errors = self._responses.of(name).errors
            if errors > 0:
                often = max(often, _tries(errors, _MANY if most is None else most))
        return often


def _tries(share: float, most: int) -> float:
    """How often is tried on average, if a share of the tries fails."""
    return math.fsum(share**number for number in range(most))
