"""Where the time of a journey went: its causes, along the critical path.

Every request notes what it waited for, in order. A call adds the notes of its callee to those of
its caller, a join those of the branch it waited for last; so the notes of a journey add up to its
duration, and what happened beside the critical path is not among them.

A note is two entries of a list: a *code* and seconds. The code is the cause plus 16 times the
index of the place in the plan's table that the cause belongs to.
"""

from __future__ import annotations

from collections import defaultdict
from enum import IntEnum

from archcheck.simulation.histogram import bucket_of

SHIFT = 4
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


def code(cause: Cause, index: int) -> int:
    """The code of a cause at a place."""
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
