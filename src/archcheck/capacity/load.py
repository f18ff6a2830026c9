"""How often each journey is started: the rates that scenarios declare."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping

from archcheck.graph import Graph
from archcheck.model import (
    Closed,
    Deterministic,
    Diurnal,
    Load,
    Mix,
    Mmpp,
    Poisson,
    Ramp,
    Recorded,
    Scenario,
    Stepped,
)
from archcheck.model.distributions import distribution_of
from archcheck.model.scenarios import Arrivals


def peak_rate(arrivals: Arrivals) -> float | None:
    """The highest rate of a stream, in requests a second; ``None`` when it cannot be told.

    For closed users it is the bound N/Z of the asymptotic analysis (users over think time):
    the rate that is reached when answers take no time.
    """
    match arrivals:
        case Poisson() | Deterministic():
            return float(arrivals.rate)
        case Ramp():
            return max(float(arrivals.start), float(arrivals.end))
        case Stepped():
            return max((float(step.rate) for step in arrivals.steps), default=0.0)
        case Diurnal():
            return float(arrivals.high)
        case Mmpp():
            return max(float(arrivals.busy), float(arrivals.calm))
        case Recorded() if len(arrivals.times) > 1:
            span = float(arrivals.times[-1]) - float(arrivals.times[0])
            return (len(arrivals.times) - 1) / span if span else None
        case Closed():
            think = distribution_of(arrivals.think).mean_seconds()
            return arrivals.users / think if think else None
        case _:
            return None


def journey_rates(scenario: Scenario) -> dict[str, float]:
    """Peak rate of each journey in a scenario; streams whose rate is unknown are left out."""
    rates: dict[str, float] = defaultdict(float)
    for stream in scenario.load:
        peak = peak_rate(stream.arrivals)
        if peak is None:
            continue
        if isinstance(stream, Load):
            rates[str(stream.journey)] += peak * stream.weight
        elif isinstance(stream, Mix):
            total = sum(choice.weight for choice in stream.choices)
            for choice in stream.choices:
                rates[str(choice.journey)] += peak * choice.weight / total
    return dict(rates)


def operation_rates(graph: Graph, journey_rate: Mapping[str, float]) -> dict[str, float]:
    """Arrival rate of each operation, datastore and other target, by the traffic equations."""
    rates: dict[str, float] = defaultdict(float)
    for journey in graph.system.journeys:
        rate = journey_rate.get(journey.name, 0.0)
        if rate:
            visits = graph.visits(journey)
            for name, count in visits.operations.items():
                rates[name] += rate * count
            for interaction, count in visits.interactions:
                if interaction.mode in ("read", "write", "cache"):
                    rates[interaction.target_name] += rate * count
    return dict(rates)
