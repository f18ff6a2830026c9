"""Exact numbers: what a model declares, as rationals, without the rounding of floats."""

from __future__ import annotations

import math
from fractions import Fraction as Rational
from functools import lru_cache

from archcheck.model.distributions import (
    Constant,
    Empirical,
    Lognormal,
    Time,
    Uniform,
    distribution_of,
)
from archcheck.units import Duration, Quantity, ms, s, us

__all__ = [
    "Rational",
    "exact",
    "longest",
    "mean",
    "preferred_down",
    "preferred_up",
    "shown",
    "two_digits_up",
    "written",
]

_MILLISECOND = Rational(1, 1000)
_DIGITS = 15
"""Decimal digits that a float keeps of every number that was written with as many."""


def exact(value: float | Quantity) -> Rational:
    """The decimal number that was written: ``350 * ms`` is 7/20 s, whatever its float is."""
    return _decimal(float(value))


@lru_cache(maxsize=4_096)  # a model repeats few numbers often
def _decimal(value: float) -> Rational:
    return Rational(format(value, f".{_DIGITS}g"))


def shown(seconds: Rational) -> str:
    """A number of seconds for people to read: ``1.25 s``."""
    return f"{Duration(float(seconds)):.6}"


def written(seconds: Rational) -> Duration:
    """The duration as a person writes it: ``18 * ms`` is another float than ``Duration(0.018)``.

    From a second on, tenths are tenths of a second: ``1.9 * s``, not ``1900 * ms``.
    """
    if seconds >= 1 and (10 * seconds).denominator == 1:
        return float(seconds) * s
    for unit in (s, ms, us):
        count = seconds / exact(unit)
        if count.denominator == 1 and count:
            return int(count) * unit
    return Duration(float(seconds))


def two_digits_up(seconds: Rational) -> Rational:
    """The next number of seconds of two digits, in whole milliseconds at the finest."""
    unit = max(Rational(1, 1000), Rational(10) ** (math.floor(math.log10(seconds)) - 1))
    return math.ceil(seconds / unit) * unit


_PREFERRED = tuple(
    Rational(tenths, 10) for tenths in (10, 12, 15, 18, 20, 25, 30, 35, 40, 45, 50, 60, 70, 80, 90)
)
"""Numbers that people write, times a power of ten: a quarter more at most from each to the next."""


def preferred_up(seconds: Rational) -> Rational:
    """The next number of seconds that people write: 63 ms is 70 ms, 1.1 s is 1.2 s."""
    power = Rational(10) ** math.floor(math.log10(seconds))
    steps = (*(power * each for each in _PREFERRED), 10 * power)
    return max(_MILLISECOND, next(step for step in steps if step >= seconds))


def preferred_down(seconds: Rational) -> Rational:
    """The one before: 63 ms is 60 ms."""
    power = Rational(10) ** math.floor(math.log10(seconds))
    below = [power * each for each in _PREFERRED if power * each <= seconds]
    return max(below, default=seconds)


def mean(time: Time) -> Rational:
    """The mean of a declared time, in seconds."""
    return exact(time if isinstance(time, Duration) else time.mean_seconds())


def longest(time: Time) -> tuple[Rational, bool]:
    """The longest that a declared time takes, in seconds, and whether it can take longer.

    A constant, a uniform and a measured time have a longest value; a lognormal has its declared
    99th percentile. All others count as their mean and three standard deviations.
    """
    match time:
        case Constant(value=value):
            return exact(value), False
        case Uniform(high=high):
            return exact(high), False
        case Empirical() as measured:
            return max(map(exact, measured.seconds())), False
        case Lognormal(p99=p99):
            return exact(p99), True
        case _:
            spread = math.sqrt(distribution_of(time).squared_variation())
            return mean(time) * (1 + 3 * exact(spread)), True
