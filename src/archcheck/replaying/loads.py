"""Loads: at the rates of the counterexample, how busy is the resource, or what does it turn away?

Services run with the replicas that the counterexample leaves them, from the beginning.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import replace

from archcheck.editing import Edit, apply
from archcheck.findings import Subject
from archcheck.graph import Graph
from archcheck.graph.exact import Rational
from archcheck.model import Deterministic, Kill, Load, Named, Scenario, Service, System
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
_NEAR = 0.02
"""How far below the limit a run may be that shows it: it ends some time, and draws at random."""


def ask(graph: Graph, subject: Subject, found: WorstPoint) -> Replay:
    """Whether the resource that is said to be too busy is."""
    name = next(iter(found.marks))
    if not any(found.rates.values()):
        return Replay(None, "no journey causes it")
    worst = worst_system(graph.system)
    return first_shown(_run(system, name, found) for system in configured(worst))


def _run(system: System, name: str, found: WorstPoint) -> Replay:
    holder = system.find(name)
    faults = []
    if isinstance(holder, Service) and holder.deployment is not None and found.units is not None:
        left = {"replicas": max(1, found.units), "autoscale": None}
        system = apply(system, [Edit(holder.deployment, left, name)])
        if not found.units:
            faults.append(Kill(name))
    system, load = _loaded(system, found.rates)
    total = float(sum(found.rates.values()))
    length = min(_LONGEST, max(_SHORTEST, _REQUESTS / total))
    result = simulate(
        system,
        Scenario("replay", load=load, faults=faults),
        duration=Duration(length),
        warmup=Duration(length / 10),
    )
    if faults:
        bad = sum(each.started - each.ok - each.degraded for each in result.journeys)
        return Replay(bool(bad), f"without a replica of {name} {bad:,} requests had no good answer")
    return _read(result, holder, float(found.limit))


def _read(result: SimulationResult, holder: Named, limit: float) -> Replay:
    """Busy beyond the limit, or a part of what is asked is lost: breakers and limits ease it."""
    name = holder.name
    mine = [each for each in result.resources if each.name == name]
    busiest = max((each.busiest for each in mine if not math.isnan(each.busiest)), default=0.0)
    refused = sum(each.rejected for each in mine)
    calls = [call for call in result.calls if _target(call.name) == name]
    asked = sum(call.calls for call in calls)
    lost = sum(call.timed_out + call.rejected + call.broken for call in calls)
    overloaded = any(each.name == name for each in result.overloads)
    told = [f"{name} was {Fraction(busiest):.3} busy, the limit is {Fraction(limit):.3}"]
    if refused:
        told.append(f"it turned {refused:,} requests away")
    if lost:
        told.append(f"{lost:,} attempts of {asked:,} calls timed out or were turned away")
    is_busy = busiest > limit * (1 - _NEAR)
    return Replay(bool(overloaded or refused or lost or is_busy), "; ".join(told))


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
