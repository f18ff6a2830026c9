"""Latencies in logarithmic buckets: percentiles with a known relative error, mergeable.

Buckets grow by a constant factor (Masson, Rim and Lee, DDSketch, 2019): every value is reported
within 0.5% of what it was, over any range, in a few hundred counters.
"""

from __future__ import annotations

import math
from collections.abc import Iterable

RELATIVE_ERROR = 0.005
"""The largest relative error of a percentile."""

_GROWTH = (1 + RELATIVE_ERROR) / (1 - RELATIVE_ERROR)
_PER_LOG = 1 / math.log(_GROWTH)
_ZERO = -1_000_000
"""The bucket of zero: below that of the smallest number."""


def bucket_of(seconds: float) -> int:
    """The bucket of a non-negative number; buckets are ordered as the numbers are."""
    return math.ceil(math.log(seconds) * _PER_LOG) if seconds > 0 else _ZERO


class Histogram:
    """A distribution of non-negative seconds, with its exact count, sum and maximum."""

    __slots__ = ("_buckets", "count", "max", "sum")

    def __init__(self) -> None:
        self.count = 0
        self.sum = 0.0
        self.max = 0.0
        self._buckets: dict[int, int] = {}

    def add(self, seconds: float) -> None:
        """Record a value."""
        self.count += 1
        self.sum += seconds
        if seconds > self.max:
            self.max = seconds
        bucket = math.ceil(math.log(seconds) * _PER_LOG) if seconds > 0 else _ZERO
        self._buckets[bucket] = self._buckets.get(bucket, 0) + 1

    @property
    def mean(self) -> float:
        """The exact mean; NaN without values."""
        return self.sum / self.count if self.count else math.nan

    def bucket_at(self, share: float) -> int:
        """The bucket of the value that ``share`` of the values do not exceed."""
        rank = max(1, math.ceil(share * self.count))
        seen = 0
        for bucket in sorted(self._buckets):
            seen += self._buckets[bucket]
            if rank <= seen:
                return bucket
        raise ValueError("an empty histogram has no buckets")

    def quantile(self, share: float) -> float:
        """The value that ``share`` of the values do not exceed; NaN without values."""
        if not self.count:
            return math.nan
        bucket = self.bucket_at(share)
        return 0.0 if bucket == _ZERO else min(self.max, 2 * _GROWTH**bucket / (_GROWTH + 1))

    def merge(self, other: Histogram) -> None:
        """Add the values of another histogram."""
        self.count += other.count
        self.sum += other.sum
        self.max = max(self.max, other.max)
        for bucket, count in other._buckets.items():
            self._buckets[bucket] = self._buckets.get(bucket, 0) + count

    @classmethod
    def merged(cls, parts: Iterable[Histogram]) -> Histogram:
        """The distribution of all values of ``parts``."""
        total = cls()
        for part in parts:
            total.merge(part)
        return total
