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
    Weibull,
)
from archcheck.model.distributions import Time, distribution_of
from archcheck.simulation.plan import Sampler, Shape
from archcheck.simulation.randomness import normal, uniform


def compile_time(time: Time) -> Sampler:
    """The sampler of a duration (exponential) or a distribution."""
    match distribution_of(time):
        case Constant(value=value):
            return Sampler(Shape.CONSTANT, float(value))
        case Exponential(mean=mean):
            return Sampler(Shape.EXPONENTIAL, float(mean))
        case Lognormal() as lognormal:
            return Sampler(Shape.LOGNORMAL, lognormal.mu(), lognormal.sigma())
        case Gamma(mean=mean, shape=shape):
            return Sampler(Shape.GAMMA, float(mean) / shape, shape)
        case Weibull() as weibull:
            return Sampler(Shape.WEIBULL, weibull.scale_seconds(), weibull.shape)
        case Pareto(minimum=minimum, alpha=alpha):
            return Sampler(Shape.PARETO, float(minimum), alpha)
        case Empirical(values=values):
            return Sampler(Shape.EMPIRICAL, values=tuple(map(float, values)))
        case other:
            raise ScenarioError(f"the engines cannot draw from {type(other).__name__}")


def sample(sampler: Sampler, stream: int, key: int) -> float:
    """The time that the request ``key`` takes at a place, in seconds."""
    match sampler.shape:
        case Shape.CONSTANT:
            return sampler.a
        case Shape.EXPONENTIAL:
            return -sampler.a * math.log(uniform(stream, key))
        case Shape.LOGNORMAL:
            return math.exp(sampler.a + sampler.b * normal(stream, key))
        case Shape.GAMMA:
            return sampler.a * _gamma(sampler.b, stream, key)
        case Shape.WEIBULL:
            return float(sampler.a * (-math.log(uniform(stream, key))) ** (1 / sampler.b))
        case Shape.PARETO:
            return float(sampler.a * uniform(stream, key) ** (-1 / sampler.b))
        case Shape.EMPIRICAL:
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
