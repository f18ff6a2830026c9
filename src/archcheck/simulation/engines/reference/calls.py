"""A call: attempts at an operation, with all that a caller does about slowness and failure.

A :class:`PendingCall` makes tries until one succeeds or the attempts are used up. A try is one
:class:`Attempt`, or several with hedging. An attempt passes, in this order, the circuit breaker,
the rate limit, the bulkhead and the connection pool (Resilience4j's order of decorators); then a
replica is chosen and the request travels. Its timeout runs from the moment at which it is made.
"""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Protocol

from archcheck.simulation.attribution import SHIFT, Cause, FailureReason, Notes
from archcheck.simulation.engines.reference.requests import Request
from archcheck.simulation.plan import FOREVER, Balance, CallSite, Outcome, Scope
from archcheck.simulation.randomness import child, place_hash, uniform
from archcheck.simulation.sampling import zipf
from archcheck.simulation.trace import SpanKind

if TYPE_CHECKING:
    from archcheck.simulation.engines.reference.engine import Engine
    from archcheck.simulation.engines.reference.node_groups import Caller, Replica
    from archcheck.simulation.engines.reference.servers import Visit

_NODE = place_hash("node")
_JITTER = place_hash("jitter")

_DEGRADED = int(Outcome.DEGRADED)
_TIMED_OUT = int(Outcome.TIMED_OUT)
_REJECTED = int(Outcome.REJECTED)
_BROKEN = int(Outcome.BROKEN)
_FAILED = int(Outcome.FAILED)

_NETWORK = int(Cause.NETWORK)
_CONNECTION = int(Cause.CONNECTION)
_BULKHEAD = int(Cause.BULKHEAD)
_LOST = int(Cause.LOST)
_BACKOFF = int(Cause.BACKOFF)
_CALL = int(Cause.CALL)
_CUT = int(FailureReason.CUT)

_COUNTED = (Balance.LEAST_OUTSTANDING, Balance.POWER_OF_TWO)


class Asker(Protocol):
    """Who waits for the answer of a call: the steps of a request, or a user."""

    notes: Notes
    root: int
    rank: int
    deadline: float

    def answered(self, outcome: int, fallback: int) -> None:
        """The call is over; ``fallback`` is the block to run if it failed (-1: none)."""


class PendingCall:
    """Tries until one succeeds or the attempts are used up."""

    __slots__ = (
        "asker",
        "caller",
        "client",
        "engine",
        "index",
        "is_given_up",
        "key",
        "number",
        "open",
        "record",
        "root",
        "since",
        "site",
        "tries",
        "try_since",
    )  # fmt: skip

    def __init__(
        self,
        engine: Engine,
        caller: Caller,
        index: int,
        asker: Asker,
        key: int,
        client: int | None = None,
    ) -> None:
        self.engine = engine
        self.caller = caller
        self.index = index
        self.site: CallSite = engine.plan.calls[index]
        self.client = engine.clients[self.site.source] if client is None else client
        self.record = engine.record.calls[index]
        self.asker = asker
        self.root = asker.root
        self.key = key
        self.number = 0
        self.tries = 0
        self.since = self.try_since = engine.time
        self.open: list[Attempt] = []
        self.is_given_up = False
        if self.since >= engine.warmup:
            self.record.calls += 1

    def start(self) -> None:
        """Make the next try."""
        if self.is_given_up:
            return
        if self.tries == 0 and self.site.policy.budget >= 0:
            self.caller.budget(self.site.policy.budget).first(self.since)
        self.try_since = self.engine.time
        self.tries += 1
        self.number += 1
        attempt = Attempt(self, child(self.key, self.site.place, self.number))
        self.open.append(attempt)
        attempt.start()
        policy = self.site.policy
        if policy.hedges > 1 and self.open:
            self.engine.timer(policy.hedge_after, partial(self._hedge, self.number, 1))

    def _hedge(self, first: int, made: int) -> None:
        """The try that began with attempt ``first`` has no answer yet: ask once more."""
        if not self.open or self.number != first + made - 1 or self.caller.is_dead:
            return
        if self.engine.time >= self.engine.warmup:
            self.record.hedges += 1
        self.number += 1
        attempt = Attempt(self, child(self.key, self.site.place, self.number))
        self.open.append(attempt)
        attempt.start()
        policy = self.site.policy
        if made + 1 < policy.hedges and self.open:
            self.engine.timer(policy.hedge_after, partial(self._hedge, first, made + 1))

    def give_up(self) -> None:
        """Who asked has gone: no attempt is waited for, and none follows."""
        self.is_given_up = True
        for attempt in self.open:
            attempt.abandon()
        self.open.clear()

    def settled(self, attempt: Attempt, outcome: int) -> None:
        """An attempt has ended: the first good answer counts, or the last bad one."""
        if self.engine.tracer is not None:
            self.engine.trace(
                SpanKind.ATTEMPT, self.index, self.root, attempt.key, attempt.since, outcome
            )
        if self.since >= self.engine.warmup:
            self.record.outcomes[outcome] += 1
        self.open.remove(attempt)
        if self.open:
            if outcome > _DEGRADED:
                return
            for other in self.open:
                other.abandon()
            self.open.clear()
        notes = self.asker.notes
        if attempt.since > self.try_since:
            notes += (_LOST + (self.index << SHIFT), attempt.since - self.try_since)
        notes += attempt.notes
        if outcome > _DEGRADED and self._tries_again(outcome):
            return
        policy = self.site.policy
        notes += (_CALL + (self.index << SHIFT), self.engine.time - self.since)
        if outcome > _DEGRADED and policy.optional:
            outcome = _DEGRADED if policy.fallback < 0 else outcome
        self.asker.answered(outcome, policy.fallback)

    def _tries_again(self, outcome: int) -> bool:
        policy, now = self.site.policy, self.engine.time
        again = (
            policy.retried >> outcome & 1
            and self.tries < policy.attempts
            and now < self.asker.deadline
            and not self.caller.is_dead
            and (policy.budget < 0 or self.caller.budget(policy.budget).allows(now))
        )
        if not again:
            return False
        if self.since >= self.engine.warmup:
            self.record.retries += 1
        wait = min(policy.backoff * _power(policy.factor, self.tries - 1), policy.max_backoff)
        if policy.jitter:
            wait *= uniform(self.engine.streams[self.site.place ^ _JITTER], self.key, self.number)
        if wait > 0:
            self.asker.notes += (_BACKOFF + (self.index << SHIFT), wait)
        self.engine.after(wait, self.start)
        return True


class Attempt:
    """One attempt: guards, a connection, the way there, the callee, the way back, or a timeout."""

    __slots__ = (
        "call", "connection", "deadline", "engine", "is_cut", "is_settled", "key", "notes",
        "permit", "replica", "request", "root", "since", "ticket", "travel",
    )  # fmt: skip

    def __init__(self, call: PendingCall, key: int) -> None:
        self.call = call
        self.engine = call.engine
        self.root = call.root
        self.key = key
        self.since = call.engine.time
        self.notes: Notes = []
        self.is_cut = False
        self.is_settled = False
        self.connection: Visit | None = None
        self.permit: Visit | None = None
        self.ticket = -1
        self.travel = 0.0
        self.request: Request | None = None
        self.replica: Replica | None = None
        self.deadline = FOREVER

    @property
    def sender(self) -> Caller:
        return self.call.caller

    def start(self) -> None:
        """Pass the guards and send the request."""
        call = self.call
        policy = call.site.policy
        if policy.breaker >= 0:
            self.ticket = call.caller.breaker(policy.breaker).permits(self.since)
            if self.ticket < 0:
                self._fail(_BROKEN, FailureReason.BROKEN, call.index)
                return
        if policy.limit >= 0 and not self._has_token(policy.limit):
            self._fail(_REJECTED, FailureReason.OVER_OWN_LIMIT, call.index)
            return
        timeout = policy.timeout
        if policy.inherits:
            self.deadline = min(self.since + timeout, call.asker.deadline)
        if self.deadline < self.since + timeout:
            self.engine.timer(self.deadline - self.since, self.time_out)
        elif timeout < FOREVER:
            self.engine.timeouts[call.index].watch(self)
        if policy.bulkhead >= 0:
            self._enter_bulkhead(policy.bulkhead)
        elif call.site.pool >= 0:
            self._connect(call.site.pool)
        else:
            self._send()

    def _has_token(self, limit: int) -> bool:
        engine = self.engine
        own = engine.plan.limits[limit].scope == Scope.REPLICA
        bucket = self.call.caller.limit(limit) if own else engine.limits[limit]
        return bucket.takes(self.since)

    def _enter_bulkhead(self, index: int) -> None:
        bulkhead = self.call.caller.bulkhead(index)
        wait = self.engine.plan.bulkheads[index].max_wait
        if wait <= 0 and bulkhead.busy >= (bulkhead.servers or 0):
            bulkhead.reject()
            self._fail(_REJECTED, FailureReason.NO_PERMIT, index)
            return
        self.permit = bulkhead.acquire(self._permitted, self)
        if self.permit.is_served:
            self._go_on()
        elif wait < FOREVER:
            self.engine.timer(wait, partial(self._give_up, self.permit))

    def _permitted(self) -> None:
        if not self.is_settled:
            index = self.call.site.policy.bulkhead
            self.notes += (_BULKHEAD + (index << SHIFT), self.engine.time - self.since)
            self._go_on()

    def _go_on(self) -> None:
        if self.call.site.pool >= 0:
            self._connect(self.call.site.pool)
        else:
            self._send()

    def _connect(self, pool: int) -> None:
        self.connection = connection = self.call.caller.pool(pool).acquire(self._connected, self)
        if connection.is_served:
            self._send()
            return
        wait = self.engine.plan.pools[pool].max_wait
        if wait < FOREVER:
            self.engine.timer(wait, partial(self._give_up, connection))

    def _connected(self) -> None:
        if not self.is_settled and self.connection is not None:
            waited = self.engine.time - self.connection.since
            self.notes += (_CONNECTION + (self.call.site.pool << SHIFT), waited)
            self._send()

    def _give_up(self, visit: Visit) -> None:
        """The longest wait for a permit or a connection is over."""
        if visit.is_served or self.is_settled:
            return
        site, waited = self.call.site, self.engine.time - visit.since
        if visit is self.permit:
            self.notes += (_BULKHEAD + (site.policy.bulkhead << SHIFT), waited)
            self._fail(_REJECTED, FailureReason.NO_PERMIT, site.policy.bulkhead)
        else:
            self.notes += (_CONNECTION + (site.pool << SHIFT), waited)
            self._fail(_REJECTED, FailureReason.NO_CONNECTION, site.pool)

    def _send(self) -> None:
        call = self.call
        engine, site, caller = self.engine, call.site, call.caller
        if caller.is_dead:
            self._settle(_FAILED)  # nobody waits for it
            return
        there = site.there
        if site.target >= 0:
            self.replica = replica = self._choose(site, caller)
            if replica is None:
                self._fail(_FAILED, FailureReason.NOBODY_THERE, call.index)
                return
            if site.across and is_across(caller.zone, replica.zone):
                there += site.across
            if site.balance in _COUNTED:
                caller.outstanding[replica] = caller.outstanding.get(replica, 0) + 1
        if engine.faults.cuts and engine.faults.is_cut(site, self._lose):
            self.is_cut = True
            return
        self.travel = there
        if there > 0:
            engine.after(there, self._arrive)
        else:
            self._arrive()

    def _choose(self, site: CallSite, caller: Caller) -> Replica | None:
        engine = self.engine
        node_group = engine.node_groups[site.target]
        if site.balance != Balance.SHARD:
            return caller.choose(node_group, site, self.key)
        shards = node_group.spec.nodes
        if shards == 1:
            return node_group.by_index[0]
        draws = engine.streams[site.place ^ _NODE]
        if site.keys is None:
            return node_group.by_index[int(uniform(draws, self.key) * shards)]
        key = zipf(site.keys, draws, self.call.key)
        return node_group.by_index[child(node_group.place, key, 0) % shards]

    def _lose(self) -> None:
        """The link was cut and is back: the connection has failed in the meantime."""
        waited = 0.0
        for seconds in self.notes[1::2]:  # not sum(), which rounds as the version of Python does
            waited += seconds
        elapsed = self.engine.time - self.since - waited
        place = self.call.index << SHIFT
        self._receive(_FAILED, [_LOST + place, elapsed, _CUT + place, 0.0])

    def _arrive(self) -> None:
        call = self.call
        self.request = request = Request(
            self.engine, call.site.operation, self.replica, self, self.key, call.asker.rank
        )
        policy = call.site.policy
        if policy.tells:
            request.deadline = self.deadline
        request.is_late = self.is_settled and policy.drops
        request.is_cancelled = self.is_settled and policy.stops
        request.admit()

    def answer(self, outcome: int, notes: Notes) -> None:
        """The callee has an answer; it travels back."""
        self.request = None
        site, replica = self.call.site, self.replica
        back = site.back
        if site.across and replica is not None and is_across(self.call.caller.zone, replica.zone):
            back += site.across
        if back > 0:
            self.travel += back
            self.engine.after(back, partial(self._receive, outcome, notes))
        else:
            self.engine.soon.append(partial(self._receive, outcome, notes))

    def _receive(self, outcome: int, notes: Notes) -> None:
        call = self.call
        if self.replica is not None and call.site.balance in _COUNTED:
            call.caller.outstanding[self.replica] -= 1
        if self.is_settled:
            return
        if self.travel > 0:
            notes += (_NETWORK + (call.index << SHIFT), self.travel)
        if self.notes:
            notes += self.notes
        self.notes = notes
        self._settle(outcome)

    def time_out(self) -> None:
        """There is no answer in time."""
        if self.is_settled:
            return
        place = self.call.index << SHIFT
        self.notes = [_LOST + place, self.engine.time - self.since]
        self._fail(_TIMED_OUT, *self._held_by())

    def _held_by(self) -> tuple[FailureReason, int]:
        """What an attempt waited for that was not over in time."""
        site = self.call.site
        if self.permit is not None and not self.permit.is_served:
            return FailureReason.NO_PERMIT, site.policy.bulkhead
        if self.connection is not None and not self.connection.is_served:
            return FailureReason.NO_CONNECTION, site.pool
        reason = FailureReason.CUT if self.is_cut else FailureReason.TIMED_OUT
        return reason, self.call.index

    def abandon(self) -> None:
        """Another attempt was faster."""
        self._leave()
        if self.ticket >= 0:
            self.call.caller.breaker(self.call.site.policy.breaker).hand_back(self.ticket)

    def _leave(self) -> None:
        """Give back what the attempt holds; a callee that knows the deadline may stop."""
        self.is_settled = True
        if self.request is not None:
            policy = self.call.site.policy
            self.request.is_late = policy.drops
            self.request.is_cancelled = policy.stops
        if self.request is not None and self.request.operation.beside:
            self.request.hang_up()
        if self.connection is not None:
            self.call.caller.pool(self.call.site.pool).release(self.connection)
        if self.permit is not None:
            self.call.caller.bulkhead(self.call.site.policy.bulkhead).release(self.permit)

    def _fail(self, outcome: int, reason: FailureReason, place: int) -> None:
        """End without having asked."""
        self.notes += (reason + (place << SHIFT), 0.0)
        self._settle(outcome)

    def _settle(self, outcome: int) -> None:
        if self.is_settled:
            return
        self._leave()
        if self.ticket >= 0:
            self._tell_breaker(outcome)
        if self.replica is not None and self.call.site.policy.ejects:
            self.call.caller.answered(self.replica, outcome in (_TIMED_OUT, _FAILED))
        self.call.settled(self, outcome)

    def _tell_breaker(self, outcome: int) -> None:
        now = self.engine.time
        breaker = self.call.caller.breaker(self.call.site.policy.breaker)
        opened = breaker.opened
        breaker.record(self.ticket, now, outcome > _DEGRADED, now - self.since)
        if breaker.opened > opened:
            self.engine.count(f"breaker opened: {breaker.spec.name}")


def _power(factor: float, exponent: int) -> float:
    try:
        return factor**exponent
    except OverflowError:
        return FOREVER


def is_across(zone: int, other: int) -> bool:
    """Whether two known zones are not the same."""
    return zone != other and zone >= 0 and other >= 0
