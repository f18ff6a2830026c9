"""Exact solutions of networks with a product form, closed chains among them.

Two recursions over all populations: mean value analysis (Reiser and Lavenberg, Mean-Value
Analysis of Closed Multichain Queueing Networks, 1980) where each station has one server or
infinitely many, and convolution (Reiser and Kobayashi, Queuing Networks with Multiple Closed
Chains, 1975) where a station has several: mean value analysis would subtract nearly equal
probabilities there and lose all digits, sums of positive terms lose none.

Open chains beside closed ones: at a station with one server they take their share of it; with
several, the weight of n closed customers is summed over all numbers of open ones.
"""

from __future__ import annotations

import itertools
import math
from typing import Any

import numpy as np
from numpy.typing import NDArray

from archcheck.capacity.networks.parts import Floats, QueueingNetwork

Whole = NDArray[np.integer[Any]]

MOST_POPULATIONS = 200_000
"""Populations, times chains, that mean value analysis goes through. A choice that bounds time."""
MOST_CONVOLVED = 4_000
"""Populations over which convolution sums, each with each. A choice: the work is its square."""


def populations(network: QueueingNetwork) -> int:
    """How many populations lie between none and all of the closed customers."""
    return math.prod((chain.population or 0) + 1 for chain in network.closed)


def has_many_servers(network: QueueingNetwork) -> bool:
    """Whether a station has more than one server, but not infinitely many."""
    return any(1 < station.servers < math.inf for station in network.stations)


def mean_values(network: QueueingNetwork) -> tuple[Floats, Floats]:
    """Throughputs and queues of the closed chains, by mean value analysis."""
    sizes = [chain.population or 0 for chain in network.closed]
    demands = network.table(network.closed)
    queued = np.array([not math.isinf(s.servers) for s in network.stations], dtype=float)
    free = np.where(queued > 0, 1 - network.open_load, 1.0)[:, None]
    demands = demands / free
    think = np.array([chain.think for chain in network.closed])
    totals = np.zeros((*(size + 1 for size in sizes), len(network.stations)))
    rates = np.zeros(len(sizes))
    residence = np.zeros_like(demands)
    for population in itertools.product(*(range(size + 1) for size in sizes)):
        seen = np.zeros_like(demands)
        for chain, customers in enumerate(population):
            if customers:
                less = (*population[:chain], customers - 1, *population[chain + 1 :])
                seen[:, chain] = totals[less]
        residence = demands * (1 + seen * queued[:, None])
        cycle = think + residence.sum(axis=0)
        rates = np.divide(population, cycle, out=np.zeros(len(sizes)), where=cycle > 0)
        totals[population] = residence @ rates
    return rates, residence * rates


def convolved(network: QueueingNetwork) -> tuple[Floats, Floats, Floats]:
    """Throughputs and queues of the closed chains, and open customers at each station."""
    sizes = tuple(chain.population or 0 for chain in network.closed)
    demands = network.table(network.closed)
    think = np.array([chain.think for chain in network.closed])
    scale = think + demands.sum(axis=0)
    scale = np.where(scale > 0, scale, 1.0)
    lattice: Whole = np.indices([size + 1 for size in sizes])
    weights, opened = [], []
    for station, load in zip(range(len(network.stations)), network.open_load, strict=True):
        each, means = _weights(network.stations[station].servers, float(load), sum(sizes))
        weights.append(_joint(lattice, demands[station] / scale, each))
        opened.append(means)
    weights.append(_joint(lattice, think / scale, _factorials(sum(sizes))))
    before = list(itertools.accumulate(weights, _times))
    after = list(itertools.accumulate(reversed(weights), _times))[::-1]
    normal = before[-1][sizes]
    rates = np.array(
        [
            float(before[-1][tuple(n - (r == chain) for r, n in enumerate(sizes))] / normal)
            if sizes[chain]
            else 0.0
            for chain in range(len(sizes))
        ]
    )
    queues = np.zeros(demands.shape)
    strangers = np.zeros(len(network.stations))
    for station in range(len(network.stations)):
        rest = after[station + 1]
        if station:
            rest = _times(before[station - 1], rest)
        chances = weights[station] * np.flip(rest) / normal
        queues[station] = [float((lattice[chain] * chances).sum()) for chain in range(len(sizes))]
        strangers[station] = float((opened[station][lattice.sum(axis=0)] * chances).sum())
    return rates / scale, queues, strangers


def _joint(lattice: Whole, demands: Floats, weights: Floats) -> Floats:
    """The factor of a station in the product form, for each population that may be there."""
    total = lattice.sum(axis=0)
    logs = _log_factorials(int(total.max()))
    multinomial = np.exp(logs[total] - sum(logs[part] for part in lattice))
    powers = np.ones(total.shape, dtype=np.longdouble)
    for part, demand in zip(lattice, demands, strict=True):
        powers = powers * np.power(np.longdouble(demand), part)
    joint: Floats = multinomial * powers * weights[total]
    return joint


def _log_factorials(most: int) -> Floats:
    steps = np.log(np.arange(1, most + 1, dtype=np.longdouble))
    return np.concatenate([np.zeros(1, dtype=np.longdouble), np.cumsum(steps)])


def _factorials(most: int) -> Floats:
    """The weights of a delay: 1 / n!."""
    found: Floats = np.exp(-_log_factorials(most))
    return found


def _weights(servers: float, load: float, most: int) -> tuple[Floats, Floats]:
    """Of 0 to ``most`` closed customers: their weight, and the open customers beside them.

    With m open customers beside n closed ones the weight is
    (n + m)! / (n! m!) load^m / (min(1, c) min(2, c) ... min(n + m, c)), summed over all m.
    """
    own = np.ones(most + 1, dtype=np.longdouble)
    for n in range(1, most + 1):
        own[n] = own[n - 1] / min(n, servers)
    if not load:
        return own, np.zeros(most + 1, dtype=np.longdouble)
    if math.isinf(servers):
        return own, np.full(most + 1, load, dtype=np.longdouble)
    means = np.zeros(most + 1, dtype=np.longdouble)
    for n in range(most + 1):
        terms = int(40 + (n + servers + 50) / (1 - load / servers) * 2)
        m = np.arange(1, terms, dtype=np.longdouble)
        ratio = (n + m) / m * load / np.minimum(n + m, servers)
        chances = np.concatenate([np.ones(1, dtype=np.longdouble), np.cumprod(ratio)])
        total = chances.sum()
        means[n] = (np.arange(terms) * chances).sum() / total
        own[n] *= total
    return own, means


def _times(one: Floats, other: Floats) -> Floats:
    """The convolution of two functions of the population."""
    product = np.zeros(one.shape, dtype=np.longdouble)
    for shift in np.ndindex(one.shape):
        weight = one[shift]
        if weight:
            kept = tuple(slice(0, size - by) for size, by in zip(one.shape, shift, strict=True))
            moved = tuple(slice(by, None) for by in shift)
            product[moved] += weight * other[kept]
    return product
