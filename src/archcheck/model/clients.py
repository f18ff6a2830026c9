"""What a service holds toward those it asks: channels, connection pools, protection.

A client says once what all calls of a service to one callee have in common. In a running process it
is the gRPC channel, the HTTP client, the Resilience4j instance or the part of a DestinationRule.
"""

from __future__ import annotations

import copy
from collections.abc import Sequence
from dataclasses import field
from typing import Literal, TypeVar

from archcheck.model.element import Absent, Element, element, field_names
from archcheck.model.named import AskedRef, Named
from archcheck.model.resilience import (
    Balancing,
    Bulkhead,
    CircuitBreaker,
    Hedge,
    RateLimit,
    Retry,
)
from archcheck.model.steps import Step
from archcheck.units import Duration

S = TypeVar("S", bound=Step)


@element
class Client(Element):
    """What a service declares for all its calls to a callee: ``Client("bank", timeout=1 * s)``.

    Without a target it is meant for everybody whom the service asks, datastores and channels
    included. A call takes each value from the most specific place that declares it: the call
    itself, the client for its callee, the client for all. ``Absent`` counts as declared.

    A client without a step says that the service reaches the callee, and not what it asks there: so
    much is in deployment files.

    Breakers, bulkheads, rate limits and retry budgets have state. In each replica of the service
    there is one of them for each callee, which all calls to this callee share.
    """

    target: AskedRef | None = field(default=None, kw_only=False)
    """The service, external, datastore or channel that is asked; ``None``: all of them. A client
    for a broker or a platform says that there is a connection, and what holds for it."""
    timeout: Duration | Absent | None = None
    """How long each attempt may take, from the moment it is made."""
    retry: Retry | Absent | None = None
    """What happens after a failed attempt."""
    breaker: CircuitBreaker | Absent | None = None
    """Stops calling what fails."""
    bulkhead: Bulkhead | Absent | None = None
    """Bounds concurrent calls."""
    rate_limit: RateLimit | Absent | None = None
    """Client-side limit of calls."""
    hedge: Hedge | Absent | None = None
    """Extra attempts of calls, against slowness."""
    blocking: bool | None = None
    """Whether the client library holds the thread while it waits."""
    connect_timeout: Duration | None = None
    """How long opening a connection may take."""
    reuses_connections: bool | None = None
    """Whether connections are kept open between requests."""
    balancing: Balancing | Absent | None = None
    """How requests are spread over the callee's replicas."""
    balanced_by: Literal["client", "mesh", "proxy", "connection"] | None = None
    """Who spreads them; ``connection``: a layer-4 balancer, once for each connection."""
    discovery: Literal["dns", "registry", "mesh", "static"] | None = None
    """How the callee is found."""
    propagates_deadline: bool | None = None
    """Whether the callee learns how much time is left."""
    propagates_trace: bool | None = None
    """Whether the trace context is passed on."""
    encrypted: bool | None = None
    """Whether the connection is encrypted."""
    authenticated: bool | None = None
    """Whether the caller proves who it is."""


_INHERITED = tuple(name for name in field_names(Client) if name != "target")


def as_asked(source: Named, step: S) -> S:
    """``step`` with all that it inherits; the same object where it inherits nothing.

    Each field comes from the most specific place that declares it: the step, the client for its
    callee, the client for all. Parts such as a retry are the client's own objects.
    """
    if not getattr(source, "clients", ()):
        return step
    inherited = {
        name: value
        for name in _INHERITED
        if getattr(step, name, step) is None  # a field of the step, and undeclared there
        and (value := from_client(source, step, name)) is not None
    }
    if not inherited:
        return step
    complete = copy.copy(step)  # keeps the line that declares it; the values are checked already
    for name, value in inherited.items():
        object.__setattr__(complete, name, value)
    return complete


def from_client(source: Named, step: Step, name: str) -> object:
    """What the clients of ``source`` say for a field of ``step``: its callee's, else that for all.

    ``None``: nothing.
    """
    asked = getattr(step, "cache", None) or getattr(step, "target", None)
    return from_client_for(source, (str(asked).partition(".")[0],), name)


def from_client_for(source: Named, asked: Sequence[str], name: str) -> object:
    """What the clients of ``source`` say for one of those asked, the nearest first, else for all.

    ``None``: nothing.
    """
    for target in (*asked, None):
        for client in getattr(source, "clients", ()):
            value = getattr(client, name, None) if client.target == target else None
            if value is not None:
                return value
    return None
