"""What a caller puts between itself and a callee: breakers, token buckets, retry budgets.

One object is one replica's state; bulkheads and connection pools are :class:`Servers`.
"""

from __future__ import annotations

from collections import deque

from archcheck.simulation.plan import BreakerSpec, BudgetSpec, LimitSpec


class TokenBucket:
    """Tokens drip in at a rate, up to a number; a request takes one or is turned away."""

    def __init__(self, spec: LimitSpec) -> None:
        self._rate = spec.rate
        self._burst = spec.burst
        self._tokens = spec.burst
        self._since = 0.0

    def takes(self, now: float) -> bool:
        """Whether there is a token; it is then gone."""
        self._tokens = min(self._burst, self._tokens + (now - self._since) * self._rate)
        self._since = now
        if self._tokens < 1 - 1e-9:  # a token that is there but for roundings
            return False
        self._tokens -= 1
        return True


class RetryBudgetState:
    """First attempts and retries of the last ten seconds, in slots of one second."""

    SLOTS = 10
    """Seconds over which retries are compared with first tries: Finagle's and Linkerd's ``ttl``."""

    def __init__(self, spec: BudgetSpec) -> None:
        self._ratio = spec.ratio
        self._floor = spec.floor * self.SLOTS
        self._slots: deque[list[int]] = deque()
        self._firsts = 0
        self._retries = 0

    def first(self, now: float) -> None:
        """A first attempt is made."""
        self._slot(now)[1] += 1
        self._firsts += 1

    def allows(self, now: float) -> bool:
        """Whether one more retry fits; it is then counted."""
        slot = self._slot(now)
        if self._retries + 1 > self._ratio * self._firsts + self._floor:
            return False
        slot[2] += 1
        self._retries += 1
        return True

    def _slot(self, now: float) -> list[int]:
        second = int(now)
        while self._slots and self._slots[0][0] <= second - self.SLOTS:
            _, firsts, retries = self._slots.popleft()
            self._firsts -= firsts
            self._retries -= retries
        if not self._slots or self._slots[-1][0] != second:
            self._slots.append([second, 0, 0])
        return self._slots[-1]


class Breaker:
    """Resilience4j's circuit breaker: closed, open, half-open.

    It opens when, with at least ``minimum`` calls in the window, the share of failed or of slow
    ones reaches its threshold. ``open_for`` seconds later the next call makes it half-open: so
    many probes pass, and their rates decide between closed and open.
    """

    def __init__(self, spec: BreakerSpec) -> None:
        self.spec = spec
        self.opened = 0
        self._open_until = -1.0
        self._is_open = False
        self._probes_left = 0
        self._is_half_open = False
        self._generation = 0
        self._clear(spec.window, spec.timed, spec.minimum)

    def _clear(self, window: float, timed: bool, minimum: float) -> None:
        self._window: deque[list[float]] = deque()
        self._calls = self._failed = self._slow = 0
        self._size = window
        self._timed = timed
        self._minimum = minimum if timed else min(minimum, window)

    def permits(self, now: float) -> int:
        """A ticket for :meth:`record`, or -1: the call must not be made."""
        if self._is_open:
            if now < self._open_until:
                return -1
            self._is_open = False
            self._is_half_open = True
            self._probes_left = self.spec.probes
            self._generation += 1
            self._clear(self.spec.probes, False, self.spec.minimum)
        if self._is_half_open:
            if self._probes_left == 0:
                return -1
            self._probes_left -= 1
        return self._generation

    def hand_back(self, ticket: int) -> None:
        """A permitted call was given up without a result: its probe may be made again."""
        if self._is_half_open and ticket == self._generation:
            self._probes_left += 1

    def record(self, ticket: int, now: float, failed: bool, seconds: float) -> None:
        """A permitted call has ended; calls of an earlier state do not count any more."""
        if ticket != self._generation:
            return
        slow = seconds > self.spec.slow
        self._expire(now)
        if self._timed and self._window and self._window[-1][0] == int(now):
            last = self._window[-1]
            last[1] += 1
            last[2] += failed
            last[3] += slow
        else:
            self._window.append([int(now), 1, failed, slow])
        self._calls += 1
        self._failed += failed
        self._slow += slow
        if not self._timed and self._calls > self._size:
            self._forget(self._window.popleft())
        self._judge(now)

    def _expire(self, now: float) -> None:
        while self._timed and self._window and self._window[0][0] <= int(now) - self._size:
            self._forget(self._window.popleft())

    def _forget(self, slot: list[float]) -> None:
        self._calls -= int(slot[1])
        self._failed -= int(slot[2])
        self._slow -= int(slot[3])

    def _judge(self, now: float) -> None:
        if self._calls < self._minimum:
            return
        bad = (
            self._failed >= self.spec.failure_rate * self._calls
            or self._slow >= self.spec.slow_rate * self._calls
        )
        if bad:
            self.opened += 1
            self._is_open, self._is_half_open = True, False
            self._open_until = now + self.spec.open_for
            self._generation += 1
        elif self._is_half_open:
            self._is_half_open = False
            self._generation += 1
            self._clear(self.spec.window, self.spec.timed, self.spec.minimum)
