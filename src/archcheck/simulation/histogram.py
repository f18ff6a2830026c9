"""Latencies in logarithmic buckets: percentiles with a known relative error, mergeable.

Buckets grow by a constant factor (Masson, Rim and Lee, DDSketch, 2019): every value is reported
within 0.5% of what it was, over any range, in a few hundred counters.
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Iterable
from functools import reduce
from itertools import repeat
from operator import add, mul

RELATIVE_ERROR = 0.005
"""The largest relative error of a percentile. A choice: well below the intervals of usual runs, and
a latency between 1 ms and 10 s needs less than 1,000 buckets."""

_GROWTH = (1 + RELATIVE_ERROR) / (1 - RELATIVE_ERROR)
PER_LOG = 1 / math.log(_GROWTH)
"""Buckets in which a latency grows by the factor e."""
_ZERO = -1_000_000
"""The bucket of zero: below that of the smallest number."""


_NONE: Counter[int] = Counter()
"""The buckets of a histogram that has not counted anything."""


def bucket_of(seconds: float) -> int:
    """The bucket of a non-negative number; buckets are ordered as the numbers are."""
    return math.ceil(math.log(seconds) * PER_LOG) if seconds > 0 else _ZERO


class Histogram:
    """A distribution of non-negative seconds, with its exact count, sum and maximum.

    Values are kept as they come and sorted into buckets many at a time, when the histogram is
    read or when :meth:`settle` is called.
    """

    __slots__ = ("_buckets", "_count", "_fresh", "_max", "_sum", "add")

    def __init__(self) -> None:
        self._count = 0
        self._sum = 0.0
        self._max = 0.0
        self._buckets: Counter[int] = _NONE
        self._fresh: list[float] = []
        self.add = self._fresh.append
        """Record a value."""

    def settle(self) -> None:
        """Sort the values that have come since the last time into their buckets."""
        fresh = self._fresh
        if not fresh:
            return
        self._begin()
        self._count += len(fresh)
        self._sum = reduce(add, fresh, self._sum)  # in order, as the compiled engine adds
        self._max = max(self._max, max(fresh))
        positive = [seconds for seconds in fresh if seconds > 0]
        if len(positive) < len(fresh):
            self._buckets[_ZERO] += len(fresh) - len(positive)
        self._buckets.update(map(math.ceil, map(mul, map(math.log, positive), repeat(PER_LOG))))
        fresh.clear()

    def _begin(self) -> None:
        """Most histograms of a large plan never count anything."""
        if self._buckets is _NONE:
            self._buckets = Counter()

    def fill(
        self, count: int, total: float, largest: float, zeros: int, buckets: dict[int, int]
    ) -> None:
        """Take over what was counted elsewhere."""
        self._count, self._sum, self._max = count, total, largest
        self._buckets = Counter(buckets)
        if zeros:
            self._buckets[_ZERO] = zeros

    @property
    def count(self) -> int:
        """How many values."""
        return self._count + len(self._fresh)

    @property
    def sum(self) -> float:
        """The sum of the values."""
        self.settle()
        return self._sum

    @property
    def max(self) -> float:
        """The largest value; 0 without values."""
        self.settle()
        return self._max

    @property
    def mean(self) -> float:
        """The exact mean; NaN without values."""
        return self.sum / self._count if self.count else math.nan

    @property
    def buckets(self) -> dict[int, int]:
        """How many values are in each bucket."""
        self.settle()
        return dict(self._buckets)

    def bucket_at(self, share: float) -> int:
        """The bucket of the value that ``share`` of the values do not exceed."""
        self.settle()
        rank = max(1, math.ceil(share * self._count))
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
        return 0.0 if bucket == _ZERO else min(self._max, 2 * _GROWTH**bucket / (_GROWTH + 1))

    def merge(self, other: Histogram) -> None:
        """Add the values of another histogram."""
        self.settle()
        other.settle()
        self._count += other._count
        self._sum += other._sum
        self._max = max(self._max, other._max)
        self._begin()
        self._buckets.update(other._buckets)

    @classmethod
    def merged(cls, parts: Iterable[Histogram]) -> Histogram:
        """The distribution of all values of ``parts``."""
        total = cls()
        for part in parts:
            total.merge(part)
        return total

    def __reduce__(self) -> tuple[object, ...]:
        self.settle()
        return _restored, (self._count, self._sum, self._max, self._buckets)


def _restored(count: int, total: float, largest: float, buckets: Counter[int]) -> Histogram:
    """A histogram that has travelled between processes."""
    histogram = Histogram()
    histogram._count, histogram._sum, histogram._max = count, total, largest
    histogram._buckets = buckets
    return histogram
