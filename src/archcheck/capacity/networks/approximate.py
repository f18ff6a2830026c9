"""Approximate mean value analysis: customers see, on arrival, the network without themselves.

Bard and Schweitzer take the shares of the queues for the same with one customer less (Bard, Some
Extensions to Multiclass Queueing Network Analysis, 1979; Schweitzer, 1979). Linearizer lets them
change linearly, as a first solution shows (Chandy and Neuse, Linearizer: A Heuristic Algorithm
for Queueing Network Models of Computing Systems, 1982).

Where a station has several servers, the number that an arriving customer finds is taken to have
the distribution of a finite source (Engset) with the mean that the recursion gives, and with as
many customers as give the variance of the chains' together: exact for one chain at one such station
beside delays. Where it serves in order, those who wait are counted with their own
times of service, and the one in service with its remaining time.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import lru_cache

import numpy as np

from archcheck.capacity.networks.parts import Floats, QueueingNetwork
from archcheck.capacity.queueing import erlang_c

_PRECISION = 1e-8
"""Relative change that counts as none: far below the error of the methods."""
_ROUNDS = 5_000
"""Rounds of one fixed point at most. A choice that bounds the time; usual networks need fewer."""
_SWEEPS = 3
"""So often Linearizer learns the changes anew; Chandy and Neuse do twice, the last one is spare."""
_OPEN_ROUNDS = 200
"""Rounds in which the open and the closed part learn of each other at most. A choice."""
_LARGE_SOURCE = 400
"""Customers from which on a finite source is taken for an infinite one. A choice: one customer more
or less changes little then, and sums over all of them take time."""


@dataclass(frozen=True)
class ClosedChains:
    """The closed part of a network as arrays: stations are rows, chains are columns.

    ``overlap[k, r, q]``: the share of the customers of chain q that an arrival of chain r cannot
    meet at station k because they are there on its own behalf; zero but for layered networks.
    ``copies``: of each station, among which its visits are dealt out evenly; ``own[k, r]``: as
    many, where each copy of station k has customers of chain r of its own, else 1.
    ``background``: erlangs that others keep busy of each copy, ``strangers``: their mean time of
    service.
    """

    demands: Floats
    services: Floats
    population: Floats
    think: Floats
    servers: Floats
    in_order: Floats
    variability: Floats
    copies: Floats
    own: Floats
    background: Floats
    strangers: Floats
    overlap: Floats

    @classmethod
    def of(cls, network: QueueingNetwork) -> ClosedChains:
        """The closed chains of a network."""
        demands = network.table(network.closed)
        visits = np.array(
            [[chain.visits.get(s.name, 1.0) for chain in network.closed] for s in network.stations],
            dtype=float,
        ).reshape(demands.shape)
        chains = len(network.closed)
        return cls(
            demands=demands,
            services=demands / visits,
            population=np.array([chain.population for chain in network.closed], dtype=float),
            think=np.array([chain.think for chain in network.closed], dtype=float),
            servers=np.array([station.servers for station in network.stations], dtype=float),
            in_order=np.array([not station.sharing for station in network.stations]),
            variability=np.array([station.variability for station in network.stations]),
            copies=np.ones(len(network.stations)),
            own=np.ones(demands.shape),
            background=network.open_load,
            strangers=_strangers(network),
            overlap=np.zeros((*demands.shape, chains)),
        )


@dataclass(frozen=True)
class Learned:
    """What one solution is for the next of almost the same network: its queues, and by what the
    shares of them change when a customer of one chain is gone.
    """

    queues: Floats
    change: Floats


def approximate(closed: ClosedChains, *, linearized: bool) -> tuple[Floats, Floats, int]:
    """Throughputs and queues of the closed chains, and how many iterations it took."""
    rates, learned, steps = from_learned(closed, None, _SWEEPS if linearized else 0)
    return rates, learned.queues, steps


def from_learned(
    closed: ClosedChains, before: Learned | None, sweeps: int, rounds: int = _ROUNDS
) -> tuple[Floats, Learned, int]:
    """The same, from what is known ``before``; so many ``sweeps`` learn the changes anew.

    ``rounds``: of one fixed point at most, where another one goes on from it anyway.
    """
    stations, chains = closed.demands.shape
    if before is None or before.queues.shape != closed.demands.shape:
        visited = closed.demands > 0
        shares = visited / np.maximum(visited.sum(axis=0), 1)
        before = Learned(shares * closed.population, np.zeros((chains, stations, chains)))
    change = before.change
    rates, queues, steps = _core(closed, closed.population, before.queues, change, rounds)
    for _ in range(sweeps):
        full = _shares(queues, closed.population)
        learned = change.copy()  # all chains learn from the same changes, or errors add up
        for chain in range(chains):
            if closed.population[chain] < 1:
                continue
            fewer = closed.population.copy()
            fewer[chain] -= 1
            _, less, more = _core(closed, fewer, full * fewer, change, rounds)
            steps += more
            learned[chain] = np.where(fewer > 0, _shares(less, fewer) - full, 0.0)
        change = learned
        rates, queues, more = _core(closed, closed.population, queues, change, rounds)
        steps += more
    return rates, Learned(queues, change), steps


def _shares(queues: Floats, population: Floats) -> Floats:
    return np.divide(queues, population, out=np.zeros_like(queues), where=population > 0)


def _core(
    closed: ClosedChains, population: Floats, queues: Floats, change: Floats, rounds: int
) -> tuple[Floats, Floats, int]:
    """Iterate for one population. ``change[r]``: of the shares, when one of chain r is gone."""
    rates = np.zeros(len(population))
    step = 0
    for step in range(1, rounds + 1):  # the count is a result
        residence = np.empty_like(closed.demands)
        for chain in range(len(population)):
            fewer = np.tile(population, (len(closed.demands), 1))
            fewer[:, chain] = np.maximum(0.0, fewer[:, chain] - closed.own[:, chain])
            met = (1 - closed.overlap[:, chain]) / closed.copies[:, None]
            seen = np.maximum((_shares(queues, population) + change[chain]) * fewer, 0.0) * met
            busy = closed.demands * rates * _shares(fewer, population) * met
            residence[:, chain] = _residence(closed, chain, seen, busy, fewer / closed.own)
        cycle = closed.think + residence.sum(axis=0)
        rates = np.divide(population, cycle, out=np.zeros(len(population)), where=cycle > 0)
        found = residence * rates
        moved = np.abs(found - queues).max(initial=0.0)
        queues = found if step < 50 else (found + queues) / 2
        if moved < _PRECISION * max(1.0, float(population.max(initial=0.0))):
            break
    return rates, queues, step


def _strangers(network: QueueingNetwork) -> Floats:
    """Mean time of service of a visit of open customers to each station."""
    work, visits = np.zeros(len(network.stations)), np.zeros(len(network.stations))
    for chain in network.opened:
        for row, station in enumerate(network.stations):
            demand = chain.demands.get(station.name, 0.0)
            if demand:
                work[row] += (chain.rate or 0.0) * demand
                visits[row] += (chain.rate or 0.0) * chain.visits.get(station.name, 1.0)
    return np.divide(work, visits, out=np.zeros(len(work)), where=visits > 0)


def _residence(
    closed: ClosedChains, chain: int, seen: Floats, busy: Floats, fewer: Floats
) -> Floats:
    """Seconds of a round of a chain at each station, where it finds ``seen`` of ``fewer``."""
    demands, services = closed.demands[:, chain], closed.services[:, chain]
    found = np.zeros(len(demands))
    for station, (demand, servers) in enumerate(zip(demands, closed.servers, strict=True)):
        if not demand:
            continue
        if math.isinf(servers):
            found[station] = demand
            continue
        background = float(closed.background[station])
        ahead = ahead_with(background, servers, seen[station], fewer[station])
        if not closed.in_order[station]:
            wait = demand * ahead / servers
        else:
            wait = _in_order(closed, station, seen[station], busy[station], ahead)
            wait *= demand / services[station]
        found[station] = demand + wait
    return found


def _in_order(
    closed: ClosedChains, station: int, seen: Floats, busy: Floats, ahead: float
) -> float:
    """Seconds that one visit waits: for those before it, each with its own time of service."""
    services, servers = closed.services[station], closed.servers[station]
    opened = closed.background[station] * (1 + ahead / servers)
    count = float(seen.sum()) + opened
    work = float((seen * services).sum()) + opened * closed.strangers[station]
    mean = work / count if count > 0 else 0.0
    residual = (closed.variability[station] - 1) / 2 * float((busy * services).sum())
    return float(max(0.0, mean * ahead + residual) / servers)


def ahead_with(background: float, servers: float, seen: Floats, fewer: Floats) -> float:
    """Those who must go before an arrival is served, times the share of a server that is free.

    It finds ``seen`` customers of closed chains with ``fewer`` customers, and open ones, who find
    the same and so add to it.
    """
    closed = float(seen.sum())
    if servers == 1:
        return float((closed + background) / (1 - background))
    apart = np.divide(seen**2, fewer, out=np.zeros(len(seen)), where=fewer > 0)
    clustered = float(apart.sum())
    ahead = 0.0
    for _ in range(_OPEN_ROUNDS if background else 1):
        count = closed + background * (1 + ahead / servers)
        others = count**2 / clustered if clustered > 1e-12 else math.inf
        before, ahead = ahead, _ahead(servers, count, others)
        if abs(ahead - before) < 1e-7 * (1 + ahead):
            break
    return ahead


def _ahead(servers: float, seen: float, others: float) -> float:
    """Those who wait, and one more when all servers are busy: of ``seen`` out of ``others``."""
    if others > _LARGE_SOURCE:
        return _ahead_of_many(servers, seen)
    if math.ceil(others - 1e-9) < servers or not seen:
        return 0.0
    states, logs, queued = _source(math.ceil(others), others, servers)
    seen = min(max(seen, 1e-9), others * (1 - 1e-9))
    slope = math.log(seen / (others - seen))  # as if there were no queue
    low, high = -math.inf, math.inf
    chances = logs
    for _ in range(60):  # Newton, within what is known: the mean's derivative is the variance
        chances = np.exp(logs + slope * states - (logs + slope * states).max())
        chances /= chances.sum()
        mean = float(chances @ states)
        if abs(seen - mean) < 1e-9 * max(1.0, seen):
            break
        low, high = (slope, high) if mean < seen else (low, slope)
        variance = float(chances @ (states - mean) ** 2)
        step = (seen - mean) / max(variance, 1e-12)
        slope += max(-2.0, min(2.0, step))
        if not low < slope < high:
            slope = (low + high) / 2
    return float(chances @ queued)


@lru_cache(maxsize=256)
def _source(size: int, others: float, servers: float) -> tuple[Floats, Floats, Floats]:
    """States of a finite source, the logarithms of their weights, and how many are ahead."""
    states = np.arange(size + 1, dtype=float)
    logs = np.zeros(size + 1)
    left = np.maximum(others - states[:-1], 1e-3)
    logs[1:] = np.cumsum(np.log(left) - np.log(np.minimum(states[1:], servers)))
    return states, logs, np.where(states >= servers, states - servers + 1, 0.0)


def _ahead_of_many(servers: float, seen: float) -> float:
    """The same where customers come at random: the M/M/c queue that holds so many."""
    low, high = 0.0, min(seen, servers * (1 - 1e-9))
    ahead = 0.0
    for _ in range(50):
        offered = (low + high) / 2
        ahead = erlang_c(int(servers), offered) * servers / (servers - offered)
        low, high = (offered, high) if offered * (1 + ahead / servers) < seen else (low, offered)
        if high - low < 1e-9 * servers:
            break
    return ahead
