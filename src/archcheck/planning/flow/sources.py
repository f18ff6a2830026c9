"""What comes from outside and how often: streams, sessions, caches whose content is simulated."""

from __future__ import annotations

import math
from functools import lru_cache
from statistics import fmean
from typing import TYPE_CHECKING

from archcheck.capacity.sessions import session_visits
from archcheck.model import distributions
from archcheck.model.recordings import busiest_rate
from archcheck.planning.flow.moments import Moments
from archcheck.simulation.plan import (
    ArrivalKind,
    CacheSpec,
    Keys,
    PlannedSession,
    Sampler,
    SamplerShape,
    Stream,
)

if TYPE_CHECKING:
    import numpy as np


@lru_cache(maxsize=4096)
def moments_of(sampler: Sampler) -> Moments:
    """Mean and variance of a distribution, by the formulas of the declared ones."""
    a, b = sampler.a, sampler.b
    match sampler.shape:
        case SamplerShape.CONSTANT:
            return Moments(a)
        case SamplerShape.EXPONENTIAL:
            return Moments(a, a * a)
        case SamplerShape.LOGNORMAL:
            return _moments(math.exp(a + b * b / 2), distributions.lognormal_variation(b))
        case SamplerShape.GAMMA:
            return _moments(a * b, distributions.gamma_variation(b))
        case SamplerShape.WEIBULL:
            return _moments(a * math.gamma(1 + 1 / b), distributions.weibull_variation(b))
        case SamplerShape.PARETO:
            return _moments(a * b / (b - 1), distributions.pareto_variation(b))
        case SamplerShape.UNIFORM:
            return Moments((a + b) / 2, (b - a) ** 2 / 12)
        case _:
            mean = fmean(sampler.values)
            squares = math.fsum((value - mean) ** 2 for value in sampler.values)
            return Moments(mean, squares / len(sampler.values))


def _moments(mean: float, variation: float) -> Moments:
    return Moments(mean, variation * mean**2)


def open_rate(stream: Stream) -> float:
    """Arrivals a second of an open stream at its peak; of a recorded one, in its busiest minute."""
    match stream.kind:
        case ArrivalKind.PIECEWISE:
            rate = max(rate for _, rate in stream.points)
        case ArrivalKind.SINE | ArrivalKind.MMPP:
            rate = max(stream.rate, stream.high)
        case ArrivalKind.RECORDED:
            rate = busiest_rate(stream.times) or 0.0
        case _:
            rate = stream.rate
    return rate * stream.factor


def visits_of(stream: Stream, journeys: int) -> dict[int, float]:
    """How often a user of a stream goes through each journey in one round."""
    if stream.session is not None:
        found, _ = _visits(stream.session, journeys)
        return {index: float(count) for index, count in enumerate(found) if count}
    shares: dict[int, float] = {}
    before = 0.0
    for index, reached in stream.choices:
        shares[index] = shares.get(index, 0.0) + reached - before
        before = reached
    return shares


@lru_cache(maxsize=64)
def _visits(session: PlannedSession, journeys: int) -> tuple[tuple[float, ...], bool]:
    """Visits until the user leaves, and whether he ever does."""
    moves: list[dict[int, float]] = [{} for _ in range(journeys)]
    for row, choices in enumerate(session.rows):
        before = 0.0
        for journey, reached in choices:
            moves[row][journey] = moves[row].get(journey, 0.0) + reached - before
            before = reached
    return session_visits(moves, session.first)


def leaves(session: PlannedSession, journeys: int) -> bool:
    """Whether users leave at some time."""
    return _visits(session, journeys)[1]


@lru_cache(maxsize=256)
def hit_ratio(cache: CacheSpec, keys: Keys, rate: float) -> float:
    """The share of look-ups that find their key, ``rate`` look-ups a second in one content.

    An entry stays for a characteristic time: until as many others have come as there is room for
    (Che, Tung and Wang, Hierarchical Web Caching Systems, 2002), or until it expires.
    """
    import numpy as np

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
    import numpy as np

    return float((members * -np.expm1(-rates * seconds)).sum())


@lru_cache(maxsize=32)
def _popularity(keys: Keys) -> tuple[np.ndarray, np.ndarray]:
    """Weights of keys, the popular ones one by one and the others in groups, and group sizes."""
    import numpy as np

    single = min(keys.count, 1000)
    edges = np.unique(
        np.concatenate([np.arange(1, single + 1), np.geomspace(single, keys.count, 400)]).astype(
            int
        )
    )
    sizes = np.diff(np.concatenate([[0], edges]))
    middle = edges - (sizes - 1) / 2
    return middle.astype(float) ** -keys.skew, sizes.astype(float)
