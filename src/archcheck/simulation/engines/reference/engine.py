"""One run: the clock, the nodes of every station, the streams of random numbers."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable
from itertools import chain
from typing import Any

import simpy

from archcheck.simulation.engines.reference.load import start
from archcheck.simulation.engines.reference.stations import Node
from archcheck.simulation.plan import Plan
from archcheck.simulation.randomness import place_hash, stream
from archcheck.simulation.record import BUCKETS, Record

Thunk = Callable[[], None]

_INSTANT = 5e-324
"""The shortest delay that is an event of its own."""


def run(plan: Plan, *, seed: int, duration: float, warmup: float) -> Record:
    """Simulate ``duration`` seconds; statistics start after ``warmup`` seconds."""
    return Engine(plan, seed, duration, warmup).run()


class Engine:
    """The clock, the nodes and the streams of one run."""

    def __init__(self, plan: Plan, seed: int, duration: float, warmup: float) -> None:
        self.plan = plan
        self.seed = seed
        self.env = simpy.Environment()
        self.record = Record(plan, duration, warmup)
        self.soon: deque[Thunk] = deque()
        self.stations = [
            [
                Node(
                    self, record, station.servers, station.queue, place_hash(f"{station.name}/{n}")
                )
                for n in range(station.nodes)
            ]
            for station, record in zip(plan.stations, self.record.stations, strict=True)
        ]
        self.pools: list[Node] = []  # of all callers, from their first use on
        self._streams: dict[int, int] = {}

    def run(self) -> Record:
        for source in self.plan.streams:
            start(self, source)
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

    def timer(self, delay: float, then: Thunk) -> None:
        """Call ``then`` in an event of its own, which does not overtake what is due now."""
        self.after(max(delay, _INSTANT), then)

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
        for node in (*chain.from_iterable(self.stations), *self.pools):
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
