"""The part of the plan about outcomes, distributions, and what protects a caller."""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from enum import IntEnum

FOREVER = float("inf")


class Outcome(IntEnum):
    """How a request or an attempt ends; the first two are good."""

    OK = 0
    DEGRADED = 1
    TIMED_OUT = 2
    REJECTED = 3
    BROKEN = 4
    FAILED = 5


class SamplerShape(IntEnum):
    """The shape of a distribution; its parameters are described at :class:`Sampler`."""

    CONSTANT = 0
    EXPONENTIAL = 1
    LOGNORMAL = 2
    GAMMA = 3
    WEIBULL = 4
    PARETO = 5
    EMPIRICAL = 6
    UNIFORM = 7


@dataclass(frozen=True, slots=True)
class Sampler:
    """A distribution of seconds.

    Parameters ``a``, ``b``: constant (value); exponential (mean); lognormal (mu, sigma);
    gamma (scale, shape); weibull (scale, shape); pareto (minimum, alpha); uniform (low, high);
    empirical (``values``).
    """

    shape: SamplerShape
    a: float = 0.0
    b: float = 0.0
    values: tuple[float, ...] = ()

    def times(self, factor: float) -> Sampler:
        """The distribution of ``factor`` times as many seconds."""
        match self.shape:
            case SamplerShape.LOGNORMAL:
                return replace(self, a=self.a + math.log(factor))
            case SamplerShape.UNIFORM:
                return replace(self, a=self.a * factor, b=self.b * factor)
            case SamplerShape.EMPIRICAL:
                return replace(self, values=tuple(value * factor for value in self.values))
            case _:
                return replace(self, a=self.a * factor)


@dataclass(frozen=True, slots=True)
class BreakerSpec:
    """A circuit breaker, one for each replica of the caller.

    ``window``: calls, or seconds when ``timed``. Rates above 1 never open it.
    """

    name: str
    failure_rate: float
    slow_rate: float
    slow: float
    window: float
    timed: bool
    minimum: int
    open_for: float
    probes: int


@dataclass(frozen=True, slots=True)
class BulkheadSpec:
    """Concurrent calls of each replica of the caller; a call waits at most ``max_wait``."""

    name: str
    size: int
    max_wait: float


class Scope(IntEnum):
    """Whose requests share a token bucket.

    CLIENT: at the callee, each one who asks from outside (see :class:`Stream`), and each group of
    replicas that asks; a caller's own limit has one client, the caller's group.
    """

    REPLICA = 0
    SERVICE = 1
    CLIENT = 2


@dataclass(frozen=True, slots=True)
class LimitSpec:
    """A token bucket: ``rate`` tokens a second, at most ``burst``; it starts full."""

    name: str
    rate: float
    burst: float
    scope: Scope


@dataclass(frozen=True, slots=True)
class BudgetSpec:
    """Retries of each replica of the caller, over the last ten seconds: at most ``ratio`` of its
    first attempts, plus ``floor`` a second. ``name``: the caller and the callee whose calls share
    it."""

    name: str
    ratio: float
    floor: float


@dataclass(frozen=True, slots=True)
class PolicySpec:
    """What a caller does about slowness and failure; ``attempts`` counts the first try.

    ``inherits``: an attempt has no more time than its asker. ``tells``: the calls that the callee
    makes for it have no more either, and are not retried afterwards. ``drops``: the callee drops a
    request whose caller gave up while it waited; ``stops``: it also stops work, at its next step.
    ``hedges``: attempts in all of a hedged call, one more every ``hedge_after`` seconds.
    ``fallback``: block that runs when all else failed (-1: none). ``retried`` is a set of outcomes
    as bits.
    """

    timeout: float = FOREVER
    attempts: int = 1
    backoff: float = 0.0
    factor: float = 2.0
    max_backoff: float = FOREVER
    jitter: bool = False
    retried: int = 0
    optional: bool = False
    fallback: int = -1
    inherits: bool = False
    tells: bool = False
    drops: bool = False
    stops: bool = False
    hedges: int = 1
    hedge_after: float = 0.0
    bulkhead: int = -1
    breaker: int = -1
    limit: int = -1
    budget: int = -1
    ejects: bool = False
