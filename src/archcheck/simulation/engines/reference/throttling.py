"""Cores under a CPU limit: a quota of CPU time in each period, for all that runs together.

Linux, CFS bandwidth control (kernel documentation, scheduler/sched-bwc): what runs uses up the
quota; when there is none left, everything stands still until the next period, which begins with a
full quota. Periods follow each other from the start of the node on, whether anything runs or not,
and nothing of a quota is kept for later (no burst). The slices of 5 ms in which the kernel hands
the quota to processors are left out: it is used to the last bit.
"""

from __future__ import annotations

import math
from collections import deque
from enum import Enum, auto
from functools import partial
from typing import TYPE_CHECKING

from archcheck.simulation.engines.reference.servers import Shared, Visit
from archcheck.simulation.plan import PERIOD

if TYPE_CHECKING:
    from archcheck.simulation.engines.reference.engine import Engine
    from archcheck.simulation.plan import Station
    from archcheck.simulation.record import StationRecord


NANOSECOND = 1e-9
"""What the kernel counts in: what ends with the quota ends, and does not wait for the next."""


class _Next(Enum):
    """What happens next, unless something changes before."""

    DONE = auto()
    USED_UP = auto()
    NEW_PERIOD = auto()


class Throttled(Shared):
    """Cores that are shared by all, or given to one job each, and stand still without a quota.

    The servers that are recorded are those that there are in the long run; busy is what uses the
    quota, and who stands still waits.
    """

    def __init__(
        self,
        engine: Engine,
        record: StationRecord,
        spec: Station,
        is_shared: bool,
        ranks: int,
        station: int,
    ) -> None:
        super().__init__(engine, record, spec.lasting or 0.0, spec.queue, station)
        self.cores = math.inf if spec.servers is None else spec.servers
        self.is_shared = is_shared
        self.quota = (spec.limit or 0.0) * PERIOD
        self._lines: list[deque[tuple[Visit, float]]] = [deque() for _ in range(ranks)]
        self._born = engine.time
        self._periods = 1
        self._period_ends = self._born + PERIOD
        self._used = 0.0
        self._stands_still = False
        self._next = _Next.DONE

    @property
    def is_full(self) -> bool:
        """Whether a newcomer would be turned away: beside one job a core, so many may wait."""
        return self.limit is not None and len(self.inside) >= self.cores + self.limit

    def is_busier_than(self, share: float) -> bool:
        """Whether at least this share of the cores is busy, or has used up its quota."""
        return self._stands_still or self.busy >= share * self.cores

    def _admit(self, visit: Visit, seconds: float, rank: int) -> None:
        if not self._jobs:
            self._look_at_the_clock(self.engine.time)
        if self.is_shared or len(self._jobs) < self.cores:
            self._run(visit, seconds)
        else:
            self._lines[rank if len(self._lines) > 1 else 0].append((visit, seconds))

    def _look_at_the_clock(self, now: float) -> None:
        """Nothing ran, so nobody has noticed the periods that went by."""
        if now >= self._period_ends:
            self._periods = int((now - self._born) / PERIOD) + 1
            self._begin_period()

    def _begin_period(self) -> None:
        self._period_ends = self._born + self._periods * PERIOD
        self._used = 0.0
        self._stands_still = False

    def _advance(self, now: float) -> None:
        jobs = len(self._jobs)
        span = now - self._changed
        if self._stands_still:
            self.throttled_seconds += span if jobs else 0.0
        elif jobs:
            self._virtual += span * min(1.0, self.cores / jobs)
            self._used += span * min(float(jobs), self.cores)
        self._changed = now
        self.tick(now)

    def _change(self) -> None:
        jobs = len(self._jobs)
        speed = min(float(jobs), self.cores)
        self.busy = 0.0 if self._stands_still else speed
        self.waiting = len(self.inside) - self.busy
        self._version += 1
        if not jobs:
            return
        to_end = max(0.0, self._period_ends - self.engine.time)
        left, self._next = to_end, _Next.NEW_PERIOD
        if not self._stands_still:
            to_done = max(0.0, self._jobs[0][0] - self._virtual) / min(1.0, self.cores / jobs)
            to_used_up = max(0.0, self.quota - self._used) / speed
            if to_done < left:
                left, self._next = to_done, _Next.DONE
            if to_used_up < left - NANOSECOND:
                left, self._next = to_used_up, _Next.USED_UP
        self.engine.timer(left, partial(self._due, self._version))

    def _happen(self, now: float) -> None:
        if self._next is _Next.DONE:
            self._finish(now)
            return
        if self._next is _Next.NEW_PERIOD:
            self._periods += 1
            self._begin_period()
        else:
            self._stands_still = True
        self._change()

    def _let_in(self) -> None:
        for line in self._lines:
            if line:
                self._run(*line.popleft())
                break

    def empty(self) -> None:
        """Everybody is thrown out, without an answer."""
        for line in self._lines:
            line.clear()
        super().empty()
