"""Formulas of queueing theory: what waiting does to a resource before it is full.

Times are seconds, rates are per second, variabilities are squared coefficients of variation
(1 for exponential times, 0 for constant ones).
"""

from __future__ import annotations

import math
from functools import lru_cache


def erlang_c(servers: int, offered: float) -> float:
    """The probability that an arrival has to wait in an M/M/c queue.

    ``offered`` is the load in erlangs (arrival rate times service time). Computed from the
    Erlang B recursion, which does not overflow (Erlang, 1917; Kleinrock, Queueing Systems 1,
    1975, section 3.8). 1 when the load cannot be carried.
    """
    if offered >= servers:
        return 1.0
    if servers > offered + 15 * math.sqrt(offered) + 60:
        return 0.0  # below 1e-25: the tail of the Poisson distribution
    blocking = 1.0
    for busy in range(1, servers + 1):
        blocking = offered * blocking / (busy + offered * blocking)
    return blocking / (1 - offered / servers * (1 - blocking))


def mean_wait(
    servers: int, rate: float, service: float, *, arrivals: float = 1.0, services: float = 1.0
) -> float:
    """Mean time in the queue of a G/G/c, by the approximation of Allen and Cunneen.

    The wait of the M/M/c, times the mean of the two squared coefficients of variation (Allen,
    Probability, Statistics and Queueing Theory, 1990, section 5.4); exact for M/M/c and M/G/1.
    Infinite when the load cannot be carried.
    """
    offered = rate * service
    if offered >= servers:
        return math.inf
    wait = erlang_c(servers, offered) * service / (servers - offered)
    return wait * (arrivals + services) / 2


def residence(
    servers: int, rate: float, service: float, *, arrivals: float = 1.0, services: float = 1.0
) -> float:
    """Mean time from arrival to the end of service: the wait and the service."""
    return service + mean_wait(servers, rate, service, arrivals=arrivals, services=services)


@lru_cache(maxsize=256)
def zipf_share(keys: int, exponent: float) -> float:
    """The share of the most popular of ``keys`` under Zipf's law: 1 / H(keys, exponent).

    The generalised harmonic number is summed up to 10,000 terms, the rest by the integral of
    Euler and Maclaurin (error below 1e-9 of the sum).
    """
    exact = min(keys, 10_000)
    harmonic = math.fsum(n**-exponent for n in range(1, exact + 1))
    if keys > exact:
        harmonic += _integral(exact, keys, exponent) + (keys**-exponent - exact**-exponent) / 2
    return 1 / harmonic


def hottest_share(keys: int, exponent: float, nodes: int) -> float:
    """The share of the requests that the busiest of ``nodes`` shards gets under Zipf's law.

    The most popular key, and the shard's part of the others.
    """
    first = zipf_share(keys, exponent)
    return first + (1 - first) / nodes


def _integral(start: float, end: float, exponent: float) -> float:
    if math.isclose(exponent, 1.0):
        return math.log(end / start)
    return float((end ** (1 - exponent) - start ** (1 - exponent)) / (1 - exponent))
