"""What a request does inside an endpoint, step by step.

Steps run one after the other. A step that fails ends the request, unless it is ``optional`` or
has a fallback: then the request goes on, degraded.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import field
from typing import Annotated, Literal

from pydantic import Field

from archcheck.model.distributions import Distribution
from archcheck.model.element import Absent, Element, Many, Probability, element
from archcheck.model.named import CallableRef, ChannelRef, DatastoreRef, FlagRef, Named, Part
from archcheck.model.protocols import Format
from archcheck.model.resilience import (
    Balancing,
    Bulkhead,
    CircuitBreaker,
    Fallback,
    Hedge,
    RateLimit,
    Retry,
)
from archcheck.units import Duration, Size

Operation = Literal["read", "write"]


class Step(Element):
    """A part of the work of an endpoint or consumer."""


class Group(Step):
    """A step made of other steps."""

    steps: Sequence[Step]


@element
class Work(Step):
    """Computing in the service itself.

    A plain duration is the mean of an exponential distribution.
    """

    time: Duration | Distribution = field(kw_only=False)
    """How long a worker is busy."""
    blocking: bool | None = None
    """Whether it holds the thread without computing (sleep, file system, legacy library)."""


@element
class Wait(Step):
    """Time that is not work: a sleep, or a party that is not in the model.

    It holds a thread of a blocking runtime, and nothing of an event loop; it needs no core and no
    quota of a CPU limit. A plain duration is the mean of an exponential distribution.
    """

    time: Duration | Distribution = field(kw_only=False)
    """How long it takes."""


class RemoteStep(Step):
    """A step that leaves the process."""

    target: str | Named | Part
    timeout: Duration | Absent | None
    retry: Retry | Absent | None
    optional: bool
    fallback: Fallback | Absent | None


@element
class _RemoteStep(RemoteStep):
    """Fields that every step that leaves the process has."""

    _is_abstract = True

    timeout: Duration | Absent | None = None
    """How long each attempt may take, from the moment it is made; ``None``: unknown."""
    retry: Retry | Absent | None = None
    """What happens after a failed attempt; ``None``: unknown."""
    optional: bool = False
    """Whether the request goes on without it (then it is degraded)."""
    fallback: Fallback | Absent | None = None
    """What answers instead."""
    breaker: CircuitBreaker | Absent | None = None
    """Stops calling what fails."""
    bulkhead: Bulkhead | Absent | None = None
    """Bounds concurrent calls."""
    blocking: bool | None = None
    """Whether the client library holds the thread while it waits; ``None``: unknown."""
    result_used: bool | None = None
    """Whether the rest of the request needs the answer."""
    independent: bool | None = None
    """Whether it needs no answer of the steps before it, so that it could run beside them."""
    request_size: Size | None = None
    """Payload sent; ``None``: as the endpoint or topic says."""
    response_size: Size | None = None
    """Payload received; ``None``: as the endpoint says."""
    data: Many[str] = ()
    """Classes of the data that it carries."""


@element
class Call(_RemoteStep):
    """A synchronous request to an endpoint: ``Call("payments.Charge", timeout=250 * ms)``.

    With a service or external as target, its only endpoint is meant.
    """

    target: CallableRef = field(kw_only=False)
    """The endpoint, or a service or external with a single one."""
    protocol: str | None = None
    """The protocol the caller speaks, by its class name (``"Grpc"``); ``None``: the endpoint's."""
    format: Format | None = None
    """The format the caller sends; ``None``: the endpoint's."""
    version: str | None = None
    """The contract version the caller was built against."""
    connect_timeout: Duration | None = None
    """How long opening a connection may take."""
    hedge: Hedge | Absent | None = None
    """Extra attempts against slowness."""
    rate_limit: RateLimit | Absent | None = None
    """Client-side limit."""
    balancing: Balancing | Absent | None = None
    """How requests are spread over the callee's replicas; ``None``: unknown."""
    balanced_by: Literal["client", "mesh", "proxy", "connection"] | None = None
    """Who spreads them; ``connection``: a layer-4 balancer, once for each connection."""
    discovery: Literal["dns", "registry", "mesh", "static"] | None = None
    """How the callee is found."""
    reuses_connections: bool | None = None
    """Whether connections are kept open between requests."""
    propagates_deadline: bool | None = None
    """Whether the callee learns how much time is left."""
    propagates_trace: bool | None = None
    """Whether the trace context is passed on; ``None``: as the caller's tracing does."""
    encrypted: bool | None = None
    """Whether the connection is encrypted; ``None``: as the endpoint or the mesh says."""
    authenticated: bool | None = None
    """Whether the caller proves who it is."""
    idempotency_key: bool | None = None
    """Whether repeats can be recognised."""
    batch: bool | None = None
    """Whether it asks for many items at once."""


@element
class Read(_RemoteStep):
    """A query that changes nothing: ``Read("ledger", timeout=50 * ms)``."""

    target: DatastoreRef = field(kw_only=False)
    """The datastore."""
    time: Duration | Distribution | None = None
    """Service time of this query; ``None``: the datastore's ``read``."""
    entity: str | None = None
    """The entity or table."""
    stale: bool | None = None
    """Whether an answer from a replica will do."""


@element
class Write(_RemoteStep):
    """A query that changes data: ``Write("ledger", timeout=50 * ms)``."""

    target: DatastoreRef = field(kw_only=False)
    """The datastore."""
    time: Duration | Distribution | None = None
    """Service time of this query; ``None``: the datastore's ``write``."""
    entity: str | None = None
    """The entity or table."""


@element
class Publish(_RemoteStep):
    """Send a message to a topic or queue and go on."""

    target: ChannelRef = field(kw_only=False)
    """The topic or queue."""
    acks: Literal["none", "leader", "all"] | None = None
    """What the publisher waits for."""
    outbox: bool | None = None
    """Whether it goes through a transactional outbox or change data capture."""
    key: str | None = None
    """What orders the messages."""


@element
class Parallel(Group):
    """Branches at the same time; goes on when all required ones have answered."""

    steps: Many[Step] = field(kw_only=False)
    """The branches; a branch of several steps is a :class:`Series`."""


@element
class Series(Group):
    """Steps one after the other, where a single step is expected."""

    steps: Many[Step] = field(kw_only=False)
    """The steps."""


@element
class WithProbability(Group):
    """Steps that a share of the requests takes."""

    probability: Probability = field(kw_only=False)
    """The share."""
    steps: Many[Step] = field(kw_only=False)
    """The steps."""


@element
class Feature(Group):
    """Steps that run while a feature flag is on: ``Feature("new-pricing", [Call("prices.get")])``.

    With ``off=True`` they run while it is off.
    """

    flag: FlagRef = field(kw_only=False)
    """The flag."""
    steps: Many[Step] = field(kw_only=False)
    """The steps."""
    off: bool = False
    """Whether they run while it is off, instead of on."""


@element
class Repeat(Group):
    """The same steps several times, one after the other."""

    times: Annotated[int, Field(ge=1, le=10_000)] = field(kw_only=False)
    """How often."""
    steps: Many[Step] = field(kw_only=False)
    """The steps."""
    per_item: bool = False
    """Whether ``times`` is the typical length of a list: the number grows with the data."""


@element
class KeySpace(Element):
    """What a cache is asked for: so many keys, some more popular than others."""

    count: Annotated[int, Field(ge=1)] = field(kw_only=False)
    """How many different keys there are."""
    skew: Annotated[float, Field(ge=0, le=5)] = 0.0
    """Zipf exponent of their popularity: 0 is even, 1 is the classic skew."""


@element
class Cached(Group):
    """Cache-aside: ask the cache; on a miss run the steps and fill it.

    The hit ratio is the share of the requests that skip the steps. With ``keys`` a simulation
    finds it out: it keeps the content of the cache key by key.
    """

    cache: DatastoreRef = field(kw_only=False)
    """The cache that is asked first."""
    hit_ratio: Probability | None = None
    """Share of the requests that find their answer there; ``None``: unknown."""
    keys: KeySpace | None = None
    """What is asked for, instead of a hit ratio."""
    steps: Many[Step] = field(kw_only=False)
    """What a miss costs."""
    timeout: Duration | Absent | None = None
    """How long asking the cache may take; after it the request goes on as on a miss."""
    ttl: Duration | Absent | None = None
    """Life of an entry; ``None``: the cache's."""
    hot_keys: bool | None = None
    """Whether few keys get most of the requests."""
