"""The plan: a system and a scenario, compiled into flat tables of numbers.

Engines see nothing else. All times are seconds, all references are indexes into the plan's own
tables; names appear only so that results can be labelled, and hashes of names only so that
random draws do not depend on indexes.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import IntEnum

FOREVER = float("inf")


class Kind(IntEnum):
    """What a step does."""

    WORK = 0
    CALL = 1
    PUBLISH = 2
    PARALLEL = 3
    SOMETIMES = 4
    REPEAT = 5
    CACHED = 6
    SERIES = 7


class Shape(IntEnum):
    """The shape of a distribution; its parameters are described at :class:`Sampler`."""

    CONSTANT = 0
    EXPONENTIAL = 1
    LOGNORMAL = 2
    GAMMA = 3
    WEIBULL = 4
    PARETO = 5
    EMPIRICAL = 6


class Balance(IntEnum):
    """How a caller chooses a replica of its callee."""

    ROUND_ROBIN = 0
    RANDOM = 1
    LEAST_OUTSTANDING = 2
    POWER_OF_TWO = 3


class Outcome(IntEnum):
    """How a request or an attempt ends."""

    OK = 0
    DEGRADED = 1
    TIMED_OUT = 2
    REJECTED = 3
    FAILED = 4


@dataclass(frozen=True)
class Sampler:
    """A distribution of seconds.

    Parameters ``a``, ``b``: constant (value); exponential (mean); lognormal (mu, sigma);
    gamma (scale, shape); weibull (scale, shape); pareto (minimum, alpha); empirical (``values``).
    """

    shape: Shape
    a: float = 0.0
    b: float = 0.0
    values: tuple[float, ...] = ()


@dataclass(frozen=True)
class Station:
    """Servers behind a queue, one set for each node (a replica, or a shard).

    ``held``: a server is held from admission to answer (threads, connections); otherwise only
    while work is done (event loops, cores). ``servers`` and ``queue`` are per node; ``None`` is
    unlimited.
    """

    name: str
    what: str
    nodes: int
    servers: int | None
    queue: int | None
    held: bool


@dataclass(frozen=True)
class Operation:
    """Something that can be asked: an endpoint, a query, an external, the work of a consumer.

    ``station``: where it is admitted (``None``: nowhere, unlimited). ``works_at``: where its work
    competes for servers (``None``: it just takes time).
    """

    name: str
    station: int | None
    works_at: int | None
    block: int
    error_rate: float
    place: int
    reported: bool


@dataclass(frozen=True)
class Policy:
    """What a caller does about slowness and failure; ``attempts`` counts the first try."""

    timeout: float = FOREVER
    attempts: int = 1
    backoff: float = 0.0
    factor: float = 2.0
    max_backoff: float = FOREVER
    jitter: bool = False
    retried: frozenset[Outcome] = frozenset()
    optional: bool = False


@dataclass(frozen=True)
class Step:
    """A step of a block. Which fields count depends on ``kind``.

    ``place``: hash of the step's name, for draws. ``sampler``: WORK. ``operation``: what a CALL
    asks, what a CACHED step asks first. ``policy``, ``balance``, ``pool``, ``delay``: CALL,
    CACHED. ``subscribers``: consumers' operations, PUBLISH. ``blocks``: the branches of PARALLEL,
    the single inner block of the others. ``number``: repeats, or a probability. ``waited``: for
    PARALLEL, which branches the join waits for.
    """

    kind: Kind
    place: int
    sampler: Sampler | None = None
    operation: int = -1
    policy: Policy = Policy()
    balance: Balance = Balance.ROUND_ROBIN
    pool: int = -1
    delay: float = 0.0
    subscribers: tuple[int, ...] = ()
    blocks: tuple[int, ...] = ()
    number: float = 0.0
    waited: tuple[bool, ...] = ()


@dataclass(frozen=True)
class Pool:
    """Connections that each node of a station keeps to a target."""

    name: str
    station: int
    size: int


class ArrivalKind(IntEnum):
    """When the requests of a stream come."""

    POISSON = 0
    DETERMINISTIC = 1
    CLOSED = 2
    PIECEWISE = 3
    SINE = 4
    RECORDED = 5


@dataclass(frozen=True)
class Stream:
    """Requests that come from outside.

    ``choices``: journeys and cumulative probabilities. POISSON and DETERMINISTIC use ``rate``;
    CLOSED uses ``users`` and ``think``; PIECEWISE is Poisson with a rate that is linear between
    ``points`` (time, rate); SINE swings between ``rate`` (low) and ``high`` with ``period``;
    RECORDED uses ``times``.
    """

    name: str
    place: int
    kind: ArrivalKind
    choices: tuple[tuple[int, float], ...]
    rate: float = 0.0
    high: float = 0.0
    period: float = 0.0
    users: int = 0
    think: Sampler | None = None
    points: tuple[tuple[float, float], ...] = ()
    times: tuple[float, ...] = ()


@dataclass(frozen=True)
class PlannedJourney:
    """Entries that a journey asks one after the other, and when its user gives up."""

    name: str
    entries: tuple[Step, ...]


@dataclass(frozen=True)
class Assumption:
    """A value that the model does not declare and that the simulation needed."""

    subject: str
    attribute: str
    value: str
    reason: str


@dataclass(frozen=True)
class Plan:
    """Everything that an engine needs."""

    stations: tuple[Station, ...]
    operations: tuple[Operation, ...]
    blocks: tuple[tuple[Step, ...], ...]
    pools: tuple[Pool, ...]
    streams: tuple[Stream, ...]
    journeys: tuple[PlannedJourney, ...]
    assumptions: tuple[Assumption, ...]
    not_simulated: tuple[str, ...]
