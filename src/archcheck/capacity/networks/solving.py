"""Which solution fits a network, and what it is worth."""

from __future__ import annotations

import math

import numpy as np

from archcheck.capacity.networks.approximate import ClosedChains, ahead_with, approximate
from archcheck.capacity.networks.exact import (
    MOST_CONVOLVED,
    MOST_POPULATIONS,
    convolved,
    has_many_servers,
    mean_values,
    populations,
)
from archcheck.capacity.networks.parts import Floats, Method, NetworkMeans, QueueingNetwork
from archcheck.capacity.queueing import mean_wait
from archcheck.model import ModelError

_EXACT = "exact: the network has a product form"
_LINEARIZER = (
    "approximate: Linearizer, mostly within 2% of exact solutions, within 10% where a station "
    "serves in order with differing times"
)
_SCHWEITZER = "approximate: Bard and Schweitzer, mostly within 10% of exact solutions"
_GENERAL = "approximate: Allen and Cunneen, mostly within 10% where stations are busy"


def solve(network: QueueingNetwork, method: Method = "auto") -> NetworkMeans:
    """Long-run means of a network.

    ``auto``: exact where there is a product form and not too many populations, else Linearizer.
    Stations that the open chains saturate have infinite queues, and so have all chains that
    visit them infinite response times. Raises :class:`~archcheck.model.ModelError` where an exact
    solution is asked for and there is none, or it would take too long.
    """
    if method not in ("auto", "exact", "linearizer", "schweitzer"):
        raise ModelError(
            f"there is no method {method!r}; there are auto, exact, linearizer and schweitzer"
        )
    full = network.open_load >= np.array([station.servers for station in network.stations])
    if network.closed and full.any():
        name = network.stations[int(full.argmax())].name
        raise ModelError(
            f"the open chains alone saturate {name!r}: the closed chains would wait for ever"
        )
    if not network.closed:
        return _opened(network)
    obstacle = network.not_product_form() or _too_many(network)
    if method == "exact" and obstacle is not None:
        raise ModelError(f"there is no exact solution: {obstacle}")
    if method in ("auto", "exact") and obstacle is None:
        return _exact(network)
    linearized = method != "schweitzer"
    rates, queues, steps = approximate(ClosedChains.of(network), linearized=linearized)
    trust = _LINEARIZER if linearized else _SCHWEITZER
    name = "linearizer" if linearized else "schweitzer"
    return _put_together(network, rates, queues, None, name, trust, steps)


def _too_many(network: QueueingNetwork) -> str | None:
    """Why an exact solution would take too long."""
    count = populations(network)
    if has_many_servers(network):
        most = MOST_CONVOLVED
    else:
        most = MOST_POPULATIONS // max(1, len(network.closed))
    return f"{count:,} populations are too many, {most:,} are not" if count > most else None


def _opened(network: QueueingNetwork) -> NetworkMeans:
    """Each station by itself: exact with exponential times (Jackson's theorem)."""
    exact = network.not_product_form() is None
    trust = _EXACT if exact else _GENERAL
    nothing = np.zeros((len(network.stations), 0))
    method = "exact" if exact else "allen-cunneen"
    return _put_together(network, np.zeros(0), nothing, None, method, trust, 0)


def _exact(network: QueueingNetwork) -> NetworkMeans:
    if not has_many_servers(network):
        rates, queues = mean_values(network)
        return _put_together(network, rates, queues, None, "exact", _EXACT, 0)
    rates, queues, strangers = convolved(network)
    if not (np.isfinite(rates).all() and np.isfinite(queues).all()):
        raise ModelError("there is no exact solution: the populations exceed the range of numbers")
    return _put_together(network, rates, queues, strangers, "exact", _EXACT, 0)


def _put_together(
    network: QueueingNetwork,
    rates: Floats,
    queues: Floats,
    strangers: Floats | None,
    method: str,
    trust: str,
    steps: int,
) -> NetworkMeans:
    """Closed and open chains in the order in which the network names them."""
    demands = network.table(network.opened)
    shares = np.divide(
        demands * np.array([chain.rate for chain in network.opened], dtype=float),
        network.open_load[:, None],
        out=np.zeros_like(demands),
        where=network.open_load[:, None] > 0,
    )
    opened = np.zeros_like(demands)
    for k in range(len(network.stations)):
        found = float(strangers[k]) if strangers is not None else None
        together = found if found is not None else _open_queue(network, k, float(queues[k].sum()))
        opened[k] = np.where(shares[k] > 0, shares[k], 0.0) * (together if together else 0.0)
        if math.isinf(together):
            opened[k] = np.where(shares[k] > 0, math.inf, 0.0)
    throughputs = np.zeros(len(network.chains))
    everybody = np.zeros((len(network.stations), len(network.chains)))
    given, taken = iter(range(len(network.opened))), iter(range(len(network.closed)))
    for index, chain in enumerate(network.chains):
        if chain.is_open:
            throughputs[index] = chain.rate
            everybody[:, index] = opened[:, next(given)]
        else:
            column = next(taken)
            throughputs[index] = rates[column]
            everybody[:, index] = queues[:, column]
    return NetworkMeans(network, throughputs, everybody, method, trust, steps)


def _open_queue(network: QueueingNetwork, station: int, closed: float) -> float:
    """Open customers at a station beside ``closed`` customers of closed chains."""
    part, load = network.stations[station], float(network.open_load[station])
    if math.isinf(part.servers) or not load:
        return load
    if load >= part.servers:
        return math.inf
    if closed:
        everybody = np.array([closed])
        ahead = ahead_with(load, part.servers, everybody, np.array([math.inf]))
        return load * (1 + ahead / part.servers)
    services, arrivals = (
        (1.0, 1.0) if part.sharing else (part.variability, part.arrival_variability)
    )
    return load * (
        1 + mean_wait(int(part.servers), load, 1.0, arrivals=arrivals, services=services)
    )
