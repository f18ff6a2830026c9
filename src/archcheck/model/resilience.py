"""What a caller and a callee do about slowness, failure and overload.

Terms are those of Resilience4j, Envoy and the gRPC retry design (A6).
"""

from __future__ import annotations

from dataclasses import field
from typing import Annotated, Literal

from pydantic import Field

from archcheck.model.element import Element, Many, Probability, element
from archcheck.model.named import Ref
from archcheck.units import Duration, Rate

Count = Annotated[int, Field(ge=1)]
Replicas = Annotated[int, Field(ge=1, le=10_000)]
"""A choice: one service with more is hardly anywhere, and proofs count each."""
Copies = Annotated[int, Field(ge=1, le=100)]
"""Copies of data: MongoDB has at most 50 members in a replica set, Aurora 16."""
Workers = Annotated[int, Field(ge=1, le=1_000_000)]
"""What works at the same time: threads, connections, slots."""
Parts = Annotated[int, Field(ge=1, le=100_000)]
"""Shards of a datastore, partitions of a topic."""
"""A whole number of at least one."""

Failure = Literal["timeout", "rejected", "broken", "failed"]
"""The outcomes of an attempt that a retry or a fallback can react to."""

Balancing = Literal["round_robin", "random", "least_outstanding", "power_of_two"]
"""Per-request load-balancing policies."""


@element
class RetryBudget(Element):
    """Retries are at most ``ratio`` of the requests, with a floor (Envoy, Finagle, Linkerd)."""

    ratio: Probability = field(kw_only=False)
    """Retries per request; Envoy's and Linkerd's default is 20%."""
    minimum: Rate | None = None
    """Retries that are always allowed, for callers with little traffic."""


@element
class Retry(Element):
    """Try again after a failure.

    Attempt ``n`` (from 1) is followed by a wait of ``backoff * factor ** (n - 1)``, at most
    ``max_backoff``. With ``jitter`` the wait is drawn evenly between zero and that value (full
    jitter: Brooker, Exponential Backoff And Jitter, AWS 2015).
    """

    attempts: Annotated[int, Field(ge=1, le=10_000)]
    """How often in all, the first try included."""
    backoff: Duration | None = None
    """The wait before the first retry; ``None``: unknown; ``0 * s``: immediately."""
    factor: Annotated[float, Field(ge=1, le=100)] = 2.0
    """Growth of the wait from retry to retry; 1 is a constant backoff."""
    max_backoff: Duration | None = None
    """The ceiling of the wait."""
    jitter: bool | None = None
    """Whether the wait is randomised; ``None``: unknown."""
    on: Many[Failure] = ("timeout", "rejected", "failed")
    """The outcomes that are retried."""
    budget: RetryBudget | None = None
    """A cap on retries as a share of the traffic."""
    idempotency_key: bool | None = None
    """Whether each attempt carries the same key, so that the callee can recognise repeats."""


@element
class CircuitBreaker(Element):
    """Stop calling what fails (Resilience4j's parameters; Nygard, Release It!, 2007)."""

    failure_rate: Probability
    """Share of failures in the window at which it opens; Resilience4j's default is 50%."""
    window: Count | Duration = 100
    """Calls (count-based) or a duration (time-based) over which the rate is taken."""
    minimum_calls: Count = 100
    """Calls in the window before it may open."""
    open_for: Duration | None = None
    """Time in the open state before probes are let through; Resilience4j's default is 60 s."""
    half_open_calls: Count = 10
    """Probes in the half-open state."""
    slow_call: Duration | None = None
    """Calls longer than this count as slow."""
    slow_call_rate: Probability | None = None
    """Share of slow calls at which it opens."""


@element
class Bulkhead(Element):
    """At most so many concurrent calls, so that one dependency cannot take every worker."""

    max_concurrent: Workers = field(kw_only=False)
    """Concurrent calls per replica of the caller."""
    max_wait: Duration | None = None
    """How long a call may wait for its turn; ``None`` or zero: it is rejected at once."""


@element
class RateLimit(Element):
    """A token bucket: ``rate`` in the long run, bursts up to ``burst``."""

    rate: Rate = field(kw_only=False)
    """Requests let through in the long run."""
    burst: Count | None = None
    """Size of the bucket."""
    per: Literal["replica", "service", "client"] = "service"
    """Whose requests share a bucket. A client is a user, a session, a request or a calling service
    (docs/simulation/reference.md, clients)."""


@element
class Hedge(Element):
    """Send a second attempt when the first is slow (Dean and Barroso, The Tail at Scale, 2013)."""

    after: Duration = field(kw_only=False)
    """The delay before the extra attempt, usually the callee's p95."""
    max_attempts: Count = 2
    """Attempts in all."""


@element
class Fallback(Element):
    """What the caller does when a dependency fails: the request is then *degraded*."""

    kind: Literal["static", "cache", "call", "omit"] = field(kw_only=False)
    """A fixed answer, a stale cached one, another call, or the feature left out."""
    target: Ref | None = None
    """For ``call`` and ``cache``: the endpoint or cache that answers instead."""


@element
class LoadShedding(Element):
    """Reject early when the server is overloaded, the least important requests first."""

    max_utilisation: Probability | None = None
    """Utilisation above which requests are shed."""
    priorities: Many[str] = ()
    """Request classes, most important first."""


@element
class Mesh(Element):
    """A service mesh or sidecar that guards calls on behalf of the code.

    Nothing is assumed. Envoy by itself has a route timeout of 15 s, and breaks circuits at 1,024
    connections, pending requests and requests and 3 parallel retries (envoyproxy.io: FAQ "How do I
    configure timeouts?", config.cluster.v3.CircuitBreakers). Istio turns the timeout off and makes
    two retries (istio.io: VirtualService, HTTPRoute).
    """

    product: Literal["istio", "linkerd", "envoy", "consul", "other"] = field(kw_only=False)
    """The mesh."""
    timeout: Duration | None = None
    """Timeout of each call, over all attempts that the mesh makes of it."""
    retry: Retry | None = None
    """Retries that the mesh makes, inside each attempt of the code: attempts multiply."""
    per_try_timeout: Duration | None = None
    """Timeout of each attempt of the mesh (Istio's ``perTryTimeout``); ``None``: unknown."""
    mutual_tls: bool | None = None
    """Whether it encrypts and authenticates calls between services."""
    outlier_detection: bool | None = None
    """Whether it ejects instances that keep failing, as a circuit breaker does; off by default in
    Istio (istio.io: DestinationRule, outlierDetection)."""
    tracing: bool | None = None
    """Whether its proxies emit spans."""
