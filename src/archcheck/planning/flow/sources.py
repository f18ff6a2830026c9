"""What comes from outside and how often: streams, sessions, caches whose content is simulated."""

from __future__ import annotations

import math
from functools import lru_cache

import numpy as np

from archcheck.planning.flow.moments import Moments
from archcheck.simulation.plan import (
    ArrivalKind,
    CacheSpec,
    Keys,
    PlannedSession,
    Sampler,
    Shape,
    Stream,
)

_LONG = 1 << 14
"""Steps after which a session counts as endless when nobody has left: by squaring, 14 products."""


@lru_cache(maxsize=4096)
def moments_of(sampler: Sampler) -> Moments:
    """Mean and variance of a distribution; of one without a variance, ten times the mean."""
    a, b = sampler.a, sampler.b
    match sampler.shape:
        case Shape.CONSTANT:
            return Moments(a)
        case Shape.EXPONENTIAL:
            return Moments(a, a * a)
        case Shape.LOGNORMAL:
            mean = math.exp(a + b * b / 2)
            return Moments(mean, mean**2 * math.expm1(b * b))
        case Shape.GAMMA:
            return Moments(a * b, a * a * b)
        case Shape.WEIBULL:
            mean = a * math.gamma(1 + 1 / b)
            return Moments(mean, max(0.0, a * a * math.gamma(1 + 2 / b) - mean**2))
        case Shape.PARETO:
            mean = a * b / (b - 1) if b > 1 else 1e6 * a
            spread = a * a * b / ((b - 1) ** 2 * (b - 2)) if b > 2 else 100 * mean**2
            return Moments(mean, spread)
        case Shape.UNIFORM:
            return Moments((a + b) / 2, (b - a) ** 2 / 12)
        case _:
            values = np.array(sampler.values)
            return Moments(float(values.mean()), float(values.var()))


def open_rate(stream: Stream) -> float:
    """Arrivals a second of an open stream at its peak; of a recorded one, on average."""
    match stream.kind:
        case ArrivalKind.PIECEWISE:
            rate = max(rate for _, rate in stream.points)
        case ArrivalKind.SINE | ArrivalKind.MMPP:
            rate = max(stream.rate, stream.high)
        case ArrivalKind.RECORDED:
            span = stream.times[-1] - stream.times[0]
            rate = (len(stream.times) - 1) / span if span > 0 else 0.0
        case _:
            rate = stream.rate
    return rate * stream.factor


def visits_of(stream: Stream, journeys: int) -> dict[int, float]:
    """How often a user of a stream goes through each journey in one round."""
    if stream.session is not None:
        found = _visits(stream.session, journeys)
        return {index: float(count) for index, count in enumerate(found) if count}
    shares: dict[int, float] = {}
    before = 0.0
    for index, reached in stream.choices:
        shares[index] = shares.get(index, 0.0) + reached - before
        before = reached
    return shares


@lru_cache(maxsize=64)
def _visits(session: PlannedSession, journeys: int) -> tuple[float, ...]:
    """Visits until the user leaves; of users who never leave, each journey's long-run share."""
    moves = np.zeros((journeys, journeys))
    for row, choices in enumerate(session.rows):
        before = 0.0
        for journey, reached in choices:
            moves[row, journey] += reached - before
            before = reached
    start = np.zeros(journeys)
    start[session.first] = 1.0
    lazy = (moves + np.eye(journeys)) / 2
    far = np.linalg.matrix_power(lazy, _LONG)
    if float((start @ far).sum()) > 1 - 1e-6:
        return tuple(float(x) for x in start @ far)
    reached = (start @ np.linalg.matrix_power(np.eye(journeys) + moves, journeys)) > 0
    inner = np.flatnonzero(reached)
    table = np.eye(len(inner)) - moves[np.ix_(inner, inner)].T
    found = np.zeros(journeys)
    found[inner] = np.linalg.solve(table, start[inner])
    return tuple(float(x) for x in found)


def leaves(session: PlannedSession, journeys: int) -> bool:
    """Whether users leave at some time."""
    return abs(sum(_visits(session, journeys)) - 1) > 1e-9 or any(
        not row or row[-1][1] < 1 - 1e-9 for row in session.rows
    )


@lru_cache(maxsize=256)
def hit_ratio(cache: CacheSpec, keys: Keys, rate: float) -> float:
    """The share of look-ups that find their key, ``rate`` look-ups a second in one content.

    An entry stays for a characteristic time: until as many others have come as there is room for
    (Che, Tung and Wang, Hierarchical Web Caching Systems, 2002), or until it expires.
    """
    if rate <= 0:
        return 0.0
    weights, members = _popularity(keys)
    rates = rate * weights / float((weights * members).sum())
    stay = cache.ttl
    if cache.capacity and cache.capacity < keys.count:
        low, high = 0.0, 1.0
        while _filled(rates, members, high) < cache.capacity:
            high *= 2
        for _ in range(60):
            middle = (low + high) / 2
            below = _filled(rates, members, middle) < cache.capacity
            low, high = (middle, high) if below else (low, middle)
        stay = min(stay, high)
        if stay < cache.ttl:  # least recently used: each use renews the stay
            return float((rates * members * -np.expm1(-rates * stay)).sum() / rate)
    if math.isinf(stay):
        return 1.0
    return float((rates * members * (rates * stay / (1 + rates * stay))).sum() / rate)


def _filled(rates: np.ndarray, members: np.ndarray, seconds: float) -> float:
    return float((members * -np.expm1(-rates * seconds)).sum())


@lru_cache(maxsize=32)
def _popularity(keys: Keys) -> tuple[np.ndarray, np.ndarray]:
    """Weights of keys, the popular ones one by one and the others in groups, and group sizes."""
    single = min(keys.count, 1000)
    edges = np.unique(
        np.concatenate([np.arange(1, single + 1), np.geomspace(single, keys.count, 400)]).astype(
            int
        )
    )
    sizes = np.diff(np.concatenate([[0], edges]))
    middle = edges - (sizes - 1) / 2
    return middle.astype(float) ** -keys.skew, sizes.astype(float)
