"""What a queueing network is made of, and what its solution says."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from archcheck.model import ModelError

Floats = NDArray[np.floating[Any]]
Method = Literal["auto", "exact", "linearizer", "schweitzer"]


@dataclass(frozen=True)
class QueueingStation:
    """Servers behind one queue.

    ``servers`` is infinite where nobody waits (a delay). ``sharing``: the servers are shared
    equally (processor sharing), so that the distribution of service does not matter; else
    customers are served in the order of their arrival. ``variability``: squared coefficients of
    variation of the times of service and, for open chains, between arrivals.
    """

    name: str
    servers: float = 1
    sharing: bool = False
    variability: float = 1.0
    arrival_variability: float = 1.0

    def __post_init__(self) -> None:
        whole = math.isinf(self.servers) or self.servers == int(self.servers)
        if self.servers < 1 or not whole:
            raise ModelError(
                f"station {self.name!r}: servers must be a whole number of at least 1, or "
                f"infinite, got {self.servers}"
            )
        if not (0 <= self.variability < math.inf and 0 <= self.arrival_variability < math.inf):
            raise ModelError(f"station {self.name!r}: a variability must not be negative")


@dataclass(frozen=True)
class Chain:
    """Customers of one kind.

    Open: they come ``rate`` times a second. Closed: ``population`` of them, who ``think`` seconds
    between two rounds. ``demands``: for each station the seconds of service in one round, all
    visits together; ``visits``: how many they are (one unless given), which matters at stations
    that serve in order.
    """

    name: str
    demands: Mapping[str, float]
    rate: float | None = None
    population: int | None = None
    think: float = 0.0
    visits: Mapping[str, float] = field(default_factory=dict)

    def __post_init__(self) -> None:
        if (self.rate is None) == (self.population is None):
            raise ModelError(f"chain {self.name!r} needs a rate (open) or a population (closed)")
        numbers = [self.rate or 0.0, self.population or 0, self.think, *self.demands.values()]
        if any(not 0 <= number < math.inf for number in numbers):
            raise ModelError(f"chain {self.name!r}: numbers must be finite and not negative")
        if any(not 0 < number < math.inf for number in self.visits.values()):
            raise ModelError(f"chain {self.name!r}: visits must be finite and above zero")

    @property
    def is_open(self) -> bool:
        """Whether its customers come and go."""
        return self.rate is not None


@dataclass(frozen=True)
class QueueingNetwork:
    """Stations and the chains that visit them."""

    stations: Sequence[QueueingStation]
    chains: Sequence[Chain]

    def __post_init__(self) -> None:
        for what, names in (
            ("station", [station.name for station in self.stations]),
            ("chain", [chain.name for chain in self.chains]),
        ):
            twice = next((name for name in names if names.count(name) > 1), None)
            if twice is not None:
                raise ModelError(f"there are two of the {what} {twice!r}")
        known = {station.name for station in self.stations}
        for chain in self.chains:
            unknown = next(
                (name for name in (*chain.demands, *chain.visits) if name not in known), ""
            )
            if unknown:
                raise ModelError(f"chain {chain.name!r} visits {unknown!r}, which is no station")
            if not chain.is_open and not chain.think and not any(chain.demands.values()):
                raise ModelError(
                    f"chain {chain.name!r} takes no time, so its throughput is infinite"
                )

    def table(self, chains: Sequence[Chain]) -> Floats:
        """Demands in seconds: a row for each station, a column for each of ``chains``."""
        rows = [[chain.demands.get(s.name, 0.0) for chain in chains] for s in self.stations]
        return np.array(rows, dtype=float).reshape(len(self.stations), len(chains))

    @cached_property
    def opened(self) -> tuple[Chain, ...]:
        """The open chains."""
        return tuple(chain for chain in self.chains if chain.is_open)

    @cached_property
    def closed(self) -> tuple[Chain, ...]:
        """The closed chains."""
        return tuple(chain for chain in self.chains if not chain.is_open)

    @cached_property
    def open_load(self) -> Floats:
        """Busy servers of each station that the open chains alone keep (erlangs)."""
        rates = np.array([chain.rate for chain in self.opened], dtype=float)
        load: Floats = self.table(self.opened) @ rates
        return load

    def not_product_form(self) -> str | None:
        """The first reason why there is no product form; ``None`` when there is one."""
        for station in self.stations:
            if math.isinf(station.servers) or station.sharing:
                continue
            if station.variability != 1 or station.arrival_variability != 1:
                return f"{station.name} serves in order and its times are not exponential"
            times = {
                round(chain.demands[station.name] / chain.visits.get(station.name, 1.0), 15)
                for chain in self.chains
                if chain.demands.get(station.name)
            }
            if len(times) > 1:
                return (
                    f"{station.name} serves in order, and chains differ in their times of service"
                )
        return None


@dataclass(frozen=True)
class NetworkMeans:
    """Long-run means of a network.

    ``throughputs``: rounds a second of each chain. ``queues[k, r]``: customers of chain r at
    station k, those in service included. ``method`` says how it was found and ``trust`` what it
    is worth; ``iterations`` is 0 for exact solutions. A saturated station has infinite queues.
    """

    network: QueueingNetwork
    throughputs: Floats
    queues: Floats
    method: str
    trust: str
    iterations: int = 0

    def throughput(self, chain: str) -> float:
        """Rounds of a chain in a second."""
        return float(self.throughputs[self._chain(chain)])

    def queue(self, station: str, chain: str | None = None) -> float:
        """Mean customers at a station, of one chain or of all."""
        row = self.queues[self._station(station)]
        return float(row.sum() if chain is None else row[self._chain(chain)])

    def residence(self, station: str, chain: str) -> float:
        """Mean seconds that a round of a chain spends at a station (Little's law)."""
        rate = self.throughput(chain)
        return self.queue(station, chain) / rate if rate else 0.0

    def response(self, chain: str) -> float:
        """Mean seconds of a round, thinking left out."""
        column, rate = self.queues[:, self._chain(chain)], self.throughput(chain)
        return float(column.sum()) / rate if rate else 0.0

    def utilisation(self, station: str) -> float:
        """Busy servers over servers; busy servers where they are unlimited."""
        k = self._station(station)
        busy = float(self.network.table(self.network.chains)[k] @ self.throughputs)
        servers = self.network.stations[k].servers
        return busy if math.isinf(servers) else busy / servers

    def _station(self, name: str) -> int:
        return _index([station.name for station in self.network.stations], name)

    def _chain(self, name: str) -> int:
        return _index([chain.name for chain in self.network.chains], name)


def _index(names: list[str], name: str) -> int:
    if name not in names:
        raise KeyError(name)
    return names.index(name)
