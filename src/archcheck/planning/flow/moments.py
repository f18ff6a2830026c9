"""Durations by their first two moments: added, mixed, raced, and read off as percentiles.

A percentile is that of the gamma distribution with the same moments, by the approximation of
Wilson and Hilferty (The Distribution of Chi-Square, 1931): within 2% of the gamma distribution's
from the median to the 99.9th percentile where the variability is below 3. What seldom comes, and is
long then, is told from the rest: two moments of both together say nothing about either.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from statistics import NormalDist
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import numpy as np

_NORMAL = NormalDist()
_NEVER, _ALWAYS = 1e-6, 0.9
"""Chances outside which what is called rare is not told from the rest. A choice."""
_HALVINGS = 40
"""Halvings of an interval until a percentile is known: to more digits than anybody reads."""
_GRID = 160
"""Points of the grid on which the longest of several branches is integrated. A choice: more points
cost time in every round of a solution."""


@dataclass(frozen=True, slots=True)
class Rare:
    """What now and then comes on top, and then is long: how ``often`` in the mean, and the ``mean``
    and ``variance`` of all of it.
    """

    often: float
    mean: float
    variance: float

    def times(self, count: float, longer: float = 1.0) -> Rare:
        """As often as ``count``, each ``longer`` times as long."""
        mean, variance = count * longer * self.mean, count * longer**2 * self.variance
        return Rare(count * self.often, mean, variance)

    def __add__(self, other: Rare) -> Rare:
        often, mean = self.often + other.often, self.mean + other.mean
        return Rare(often, mean, self.variance + other.variance)


@dataclass(frozen=True, slots=True)
class Moments:
    """Mean and variance of a number of seconds; both infinite where a queue has no end.

    ``rare``: a part of both that seldom comes, which percentiles tell from the rest.
    """

    mean: float = 0.0
    variance: float = 0.0
    rare: Rare | None = None

    def __add__(self, other: Moments) -> Moments:
        rare = self.rare + other.rare if self.rare and other.rare else self.rare or other.rare
        return Moments(self.mean + other.mean, self.variance + other.variance, rare)

    @property
    def variability(self) -> float:
        """The squared coefficient of variation."""
        if math.isinf(self.mean):
            return 1.0
        return self.variance / self.mean / self.mean if self.mean > 0 else 0.0

    def times(self, count: float) -> Moments:
        """As often as ``count``, one after the other."""
        rare = self.rare and self.rare.times(count)
        return Moments(_scaled(self.mean, count), _scaled(self.variance, count), rare)

    def longer(self, factor: float) -> Moments:
        """Each one ``factor`` times as long."""
        rare = self.rare and self.rare.times(1.0, factor)
        return Moments(_scaled(self.mean, factor), _scaled(self.variance, factor**2), rare)

    def with_probability(self, share: float) -> Moments:
        """In ``share`` of all cases, else nothing."""
        return mixed([(share, self), (1 - share, Moments())])

    def exceeds(self, seconds: float) -> float:
        """The probability of more than so many seconds."""
        if math.isinf(seconds):
            return 0.0
        if math.isinf(self.mean):
            return 1.0
        if self.rare is not None and (parts := self._apart(self.rare)) is not None:
            come, without, together = parts
            return (1 - come) * without.exceeds(seconds) + come * together.exceeds(seconds)
        if self.variance <= 1e-12 * self.mean**2:
            return float(self.mean > seconds)
        spread = self.variability / 9
        root = (seconds / self.mean) ** (1 / 3) if seconds > 0 else 0.0
        return 1 - _NORMAL.cdf((root - 1 + spread) / math.sqrt(spread))

    def quantile(self, share: float) -> float:
        """The seconds that ``share`` of all cases do not exceed."""
        if math.isinf(self.mean) or self.variance <= 0:
            return self.mean
        if self.rare is not None and (parts := self._apart(self.rare)) is not None:
            return self._bisected(share, max(part.quantile(share) for part in parts[1:]))
        spread = self.variability / 9
        root = 1 - spread + _NORMAL.inv_cdf(share) * math.sqrt(spread)
        return self.mean * max(0.0, root) ** 3

    def _bisected(self, share: float, high: float) -> float:
        low = 0.0
        for _ in range(_HALVINGS):
            middle = (low + high) / 2
            low, high = (middle, high) if self.exceeds(middle) > 1 - share else (low, middle)
        return high

    def _apart(self, rare: Rare) -> tuple[float, Moments, Moments] | None:
        """How often what is rare comes, and the times without and with it; ``None``: it is not."""
        come = -math.expm1(-rare.often)
        mean, variance = self.mean - rare.mean, max(0.0, self.variance - rare.variance)
        if not _NEVER < come < _ALWAYS or mean <= 0:
            return None
        first, second = rare.mean / come, (rare.variance + rare.mean**2) / come
        together = Moments(mean + first, variance + max(0.0, second - first**2))
        return come, Moments(mean, variance), together


def _scaled(value: float, factor: float) -> float:
    return value * factor if factor else 0.0


def mixed(cases: Iterable[tuple[float, Moments]]) -> Moments:
    """One of several, by probability."""
    mean = second = 0.0
    rare: Rare | None = None
    for share, case in cases:
        if share > 0:
            mean += share * case.mean
            second += share * (case.variance + case.mean**2)
            if case.rare is not None:
                more = case.rare.times(share)
                rare = rare + more if rare is not None else more
    if mean == math.inf:
        return Moments(mean, mean)
    return Moments(mean, max(0.0, second - mean**2), rare)


def longest(branches: Sequence[Moments]) -> Moments:
    """The last of several that run beside each other, taken for independent."""
    import numpy as np

    waited = [branch for branch in branches if branch.mean > 0]
    if len(waited) < 2 or any(math.isinf(branch.mean) for branch in waited):
        return max(waited, key=lambda branch: branch.mean, default=Moments())
    # twelve standard deviations: what lies beyond is nothing, also of skewed times
    end = max(branch.mean + 12 * math.sqrt(branch.variance) for branch in waited)
    grid = np.linspace(0.0, end, _GRID + 1)
    below = np.ones(_GRID + 1)
    for branch in waited:
        below *= _distribution(branch, grid)
    above = 1 - below
    step = end / _GRID
    mean = float(np.trapezoid(above, dx=step))
    second = float(np.trapezoid(2 * grid * above, dx=step))
    return Moments(mean, max(0.0, second - mean**2))


def _distribution(branch: Moments, grid: np.ndarray) -> np.ndarray:
    import numpy as np

    if branch.variance <= 1e-12 * branch.mean**2:
        return (grid >= branch.mean).astype(float)
    spread = branch.variability / 9
    scores = (np.cbrt(grid / branch.mean) - 1 + spread) / math.sqrt(spread)
    return np.array([_NORMAL.cdf(score) for score in scores])
