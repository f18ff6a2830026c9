"""Latencies in logarithmic buckets: percentiles with a known relative error, mergeable.

Buckets grow by a constant factor (Masson, Rim and Lee, DDSketch, 2019): every value is reported
within 0.5% of what it was, over any range, in a few hundred counters.
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Iterable

RELATIVE_ERROR = 0.005
"""The largest relative error of a percentile."""

_GROWTH = (1 + RELATIVE_ERROR) / (1 - RELATIVE_ERROR)
_LOG_GROWTH = math.log(_GROWTH)


class Histogram:
    """A distribution of non-negative seconds, with its exact count, sum and maximum."""

    def __init__(self) -> None:
        self.count = 0
        self.sum = 0.0
        self.max = 0.0
        self._zeros = 0
        self._buckets: Counter[int] = Counter()

    def add(self, seconds: float) -> None:
        """Record a value."""
        self.count += 1
        self.sum += seconds
        if seconds > self.max:
            self.max = seconds
        if seconds <= 0:
            self._zeros += 1
        else:
            self._buckets[math.ceil(math.log(seconds) / _LOG_GROWTH)] += 1

    @property
    def mean(self) -> float:
        """The exact mean; NaN without values."""
        return self.sum / self.count if self.count else math.nan

    def quantile(self, share: float) -> float:
        """The value that ``share`` of the values do not exceed; NaN without values."""
        if not self.count:
            return math.nan
        rank = max(1, math.ceil(share * self.count))
        seen = self._zeros
        if rank <= seen:
            return 0.0
        for bucket in sorted(self._buckets):
            seen += self._buckets[bucket]
            if rank <= seen:
                return min(self.max, 2 * _GROWTH**bucket / (_GROWTH + 1))
        return self.max

    @classmethod
    def merged(cls, parts: Iterable[Histogram]) -> Histogram:
        """The distribution of all values of ``parts``."""
        total = cls()
        for part in parts:
            total.count += part.count
            total.sum += part.sum
            total.max = max(total.max, part.max)
            total._zeros += part._zeros
            total._buckets.update(part._buckets)
        return total
