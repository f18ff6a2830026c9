"""How often each journey and schedule is started, and what that asks of operations and stores."""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Callable, Iterator, Mapping

from archcheck.capacity.sessions import session_visits
from archcheck.graph import Graph, Visits
from archcheck.model import (
    Closed,
    Load,
    Mix,
    Move,
    Scenario,
    Session,
)
from archcheck.model.distributions import distribution_of
from archcheck.model.scenarios import Arrivals


def turning_points(scenario: Scenario) -> list[float]:
    """Seconds after the start at which growth is at its worst: before a rise, and within one."""
    return sorted({0.0, *(p for s in scenario.load for p in s.arrivals.turning_points())})


def rates_at(scenario: Scenario, moment: float, *, calm: bool = False) -> dict[str, float]:
    """Rate of each journey ``moment`` seconds after the start."""
    return _journey_rates(scenario, lambda arrivals: arrivals.rate_at(moment, calm=calm))


def journey_rates(scenario: Scenario) -> dict[str, float]:
    """Peak rate of each journey in a scenario; streams whose rate is unknown are left out."""
    return _journey_rates(scenario, lambda arrivals: arrivals.peak_rate())


def _journey_rates(
    scenario: Scenario, rate_of: Callable[[Arrivals], float | None]
) -> dict[str, float]:
    rates: dict[str, float] = defaultdict(float)
    for stream in scenario.load:
        peak = rate_of(stream.arrivals)
        if peak is None:
            continue
        if isinstance(stream, Load):
            rates[str(stream.journey)] += peak * stream.weight
        elif isinstance(stream, Mix):
            total = sum(choice.weight for choice in stream.choices)
            for choice in stream.choices:
                rates[str(choice.journey)] += peak * choice.weight / total
        elif isinstance(stream, Session):
            for journey, rate in session_rates(stream, peak).items():
                rates[journey] += rate
    return dict(rates)


def session_rates(session: Session, peak: float) -> dict[str, float]:
    """Rate of each journey of a session whose users come ``peak`` times a second.

    Visits by the traffic equations of the Markov chain. Closed users are bounded by their pauses
    as in :meth:`Closed.peak_rate`; open users who never leave have no rate.
    """
    visits, never_leaves = _visits(session)
    total = math.fsum(visits.values())
    pause = distribution_of(session.pause).mean_seconds()
    arrivals = session.arrivals
    if not isinstance(arrivals, Closed):
        return {} if never_leaves else {name: peak * count for name, count in visits.items()}
    think = 0.0 if never_leaves else distribution_of(arrivals.think).mean_seconds()
    cycle = think + (total if never_leaves else total - 1) * pause
    return {name: arrivals.users * count / cycle for name, count in visits.items() if cycle}


def _visits(session: Session) -> tuple[dict[str, float], bool]:
    """Mean visits of one session by journey, and whether users never leave."""
    moves = {str(move.after) if move.after is not None else None: move for move in session.moves}
    follow = (str(choice.journey) for move in session.moves for choice in move.to)
    names = list(dict.fromkeys([str(session.first), *follow]))
    rows = [_shares(moves.get(name, moves.get(None)), names) for name in names]
    visits, leaves = session_visits(rows, 0)
    return dict(zip(names, visits, strict=True)), not leaves


def _shares(move: Move | None, names: list[str]) -> dict[int, float]:
    """The journeys that follow and their shares; what is missing to one leaves."""
    found: dict[int, float] = defaultdict(float)
    if move is not None:
        total = math.fsum(choice.weight for choice in move.to) + move.leave
        for choice in move.to:
            found[names.index(str(choice.journey))] += choice.weight / total
    return found


def job_rates(graph: Graph, span: float | None = None) -> dict[str, float]:
    """How often schedules start each operation; those without a period are left out.

    ``span``: as often as it can be on average within so many seconds, which begin with a run.
    """
    rates: dict[str, float] = defaultdict(float)
    for clock in graph.system.schedules:
        rate = clock.rate()
        if rate:
            owner, endpoint = graph.system.endpoint(str(clock.calls))
            name = f"{owner.name}.{endpoint.name}" if endpoint else owner.name
            often = float(rate)
            rates[name] += math.ceil(often * span - 1e-9) / span if span else often
    return dict(rates)


def executions(
    graph: Graph, journey_rate: Mapping[str, float], span: float | None = None
) -> Iterator[tuple[Visits, float]]:
    """What is visited, and how often in a second: for each journey with a load, and each schedule.

    Everything that counts load counts these.
    """
    for journey in graph.system.journeys:
        rate = journey_rate.get(journey.name, 0.0)
        if rate:
            yield graph.visits(journey), rate
    for name, rate in job_rates(graph, span).items():
        yield graph.visits_from(name), rate


def operation_rates(
    graph: Graph, journey_rate: Mapping[str, float], span: float | None = None
) -> dict[str, float]:
    """Arrival rate of each operation, datastore and other target, by the traffic equations."""
    rates: dict[str, float] = defaultdict(float)
    for visits, rate in executions(graph, journey_rate, span):
        for name, count in visits.operations.items():
            rates[name] += rate * count
        for interaction, count in visits.interactions:
            if interaction.mode in ("read", "write", "cache"):
                rates[interaction.target_name] += rate * count
    return dict(rates)
