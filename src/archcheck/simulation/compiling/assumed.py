"""What a simulation needs and a model does not declare, and what it declares in vain.

Nothing is assumed in silence: every value from here is listed in the result.
"""

from __future__ import annotations

from archcheck.graph.transfer import ONE_WAY
from archcheck.model import Network
from archcheck.model.distributions import Time
from archcheck.simulation.plan import Assumption, Sampler
from archcheck.simulation.sampling import compile_time
from archcheck.units import Duration

QUERY = Duration(0.001)
"""Assumed time of a query."""
CACHE_LOOKUP = Duration(0.000_2)
"""Assumed time of a lookup in a cache on the network."""
CORES = 4
"""Assumed parallelism of an event loop or of goroutines in a replica."""
START_UP = Duration(30.0)
"""Assumed time from the start of a new replica until it serves."""
BURST_SECONDS = 1.0
"""Assumed size of a token bucket, in seconds of its rate."""
DELIVERIES = 10
"""Assumed deliveries of a message: Spring Kafka's DefaultErrorHandler tries ten times in all."""
FAILOVER = Duration(30.0)
"""Assumed time of an automatic failover to a replica."""


class Assumptions:
    """The list of what was assumed and of what was left out."""

    def __init__(self) -> None:
        self._values: dict[Assumption, None] = {}
        self._left_out: dict[str, int] = {}

    def values(self) -> tuple[Assumption, ...]:
        """The assumptions, in the order in which they were made, each once."""
        return tuple(self._values)

    def not_simulated(self) -> tuple[str, ...]:
        """What is declared and not simulated, with how often it is declared."""
        return tuple(f"{what} ({count})" for what, count in sorted(self._left_out.items()))

    def add(self, subject: str, attribute: str, value: object, reason: str) -> None:
        """Note that ``value`` was taken for an attribute."""
        self._values[Assumption(subject, attribute, str(value), reason)] = None

    def leave_out(self, what: str) -> None:
        """Note that something declared is not simulated."""
        self._left_out[what] = self._left_out.get(what, 0) + 1

    def delay(self, network: Network | None) -> float:
        """Seconds that the network takes one way."""
        if network is not None and network.delay is not None:
            return float(network.delay)
        self.add("network", "delay", ONE_WAY, "one way, within a datacenter")
        return float(ONE_WAY)

    def time(self, declared: Time | None, assumed: Duration, who: str, what: str) -> Sampler:
        """The declared service time, or the assumed one."""
        if declared is None:
            self.add(who, what, assumed, "no service time is declared")
            declared = assumed
        return compile_time(declared)
