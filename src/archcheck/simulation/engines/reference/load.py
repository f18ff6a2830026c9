"""What comes from outside: arrivals, and users who run journeys."""

from __future__ import annotations

from typing import TYPE_CHECKING

from archcheck.simulation.arrivals import arrival_times, chosen_journey, entry_key
from archcheck.simulation.engines.reference.requests import Answer, Attempts
from archcheck.simulation.engines.reference.stations import Caller
from archcheck.simulation.plan import FOREVER, ArrivalKind, Outcome, Stream
from archcheck.simulation.randomness import child, mix
from archcheck.simulation.sampling import sample

if TYPE_CHECKING:
    from archcheck.simulation.engines.reference.engine import Engine


def start(engine: Engine, source: Stream) -> None:
    """Begin the arrivals of a stream."""
    if source.kind == ArrivalKind.CLOSED:
        for user in range(source.users):
            User(engine, source, user).think()
        return
    caller = Caller(engine, source.place)
    times = enumerate(arrival_times(source, engine.seed))

    def arrive(number: int) -> None:
        schedule_next()
        key = entry_key(source, number)
        journey = chosen_journey(source, engine.seed, key)
        travel(engine, journey, caller, key, lambda _: None)

    def schedule_next() -> None:
        number, time = next(times, (0, FOREVER))
        if time <= engine.record.duration:
            engine.timer(time - engine.env.now, lambda: arrive(number))

    schedule_next()


def travel(engine: Engine, journey: int, caller: Caller, key: int, done: Answer) -> None:
    """One user runs a journey: its entries one after the other."""
    since = engine.env.now
    engine.record.journey_started(journey, since)
    entries = engine.plan.journeys[journey].entries
    degraded = False

    def finish(outcome: Outcome) -> None:
        engine.record.journey_finished(journey, outcome, since, engine.env.now)
        done(outcome)

    def enter(index: int) -> None:
        if index == len(entries):
            finish(Outcome.DEGRADED if degraded else Outcome.OK)
            return
        Attempts(engine, caller, entries[index], key, lambda o: answered(index, o)).start()

    def answered(index: int, outcome: Outcome) -> None:
        nonlocal degraded
        if outcome > Outcome.DEGRADED:
            finish(outcome)
            return
        degraded = degraded or outcome == Outcome.DEGRADED
        enter(index + 1)

    enter(0)


class User:
    """One of a closed number of users: think, run a journey, think again."""

    def __init__(self, engine: Engine, source: Stream, user: int) -> None:
        self.engine = engine
        self.source = source
        self.caller = Caller(engine, mix(source.place + user))
        self._key = entry_key(source, user)
        self._round = 0

    def think(self) -> None:
        """Wait, then run a journey."""
        assert self.source.think is not None  # noqa: S101  # a closed stream has a think time
        self._round += 1
        key = child(self._key, self.source.place, self._round)
        pause = sample(self.source.think, self.engine.draws(self.source.place), key)
        journey = chosen_journey(self.source, self.engine.seed, key)
        self.engine.timer(
            pause,
            lambda: travel(self.engine, journey, self.caller, key, lambda _: self.think()),
        )
