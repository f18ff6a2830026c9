"""How sure a number is: batches, independent runs, sections of one; and the end of the warm-up."""

from __future__ import annotations

import math
import statistics
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache

CONFIDENCE = 0.95
"""How often the intervals cover the true value: what people expect who read an interval."""
_NORMAL = 1.959963984540054
"""The normal quantile of 95% intervals."""
BATCHES = 20
"""Batches of a single run: 10 to 30 are recommended (Schmeiser, Batch Size Effects in the Analysis
of Simulation Output, 1982)."""
_LEAST = 10
"""Observations that a batch needs. A choice: fewer would hardly be independent of the next."""
_SHORTEST_SERIES = 50
"""Observations that a series needs for its warm-up to be found: ten batches of MSER-5. A choice."""


@dataclass(frozen=True)
class Estimate:
    """A value with the half width of its 95% confidence interval."""

    value: float
    """The value."""
    half_width: float
    """The half width of its 95% confidence interval."""
    method: str
    """What the interval is made of: ``replications``, ``batch means`` or ``sections``."""
    count: int
    """How many of them."""

    @property
    def relative(self) -> float:
        """The half width as a share of the value; infinite around zero."""
        return self.half_width / abs(self.value) if self.value else math.inf


def of_replications(values: Sequence[float]) -> Estimate | None:
    """The interval of independent values; ``None`` for fewer than two, or when one is missing."""
    if len(values) < 2 or any(math.isnan(value) for value in values):
        return None
    half = quantile_t(len(values) - 1) * statistics.stdev(values) / math.sqrt(len(values))
    return Estimate(statistics.fmean(values), half, "replications", len(values))


def of_sections(value: float, parts: Sequence[float], method: str) -> Estimate | None:
    """The interval of a figure of all data, from the same figure of its independent parts.

    Sectioning (Asmussen and Glynn, Stochastic Simulation, 2007, section III.5a): around the figure
    of all data, which is less biased than the mean of the parts' figures, and which is what is
    shown. ``None`` for fewer than two parts, or when one is missing.
    """
    if len(parts) < 2 or any(math.isnan(part) for part in parts):
        return None
    squares = math.fsum((part - value) ** 2 for part in parts)
    half = quantile_t(len(parts) - 1) * math.sqrt(squares / (len(parts) - 1) / len(parts))
    return Estimate(value, half, method, len(parts))


def of_positive_sections(value: float, parts: Sequence[float], method: str) -> Estimate | None:
    """As :func:`of_sections`, of figures above zero whose parts are skewed, such as percentiles.

    On the logarithmic scale, where a low value has no smaller spread than a high one; the longer
    side of the interval is taken for both.
    """
    if value <= 0 or any(part <= 0 for part in parts):
        return of_sections(value, parts, method)
    found = of_sections(math.log(value), [math.log(part) for part in parts], method)
    if found is None:
        return None
    return Estimate(value, value * math.expm1(min(found.half_width, 700.0)), method, found.count)


def of_share(
    share: float, count: int, parts: Sequence[float], method: str, together: float = 1.0
) -> Estimate | None:
    """The interval of the share of ``count`` events, from the same share of independent parts.

    Events that come together make the parts differ; where there are too few for that to show, the
    interval of independent events is wider (Wilson, 1927): when none of ``n`` was seen, the share
    may still be 3.8/n. Where ``together`` of them come at a time, it is that of as many fewer
    (Kish, Survey Sampling, 1965, section 8.2, the design effect).
    """
    found = of_sections(share, parts, method)
    if found is None or not count:
        return None
    low, high = wilson(share, count / max(1.0, together))
    alone = max(share - low, high - share)
    return Estimate(share, max(found.half_width, alone), method, found.count)


def index_of_dispersion(rows: Sequence[Sequence[int]]) -> float:
    """How many events come at a time: the variance of counts over their mean; 1 where none came.

    One of independent events (Poisson); of batches of a size it is that size. ``rows``: counts
    whose means are alike.
    """
    mean = math.fsum(statistics.fmean(row) for row in rows)
    if not mean or min(map(len, rows)) < 2:
        return 1.0
    return math.fsum(map(statistics.variance, rows)) / mean


def wilson(share: float, count: float) -> tuple[float, float]:
    """The 95% interval of a share of ``count`` independent draws (Wilson, 1927)."""
    z = _NORMAL
    middle = share + z * z / (2 * count)
    spread = z * math.sqrt(share * (1 - share) / count + z * z / (4 * count * count))
    scale = 1 + z * z / count
    low = max(0.0, (middle - spread) / scale) if share > 0 else 0.0
    high = min(1.0, (middle + spread) / scale) if share < 1 else 1.0
    return low, high


def of_batches(values: Sequence[float]) -> Estimate | None:
    """The interval of the mean of a series whose neighbours resemble each other.

    The series is cut into 20 batches, whose means are taken for independent (Law, Simulation
    Modeling and Analysis, 2015, section 9.5.3). ``None`` for fewer than ten values a batch.
    """
    size = len(values) // BATCHES
    if size < _LEAST:
        return None
    first = len(values) - size * BATCHES
    means = [
        math.fsum(values[first + i * size : first + (i + 1) * size]) / size for i in range(BATCHES)
    ]
    half = quantile_t(BATCHES - 1) * statistics.stdev(means) / math.sqrt(BATCHES)
    return Estimate(statistics.fmean(means), half, "batch means", BATCHES)


@lru_cache
def quantile_t(degrees: int, confidence: float = CONFIDENCE) -> float:
    """Student's t for a two-sided interval: its distribution function, inverted by bisection.

    The function for whole degrees of freedom: Abramowitz and Stegun, 26.7.3 and 26.7.4.
    """
    low, high = 0.0, 1e6
    while high - low > 1e-9 * max(1.0, low):
        middle = (low + high) / 2
        low, high = (middle, high) if _inside_t(middle, degrees) < confidence else (low, middle)
    return (low + high) / 2


def _inside_t(t: float, degrees: int) -> float:
    """The probability that Student's t lies between -t and t."""
    angle = math.atan(t / math.sqrt(degrees))
    cosine_squared = math.cos(angle) ** 2
    term = math.cos(angle) if degrees % 2 else 1.0
    total = 0.0 if degrees == 1 else term
    for k in range(3 if degrees % 2 else 2, degrees - 1, 2):
        term *= cosine_squared * (k - 1) / k
        total += term
    if degrees % 2 == 0:
        return math.sin(angle) * total
    return 2 / math.pi * (angle + math.sin(angle) * total)


def warm_up(starts: Sequence[float], values: Sequence[float]) -> float:
    """When a run has warmed up, by MSER-5: start of the first value that is kept.

    Values in the order of their starts are cut into batches of five; as many are dropped at the
    front as make the squared standard error of the rest smallest, at most half of them (White,
    Cobb and Spratt, A comparison of five steady-state truncation heuristics, 2000). Zero for
    fewer than 50 values.
    """
    if len(values) < _SHORTEST_SERIES:
        return 0.0
    batches = [math.fsum(values[i : i + 5]) / 5 for i in range(0, len(values) - 4, 5)]
    best, dropped = math.inf, 0
    total = squares = 0.0
    for index in range(len(batches) - 1, -1, -1):
        total += batches[index]
        squares += batches[index] ** 2
        kept = len(batches) - index
        if index <= len(batches) // 2:
            error = max(0.0, squares - total**2 / kept) / kept**2
            if error <= best:
                best, dropped = error, index
    return starts[dropped * 5] if dropped else 0.0
