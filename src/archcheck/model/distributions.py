"""How long a piece of work takes: a plain duration is the mean of an exponential.

That convention is the one of layered queueing networks; the classes here say otherwise. Every
distribution knows its mean and its squared coefficient of variation (variance over squared
mean), which is all that the analytic formulas need. Formulas: Law, Simulation Modeling and
Analysis (5th ed., 2015), chapter 6.
"""

from __future__ import annotations

import math
from dataclasses import field, fields, replace
from functools import lru_cache
from typing import ClassVar

from archcheck.model.element import Element, Many, element
from archcheck.model.errors import ModelError
from archcheck.model.recordings import times_in
from archcheck.units import Duration

_Z99 = 2.3263478740408408
"""The 99% quantile of the standard normal distribution."""


class Distribution(Element):
    """A non-negative random duration."""

    def mean_seconds(self) -> float:
        """The expected value in seconds."""
        raise TypeError(f"{type(self).__name__} does not define its mean")

    def squared_variation(self) -> float:
        """Variance divided by squared mean: 0 for a constant, 1 for an exponential."""
        raise TypeError(f"{type(self).__name__} does not define its variation")


@element
class Constant(Distribution):
    """Always the same time."""

    value: Duration = field(kw_only=False)
    """The time itself."""

    def mean_seconds(self) -> float:
        return float(self.value)

    def squared_variation(self) -> float:
        return 0.0


@element
class Exponential(Distribution):
    """Memoryless; what a plain duration means."""

    mean: Duration = field(kw_only=False)
    """The expected value."""

    def mean_seconds(self) -> float:
        return float(self.mean)

    def squared_variation(self) -> float:
        return 1.0


@element
class Lognormal(Distribution):
    """Right-skewed, the usual shape of measured service times, fixed by its mean and p99.

    With z = 2.326, mean = exp(mu + sigma^2/2) and p99 = exp(mu + z sigma). Of the two values of
    sigma that fit, the smaller (less skewed) one is taken; p99 can be at most
    exp(z^2/2) = 14.97 times the mean.
    """

    mean: Duration = field(kw_only=False)
    """The expected value."""
    p99: Duration = field(kw_only=False)
    """The value that 99% of the draws stay under; above the mean."""

    def __post_init__(self) -> None:
        ratio = float(self.p99) / float(self.mean) if self.mean else 0.0
        if not 1 < ratio <= math.exp(_Z99**2 / 2):
            raise ValueError(
                f"needs a p99 between 1 and {math.exp(_Z99**2 / 2):.2f} times the mean, "
                f"got a mean of {self.mean} and a p99 of {self.p99}"
            )

    def sigma(self) -> float:
        """Standard deviation of the logarithm."""
        ratio = math.log(float(self.p99) / float(self.mean))
        return _Z99 - math.sqrt(max(0.0, _Z99**2 - 2 * ratio))

    def mu(self) -> float:
        """Mean of the logarithm of the time in seconds."""
        return math.log(float(self.mean)) - self.sigma() ** 2 / 2

    def mean_seconds(self) -> float:
        return float(self.mean)

    def squared_variation(self) -> float:
        return lognormal_variation(self.sigma())


@element
class Gamma(Distribution):
    """Sum of exponential stages when ``shape`` is whole (Erlang); smoother than exponential."""

    mean: Duration = field(kw_only=False)
    """The expected value."""
    shape: float = field(kw_only=False)
    """Above 1: less variable than an exponential; below 1: more."""

    def __post_init__(self) -> None:
        _positive("shape", self.shape)

    def mean_seconds(self) -> float:
        return float(self.mean)

    def squared_variation(self) -> float:
        return gamma_variation(self.shape)


@element
class Weibull(Distribution):
    """Stretched exponential; a shape below 1 has a heavy tail."""

    mean: Duration = field(kw_only=False)
    """The expected value."""
    shape: float = field(kw_only=False)
    """Below 1 heavier, above 1 lighter than an exponential's tail."""

    def __post_init__(self) -> None:
        _positive("shape", self.shape)

    def mean_seconds(self) -> float:
        return float(self.mean)

    def scale_seconds(self) -> float:
        """The scale parameter: mean / Gamma(1 + 1/shape)."""
        return float(self.mean) / math.gamma(1 + 1 / self.shape)

    def squared_variation(self) -> float:
        return weibull_variation(self.shape)


@element
class Pareto(Distribution):
    """Power-law tail: minimum x_m and index ``alpha`` above 2, so that the variance exists."""

    minimum: Duration = field(kw_only=False)
    """The smallest value."""
    alpha: float = field(kw_only=False)
    """Tail index; the smaller, the heavier."""

    def __post_init__(self) -> None:
        if not self.alpha > 2 or math.isinf(self.alpha):
            raise ValueError(f"needs an alpha above 2 (finite variance), got {self.alpha}")

    def mean_seconds(self) -> float:
        return float(self.minimum) * self.alpha / (self.alpha - 1)

    def squared_variation(self) -> float:
        return pareto_variation(self.alpha)


@element
class Uniform(Distribution):
    """Any value between two bounds, each as likely."""

    low: Duration = field(kw_only=False)
    """The smallest value."""
    high: Duration = field(kw_only=False)
    """The largest value."""

    def __post_init__(self) -> None:
        if self.high < self.low:
            raise ValueError(f"needs high of at least low, got {self.low} and {self.high}")

    def mean_seconds(self) -> float:
        return (float(self.low) + float(self.high)) / 2

    def squared_variation(self) -> float:
        mean = self.mean_seconds()
        return (float(self.high) - float(self.low)) ** 2 / 12 / mean**2 if mean else 0.0


@element
class Empirical(Distribution):
    """Measured values, each as likely as the others."""

    values: Many[Duration] = field(default=(), kw_only=False)
    """The measurements."""
    file: str | None = None
    """Or a file with a time in seconds on each line; a relative path starts at the model's
    folder."""
    _seconds: ClassVar[tuple[float, ...]] = ()

    def __post_init__(self) -> None:
        if bool(self.values) is (self.file is not None):
            raise ValueError("needs measured values, or a file that has them, and not both")

    def read(self) -> tuple[float, ...]:
        """The measurements, at least one. Raises :class:`ModelError` for a file without any."""
        if self.file is None:
            return tuple(map(float, self.values))
        found = times_in(self.file, self.site)
        if not found:
            raise ModelError(f"{self.file}: has no measured value")
        return found

    def seconds(self) -> tuple[float, ...]:
        """The measurements, read once."""
        if not self._seconds:
            object.__setattr__(self, "_seconds", self.read())
        return self._seconds

    def mean_seconds(self) -> float:
        return math.fsum(self.seconds()) / len(self.seconds())

    def squared_variation(self) -> float:
        mean, values = self.mean_seconds(), self.seconds()
        if mean == 0:
            return 0.0
        return math.fsum((value - mean) ** 2 for value in values) / len(values) / mean**2


Time = Duration | Distribution
"""A duration (mean of an exponential) or a distribution."""


def distribution_of(time: Time) -> Distribution:
    """``time`` as a distribution: a plain duration is the mean of an exponential."""
    return _exponential(time) if isinstance(time, Duration) else time


def times_as_long(time: Time, factor: float) -> Time:
    """A time whose values are all ``factor`` times as long."""
    if isinstance(time, Duration):
        return Duration(float(time) * factor)
    if isinstance(time, Empirical):
        return Empirical([Duration(seconds * factor) for seconds in time.seconds()])
    values = {each.name: getattr(time, each.name) for each in fields(time) if each.init}  # type: ignore[arg-type]  # a dataclass
    longer = {
        name: Duration(float(value) * factor)
        for name, value in values.items()
        if isinstance(value, Duration)
    }
    return replace(time, **longer)  # type: ignore[type-var]  # a dataclass


_exponential = lru_cache(maxsize=4_096)(Exponential)  # a model repeats few durations often


def lognormal_variation(sigma: float) -> float:
    """The squared coefficient of variation; ``sigma``: deviation of the logarithm."""
    return math.expm1(sigma**2)


def gamma_variation(shape: float) -> float:
    """The squared coefficient of variation."""
    return 1 / shape


def weibull_variation(shape: float) -> float:
    """The squared coefficient of variation."""
    return math.gamma(1 + 2 / shape) / math.gamma(1 + 1 / shape) ** 2 - 1


def pareto_variation(alpha: float) -> float:
    """The squared coefficient of variation; ``alpha`` is above 2, else there is none."""
    return 1 / (alpha * (alpha - 2))


def _positive(what: str, number: float) -> None:
    if not 0 < number < math.inf:
        raise ValueError(f"needs a {what} above zero, got {number}")
