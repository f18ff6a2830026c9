"""The plan: a system and a scenario, compiled into flat tables of numbers.

Engines see nothing else. All times are seconds, all references are indexes into the plan's own
tables (-1 means none); names appear only so that results can be labelled, and hashes of names
only so that random draws do not depend on indexes. The policies of callers are in
``policies``, what comes from outside in ``load``.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import IntEnum

from archcheck.simulation.plan.load import PlannedFault, PlannedJourney, Stream
from archcheck.simulation.plan.protection import (
    BreakerSpec,
    BudgetSpec,
    BulkheadSpec,
    LimitSpec,
    PolicySpec,
    Sampler,
)


class StepKind(IntEnum):
    """What a step does."""

    WORK = 0
    CALL = 1
    PUBLISH = 2
    PARALLEL = 3
    WITH_PROBABILITY = 4
    REPEAT = 5
    CACHED = 6
    SERIES = 7
    WAIT = 8


class Discipline(IntEnum):
    """How servers choose whom to serve next.

    FIFO: in order of arrival. PRIORITY: the most important class first, in order of arrival
    within a class, without preemption. SHARING: everybody at once, each at an equal share of the
    servers (processor sharing).
    """

    FIFO = 0
    PRIORITY = 1
    SHARING = 2


class Balance(IntEnum):
    """How a caller chooses a replica of its callee; SHARD: by the key, no choice."""

    ROUND_ROBIN = 0
    RANDOM = 1
    LEAST_OUTSTANDING = 2
    POWER_OF_TWO = 3
    SHARD = 4


def label_of(station: str, what: str) -> str:
    """A station with what it has, for people: ``db threads``, ``orders cores``.

    The cores of a service with threads of its own have a name that says so.
    """
    return station if station.endswith(f" {what}") else f"{station} {what}"


@dataclass(frozen=True, slots=True)
class Station:
    """Servers behind a queue, one set for each node of its group.

    ``servers`` and ``queue`` are per node; ``None`` is unlimited. ``servers`` of a SHARING
    station are the cores that all share, at most one for each. ``limit``: the cores whose time a
    node may use in each :data:`archcheck.graph.cpu.PERIOD`; then it stands still.
    """

    name: str
    what: str
    servers: float | None
    queue: int | None
    discipline: Discipline
    group: int
    limit: float | None = None

    @property
    def lasting(self) -> float | None:
        """The servers that there are in the long run: no more than the CPU limit."""
        return min((n for n in (self.servers, self.limit) if n is not None), default=None)


@dataclass(frozen=True, slots=True)
class Scaling:
    """A horizontal autoscaler: Kubernetes' formula every ``period`` seconds."""

    least: int
    most: int
    target: float
    requested: float
    period: float
    tolerance: float
    stabilisation: float
    start_up: float


@dataclass(frozen=True, slots=True)
class GroupSpec:
    """Nodes of the same kind: the replicas of a service, the shards of a store, consumers.

    ``slots``: station whose servers are held from admission to answer. ``cores``: station at
    which work is done (-1: it just takes time). ``host``: the group on whose nodes a consumer
    group's members live, which do its work. ``zones``: zone of node n is ``zones[n % len]``.
    ``detection``: seconds until callers stop choosing a dead node (infinite: they never learn).
    ``shed``: share of busy servers above which only the most important class is admitted.
    ``ranks``: rank of each class of requests (0 is served first).
    """

    name: str
    nodes: int
    slots: int
    cores: int
    host: int = -1
    zones: tuple[int, ...] = ()
    detection: float = float("inf")
    shed: float = float("inf")
    ranks: tuple[int, ...] = ()
    scaling: Scaling | None = None


@dataclass(frozen=True, slots=True)
class OperationSpec:
    """Something that can be asked: an endpoint, a query, an external, the work of a consumer.

    ``group``: whose nodes admit it (-1: nowhere, unlimited). ``limit``: server-side rate limit.
    ``reported``: whether it is one of the operations that results list. ``beside``: it runs in a
    sidecar of whoever asks it, and its calls are made in the name of that process; it makes one
    call, and hangs up when its caller does.
    """

    name: str
    place: int
    group: int
    block: int
    error_rate: float
    limit: int
    reported: bool
    beside: bool = False


@dataclass(frozen=True, slots=True)
class Keys:
    """Keys drawn by Zipf's law: ``count`` keys, key k with weight k ** -skew."""

    count: int
    skew: float


@dataclass(frozen=True, slots=True)
class CacheSpec:
    """The content of a cache that is simulated key by key.

    ``shared``: one content for all, else one for each replica that uses it. ``capacity`` entries
    (0: unlimited), the least recently used goes first. ``ttl`` infinite: entries stay. With
    ``jitter`` each entry lives between 90% and 110% of it. ``coalesced``: concurrent misses of a
    key wait for the first.
    """

    name: str
    place: int
    shared: bool
    capacity: int
    ttl: float
    jitter: bool
    coalesced: bool


@dataclass(frozen=True, slots=True)
class StepSpec:
    """A step of a block. Which fields count depends on ``kind``.

    ``place``: hash of the step's name, for draws. ``sampler``: WORK, WAIT. ``call``: CALL, and
    the lookup of CACHED. ``channel``: PUBLISH. ``blocks``: the branches of PARALLEL, the single
    inner block of the others. ``number``: repeats, a probability, or the seconds until a published
    message is acknowledged. ``waited``: for PARALLEL, which branches the join waits for. ``cache``
    and ``keys``: CACHED with simulated content.
    """

    kind: StepKind
    place: int
    sampler: Sampler | None = None
    call: int = -1
    channel: int = -1
    blocks: tuple[int, ...] = ()
    number: float = 0.0
    waited: tuple[bool, ...] = ()
    cache: int = -1
    keys: Keys | None = None


THROUGH_MESH = " (mesh)"
"""The end of the name of a call site from which a sidecar asks what its process asked it."""


@dataclass(frozen=True, slots=True)
class CallSite:
    """A place from which an operation is asked.

    ``there`` and ``back`` are seconds on the network within a zone (-1 group: the caller is
    outside); ``across`` is added each way when caller and callee are in different zones.
    ``keys``: what decides the shard. ``pool``: connections. ``source`` and ``target``: groups.
    """

    name: str
    place: int
    operation: int
    policy: PolicySpec
    balance: Balance
    pool: int
    there: float
    back: float
    across: float
    source: int
    target: int
    keys: Keys | None = None


@dataclass(frozen=True, slots=True)
class PoolSpec:
    """Connections that each node of a group keeps to a target; waiting ends after ``max_wait``."""

    name: str
    group: int
    size: int
    max_wait: float


ANY_NUMBER = 1_000_000
"""Partitions of a queue that does not limit how many consumers work: more than any has."""


@dataclass(frozen=True, slots=True)
class Subscription:
    """A consumer group of a channel, with ``concurrency`` members on each replica of its service.

    At most ``partitions`` members work. ``ordered``: each partition belongs to one member, and a
    message that failed is tried again before the next of its partition; else members compete, and
    it goes to the end of the line. ``visibility``: seconds after which a message that was taken
    comes again unless it is done with, also while it is still worked on (0: only when it failed,
    and at once). ``deliveries``: how often in all before it is a dead letter, which goes to the
    channel ``dead`` (-1: it is lost). ``once``: acknowledged when it is taken, so that it is lost
    with the process that works on it.
    """

    operation: int
    concurrency: int
    partitions: int
    ordered: bool
    deliveries: int
    visibility: float
    dead: int
    once: bool = False


@dataclass(frozen=True, slots=True)
class ChannelSpec:
    """A topic or queue. ``delay``: seconds on the network, each way."""

    name: str
    place: int
    keyed: bool
    delay: float
    subscriptions: tuple[Subscription, ...]


@dataclass(frozen=True, slots=True)
class Assumption:
    """A value that the model does not declare and that the simulation needed."""

    subject: str
    """The element, call or network that lacks it."""
    attribute: str
    """The attribute."""
    value: str
    """What was taken, with its unit."""
    reason: str
    """Why this value."""
    influence: float = 0.0
    """The share of the journeys' time that goes through it (of one): network time for a delay, work
    and waiting at its element for anything else."""


@dataclass(frozen=True, slots=True)
class Plan:
    """Everything that an engine needs.

    ``drains``: what is under way at the end of the run is finished, and counted.
    """

    stations: tuple[Station, ...]
    groups: tuple[GroupSpec, ...]
    operations: tuple[OperationSpec, ...]
    blocks: tuple[tuple[StepSpec, ...], ...]
    calls: tuple[CallSite, ...]
    pools: tuple[PoolSpec, ...]
    bulkheads: tuple[BulkheadSpec, ...]
    breakers: tuple[BreakerSpec, ...]
    limits: tuple[LimitSpec, ...]
    budgets: tuple[BudgetSpec, ...]
    caches: tuple[CacheSpec, ...]
    channels: tuple[ChannelSpec, ...]
    zones: tuple[str, ...]
    streams: tuple[Stream, ...]
    journeys: tuple[PlannedJourney, ...]
    faults: tuple[PlannedFault, ...]
    may_deadlock: bool
    is_stationary: bool
    drains: bool
    assumptions: tuple[Assumption, ...]
    not_simulated: tuple[str, ...]
