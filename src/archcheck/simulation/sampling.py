"""Distributions: compiled for the plan, and drawn from."""

from __future__ import annotations

import math

from archcheck.model import (
    Constant,
    Empirical,
    Exponential,
    Gamma,
    Lognormal,
    Pareto,
    ScenarioError,
    Uniform,
    Weibull,
)
from archcheck.model.distributions import Time, distribution_of
from archcheck.simulation.plan import Keys, Sampler, SamplerShape
from archcheck.simulation.randomness import normal, uniform


def compile_time(time: Time) -> Sampler:
    """The sampler of a duration (exponential) or a distribution."""
    match distribution_of(time):
        case Constant(value=value):
            return Sampler(SamplerShape.CONSTANT, float(value))
        case Exponential(mean=mean):
            return Sampler(SamplerShape.EXPONENTIAL, float(mean))
        case Lognormal() as lognormal:
            return Sampler(SamplerShape.LOGNORMAL, lognormal.mu(), lognormal.sigma())
        case Gamma(mean=mean, shape=shape):
            return Sampler(SamplerShape.GAMMA, float(mean) / shape, shape)
        case Weibull() as weibull:
            return Sampler(SamplerShape.WEIBULL, weibull.scale_seconds(), weibull.shape)
        case Pareto(minimum=minimum, alpha=alpha):
            return Sampler(SamplerShape.PARETO, float(minimum), alpha)
        case Uniform(low=low, high=high):
            return Sampler(SamplerShape.UNIFORM, float(low), float(high))
        case Empirical() as measured:
            return Sampler(SamplerShape.EMPIRICAL, values=measured.seconds())
        case other:
            raise ScenarioError(f"the engines cannot draw from {type(other).__name__}")


def sample(sampler: Sampler, stream: int, key: int) -> float:
    """The time that the request ``key`` takes at a place, in seconds."""
    shape = sampler.shape
    if shape == SamplerShape.EXPONENTIAL:
        return -sampler.a * math.log(uniform(stream, key))
    match shape:
        case SamplerShape.CONSTANT:
            return sampler.a
        case SamplerShape.LOGNORMAL:
            return math.exp(sampler.a + sampler.b * normal(stream, key))
        case SamplerShape.GAMMA:
            return sampler.a * _gamma(sampler.b, stream, key)
        case SamplerShape.WEIBULL:
            return float(sampler.a * (-math.log(uniform(stream, key))) ** (1 / sampler.b))
        case SamplerShape.PARETO:
            return float(sampler.a * uniform(stream, key) ** (-1 / sampler.b))
        case SamplerShape.UNIFORM:
            return sampler.a + (sampler.b - sampler.a) * uniform(stream, key)
        case _:
            return sampler.values[int(uniform(stream, key) * len(sampler.values))]


def _gamma(shape: float, stream: int, key: int) -> float:
    """A gamma number of scale one (Marsaglia and Tsang, A Simple Method, 2000)."""
    if shape < 1:
        boost = uniform(stream, key, 0) ** (1 / shape)
        return float(boost * _gamma(shape + 1, stream, key ^ 1))
    d = shape - 1 / 3
    c = 1 / math.sqrt(9 * d)
    draw = 1
    while True:
        x = normal(stream, key, draw)
        v = (1 + c * x) ** 3
        u = uniform(stream, key, draw + 2)
        if v > 0 and math.log(u) < 0.5 * x * x + d - d * v + d * math.log(v):
            return d * v
        draw += 3


def zipf(keys: Keys, stream: int, key: int) -> int:
    """The key that a request asks for, from 0 (the most popular) to ``keys.count - 1``.

    Rejection-inversion (Hörmann and Derflinger, Rejection-inversion to generate variates from
    monotone discrete distributions, 1996): exact for any number of keys, in constant time.
    """
    if keys.skew == 0:
        return int(uniform(stream, key) * keys.count)
    exponent = keys.skew
    first, last = zipf_ends(keys)
    draw = 0
    while True:
        height = last + uniform(stream, key, draw) * (first - last)
        x = _inverse_area(height, exponent)
        k = min(max(1, int(x + 0.5)), keys.count)
        if height >= _area(k + 0.5, exponent) - k**-exponent:
            return k - 1
        draw += 1


def zipf_ends(keys: Keys) -> tuple[float, float]:
    """The integral of the weights from the first key on, and up to the last."""
    return _area(1.5, keys.skew) - 1.0, _area(keys.count + 0.5, keys.skew)


def _area(x: float, exponent: float) -> float:
    """The integral of x ** -exponent from 1."""
    log = math.log(x)
    return log if exponent == 1 else math.expm1((1 - exponent) * log) / (1 - exponent)


def _inverse_area(area: float, exponent: float) -> float:
    if exponent == 1:
        return math.exp(area)
    return math.exp(math.log1p(max(-1 + 1e-15, area * (1 - exponent))) / (1 - exponent))
