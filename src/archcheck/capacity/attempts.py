"""How often a callee is asked because one step is executed once: hedges, retries, fallbacks.

Two accounts of the same graph. What *surely* comes: the hedges of a call whose callee needs longer
than their delay in any case, and what errors that are declared bring about: tries, fallbacks,
messages that come again, dead letters, and nothing of what the request would have done next. What
comes *at most*: all hedges and tries of code and mesh, what each fallback asks (while its first
callee is down, that is every request), and messages again and again after errors that are declared
and after timeouts that an answer may exceed without queues.
A message that outlasts its visibility timeout comes again in both.
"""

from __future__ import annotations

import datetime
import math
from collections.abc import Iterator, Sequence
from dataclasses import replace
from functools import cached_property

from archcheck.capacity.responses import Responses
from archcheck.capacity.sure_errors import SureErrors
from archcheck.graph import Graph, Interaction
from archcheck.graph.exact import exact
from archcheck.graph.messages import deliveries, visibility_of
from archcheck.graph.shapes import shape_of
from archcheck.model import Channel, Consumer, Named, Step, System
from archcheck.model.steps import Group

_MANY = 1000
"""Deliveries of a message that nobody bounds. A choice: more than any resource has room for."""
_FEW = 2
"""Deliveries of a message that nobody bounds, at least: it comes again once."""


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
        self._reach: dict[str, dict[int, float]] = {}

    @cached_property
    def outgoing(self) -> dict[str, tuple[Interaction, ...]]:
        """Operation name to what it does outside its process, each attempt counted."""
        return {
            name: tuple(
                asked
                for step in steps
                for asked in self._asked(_more(step, self._reached(name, step)))
            )
            for name, steps in super().outgoing.items()
        }

    def _reached(self, name: str, step: Interaction) -> float:
        """The share of the requests that come to a step, as none before it has ended them."""
        if self.at_most:
            return 1.0
        if name not in self._reach:
            self._reach[name] = found = dict[int, float]()
            self._walk(self.operations[name].part.steps, self.worked_on(name), found)
        return self._reach[name].get(id(step.declared), 1.0)

    def _walk(self, steps: Sequence[Step], share: float, found: dict[int, float]) -> None:
        for step in steps:
            found[id(step)] = share
            if isinstance(step, Group):
                shape = shape_of(self.system, step, cold_caches=self.cold_caches)
                for inside in shape.sequences:
                    self._walk(inside, share, found)
            share *= 1 - self.surely_fails(step)

    def sure_tries(self, step: Step) -> tuple[float, float]:
        return (1.0, 0.0) if self.at_most else self._errors.tries(step)

    def surely_fails(self, step: Step) -> float:
        return 0.0 if self.at_most else self._errors.fails(step)

    def worked_on(self, operation: str) -> float:
        """The share that does not end with an error of its own, which may come before all work."""
        part = self.operations[operation].part
        declared = getattr(part, "error_rate", None)
        return 1.0 if self.at_most or declared is None else 1.0 - float(declared)

    @cached_property
    def _responses(self) -> Responses:
        return Responses(self)

    @cached_property
    def _errors(self) -> SureErrors:
        return SureErrors(self)

    def _asked(self, step: Interaction) -> Iterator[Interaction]:
        if step.mode == "publish":
            yield from self._published(step, frozenset())
            return
        if step.mode not in ("call", "read", "write"):
            yield step
            return
        attempts = self._most(step) if self.at_most else self._least(step)
        yield _more(step, attempts)
        if step.fallback is not None:
            share = 1.0 if self.at_most else self._errors.of_step(step)
            if share:
                yield _more(step.fallback, share)

    def _published(self, step: Interaction, before: frozenset[str]) -> Iterator[Interaction]:
        """The messages of a step as often as they are delivered, and those that become dead
        letters: nobody waits for these.
        """
        readers = [self._read(step.target, name) for name in self._readers(step.target)]
        often = [count for count, _, _ in readers]
        yield _more(step, (max if self.at_most else min)(often, default=1.0))
        for _, dead, end in readers:
            if dead and end not in before:
                letter = replace(step, target=self.system.find(end), is_awaited=False)
                yield from self._published(_more(letter, dead), before | {step.target.name})

    def _readers(self, channel: Named) -> tuple[str, ...]:
        return self.consumers.get(channel.name, ())

    def _read(self, channel: Named, name: str) -> tuple[float, float, str]:
        """How often a reader gets a message, the share that it gives up, and where that goes."""
        reader = self.operations[name].part
        if not isinstance(reader, Consumer) or not isinstance(channel, Channel):
            return 1.0, 0.0, ""
        most = deliveries(self.system, reader)
        fails = self._fails_at_most(channel, name) if self.at_most else self._fails(channel, name)
        end = reader.dead_letter or getattr(channel, "dead_letter", None)
        limit = most if most is not None else (_MANY if self.at_most else _FEW)
        if not isinstance(end, str) or (most is None and not self.at_most):
            return _tries(fails, limit), 0.0, ""
        return _tries(fails, limit), fails ** (most or 1), end

    def _fails_at_most(self, channel: Channel, name: str) -> float:
        response, limit = self._responses.of(name), visibility_of(self.system, channel)
        late = response.longer_than(float(limit)) if limit is not None else 0.0
        return min(1.0, response.errors + late)

    def _fails(self, channel: Channel, name: str) -> float:
        limit = visibility_of(self.system, channel)
        if limit is not None and self._responses.of(name).least > float(limit):
            return 1.0  # each delivery is too late to acknowledge it
        return self._errors.of(name)

    def _least(self, step: Interaction) -> float:
        """Tries after errors, or hedges that are sent whatever happens: no answer can be there
        before.
        """
        hedge = step.protection.hedge
        tries = self._errors.tries(step.declared)[0]
        if hedge is None:
            return tries
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


def _more(step: Interaction, times: float) -> Interaction:
    return step if times == 1 else replace(step, visits=step.visits * times)


def _tries(share: float, most: int) -> float:
    """How often is tried on average, if a share of the tries fails."""
    return math.fsum(share**number for number in range(most))
