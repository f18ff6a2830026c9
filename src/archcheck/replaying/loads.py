"""Loads: at the rates of the counterexample, how busy is the resource, or what does it turn away?

Services run with the replicas that the counterexample leaves them, from the beginning.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import replace

from archcheck.editing import Edit, apply
from archcheck.graph import Graph
from archcheck.graph.exact import Rational
from archcheck.graph.messages import deliveries, visibility_of
from archcheck.model import Deterministic, Fault, Kill, Load, Scenario, Service, System
from archcheck.proof import WorstPoint
from archcheck.proof.feature_flags import configured
from archcheck.proof.limits.ranges import worst_system
from archcheck.replaying.experiments import Replay, first_shown, journey_to
from archcheck.simulation import SimulationResult, simulate
from archcheck.simulation.plan import THROUGH_MESH
from archcheck.units import Duration, Fraction, Rate

_REQUESTS = 20_000
"""Journeys of a run. A choice: shares of time are then right to about one in a hundred."""
_LONGEST = 600.0
_SHORTEST = 10.0
"""Seconds of a run."""
_CALM = Rational(1, 20)
"""The part of its capacity with which a resource shows what is lost anyway."""
_CHANCE = 3
"""Standard deviations of a count that differ by chance."""
_NEAR = 0.02
"""How far below the limit a run may be that shows it: it ends some time, and draws at random."""


def replay_load(graph: Graph, found: WorstPoint) -> Replay:
    """Whether the resource is as busy as is said, or loses what it does not lose at little load."""
    name = next(iter(found.marks))
    if not any(found.rates.values()):
        return Replay(None, "no journey causes it")
    worst = worst_system(graph.system)
    return first_shown(_run(system, name, found) for system in configured(worst))


def _run(system: System, name: str, found: WorstPoint) -> Replay:
    holder = system.find(name)
    faults: list[Fault] = []
    if isinstance(holder, Service) and holder.deployment is not None and found.units is not None:
        left = {"replicas": max(1, found.units), "autoscale": None}
        system = apply(system, [Edit(holder.deployment, left, name)])
        if not found.units:
            faults.append(Kill(name))
    result = _played(system, found.rates, [*faults, *found.faults])
    if faults:
        bad = sum(each.started - each.ok - each.degraded for each in result.journeys)
        return Replay(bool(bad), f"without a replica of {name} {bad:,} requests had no good answer")
    little = _CALM * found.capacity / found.busy if found.busy else _CALM
    calm = _played(system, {each: rate * little for each, rate in found.rates.items()}, [])
    return _read(result, calm, found)


def _played(
    system: System, rates: Mapping[str, Rational], faults: Sequence[Fault]
) -> SimulationResult:
    system, load = _loaded(system, rates)
    first = _first_dead_letters(system)
    length = min(_LONGEST, max(_SHORTEST, _REQUESTS / float(sum(rates.values()))) + 2 * first)
    return simulate(
        system,
        Scenario("replay", load=load, faults=faults),
        duration=Duration(length),
        warmup=Duration(min(length / 2, length / 10 + first)),
    )


def _first_dead_letters(system: System) -> float:
    """Seconds after which the first messages have been delivered as often as may be."""
    times = [
        float(hidden) * (deliveries(system, reader) or 1)
        for service in system.services
        for reader in service.consumers
        if (hidden := visibility_of(system, system.find(str(reader.topic)))) is not None
    ]
    return max(times, default=0.0)


def _read(result: SimulationResult, calm: SimulationResult, found: WorstPoint) -> Replay:
    """Busy beyond the limit, or a part of what is asked is lost: breakers and limits ease it."""
    name = next(iter(found.marks))
    copies = f"{name} replicas"  # those of a datastore beside its first are a resource of their own
    own = (name, copies)
    watched, asking = (found.watched, found.asked) if found.barrier else (own, own)
    mine = [each for each in result.resources if each.name in watched]
    busiest = max((each.busiest for each in mine if not math.isnan(each.busiest)), default=0.0)
    limit, called = float(found.limit), found.barrier or name
    told = [f"{called} was {Fraction(busiest):.3} busy, the limit is {Fraction(limit):.3}"]
    (asked, lost, refused), (before_asked, before, usual) = (
        _lost(each, asking) for each in (result, calm)
    )
    if lost:
        told.append(f"{lost:,} attempts of {asked:,} calls timed out or were turned away")
    is_lossy = _has_grown(lost, asked, before, before_asked)
    if found.barrier:  # what is turned away may have been lost later anyway
        is_lossy = is_lossy or _has_grown(refused, asked, usual, before_asked)
    is_busy = bool(mine) and busiest > limit * (1 - _NEAR)
    overloaded = any(each.name in watched for each in result.overloads)
    text = "; ".join(told if mine else told[1:]) or "nothing was turned away"
    return Replay(overloaded or is_lossy or is_busy, text)


def _has_grown(lost: int, asked: int, before: int, before_asked: int) -> bool:
    """Whether a larger part of what is asked is lost than before, and not by chance."""
    usual = before / before_asked if before_asked else 0.0
    return lost > asked * usual + _CHANCE * math.sqrt(lost)


def _lost(result: SimulationResult, names: Sequence[str]) -> tuple[int, int, int]:
    """The calls of elements, how many attempts of them ended without an answer of theirs, and how
    many of these were turned away; the requests of users, where nobody else asks.
    """
    calls = [call for call in result.calls if _target(call.name) in names]
    if calls:
        lost = sum(call.timed_out + call.rejected + call.broken for call in calls)
        refused = sum(call.rejected for call in calls)
        return sum(call.calls for call in calls), lost, refused
    asked = [each for each in result.operations if each.name.partition(".")[0] in names]
    refused = sum(each.rejected for each in asked)
    return sum(each.started for each in asked), refused, refused


def _target(call: str) -> str:
    return call.removesuffix(THROUGH_MESH).rpartition(" -> ")[2].partition(".")[0]


def _loaded(system: System, rates: Mapping[str, Rational]) -> tuple[System, list[Load]]:
    """A stream for each journey, and for each endpoint a journey that asks it."""
    journeys = {journey.name: journey for journey in system.journeys}
    load = []
    for name, rate in rates.items():
        if not rate:
            continue
        journey = journeys.get(name) or journey_to(Graph(system), name)
        journeys[journey.name] = journey
        load.append(Load(journey.name, Deterministic(Rate(float(rate)))))
    return replace(system, journeys=[*journeys.values()], scenarios=[]), load
