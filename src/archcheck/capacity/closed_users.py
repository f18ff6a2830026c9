"""How often closed users come, who wait for an answer before they think and ask again.

``N`` users who think for ``Z`` and wait for ``R`` come ``N / (Z + R)`` times a second. ``R`` is at
least what an entry itself takes in any case, and at most what an answer takes without queues and
behind all other users at each station (Denning and Buzen, The Operational Analysis of Queueing
Network Models, 1978, bounds of closed networks).
"""

from __future__ import annotations

import math
from collections.abc import Sequence

from archcheck.capacity.demand import Demand
from archcheck.capacity.load import journey_rates
from archcheck.capacity.responses import timed
from archcheck.graph import Graph
from archcheck.graph.transfer import entry_trip
from archcheck.model import Closed, Journey, Scenario, Service, Step, Wait, Work
from archcheck.model.errors import EndlessError, ModelError
from archcheck.units import Duration


def rates_of_users(graph: Graph, scenario: Scenario) -> dict[str, tuple[float, float]]:
    """For each journey that closed users take: its rate at least, and at most.

    Open streams of the same journey count in both. Where open streams share stations with the
    users, or something has no size, nothing bounds their wait: then nothing of them is sure.
    """
    journeys = {journey.name: journey for journey in graph.system.journeys}
    users = sum(_users(stream) for stream in scenario.load)
    has_open = any(not isinstance(stream.arrivals, Closed) for stream in scenario.load)
    low: dict[str, float] = {}
    high: dict[str, float] = {}
    closed: set[str] = set()
    for stream in scenario.load:
        rates = journey_rates(Scenario("one stream", load=[stream]))
        total = math.fsum(rates.values())
        least = most = 1.0
        if isinstance(stream.arrivals, Closed) and total:
            closed.update(rates)
            shares = {name: rate / total for name, rate in rates.items()}
            cycle = _users(stream) / total
            quick = math.fsum(s * _at_least(graph, journeys[n]) for n, s in shares.items())
            slow = math.inf if has_open else _at_most(graph, scenario, journeys, shares, users)
            least, most = cycle / (cycle + slow), cycle / (cycle + quick)
        for name, rate in rates.items():
            low[name] = low.get(name, 0.0) + rate * least
            high[name] = high.get(name, 0.0) + rate * most
    return {name: (low[name], high[name]) for name in closed}


def _users(stream: object) -> float:
    arrivals = getattr(stream, "arrivals", None)
    if not isinstance(arrivals, Closed):
        return 0.0
    return arrivals.users * float(getattr(stream, "weight", 1.0))


def _at_most(
    graph: Graph,
    scenario: Scenario,
    journeys: dict[str, Journey],
    shares: dict[str, float],
    users: float,
) -> float:
    """Mean seconds of an answer behind all other users at each station."""
    demand = Demand(graph, scenario, shares)
    try:
        alone = math.fsum(
            share * demand.latencies.of_journey(journeys[name]).seconds
            for name, share in shares.items()
        )
        stations = demand.resources
    except (EndlessError, ModelError):
        return math.inf
    if demand.unsized:
        return math.inf
    behind = math.fsum(station.busy / station.servers for station in stations)
    return alone + max(0.0, users - 1) * behind


def _at_least(graph: Graph, journey: Journey) -> float:
    """Seconds for which a user waits in any case: until the first entry asks somebody else.

    Nothing where it may be turned away or fail at once.
    """
    operation = graph.operations.get(journey.all_entries()[0])
    if operation is None or not isinstance(operation.owner, Service):
        return 0.0
    trip, part = float(entry_trip(graph.system)), operation.part
    refuses = [getattr(part, "error_rate", None), getattr(part, "rate_limit", None)]
    if operation.owner.shedding is not None or any(each is not None for each in refuses):
        return trip
    seconds = trip + _first_own(part.steps)
    patience = journey.timeout
    return min(seconds, float(patience)) if isinstance(patience, Duration) else seconds


def _first_own(steps: Sequence[Step]) -> float:
    seconds = 0.0
    for step in steps:
        if not isinstance(step, Work | Wait):
            break
        seconds += timed(step.time).least
    return seconds
