"""Servers behind a queue: threads, cores, connections, permits.

:class:`Servers` serves in order of arrival, the most important class first where classes have
ranks; :class:`Shared` serves everybody at once; :class:`~.throttling.Throttled` are cores under a
CPU limit. All record the same.
"""

from __future__ import annotations

from collections import deque
from functools import partial
from heapq import heappop, heappush
from typing import TYPE_CHECKING, Any

from archcheck.simulation.record import StationRecord

if TYPE_CHECKING:
    from archcheck.simulation.engines.reference.clock import Thunk
    from archcheck.simulation.engines.reference.engine import Engine


class Visit:
    """One stay, from asking for a server until giving it back."""

    __slots__ = ("granted", "is_gone", "is_served", "owner", "since")

    def __init__(self, since: float, granted: Thunk, owner: Any) -> None:
        self.since = since
        self.granted: Thunk | None = granted
        self.owner = owner
        self.is_served = False
        self.is_gone = False


class Recorder:
    """Time integrals and counts of one set of servers, added up when the run ends.

    ``station`` is the index of the station that these are servers of; -1 for pools and bulkheads.
    """

    def __init__(
        self, engine: Engine, record: StationRecord, servers: float | None, station: int = -1
    ) -> None:
        self.engine = engine
        self.record = record
        self.servers = servers
        self.station = station
        self.warmup = engine.warmup
        self.busy: float = 0
        self.waiting: float = 0
        self.inside: dict[Visit, None] = {}
        self.busy_seconds = 0.0
        self.waiting_seconds = 0.0
        self.server_seconds = 0.0
        self.throttled_seconds = 0.0
        self.last = engine.time
        self._start = self._shown = (0.0, 0.0, 0.0)
        self._throttled_before = 0.0
        self.is_closed = False
        engine.recorders.append(self)

    def is_there_since(self, birth: float) -> None:
        """These servers existed, idle, before they were first asked for."""
        if self.servers is not None:
            self.server_seconds = self.servers * (self.last - birth)
            before = self.servers * max(0.0, min(self.last, self.warmup) - birth)
            self._start = (0.0, 0.0, before if self.last >= self.warmup else 0.0)

    def tick(self, now: float) -> None:
        """Time has passed; called before anything changes."""
        span = now - self.last
        if span > 0:
            self.last = now
            self.busy_seconds += self.busy * span
            self.waiting_seconds += self.waiting * span
            if self.servers is not None:
                self.server_seconds += self.servers * span

    def leave(self, visit: Visit, now: float) -> None:
        """Somebody gives a server back, or gives up waiting."""
        del self.inside[visit]
        if now >= self.warmup:
            record = self.record
            record.ended += 1
            since = visit.since
            record.residence += now - (since if since > self.warmup else self.warmup)

    def start(self, now: float) -> None:
        """The warm-up is over: what was so far does not count."""
        self.tick(now)
        self._start = (self.busy_seconds, self.waiting_seconds, self.server_seconds)
        self._throttled_before = self.throttled_seconds

    def is_busier_than(self, share: float) -> bool:
        """Whether at least this share of the servers is busy."""
        return bool(self.servers) and self.busy >= share * (self.servers or 0.0)

    def reject(self) -> None:
        """Count somebody who was turned away."""
        if self.engine.time >= self.warmup:
            self.record.rejected += 1

    def since_last_look(self, now: float) -> tuple[float, float, float]:
        """Busy, waiting and server seconds since the last time that this was asked."""
        self.tick(now)
        before = self._shown
        self._shown = (self.busy_seconds, self.waiting_seconds, self.server_seconds)
        busy, waiting, servers = self._shown
        return busy - before[0], waiting - before[1], servers - before[2]

    def close(self, now: float) -> None:
        """The servers are gone."""
        if self.is_closed:
            return
        self.is_closed = True
        self.add_up(now)
        if self.servers is not None:
            self.servers = 0

    def add_up(self, now: float) -> None:
        """Write down what has come together: the servers are gone, or the run is over."""
        self.tick(now)
        record = self.record
        for visit in self.inside:
            record.residence += max(0.0, now - max(visit.since, self.warmup))
        if now < self.warmup:
            self.start(now)  # all of it was before
        busy, waiting, servers = self._start
        record.busy += self.busy_seconds - busy
        record.waiting += self.waiting_seconds - waiting
        record.capacity += self.server_seconds - servers
        record.throttled += self.throttled_seconds - self._throttled_before
        record.left_waiting += int(self.waiting)
        if self.server_seconds > servers:
            used = (self.busy_seconds - busy) / (self.server_seconds - servers)
            record.busiest = max(record.busiest, used)


class Servers(Recorder):
    """Servers that are held by one visitor each. ``queue``: how many may wait."""

    def __init__(
        self,
        engine: Engine,
        record: StationRecord,
        servers: float | None,
        queue: int | None = None,
        ranks: int = 1,
        station: int = -1,
    ) -> None:
        super().__init__(engine, record, servers, station)
        self.limit = queue
        self._lines: list[deque[Visit]] = [deque() for _ in range(ranks)]

    @property
    def is_full(self) -> bool:
        """Whether a newcomer would be turned away."""
        return (
            self.limit is not None
            and self.waiting >= self.limit
            and self.servers is not None
            and self.busy >= self.servers
        )

    def acquire(
        self, granted: Thunk, owner: Any = None, rank: int = 0, *, first: bool = False
    ) -> Visit:
        """Ask for a server.

        A free one is there at once: then ``granted`` is not called, and the visit is served.
        """
        now = self.engine.time
        visit = Visit(now, granted, owner)
        self.inside[visit] = None
        if now >= self.warmup:
            self.record.visits += 1
        if now > self.last:
            self.tick(now)
        if self.servers is None or self.busy < self.servers:
            self.busy += 1
            visit.is_served = True
            return visit
        self.waiting += 1
        line = self._lines[rank if len(self._lines) > 1 else 0]
        if first:
            line.appendleft(visit)
        else:
            line.append(visit)
        return visit

    def release(self, visit: Visit) -> None:
        """Give the server back, or leave the queue; the next in line gets a free server."""
        if visit.is_gone:
            return
        visit.is_gone = True
        now = self.engine.time
        if now > self.last:
            self.tick(now)
        self.leave(visit, now)
        if not visit.is_served:
            self.waiting -= 1
        else:
            self.busy -= 1
            if self.waiting:
                self.serve_next(now)
        visit.granted = visit.owner = None  # no circle of references is left

    def serve_next(self, now: float) -> None:
        """Free servers are given to those who wait."""
        while self.waiting and (self.servers is None or self.busy < self.servers):
            for line in self._lines:
                while line and line[0].is_gone:
                    line.popleft()
                if line:
                    visit = line.popleft()
                    self.waiting -= 1
                    self.busy += 1
                    visit.is_served = True
                    if now > self.warmup:
                        self.record.waited += now - max(visit.since, self.warmup)
                    if visit.granted is not None:
                        self.engine.soon.append(visit.granted)
                    break

    def in_line(self) -> list[Visit]:
        """Who waits, in the order in which they are served."""
        return [visit for line in self._lines for visit in line if not visit.is_gone]

    def least_important(self, rank: int) -> Visit | None:
        """The last in line of those who are less important than ``rank``."""
        for line in reversed(self._lines[rank + 1 :]):
            for visit in reversed(line):
                if not visit.is_gone and visit.owner is not None:
                    return visit
        return None

    def work(self, seconds: float, done: Thunk, rank: int = 0) -> None:
        """Occupy a server for ``seconds``; then ``done`` is called."""
        Job(self, seconds, done, rank)

    def empty(self) -> None:
        """Everybody is thrown out, without an answer."""
        now = self.engine.time
        self.tick(now)
        for visit in list(self.inside):
            visit.is_gone = True
            self.leave(visit, now)
        self.busy = self.waiting = 0
        for line in self._lines:
            line.clear()


class Job:
    """Work that occupies a server for a time."""

    __slots__ = ("done", "seconds", "servers", "visit")

    def __init__(self, servers: Servers, seconds: float, done: Thunk, rank: int) -> None:
        self.servers = servers
        self.seconds = seconds
        self.done = done
        self.visit = servers.acquire(self._begin, None, rank)
        if self.visit.is_served:
            self._begin()

    def _begin(self) -> None:
        self.servers.engine.after(self.seconds, self._end)

    def _end(self) -> None:
        if not self.visit.is_gone:
            self.servers.release(self.visit)
            self.done()


class Shared(Recorder):
    """Cores that all share: each of n jobs runs at the speed min(1, cores / n).

    Kept in virtual time, the work that every job has received so far, so a change costs one
    operation on a heap. A job waits, as it is recorded, as far as it does not run: with n jobs on c
    cores min(n, c) are busy and the rest wait.
    """

    def __init__(
        self,
        engine: Engine,
        record: StationRecord,
        servers: float,
        queue: int | None = None,
        station: int = -1,
    ) -> None:
        super().__init__(engine, record, servers, station)
        self.cores = servers
        self.limit = queue
        self._jobs: list[tuple[float, int, Visit, float]] = []
        self._virtual = 0.0
        self._changed = engine.time
        self._number = 0
        self._version = 0

    @property
    def is_full(self) -> bool:
        """Whether a newcomer would be turned away: beside one job a core, so many may wait."""
        return self.limit is not None and len(self._jobs) >= self.cores + self.limit

    def least_important(self, rank: int) -> None:
        """Nobody waits to begin, so nobody can be displaced."""

    def work(self, seconds: float, done: Thunk, rank: int = 0) -> None:
        """Receive ``seconds`` of work; then ``done`` is called."""
        now = self.engine.time
        self._advance(now)
        visit = Visit(now, done, None)
        visit.is_served = True
        self.inside[visit] = None
        if now >= self.warmup:
            self.record.visits += 1
        self._admit(visit, seconds, rank)
        self._change()

    def _admit(self, visit: Visit, seconds: float, rank: int) -> None:
        """Begin at once, beside all others."""
        self._run(visit, seconds)

    def _run(self, visit: Visit, seconds: float) -> None:
        self._number += 1
        heappush(self._jobs, (self._virtual + seconds, self._number, visit, seconds))

    def _advance(self, now: float) -> None:
        jobs = len(self._jobs)
        if jobs:
            self._virtual += (now - self._changed) * min(1.0, self.cores / jobs)
        self._changed = now
        self.tick(now)

    def _change(self) -> None:
        jobs = len(self._jobs)
        self.busy = min(float(jobs), self.cores)
        self.waiting = jobs - self.busy
        self._version += 1
        if jobs:
            speed = min(1.0, self.cores / jobs)
            left = max(0.0, self._jobs[0][0] - self._virtual) / speed
            self.engine.timer(left, partial(self._due, self._version))

    def _due(self, version: int) -> None:
        """What was foreseen has come, if nothing has changed since."""
        if version == self._version:
            now = self.engine.time
            self._advance(now)
            self._happen(now)

    def _happen(self, now: float) -> None:
        self._finish(now)

    def _finish(self, now: float) -> None:
        """The first of the jobs is done."""
        due, _, visit, seconds = heappop(self._jobs)
        self._virtual = max(self._virtual, due)
        self.leave(visit, now)
        if now > self.warmup:
            self.record.waited += max(0.0, now - max(visit.since, self.warmup) - seconds)
        self._let_in()
        self._change()
        if visit.granted is not None:
            visit.granted()

    def _let_in(self) -> None:
        """Nobody waits to begin."""

    def empty(self) -> None:
        """Everybody is thrown out, without an answer."""
        now = self.engine.time
        self._advance(now)
        for visit in list(self.inside):
            self.leave(visit, now)
        self._jobs.clear()
        self._change()
