"""Where requests wait for servers, and what belongs to those who call."""

from __future__ import annotations

from collections import deque
from typing import TYPE_CHECKING

from archcheck.simulation.plan import Balance
from archcheck.simulation.randomness import place_hash, uniform
from archcheck.simulation.record import StationRecord

if TYPE_CHECKING:
    from archcheck.simulation.engines.reference.engine import Engine, Thunk


class Caller:
    """What belongs to a caller: its round-robin counters, its outstanding requests, its pools."""

    def __init__(self, engine: Engine, place: int) -> None:
        self._engine = engine
        self._place = place
        self._turn: dict[int, int] = {}
        self._outstanding: dict[int, list[int]] = {}
        self._pools: dict[int, Node] = {}

    def pool(self, index: int) -> Node:
        """This caller's connections to a target."""
        if index not in self._pools:
            size = self._engine.plan.pools[index].size
            record = self._engine.record.pools[index]
            self._pools[index] = Node(self._engine, record, size, None, self._place)
            self._engine.pools.append(self._pools[index])
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


class Node(Caller):
    """Servers behind a first-in-first-out queue: a replica, a shard, a pool of connections."""

    def __init__(
        self,
        engine: Engine,
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
        self._queue: deque[Visit] = deque()
        self._inside: dict[Visit, None] = {}

    @property
    def is_full(self) -> bool:
        """Whether a newcomer would be turned away."""
        no_server = self._servers is not None and self._busy >= self._servers
        return no_server and self._limit is not None and len(self._queue) >= self._limit

    def acquire(self, granted: Thunk) -> Visit:
        """Ask for a server; ``granted`` is called when there is one."""
        now = self._engine.env.now
        visit = Visit(now, granted)
        self._inside[visit] = None
        if now >= self._engine.record.warmup:
            self._record.visits += 1
        if self._servers is None or self._busy < self._servers:
            self._occupy(visit)
        else:
            self._record.waiting.change(now, 1)
            self._queue.append(visit)
        return visit

    def release(self, visit: Visit) -> None:
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

    def _occupy(self, visit: Visit) -> None:
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

    def _leave(self, visit: Visit, now: float) -> None:
        self._record.residence += max(0.0, now - max(visit.since, self._engine.record.warmup))


class Visit:
    """One stay at a node, from asking for a server until giving it back."""

    __slots__ = ("granted", "is_served", "since")

    def __init__(self, since: float, granted: Thunk) -> None:
        self.since = since
        self.granted = granted
        self.is_served = False
