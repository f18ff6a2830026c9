"""The reference engine: SimPy's environment and events, the request's state machine in callbacks.

It defines what is right; it is written to be read. Time moves only with SimPy's events. What an
event causes without delay is put on a list and worked off first in, first out, before the next
event: release and grant come before the answer. Events at the same time happen in the order in
which they were scheduled.

A request is a :class:`_Frame` at a node of a station. Its steps are walked by a :class:`_Walk`,
one for each block; a step that has to wait continues the walk from a callback.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable
from functools import partial
from typing import Any

import simpy

from archcheck.simulation.arrivals import arrival_times, chosen_journey, entry_key
from archcheck.simulation.plan import (
    FOREVER,
    ArrivalKind,
    Balance,
    Kind,
    Outcome,
    Plan,
    Step,
    Stream,
)
from archcheck.simulation.randomness import child, mix, place_hash, stream, uniform
from archcheck.simulation.record import BUCKETS, Record, StationRecord
from archcheck.simulation.sampling import sample

Thunk = Callable[[], None]
Answer = Callable[[Outcome], None]

_NODE = place_hash("node")
_JITTER = place_hash("jitter")
_INSTANT = 5e-324
"""The shortest delay that is an event of its own: timers must not overtake what is due now."""


def run(plan: Plan, *, seed: int, duration: float, warmup: float) -> Record:
    """Simulate ``duration`` seconds; statistics start after ``warmup`` seconds."""
    return _Engine(plan, seed, duration, warmup).run()


class _Engine:
    """The clock, the nodes and the streams of one run."""

    def __init__(self, plan: Plan, seed: int, duration: float, warmup: float) -> None:
        self.plan = plan
        self.seed = seed
        self.env = simpy.Environment()
        self.record = Record(plan, duration, warmup)
        self.soon: deque[Thunk] = deque()
        self.stations = [
            [
                _Node(
                    self, record, station.servers, station.queue, place_hash(f"{station.name}/{n}")
                )
                for n in range(station.nodes)
            ]
            for station, record in zip(plan.stations, self.record.stations, strict=True)
        ]
        self._streams: dict[int, int] = {}

    def run(self) -> Record:
        for source in self.plan.streams:
            self._start(source)
        for bucket in range(1, BUCKETS):
            self.after(self.record.duration * bucket / BUCKETS, self._snapshot)
        self.env.run(until=self.record.duration)
        self._close()
        return self.record

    # -- time -----------------------------------------------------------------------------------

    def after(self, delay: float, then: Thunk) -> None:
        """Call ``then`` after a delay; without delay, after what is already due now."""
        if delay <= 0:
            self.soon.append(then)
            return
        event: Any = self.env.timeout(delay)
        event.callbacks.append(lambda _: self._happen(then))

    def _happen(self, then: Thunk) -> None:
        self.record.events += 1
        then()
        while self.soon:
            self.soon.popleft()()

    def _snapshot(self) -> None:
        for nodes, series in zip(self.stations, self.record.busy_series, strict=True):
            series.append(sum(node.busy_time(self.env.now) for node in nodes))

    def _close(self) -> None:
        now = self.record.duration
        self._snapshot()  # SimPy stops before the events of the last instant
        for nodes in self.stations:
            for node in nodes:
                node.close(now)
        for record in (*self.record.stations, *self.record.pools):
            record.busy.read(now)
            record.waiting.read(now)

    # -- draws ----------------------------------------------------------------------------------

    def draws(self, place: int) -> int:
        """The stream of random numbers of a place."""
        found = self._streams.get(place)
        if found is None:
            found = self._streams[place] = stream(self.seed, place)
        return found

    # -- load -----------------------------------------------------------------------------------

    def _start(self, source: Stream) -> None:
        if source.kind == ArrivalKind.CLOSED:
            for user in range(source.users):
                _User(self, source, user).think()
            return
        caller = _Caller(self, source.place)
        times = enumerate(arrival_times(source, self.seed))

        def arrive(number: int) -> None:
            schedule_next()
            key = entry_key(source, number)
            journey = chosen_journey(source, self.seed, key)
            self.travel(journey, caller, key, lambda _: None)

        def schedule_next() -> None:
            number, time = next(times, (0, FOREVER))
            if time <= self.record.duration:
                self.after(max(time - self.env.now, _INSTANT), lambda: arrive(number))

        schedule_next()

    def travel(self, journey: int, caller: _Caller, key: int, done: Answer) -> None:
        """One user runs a journey: its entries one after the other."""
        start = self.env.now
        self.record.journey_started(journey, start)
        entries = self.plan.journeys[journey].entries
        degraded = False

        def finish(outcome: Outcome) -> None:
            self.record.journey_finished(journey, outcome, start, self.env.now)
            done(outcome)

        def enter(index: int) -> None:
            if index == len(entries):
                finish(Outcome.DEGRADED if degraded else Outcome.OK)
                return
            _Attempts(self, caller, entries[index], key, lambda o: answered(index, o)).start()

        def answered(index: int, outcome: Outcome) -> None:
            nonlocal degraded
            if outcome > Outcome.DEGRADED:
                finish(outcome)
                return
            degraded = degraded or outcome == Outcome.DEGRADED
            enter(index + 1)

        enter(0)


class _User:
    """One of a closed number of users: think, run a journey, think again."""

    def __init__(self, engine: _Engine, source: Stream, user: int) -> None:
        self.engine = engine
        self.source = source
        self.caller = _Caller(engine, mix(source.place + user))
        self._key = entry_key(source, user)
        self._round = 0

    def think(self) -> None:
        assert self.source.think is not None  # noqa: S101  # a closed stream has a think time
        self._round += 1
        key = child(self._key, self.source.place, self._round)
        pause = sample(self.source.think, self.engine.draws(self.source.place), key)
        journey = chosen_journey(self.source, self.engine.seed, key)
        self.engine.after(
            max(pause, _INSTANT),
            lambda: self.engine.travel(journey, self.caller, key, lambda _: self.think()),
        )


class _Caller:
    """What belongs to a caller: its round-robin counters, its outstanding requests, its pools."""

    def __init__(self, engine: _Engine, place: int) -> None:
        self._engine = engine
        self._place = place
        self._turn: dict[int, int] = {}
        self._outstanding: dict[int, list[int]] = {}
        self._pools: dict[int, _Node] = {}

    def pool(self, index: int) -> _Node:
        """This caller's connections to a target."""
        if index not in self._pools:
            size = self._engine.plan.pools[index].size
            record = self._engine.record.pools[index]
            self._pools[index] = _Node(self._engine, record, size, None, self._place)
        return self._pools[index]

    def outstanding(self, station: int) -> list[int]:
        """Requests of this caller that each node of a station has not answered yet."""
        if station not in self._outstanding:
            self._outstanding[station] = [0] * len(self._engine.stations[station])
        return self._outstanding[station]

    def choose(self, station: int, balance: Balance, draws: int, key: int) -> int:
        """The node that a request goes to."""
        count = len(self._engine.stations[station])
        if count == 1:
            return 0
        load = self.outstanding(station)
        first = int(uniform(draws, key, 0) * count)
        match balance:
            case Balance.RANDOM:
                return first
            case Balance.ROUND_ROBIN:
                turn = self._turn.get(station, self._first_turn(station, count))
                self._turn[station] = turn + 1
                return turn % count
            case Balance.LEAST_OUTSTANDING:
                return min(range(count), key=lambda node: (load[node], (node - first) % count))
            case Balance.POWER_OF_TWO:
                second = (first + 1 + int(uniform(draws, key, 1) * (count - 1))) % count
                return first if load[first] <= load[second] else second

    def _first_turn(self, station: int, count: int) -> int:
        """Callers start at different nodes, or all would visit the same ones in step."""
        place = place_hash(self._engine.plan.stations[station].name)
        return int(uniform(self._engine.draws(self._place), place) * count)


class _Node(_Caller):
    """Servers behind a first-in-first-out queue: a replica, a shard, a pool of connections."""

    def __init__(
        self,
        engine: _Engine,
        record: StationRecord,
        servers: int | None,
        queue: int | None,
        place: int,
    ) -> None:
        super().__init__(engine, place)
        self._record = record
        self._servers = servers
        self._limit = queue
        self._busy = 0
        self._busy_integral = 0.0
        self._busy_since = 0.0
        self._queue: deque[_Visit] = deque()
        self._inside: dict[_Visit, None] = {}

    @property
    def is_full(self) -> bool:
        """Whether a newcomer would be turned away."""
        no_server = self._servers is not None and self._busy >= self._servers
        return no_server and self._limit is not None and len(self._queue) >= self._limit

    def acquire(self, granted: Thunk) -> _Visit:
        """Ask for a server; ``granted`` is called when there is one."""
        now = self._engine.env.now
        visit = _Visit(now, granted)
        self._inside[visit] = None
        if now >= self._engine.record.warmup:
            self._record.visits += 1
        if self._servers is None or self._busy < self._servers:
            self._occupy(visit)
        else:
            self._record.waiting.change(now, 1)
            self._queue.append(visit)
        return visit

    def release(self, visit: _Visit) -> None:
        """Give the server back, or leave the queue; the next in line gets a free server."""
        now = self._engine.env.now
        del self._inside[visit]
        self._leave(visit, now)
        if not visit.is_served:
            self._queue.remove(visit)
            self._record.waiting.change(now, -1)
            return
        self._change_busy(-1)
        if self._queue:
            following = self._queue.popleft()
            self._record.waiting.change(now, -1)
            self._occupy(following)

    def reject(self) -> None:
        """Count a visitor who was turned away."""
        if self._engine.env.now >= self._engine.record.warmup:
            self._record.rejected += 1

    def close(self, now: float) -> None:
        """The run is over: account for those who are still inside."""
        for visit in self._inside:
            self._leave(visit, now)

    def busy_time(self, now: float) -> float:
        """Server seconds used so far, warm-up included."""
        self._busy_integral += self._busy * (now - self._busy_since)
        self._busy_since = now
        return self._busy_integral

    def _occupy(self, visit: _Visit) -> None:
        visit.is_served = True
        self._change_busy(1)
        start = max(visit.since, self._engine.record.warmup)
        self._record.waited += max(0.0, self._engine.env.now - start)
        self._engine.soon.append(visit.granted)

    def _change_busy(self, delta: int) -> None:
        now = self._engine.env.now
        self.busy_time(now)
        self._busy += delta
        self._record.busy.change(now, delta)

    def _leave(self, visit: _Visit, now: float) -> None:
        self._record.residence += max(0.0, now - max(visit.since, self._engine.record.warmup))


class _Visit:
    """One stay at a node, from asking for a server until giving it back."""

    __slots__ = ("granted", "is_served", "since")

    def __init__(self, since: float, granted: Thunk) -> None:
        self.since = since
        self.granted = granted
        self.is_served = False


class _Attempts:
    """A call: attempts with timeouts until one succeeds or they are used up."""

    def __init__(
        self, engine: _Engine, caller: _Caller, step: Step, key: int, done: Answer
    ) -> None:
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

    def __init__(
        self, engine: _Engine, caller: _Caller, step: Step, key: int, ended: Answer
    ) -> None:
        self.engine = engine
        self.caller = caller
        self.step = step
        self.key = key
        self.ended = ended
        self.is_settled = False
        self._connection: _Visit | None = None
        self._node = -1

    def start(self) -> None:
        """Issue the attempt."""
        if self.step.policy.timeout < FOREVER:
            self.engine.after(
                max(self.step.policy.timeout, _INSTANT), lambda: self._settle(Outcome.TIMED_OUT)
            )
        if self.step.pool >= 0:
            self._connection = self.caller.pool(self.step.pool).acquire(self._send)
        else:
            self._send()

    def _send(self) -> None:
        if not self.is_settled:
            self.engine.after(self.step.delay, self._arrive)

    def _arrive(self) -> None:
        operation = self.engine.plan.operations[self.step.operation]
        node: _Node | None = None
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
        self, engine: _Engine, operation: int, node: _Node | None, key: int, answer: Answer
    ) -> None:
        self.engine = engine
        self.index = operation
        self.operation = engine.plan.operations[operation]
        self.node = node
        self.key = key
        self.answer = answer
        self.is_degraded = False
        self._since = engine.env.now
        self._visit: _Visit | None = None

    @property
    def caller(self) -> _Caller:
        """Who makes the calls of this request: the replica that it runs on."""
        return self.node if self.node is not None else _Caller(self.engine, self.operation.place)

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
        _Attempts(self.engine, self.frame.caller, step, self.key, self._answered).start()

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

        _Attempts(self.engine, self.frame.caller, step, self.key, looked_up).start()

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
