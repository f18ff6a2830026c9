"""Time: SimPy's environment, and what an event causes without delay.

What is due at once goes on a list that is worked off first in, first out, before the next event.
Events at the same time happen in the order in which they were scheduled.
"""

from __future__ import annotations

import gc
from collections import deque
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from heapq import heappop, heappush
from typing import Any

import simpy
from simpy.events import NORMAL

Thunk = Callable[[], Any]

_ROUNDING = 1e-12
"""How much of the time two sums of the same numbers may differ by: some thousand roundings."""
_INSTANT = 5e-324
"""The shortest delay that is an event of its own: the smallest positive double."""


@contextmanager
def rarely_collecting() -> Iterator[None]:
    """Let Python look for cycles of garbage less often: most objects of a run die by themselves."""
    before = gc.get_threshold()
    # a choice: the default (700) looks through young objects that hardly ever are garbage
    gc.set_threshold(max(before[0], 200_000), *before[1:])
    try:
        yield
    finally:
        gc.set_threshold(*before)


class Due(simpy.Event):
    """An event that calls something when its time has come."""

    def __init__(self, then: Thunk) -> None:
        self.then = then


class Clock(simpy.Environment):
    """The time of a run, in ``time``, and everything that is still to happen."""

    def __init__(self) -> None:
        super().__init__()
        self.time = 0.0
        self.events = 0
        self.soon: deque[Thunk] = deque()

    def after(self, delay: float, then: Thunk) -> None:
        """Call ``then`` after a delay; without delay, after what is already due now."""
        if delay > 0:
            heappush(self._queue, (self._now + delay, NORMAL, next(self._eid), Due(then)))
        else:
            self.soon.append(then)

    def timer(self, delay: float, then: Thunk) -> None:
        """Call ``then`` in an event of its own, which does not overtake what is due now."""
        self.after(delay if delay > 0 else _INSTANT, then)

    def step(self) -> None:
        """Process the next event, and what it causes without delay."""
        if not isinstance(self._queue[0][3], Due):
            super().step()  # SimPy's own: the end of the run
            return
        due: Due
        self._now, _, _, due = heappop(self._queue)  # type: ignore[assignment]  # seen above
        self.time = self._now
        self.events += 1
        due.then()
        self.work_off()

    def work_off(self) -> None:
        """Do what is due now."""
        soon = self.soon
        while soon:
            soon.popleft()()


class Timeouts:
    """The deadlines of a call site: all attempts have the same timeout, so they come in order.

    Only the next deadline of an attempt that has no answer yet is an event.
    """

    def __init__(self, clock: Clock, timeout: float) -> None:
        self._clock = clock
        self._timeout = timeout
        self._open: deque[Any] = deque()
        self._is_set = False

    def watch(self, attempt: Any) -> None:
        """Time out an attempt that was made just now, if it is not settled by then."""
        self._open.append(attempt)
        if not self._is_set:
            self._is_set = True
            self._clock.timer(self._timeout, self._ring)

    def _ring(self) -> None:
        """Time out what is due; then wait for the next.

        An attempt that is made meanwhile, because another one timed out, comes last: it must not
        set the timer, which is for the first.
        """
        waiting, now = self._open, self._clock.time
        while waiting:
            attempt = waiting[0]
            left = attempt.since + self._timeout - now
            if not attempt.is_settled and left > _ROUNDING * now:
                self._clock.timer(left, self._ring)
                return
            waiting.popleft()
            if not attempt.is_settled:
                attempt.time_out()
        self._is_set = False
