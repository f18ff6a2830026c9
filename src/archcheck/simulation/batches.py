"""A series of latencies in bounded memory: sums of batches that grow with the series."""

from __future__ import annotations

from collections.abc import Iterator

MOST = 8192
"""Batches from which on two become one. A choice: sums and starts are 128 KiB, and fine enough
to cut 20 batches or to find the end of a warm-up."""


class Batches:
    """The latencies of a journey in the order of their ends, the warm-up included.

    Batches of one latency each, as long as there are few of them; then of two, of four, and so
    on. ``starts`` are the times at which the first request of each batch began, ``sums`` the
    seconds of all of them; ``filled`` latencies are in a last batch that is not yet complete.
    """

    def __init__(self) -> None:
        self.size = 1
        self.filled = 0
        self.starts: list[float] = []
        self.sums: list[float] = []

    def add(self, start: float, seconds: float) -> None:
        """A request that began at ``start`` took ``seconds``."""
        if self.filled == 0:
            if len(self.sums) == MOST:
                self._merge()
            self.starts.append(start)
            self.sums.append(0.0)
        self.sums[-1] += seconds
        self.filled = (self.filled + 1) % self.size

    def _merge(self) -> None:
        self.starts = self.starts[::2]
        self.sums = [a + b for a, b in zip(self.sums[::2], self.sums[1::2], strict=True)]
        self.size *= 2

    def __len__(self) -> int:
        """Latencies in complete batches."""
        return self.size * (len(self.sums) - (self.filled > 0))

    def means(self) -> Iterator[tuple[float, float]]:
        """Start and mean latency of each complete batch."""
        complete = len(self) // self.size
        for start, total in zip(self.starts[:complete], self.sums[:complete], strict=True):
            yield start, total / self.size
