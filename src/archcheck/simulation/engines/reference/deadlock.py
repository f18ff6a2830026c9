"""Requests that wait for each other for ever.

A blocking service holds a server while it waits for others. When services call each other in a
circle without timeouts, all servers of all of them can be held by requests that wait for one of
these servers. Then nothing moves any more, whatever comes.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from archcheck.simulation.engines.reference.calls import Attempt
from archcheck.simulation.engines.reference.requests import Request
from archcheck.simulation.engines.reference.servers import Servers
from archcheck.simulation.engines.stops import deadlock
from archcheck.simulation.plan import FOREVER

if TYPE_CHECKING:
    from archcheck.simulation.engines.reference.calls import PendingCall
    from archcheck.simulation.engines.reference.engine import Engine
    from archcheck.simulation.engines.reference.walks import Walk


def check_progress(engine: Engine) -> None:
    """Raise :class:`ScenarioError` when some servers can never become free."""
    stuck = {
        servers
        for servers in engine.recorders
        if isinstance(servers, Servers)
        and servers.waiting
        and servers.busy == servers.servers
        and servers.busy  # where all consumers are down, messages wait for them to come back
    }
    while True:
        free = {servers for servers in stuck if not _all_wait(servers, stuck)}
        if not free:
            break
        stuck -= free
    stations = {servers.station for servers in stuck if servers.station >= 0}
    if stations:
        raise deadlock(engine.plan, engine.time, stations)


def _all_wait(servers: Servers, stuck: set[Servers]) -> bool:
    return all(
        visit.owner is not None and _waits(visit.owner, stuck)
        for visit in servers.inside
        if visit.is_served
    )


def _waits(holder: object, stuck: set[Servers]) -> bool:
    """Whether a request, or an attempt that holds a connection, waits for stuck servers."""
    if isinstance(holder, Request):
        return _walk_waits(holder, stuck)
    return (
        isinstance(holder, Attempt)
        and holder.request is not None
        and _request_waits(holder.request, stuck)
    )


def _walk_waits(walk: Walk, stuck: set[Servers]) -> bool:
    if walk.join is not None:
        waited = (branch for branch in walk.join.branches if branch.is_waited)
        return any(_walk_waits(branch, stuck) for branch in waited)
    return walk.call is not None and _call_waits(walk.call, stuck)


def _call_waits(call: PendingCall, stuck: set[Servers]) -> bool:
    """A call waits for ever when it has no timeout and its attempt waits for ever."""
    if call.site.policy.timeout < FOREVER or len(call.open) != 1:
        return False
    attempt = call.open[0]
    if attempt.deadline < FOREVER:
        return False
    if attempt.request is not None:
        return _request_waits(attempt.request, stuck)
    index = call.site.pool
    waits = attempt.connection is not None and not attempt.connection.is_served
    return waits and call.caller.pool(index) in stuck


def _request_waits(request: Request, stuck: set[Servers]) -> bool:
    if request.is_over or request.is_cancelled:
        return False
    if request.visit is not None and not request.visit.is_served:
        return request.replica is not None and request.replica.slots in stuck
    return _walk_waits(request, stuck)
