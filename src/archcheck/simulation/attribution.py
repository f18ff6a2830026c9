"""Where the time of a journey went and why it failed: along the critical path.

Every request notes what it waited for, in order. A call adds the notes of its callee to those of
its caller, a join those of the branch it waited for last; so the notes of a journey add up to its
duration, and what happened beside the critical path is not among them.

A note is two entries of a list: a *code* and seconds. The code is the cause plus 32 times the
index of the place in the plan's table that the cause belongs to.

What makes an attempt or a request fail by itself, and not because something below it failed, is a
note without seconds: its :class:`FailureReason`. So the last one among the notes of a journey that
failed is where that began.
"""

from __future__ import annotations

from collections import defaultdict
from enum import IntEnum

from archcheck.simulation.histogram import bucket_of

SHIFT = 5
Notes = list[float]
"""Codes and seconds in turn."""


class Cause(IntEnum):
    """Why time passed, and of which table the index is.

    WORK, SLOT (waiting for a thread, a connection of a datastore, a consumer) and CPU (waiting
    for a core): groups. OUTSIDE: operations of others. CONNECTION: pools. BULKHEAD, NETWORK, LOST
    (waiting for an answer that did not come in time), BACKOFF: call sites; NETWORK is also the
    way to a broker and back, with index 0. LOADING (another
    request is filling the cache): caches. CALL is the whole duration of a call: it overlaps the
    others and is not part of the sum.
    """

    WORK = 0
    OUTSIDE = 1
    SLOT = 2
    CPU = 3
    CONNECTION = 4
    BULKHEAD = 5
    NETWORK = 6
    LOST = 7
    BACKOFF = 8
    LOADING = 9
    CALL = 10


class FailureReason(IntEnum):
    """Why a request or an attempt failed by itself, and of which table the index is.

    TIMED_OUT, BROKEN (its breaker was open), OVER_OWN_LIMIT (of the client), NOBODY_THERE (no
    replica), CUT (its link): call sites. NO_PERMIT: bulkheads. NO_CONNECTION: pools; both also
    where they were waited for until the time was up. OVER_LIMIT
    (of the server), QUEUE_FULL, SHED, ERROR (it failed by itself), DIED (its process is gone):
    operations. NOT_LOADED (what another request was to fill in): caches.
    """

    TIMED_OUT = 16
    BROKEN = 17
    OVER_OWN_LIMIT = 18
    NOBODY_THERE = 19
    CUT = 20
    NO_PERMIT = 21
    NO_CONNECTION = 22
    OVER_LIMIT = 23
    QUEUE_FULL = 24
    SHED = 25
    ERROR = 26
    DIED = 27
    NOT_LOADED = 28


MASK = (1 << SHIFT) - 1
"""The bits of a code that are the cause or the reason."""
_FIRST_REASON = min(FailureReason)


def reason_in(notes: Notes) -> int | None:
    """The code of the last reason among the notes."""
    codes = (int(note) for note in notes[-2::-2])
    return next((note for note in codes if note & MASK >= _FIRST_REASON), None)


def code(cause: Cause | FailureReason, index: int) -> int:
    """The code of a cause or reason at a place."""
    return cause + (index << SHIFT)


def _sums() -> dict[int, float]:
    return defaultdict(float)


class Attribution:
    """The notes of a journey's requests, summed by bucket of the journey's duration."""

    def __init__(self) -> None:
        self.counts: dict[int, int] = defaultdict(int)
        self.totals: dict[int, float] = defaultdict(float)
        self.seconds: dict[int, dict[int, float]] = defaultdict(_sums)

    def add(self, seconds: float, notes: Notes) -> None:
        """A journey took ``seconds``; ``notes`` say what for."""
        bucket = bucket_of(seconds)
        self.counts[bucket] += 1
        self.totals[bucket] += seconds
        sums = self.seconds[bucket]
        for note, spent in zip(notes[::2], notes[1::2], strict=True):
            if spent:
                sums[note] += spent  # type: ignore[index]  # codes are whole

    def fill(self, bucket: int | None, count: int, total: float, seconds: dict[int, float]) -> None:
        """Take over what was summed up elsewhere; no bucket: journeys that took no time."""
        place = bucket_of(0.0) if bucket is None else bucket
        self.counts[place], self.totals[place] = count, total
        self.seconds[place].update(seconds)

    def merge(self, other: Attribution) -> None:
        """Add another run's notes."""
        for bucket, count in other.counts.items():
            self.counts[bucket] += count
            self.totals[bucket] += other.totals[bucket]
            sums = self.seconds[bucket]
            for note, seconds in other.seconds[bucket].items():
                sums[note] += seconds
