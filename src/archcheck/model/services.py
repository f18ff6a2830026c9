"""Services and the others who take part: gateways, external parties, people, schedules."""

from __future__ import annotations

from dataclasses import field
from typing import Annotated, Literal

from pydantic import Field

from archcheck.model.clients import Client
from archcheck.model.delivery import Deprecation, LoadTest, Pipeline
from archcheck.model.deployment import Deployment
from archcheck.model.distributions import Distribution
from archcheck.model.element import Absent, Element, Many, Name, Probability, element
from archcheck.model.named import CallableRef, ChannelRef, Described, Part, Ref
from archcheck.model.observability import Alert, Logs, Metrics, Tracing
from archcheck.model.protocols import Protocol
from archcheck.model.resilience import Count, LoadShedding, Mesh, RateLimit, Workers
from archcheck.model.runtimes import Runtime
from archcheck.model.steps import Step
from archcheck.units import Duration, Rate, Size


@element
class Slo(Element):
    """Service level objectives: what must be true of latency and availability."""

    p50: Duration | None = None
    """Median latency."""
    p90: Duration | None = None
    """90th percentile of the latency."""
    p95: Duration | None = None
    """95th percentile of the latency."""
    p99: Duration | None = None
    """99th percentile of the latency."""
    p999: Duration | None = None
    """99.9th percentile of the latency."""
    availability: Probability | None = None
    """Share of the requests that get a good answer."""
    window: Duration | None = None
    """The time over which it is measured."""
    indicator: str | None = None
    """The metric that it is measured with."""
    alert: Alert | Absent | None = None
    """What tells that it is in danger."""

    @property
    def is_empty(self) -> bool:
        """Whether it promises nothing that has a number."""
        return not self.latencies() and self.availability is None

    def latencies(self) -> list[tuple[str, float, Duration]]:
        """The declared latency objectives: attribute, quantile, bound."""
        quantiles = {"p50": 0.5, "p90": 0.9, "p95": 0.95, "p99": 0.99, "p999": 0.999}
        return [
            (name, quantile, bound)
            for name, quantile in quantiles.items()
            if (bound := getattr(self, name)) is not None
        ]


@element
class SagaStep(Element):
    """A step of a saga."""

    action: CallableRef = field(kw_only=False)
    """The endpoint that does it."""
    compensation: CallableRef | None = None
    """The endpoint that undoes it."""
    retriable: bool | None = None
    """Whether it can be repeated until it succeeds."""
    guarded: bool | None = None
    """Whether the action is void once its compensation has come, even if it comes later."""
    pivot: bool = False
    """Whether it is the point of no return."""


class Atomicity(Element):
    """What keeps several changes together."""


@element
class Saga(Atomicity):
    """A sequence of local transactions with compensations (Garcia-Molina and Salem, 1987).

    It says what is done and undone. Whether an action is asked for by a call or by a message, and
    what protects that, is said by the steps that do it. An action that no step takes counts for
    structure, ownership and failures, and not for load, timeouts and retries.
    """

    steps: Many[SagaStep] = field(kw_only=False)
    """The steps, in order."""
    coordinator: Ref | None = None
    """Who drives it; ``None``: choreography."""

    def settled(self) -> list[SagaStep]:
        """The steps after which the saga can go back or on: not those that are neither undone, nor
        repeated, nor the point of no return (without a pivot: the last)."""
        has_pivot = any(step.pivot for step in self.steps)
        last = None if has_pivot or not self.steps else self.steps[-1]
        return [
            step
            for step in self.steps
            if step.retriable is not False or step.compensation or step.pivot or step is last
        ]


@element
class TwoPhaseCommit(Atomicity):
    """A distributed transaction (XA)."""


@element
class Outbox(Atomicity):
    """Messages are written with the data, and sent from there."""

    relay: str | None = None
    """What sends them: polling, Debezium ..."""


@element
class ChangeCapture(Atomicity):
    """Messages are derived from the datastore's log."""

    tool: str | None = None
    """Debezium, Maxwell, DynamoDB Streams ..."""


@element
class Endpoint(Part):
    """An operation that others can call."""

    name: Name = field(kw_only=False)
    """Unique in its service."""
    protocol: Protocol | None = field(default=None, kw_only=False)
    """How it is spoken to."""
    steps: Many[Step] = ()
    """What a request does, in order."""
    also: Many[Protocol] = ()
    """Further protocols under which the same operation is offered."""
    public: bool | None = None
    """Whether it can be reached from outside."""
    authentication: (
        Literal["jwt", "oauth2", "mtls", "api_key", "basic", "session", "anonymous"] | None
    ) = None
    """How callers prove who they are; ``anonymous``: deliberately not at all."""
    idempotent: bool | None = None
    """Whether a repeated request has no further effect."""
    atomicity: Atomicity | None = None
    """What keeps its changes together, when there are several."""
    slo: Slo | None = None
    """What it promises."""
    rate_limit: RateLimit | Absent | None = None
    """Server-side limit."""
    request_size: Size | None = None
    """Typical request."""
    response_size: Size | None = None
    """Typical response."""
    versions: Many[str] = ()
    """Contract versions that it serves."""
    error_rate: Probability | None = None
    """Share of the requests that fail by themselves."""
    deprecation: Deprecation | None = None
    """Set when it is going away."""
    data: Many[str] = ()
    """Classes of the data in its answers."""
    description: str | None = None
    """What it does."""
    tags: Many[str] = ()
    """Free labels."""


@element
class Consumer(Part):
    """Work that a message triggers: ``Consumer("orders", steps=[...])``."""

    topic: ChannelRef = field(kw_only=False)
    """The topic or queue that it reads."""
    name: Name = "consume"
    """Unique among the endpoints and consumers of its service."""
    steps: Many[Step] = ()
    """What a message causes."""
    group: str | None = None
    """Consumer group; ``None``: the service."""
    concurrency: Workers | None = None
    """Messages that a replica works on at the same time."""
    idempotent: bool | None = None
    """Whether a repeated message has no further effect."""
    max_deliveries: Count | None = None
    """Deliveries until a message goes to the dead letters."""
    dead_letter: ChannelRef | Absent | None = None
    """Where it then goes; ``None``: the topic's."""
    freshness: Duration | None = None
    """Objective for the time from publishing until the end of processing."""
    batch: Workers | None = None
    """Messages taken at once."""


@element
class Pool(Element):
    """Connections that a replica keeps to one target."""

    target: Ref = field(kw_only=False)
    """The datastore or service."""
    size: Workers = field(kw_only=False)
    """The most connections of each replica."""
    max_wait: Duration | None = None
    """How long a request may wait for one."""
    processes: Workers = 1
    """Processes of a replica that each have such a pool."""


class Participant(Described):
    """Someone who can call or be called."""

    _is_abstract = True
    referred_as = "callable"


@element
class Service(Participant):
    """A deployable unit with endpoints, consumers and an owner."""

    boundary: str | None = None
    """The bounded context that it belongs to."""
    owner: str | None = None
    """The team that answers for it."""
    runtime: Runtime | None = None
    """The framework that runs it."""
    deployment: Deployment | None = None
    """Where and how often it runs."""
    endpoints: Many[Endpoint] = ()
    """What can be called."""
    consumers: Many[Consumer] = ()
    """What messages trigger."""
    clients: Many[Client] = ()
    """What it holds toward those it asks; its steps inherit from them."""
    pools: Many[Pool] = ()
    """Its connection pools."""
    start_after: Many[Ref] = ()
    """Elements that must be up before it starts."""
    tier: Annotated[int, Field(ge=1, le=5)] | None = None
    """Importance: 1 is the highest."""
    trust_zone: str | None = None
    """Network zone."""
    mesh: Mesh | Absent | None = None
    """The mesh or sidecar in front of it."""
    shedding: LoadShedding | Absent | None = None
    """How it sheds load."""
    metrics: Metrics | Absent | None = None
    """What it exposes."""
    logs: Logs | Absent | None = None
    """What it writes."""
    tracing: Tracing | Absent | None = None
    """What it traces."""
    pipeline: Pipeline | Absent | None = None
    """How it is released."""
    load_test: LoadTest | Absent | None = None
    """How its capacity was measured."""
    entities: Many[str] = ()
    """Business entities whose system of record it is."""
    clearance: Many[str] = ()
    """Classes of data that it may see."""

    @property
    def is_gateway(self) -> bool:
        """Whether it is an entry for traffic from outside."""
        return isinstance(self, Gateway)


@element
class Gateway(Service):
    """A service that traffic from outside enters through: API gateway, edge proxy, BFF."""


@element
class External(Participant):
    """A system of somebody else."""

    endpoints: Many[Endpoint] = ()
    """The operations that are used; none are needed to call it."""
    protocol: Protocol | None = None
    """How it is spoken to, where endpoints do not say."""
    owner: str | None = None
    """Whose it is, or who is the contact here."""
    latency: Duration | Distribution | None = None
    """Time until it answers."""
    error_rate: Probability | None = None
    """Share of the requests that fail."""
    availability: Probability | None = None
    """Its service level agreement."""
    rate_limit: RateLimit | None = None
    """What it lets us send."""
    trust_zone: str | None = None
    """Network zone; ``None``: outside."""
    clearance: Many[str] = ()
    """Classes of data that it may see."""


@element
class Person(Participant):
    """A kind of user: people, or clients such as browsers and apps."""

    uses: Many[CallableRef] = ()
    """Endpoints that they call."""


@element
class Schedule(Participant):
    """A clock that starts work."""

    calls: CallableRef
    """The endpoint that it calls."""
    every: Duration | None = None
    """Time between runs."""
    cron: str | None = None
    """Or a cron expression."""

    def rate(self) -> Rate | None:
        """Runs in a second, where the period is declared."""
        return 1 / self.every if self.every else None
