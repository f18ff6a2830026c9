"""What comes from outside: arrivals, and users who run journeys."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

from archcheck.simulation.arrivals import (
    arrival_times,
    chosen_journey,
    client_of,
    entry_key,
    next_journey,
)
from archcheck.simulation.attribution import Notes
from archcheck.simulation.engines.reference.calls import PendingCall
from archcheck.simulation.engines.reference.node_groups import Caller
from archcheck.simulation.plan import FOREVER, ArrivalKind, Outcome, Stream
from archcheck.simulation.randomness import child, mix
from archcheck.simulation.sampling import sample
from archcheck.simulation.trace import SpanKind

if TYPE_CHECKING:
    from archcheck.simulation.engines.reference.clock import Thunk
    from archcheck.simulation.engines.reference.engine import Engine

_DEGRADED = int(Outcome.DEGRADED)


def start(engine: Engine, source: Stream) -> None:
    """Begin the arrivals of a stream."""
    if source.kind == ArrivalKind.CLOSED:
        for number in range(source.users):
            user = User(engine, source, number)
            engine.timer(source.start, user.think)
    else:
        OpenSource(engine, source).schedule()


class OpenSource:
    """An open stream: requests that come whether or not earlier ones were answered."""

    def __init__(self, engine: Engine, source: Stream) -> None:
        self.engine = engine
        self.source = source
        self.caller = Caller(engine, source.place)
        self._times = enumerate(arrival_times(source, engine.seed))
        self._number = 0

    def schedule(self) -> None:
        """Wait for the next arrival, if there is one."""
        self._number, time = next(self._times, (0, FOREVER))
        if time <= self.engine.record.duration:
            self.engine.timer(time - self.engine.time, self._arrive)

    def _arrive(self) -> None:
        number = self._number
        self.schedule()
        key = entry_key(self.source, number)
        client = client_of(self.source, self.engine.seed, key)
        leaves = _nothing if self.source.clients else partial(self.engine.forget_client, client)
        begin(self.engine, self.source, self.caller, key, client, leaves)


def begin(
    engine: Engine, source: Stream, caller: Caller, key: int, client: int, done: Thunk
) -> None:
    """Somebody comes, for one journey or for a whole session."""
    if engine.is_draining:
        return
    if source.session is not None:
        UserSession(engine, source, caller, key, client, done).start()
    else:
        journey = chosen_journey(source, engine.seed, key)
        Travel(engine, journey, caller, key, client, done).start()


class Travel:
    """One user runs a journey: its entries one after the other."""

    __slots__ = (
        "_is_degraded", "_next", "caller", "client", "deadline", "done", "engine", "journey", "key",
        "notes", "rank", "root", "since", "spec",
    )  # fmt: skip

    def __init__(
        self, engine: Engine, journey: int, caller: Caller, key: int, client: int, done: Thunk
    ) -> None:
        self.engine = engine
        self.client = client
        self.journey = journey
        self.spec = engine.plan.journeys[journey]
        self.rank = self.spec.rank
        self.caller = caller
        self.root = self.key = key
        self.done = done
        self.deadline = FOREVER
        self.notes: Notes = []
        self.since = engine.time
        self._next = 0
        self._is_degraded = False

    def start(self) -> None:
        """Enter."""
        if self.since >= self.engine.warmup:
            self.engine.record.journeys[self.journey].started += 1
        self._enter()

    def _enter(self) -> None:
        site = self.spec.entries[self._next]
        self._next += 1
        PendingCall(self.engine, self.caller, site, self, self.key, self.client).start()

    def answered(self, outcome: int, fallback: int) -> None:
        """An entry has answered."""
        if outcome == _DEGRADED:
            self._is_degraded = True
        if outcome <= _DEGRADED and self._next < len(self.spec.entries):
            self._enter()
            return
        if outcome <= _DEGRADED:
            outcome = _DEGRADED if self._is_degraded else 0
        engine = self.engine
        engine.trace(SpanKind.JOURNEY, self.journey, self.key, self.key, self.since, outcome)
        engine.record.journey_finished(self.journey, outcome, self.since, engine.time, self.notes)
        self.done()


class User:
    """One of a closed number of users: think, run a journey or a session, think again."""

    def __init__(self, engine: Engine, source: Stream, user: int) -> None:
        self.engine = engine
        self.source = source
        self.caller = Caller(engine, mix(source.place + user))
        self._key = entry_key(source, user)
        self._client = entry_key(source, user % source.clients) if source.clients else self._key
        self._round = 0

    def think(self) -> None:
        """Wait, then begin."""
        source, engine = self.source, self.engine
        if engine.time >= source.end:
            return
        self._round += 1
        key = child(self._key, source.place, self._round)
        assert source.think is not None  # noqa: S101  # a closed stream has a think time
        pause = sample(source.think, engine.streams[source.place], key)
        begins = partial(begin, engine, source, self.caller, key, self._client, self.think)
        engine.timer(pause, begins)


class UserSession:
    """A user who goes from journey to journey until the session is over."""

    def __init__(
        self, engine: Engine, source: Stream, caller: Caller, key: int, client: int, done: Thunk
    ) -> None:
        assert source.session is not None  # noqa: S101
        self.engine = engine
        self.source = source
        self.spec = source.session
        self.caller = caller
        self.key = key
        self.client = client
        self.done = done
        self._round = 0
        self._journey = self.spec.first

    def start(self) -> None:
        """Run the next journey."""
        if self.engine.is_draining:
            return
        self._round += 1
        key = child(self.key, self.source.place, self._round)
        leaves = self._arrived
        Travel(self.engine, self._journey, self.caller, key, self.client, leaves).start()

    def _arrived(self) -> None:
        key = child(self.key, self.source.place, self._round)
        following = next_journey(self.source, self.spec, self.engine.seed, self._journey, key)
        if following is None:
            self.done()
            return
        self._journey = following
        pause = sample(self.spec.pause, self.engine.streams[self.source.place], key)
        self.engine.timer(pause, self.start)


def _nothing() -> None:
    """Nobody waits for the end of a journey of an open stream."""
