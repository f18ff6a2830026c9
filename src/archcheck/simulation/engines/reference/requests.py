"""The life of a request: attempts at an operation, its admission, its steps, its answer.

A request is a :class:`_Frame` at a node of a station. Its steps are walked by a :class:`_Walk`,
one for each block; a step that has to wait continues the walk from a callback.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import TYPE_CHECKING

from archcheck.simulation.engines.reference.stations import Caller, Node, Visit
from archcheck.simulation.plan import FOREVER, Kind, Outcome, Step
from archcheck.simulation.randomness import child, place_hash, uniform
from archcheck.simulation.sampling import sample

if TYPE_CHECKING:
    from archcheck.simulation.engines.reference.engine import Engine

Answer = Callable[[Outcome], None]

_NODE = place_hash("node")
_JITTER = place_hash("jitter")


class Attempts:
    """A call: attempts with timeouts until one succeeds or they are used up."""

    def __init__(self, engine: Engine, caller: Caller, step: Step, key: int, done: Answer) -> None:
        self.engine = engine
        self.caller = caller
        self.step = step
        self.key = key
        self.done = done
        self.number = 0

    def start(self) -> None:
        """Make the next attempt."""
        self.number += 1
        key = child(self.key, self.step.place, self.number)
        _Attempt(self.engine, self.caller, self.step, key, self._ended).start()

    def _ended(self, outcome: Outcome) -> None:
        policy = self.step.policy
        again = outcome in policy.retried and self.number < policy.attempts
        if not again:
            failed = outcome > Outcome.DEGRADED
            self.done(Outcome.DEGRADED if failed and policy.optional else outcome)
            return
        wait = min(policy.backoff * policy.factor ** (self.number - 1), policy.max_backoff)
        if policy.jitter:
            wait *= uniform(self.engine.draws(self.step.place ^ _JITTER), self.key, self.number)
        self.engine.after(wait, self.start)


class _Attempt:
    """One attempt: a connection, the way there, the callee, the way back, or a timeout.

    The timeout runs from the moment at which the attempt is made. It does not stop the callee.
    """

    def __init__(self, engine: Engine, caller: Caller, step: Step, key: int, ended: Answer) -> None:
        self.engine = engine
        self.caller = caller
        self.step = step
        self.key = key
        self.ended = ended
        self.is_settled = False
        self._connection: Visit | None = None
        self._node = -1

    def start(self) -> None:
        """Issue the attempt."""
        if self.step.policy.timeout < FOREVER:
            self.engine.timer(self.step.policy.timeout, lambda: self._settle(Outcome.TIMED_OUT))
        if self.step.pool >= 0:
            self._connection = self.caller.pool(self.step.pool).acquire(self._send)
        else:
            self._send()

    def _send(self) -> None:
        if not self.is_settled:
            self.engine.after(self.step.delay, self._arrive)

    def _arrive(self) -> None:
        operation = self.engine.plan.operations[self.step.operation]
        node: Node | None = None
        if operation.station is not None:
            draws = self.engine.draws(self.step.place ^ _NODE)
            index = self.caller.choose(operation.station, self.step.balance, draws, self.key)
            node = self.engine.stations[operation.station][index]
            self.caller.outstanding(operation.station)[index] += 1
            self._node = index
        _Frame(self.engine, self.step.operation, node, self.key, self._answer).admit()

    def _answer(self, outcome: Outcome) -> None:
        self.engine.after(self.step.delay, lambda: self._receive(outcome))

    def _receive(self, outcome: Outcome) -> None:
        station = self.engine.plan.operations[self.step.operation].station
        if station is not None:
            self.caller.outstanding(station)[self._node] -= 1
        self._settle(outcome)

    def _settle(self, outcome: Outcome) -> None:
        if self.is_settled:
            return
        self.is_settled = True
        if self._connection is not None:
            self.caller.pool(self.step.pool).release(self._connection)
        self.ended(outcome)


class _Frame:
    """A request at an operation: admission, its steps, its answer."""

    def __init__(
        self, engine: Engine, operation: int, node: Node | None, key: int, answer: Answer
    ) -> None:
        self.engine = engine
        self.index = operation
        self.operation = engine.plan.operations[operation]
        self.node = node
        self.key = key
        self.answer = answer
        self.is_degraded = False
        self._since = engine.env.now
        self._visit: Visit | None = None

    @property
    def caller(self) -> Caller:
        """Who makes the calls of this request: the replica that it runs on."""
        return self.node if self.node is not None else Caller(self.engine, self.operation.place)

    def admit(self) -> None:
        """Enter, wait for a server, or be turned away."""
        if self._since >= self.engine.record.warmup:
            self.engine.record.operations[self.index].started += 1
        if self.node is None:
            self._begin()
            return
        if self.node.is_full:
            self.node.reject()
            self._finish(Outcome.REJECTED)
            return
        station = self.operation.station
        if station is not None and self.engine.plan.stations[station].held:
            self._visit = self.node.acquire(self._begin)
        else:
            self._begin()

    def _begin(self) -> None:
        if self.operation.error_rate:
            draws = self.engine.draws(self.operation.place)
            if uniform(draws, self.key) < self.operation.error_rate:
                self._end(False)
                return
        _Walk(self, self.operation.block, self.key, self._end).advance(True)

    def _end(self, succeeded: bool) -> None:
        if self._visit is not None and self.node is not None:
            self.node.release(self._visit)
        if not succeeded:
            self._finish(Outcome.FAILED)
        else:
            self._finish(Outcome.DEGRADED if self.is_degraded else Outcome.OK)

    def _finish(self, outcome: Outcome) -> None:
        if self._since >= self.engine.record.warmup:
            tally = self.engine.record.operations[self.index]
            tally.finish(outcome, self.engine.env.now - self._since)
        self.engine.soon.append(lambda: self.answer(outcome))


class _Walk:
    """The steps of a block, one after the other."""

    def __init__(self, frame: _Frame, block: int, key: int, done: Callable[[bool], None]) -> None:
        self.frame = frame
        self.engine = frame.engine
        self.steps = frame.engine.plan.blocks[block]
        self.key = key
        self.done = done
        self._next = 0

    def advance(self, succeeded: bool) -> None:
        """The step before has ended: go on, or end the block."""
        if not succeeded or self._next == len(self.steps):
            self.done(succeeded)
            return
        step = self.steps[self._next]
        self._next += 1
        _HANDLERS[step.kind](self, step)

    def work(self, step: Step) -> None:
        assert step.sampler is not None  # noqa: S101  # the compiler gives every WORK a sampler
        time = sample(step.sampler, self.engine.draws(step.place), self.key)
        works_at = self.frame.operation.works_at
        node = self.frame.node
        if works_at is None or node is None:
            self.engine.after(time, lambda: self.advance(True))
            return
        home = node
        if self.frame.operation.station != works_at:  # a consumer computes on its service
            nodes = self.engine.stations[works_at]
            home = nodes[int(uniform(self.engine.draws(step.place ^ _NODE), self.key) * len(nodes))]

        def finish() -> None:
            home.release(visit)
            self.advance(True)

        visit = home.acquire(lambda: self.engine.after(time, finish))

    def call(self, step: Step) -> None:
        Attempts(self.engine, self.frame.caller, step, self.key, self._answered).start()

    def _answered(self, outcome: Outcome) -> None:
        if outcome == Outcome.DEGRADED:
            self.frame.is_degraded = True
        self.advance(outcome <= Outcome.DEGRADED)

    def publish(self, step: Step) -> None:
        for number, operation in enumerate(step.subscribers):
            key = child(self.key, step.place, number)
            self.engine.after(step.delay, partial(self._deliver, operation, key))
        self.engine.after(2 * step.delay, lambda: self.advance(True))

    def _deliver(self, operation: int, key: int) -> None:
        station = self.engine.plan.operations[operation].station
        node = self.engine.stations[station][0] if station is not None else None
        _Frame(self.engine, operation, node, key, lambda _: None).admit()

    def parallel(self, step: Step) -> None:
        missing = sum(step.waited)
        is_over = False

        def joined(waited: bool, succeeded: bool) -> None:
            nonlocal missing, is_over
            if is_over or not waited:
                return
            missing -= 1
            if not succeeded or missing == 0:
                is_over = True
                self.advance(succeeded)

        for block, waited in zip(step.blocks, step.waited, strict=True):
            _Walk(self.frame, block, self.key, partial(joined, waited)).advance(True)
        if not any(step.waited):
            self.advance(True)

    def sometimes(self, step: Step) -> None:
        if uniform(self.engine.draws(step.place), self.key) < step.number:
            self.series(step)
        else:
            self.advance(True)

    def repeat(self, step: Step, done: int = 0) -> None:
        if done == int(step.number):
            self.advance(True)
            return

        def next_round(succeeded: bool) -> None:
            if succeeded:
                self.engine.soon.append(lambda: self.repeat(step, done + 1))
            else:
                self.advance(False)

        key = child(self.key, step.place, done + 1)
        _Walk(self.frame, step.blocks[0], key, next_round).advance(True)

    def cached(self, step: Step) -> None:
        hit = uniform(self.engine.draws(step.place), self.key) < step.number

        def looked_up(outcome: Outcome) -> None:
            if hit and outcome == Outcome.OK:
                self.advance(True)
            else:
                self.series(step)

        Attempts(self.engine, self.frame.caller, step, self.key, looked_up).start()

    def series(self, step: Step) -> None:
        _Walk(self.frame, step.blocks[0], self.key, self.advance).advance(True)


_HANDLERS: dict[Kind, Callable[[_Walk, Step], None]] = {
    Kind.WORK: _Walk.work,
    Kind.CALL: _Walk.call,
    Kind.PUBLISH: _Walk.publish,
    Kind.PARALLEL: _Walk.parallel,
    Kind.SOMETIMES: _Walk.sometimes,
    Kind.REPEAT: _Walk.repeat,
    Kind.CACHED: _Walk.cached,
    Kind.SERIES: _Walk.series,
}
