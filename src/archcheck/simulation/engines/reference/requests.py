"""The life of a request at an operation: its admission, its steps, its answer."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

from archcheck.simulation.attribution import SHIFT, Cause, FailureReason, Notes
from archcheck.simulation.engines.reference.walks import Walk
from archcheck.simulation.plan import Outcome
from archcheck.simulation.randomness import uniform
from archcheck.simulation.trace import SpanKind

if TYPE_CHECKING:
    from archcheck.simulation.engines.reference.engine import Engine
    from archcheck.simulation.engines.reference.node_groups import Caller, Replica
    from archcheck.simulation.engines.reference.servers import Visit

_OK = int(Outcome.OK)
_DEGRADED = int(Outcome.DEGRADED)
_TIMED_OUT = int(Outcome.TIMED_OUT)
_REJECTED = int(Outcome.REJECTED)
_FAILED = int(Outcome.FAILED)

_WORK = int(Cause.WORK)
_SLOT = int(Cause.SLOT)


class Origin(Protocol):
    """Who asked: an attempt of a call, or the delivery of a message.

    ``root``: the key of the journey that it belongs to. ``sender``: the process that asks.
    """

    root: int

    @property
    def sender(self) -> Caller | None: ...

    def answer(self, outcome: int, notes: Notes) -> None:
        """The request has ended."""


class Request(Walk):
    """A request at an operation: admission, its steps, its answer.

    ``home`` is the replica whose cores do the work and from which its calls are made: its own,
    or for a consumer the service replica that the consumer lives on.
    """

    __slots__ = (
        "home", "index", "is_cancelled", "is_degraded", "is_late", "is_over", "is_stopped",
        "loading", "operation", "origin", "replica", "since", "visit",
    )  # fmt: skip

    def __init__(
        self,
        engine: Engine,
        index: int,
        replica: Replica | None,
        origin: Origin,
        key: int,
        rank: int = 0,
    ) -> None:
        super().__init__(engine, origin.root, key, rank)
        self.index = index
        self.operation = engine.plan.operations[index]
        self.replica = replica
        self.home: Replica | None = replica
        self.origin = origin
        self.since = engine.time
        self.is_degraded = False
        self.is_over = False
        self.is_stopped = False
        self.is_late = False
        """Whether nobody waits for it any more, and it is dropped if it has not begun."""
        self.is_cancelled = False
        """Whether nobody waits for it any more, and its work stops."""
        self.visit: Visit | None = None
        self.loading = 0
        """How many keys it is filling in to caches."""

    @property
    def request(self) -> Request:
        return self

    # -- coming in ------------------------------------------------------------------------------

    def admit(self, *, first: bool = False) -> None:
        """Enter, wait for a server, or be turned away; ``first``: in front of all others."""
        engine, replica = self.engine, self.replica
        if self.since >= engine.warmup:
            engine.record.operations[self.index].started += 1
        if self.operation.limit >= 0 and not engine.has_token(self):
            self._turned_away(_REJECTED, FailureReason.OVER_LIMIT)
            return
        if replica is None:
            self.begin()
            return
        if replica.is_dead:
            self._turned_away(_FAILED, FailureReason.DIED)
            return
        rank = replica.ranks[self.rank] if replica.ranks else 0
        if replica.is_gated and (reason := replica.turns_away(rank)):
            self._turned_away(_REJECTED, reason)
            return
        replica.inside[self] = None
        if replica.slots is not None:
            self.visit = replica.slots.acquire(self.granted, self, rank, first=first)
            if not self.visit.is_served:
                return
        self._begin_in_time()

    def granted(self) -> None:
        """A server is free."""
        if self.is_over:
            return
        self.notes += (_SLOT + (self.operation.group << SHIFT), self.engine.time - self.since)
        self._begin_in_time()

    def _begin_in_time(self) -> None:
        """Do the steps, unless nobody waits any more and late requests are dropped."""
        if self.is_late:
            self.leave(_TIMED_OUT)
        else:
            self.begin()

    def begin(self) -> None:
        """Do the steps."""
        engine = self.engine
        rate = engine.faults.errors[self.index]
        if rate > 0 and uniform(engine.streams[self.operation.place], self.key) < rate:
            self._note(FailureReason.ERROR)
            self.leave(_FAILED)
            return
        self.steps = engine.plan.blocks[self.operation.block]
        self.advance()

    # -- going out ------------------------------------------------------------------------------

    def done(self, succeeded: bool, cancelled: bool) -> None:
        if self.is_over:
            return
        if succeeded:
            self.leave(_DEGRADED if self.is_degraded else _OK)
        else:
            self.leave(_TIMED_OUT if cancelled else _FAILED)

    def displace(self) -> None:
        """Somebody more important takes the place in the queue."""
        self.notes += (_SLOT + (self.operation.group << SHIFT), self.engine.time - self.since)
        self._note(FailureReason.SHED)
        self.leave(_REJECTED)

    def leave(self, outcome: int) -> None:
        """Give the server back, then answer."""
        replica = self.replica
        if replica is not None:
            replica.inside.pop(self, None)
            if self.visit is not None and replica.slots is not None:
                replica.slots.release(self.visit)
            if replica.is_draining:
                replica.go_if_drained()
        self._finish(outcome)

    def hang_up(self) -> None:
        """Who asked a sidecar has gone: it gives its own call up. The callee goes on."""
        if self.call is not None:
            self.call.give_up()
            self.call = None
        self.fail(cancelled=True)

    def abort(self) -> None:
        """The process has died: everything stops, and the connection breaks."""
        if not self.is_over:
            self.is_stopped = True
            self.notes = [_WORK + (self.operation.group << SHIFT), self.engine.time - self.since]
            self._turned_away(_FAILED, FailureReason.DIED)

    def _turned_away(self, outcome: int, reason: FailureReason) -> None:
        self._note(reason)
        self._finish(outcome)

    def _note(self, reason: FailureReason) -> None:
        self.notes += (reason + (self.index << SHIFT), 0.0)

    def _finish(self, outcome: int) -> None:
        self.is_over = True
        engine = self.engine
        if engine.tracer is not None:
            engine.trace(SpanKind.REQUEST, self.index, self.root, self.key, self.since, outcome)
        tally = engine.record.operations[self.index]
        if engine.time >= engine.warmup and outcome <= _DEGRADED:
            tally.answered += 1
        if self.since >= engine.warmup:
            tally.finish[outcome](engine.time - self.since)
        notes, self.notes = self.notes, []
        self.origin.answer(outcome, notes)

    @property
    def caller(self) -> Caller:
        """Who makes the calls of this request: the process that it runs in."""
        if self.operation.beside and self.origin.sender is not None:
            return self.origin.sender
        return self.home or self.engine.outsider(self.operation.place)
