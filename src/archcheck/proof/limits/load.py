"""Does every resource carry every load in the declared ranges, with any one zone lost too?"""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Iterator, Mapping

from archcheck.capacity import Demand
from archcheck.findings import Subject
from archcheck.graph import Graph
from archcheck.graph.exact import Rational
from archcheck.model import Scenario, Service
from archcheck.proof.answers import Answer, Gap, Proved, Refuted, Undecided, missing
from archcheck.proof.budget import left
from archcheck.proof.limits.figures import (
    Figure,
    WorstPoint,
    demand_at,
    figures_of,
    least_units,
)
from archcheck.proof.limits.ranges import Loads, loads_of, worst_system
from archcheck.units import Fraction, Rate

LIMIT = Rational(4, 5)
"""The share of a resource that may be busy, unless a rule says otherwise.

At 80%, four requests are at a single server on average (M/M/1); at 90% there are nine.
"""


def carried(graph: Graph, limit: Rational = LIMIT) -> Iterator[Answer]:
    """For each loaded resource and scenario: does it stay under ``limit``, one zone lost or not?"""
    system = worst_system(graph.system)
    worst = graph if system is graph.system else Graph(system, today=graph.today)
    for scenario in system.scenarios:
        if not scenario.load:
            continue
        left()
        loads = loads_of(system, scenario)
        for gap in loads.gaps:
            claim = f"every resource carries {scenario.name}"
            yield Undecided(scenario, claim, missing(loads.gaps), (gap,))
        for figure, rates in _worst_figures(worst, loads):
            yield _judged(graph, scenario, figure, rates, limit)


def _worst_figures(graph: Graph, loads: Loads) -> Iterator[tuple[Figure, Mapping[str, Rational]]]:
    if not loads.shares:
        for figure in figures_of(demand_at(graph, loads)):
            yield figure, loads.high
        return
    single: dict[tuple[str, str], dict[str, Figure]] = {}
    for name in loads.high:
        for figure in figures_of(Demand(graph, loads.scenario, {name: 1.0})):
            single.setdefault((figure.holder.name, figure.what), {})[name] = figure
    for by_journey in single.values():
        busy, rates = loads.worst({name: part.busy for name, part in by_journey.items()})
        gaps = dict.fromkeys(gap for part in by_journey.values() for gap in part.gaps)
        any_of_them = next(iter(by_journey.values()))
        yield dataclasses.replace(any_of_them, busy=busy, gaps=tuple(gaps)), rates


def _judged(
    graph: Graph,
    scenario: Scenario,
    figure: Figure,
    rates: Mapping[str, Rational],
    limit: Rational,
) -> Answer:
    holder = graph.system.find(figure.holder.name)
    claim = f"{holder.name} keeps its {figure.what} under {_percent(limit)} busy in {scenario.name}"
    gaps = figure.gaps
    if figure.each is not None and figure.units is not None:
        left = figure.left() or 0
        whole, rest = figure.each * figure.units, figure.each * left
        if figure.busy > limit * whole:
            return _refuted(holder, claim, figure, rates, (whole, limit), scenario, "")
        if figure.busy > limit * rest:
            lost = f" when a zone is lost, which leaves {left} of {figure.units} replicas"
            return _refuted(holder, claim, figure, rates, (rest, limit), scenario, lost)
        if isinstance(figure.holder, Service) and not figure.zones:
            gaps = (*gaps, Gap(holder, "deployment.zones", _needs(figure, limit)))
    elif isinstance(figure.holder, Service) and figure.units is None:
        gaps = (*gaps, Gap(holder, "deployment.replicas"))
    if gaps:
        gaps = tuple(dict.fromkeys(gaps))
        return Undecided(holder, claim, missing(gaps), gaps)
    return Proved(holder, claim, ("times are means, and the load is carried as it comes",))


def _needs(figure: Figure, limit: Rational) -> str:
    needed = math.ceil(figure.busy / (limit * (figure.each or 1)))
    return f"holds while {needed} of {figure.units} replicas are left"


def _refuted(
    holder: Subject,
    claim: str,
    figure: Figure,
    rates: Mapping[str, Rational],
    room: tuple[Rational, Rational],
    scenario: Scenario,
    lost: str,
) -> Refuted:
    capacity, limit = room
    name = figure.holder.name
    share = _percent(figure.busy / capacity) if capacity else "more than all"
    shown = WorstPoint(
        f"{name} is {share} busy in scenario {scenario.name!r}{lost}; the limit is "
        f"{_percent(limit)}",
        (
            *(f"{journey}: {Rate(float(rate)):.4}" for journey, rate in rates.items()),
            f"{float(figure.busy):.4g} {figure.what} busy of {float(capacity):.4g}",
        ),
        (),
        {name: f"{share} busy"},
        rates,
        figure.busy,
        capacity,
    )
    return Refuted(holder, claim, shown, _fix(figure, limit))


def _fix(figure: Figure, limit: Rational) -> str:
    if isinstance(figure.holder, Service) and figure.each:
        return f"at least {least_units(figure, limit)} replicas"
    if figure.each:
        times = math.ceil(figure.busy / (figure.each * limit))
        return f"{times} times as many shards, or a cache in front"
    return "more of it"


def _percent(share: Rational) -> str:
    return f"{Fraction(float(share)):.3}"
