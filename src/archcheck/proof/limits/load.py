"""Does every resource carry every load in the declared ranges, with any one zone lost too?"""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Callable, Iterator, Mapping
from typing import TypeVar

from archcheck.capacity import open_lookups, with_best_hits
from archcheck.findings import Subject, subject_name
from archcheck.graph import Graph
from archcheck.graph.cpu import NO_LIMIT, says_its_cpu_limit
from archcheck.graph.exact import Rational, exact
from archcheck.graph.once import once
from archcheck.graph.transfer import ONE_WAY
from archcheck.model import External, LoadShedding, LocalCache, Scenario, Service, ShardKey
from archcheck.proof.answers import Answer, Gap, Proved, Refuted, Undecided, missing
from archcheck.proof.budget import left
from archcheck.proof.feature_flags import configured
from archcheck.proof.limits.barriers import Barrier, barriers
from archcheck.proof.limits.figures import (
    Corner,
    Occupancy,
    WorstPoint,
    count,
    least_units,
    worst_for_each,
)
from archcheck.proof.limits.ranges import Loads, loads_of, worst_system
from archcheck.units import Fraction, Rate

LIMIT = Rational(4, 5)
"""The share of a resource that may be busy, unless a rule says otherwise.

At 80%, four requests are at a single server on average (M/M/1); at 90% there are nine.
"""
_NONE = Rational(0)
_ALL = Rational(1)
"""Of the rate that an external party grants, all may be used."""

_Figure = TypeVar("_Figure", bound=Occupancy)
_Ask = Callable[[Corner, Mapping[str, float] | None], Iterator[_Figure]]
"""What is asked of the load at a corner, at its highest rates or at other ones."""


def carried(graph: Graph, limit: Rational = LIMIT) -> Iterator[Answer]:
    """For each loaded resource and scenario: does it stay under ``limit``, one zone lost or not?

    A resource that does not is one answer, whatever the number of scenarios. One that would, if the
    caches of which nobody knows the hit ratio hit as often as they can, asks for that.
    """
    answers = worst_for_each(_carried(graph, limit))
    best = with_best_hits(graph)
    if best is graph:
        yield from answers
        return
    always = {_asked_of(each) for each in _carried(best, limit) if isinstance(each, Refuted)}
    for each in answers:
        lookups = open_lookups(graph, _asked_of(each))
        gaps = tuple(Gap(step, "hit_ratio") for step in lookups)
        if not isinstance(each, Refuted) or _asked_of(each) in always:
            yield each
        elif gaps:
            yield Undecided(each.subject, each.claim, missing(gaps), gaps)
        else:  # the caches hold all of the declared keys
            yield Proved(each.subject, each.claim, ("caches that hold all keys are filled",))


def _asked_of(answer: Answer) -> str:
    return subject_name(answer.subject)


def _carried(graph: Graph, limit: Rational) -> Iterator[Answer]:
    for scenario, gaps in _scenarios(graph):
        left()
        claim = f"every resource carries {scenario.name}"
        for gap in gaps:
            yield Undecided(scenario, claim, missing((gap,)), (gap,))
    for scenario, figure, rates in worst_figures(graph):
        yield _judged(graph, scenario, figure, rates, limit)


def _scenarios(graph: Graph) -> Iterator[tuple[Scenario, tuple[Gap, ...]]]:
    """What nobody says of each load: rates, the periods of schedules, too many configurations."""
    system = worst_system(graph.system)
    for scenario in system.scenarios:
        if scenario.load:
            gaps = list(loads_of(system, scenario).gaps)
            gaps += [Gap(clock, "every") for clock in system.schedules if not clock.rate()]
            yield scenario, tuple(gaps)


@once
def worst_figures(graph: Graph) -> tuple[tuple[Scenario, Occupancy, Mapping[str, Rational]], ...]:
    """Each loaded resource in each scenario, at its worst rates and configuration of flags."""
    return tuple(_worst(graph, lambda corner, rates: corner.figures_and_parties(rates)))


@once
def worst_barriers(graph: Graph) -> tuple[tuple[Scenario, Barrier, Mapping[str, Rational]], ...]:
    """The same for each limit that a load meets."""
    return tuple(_worst(graph, lambda corner, rates: barriers(corner.surely(rates))))


def _worst(
    graph: Graph, ask: _Ask[_Figure]
) -> Iterator[tuple[Scenario, _Figure, Mapping[str, Rational]]]:
    systems = configured(worst_system(graph.system))
    for number, scenario in enumerate(systems[0].scenarios):
        if not scenario.load:
            continue
        worst: dict[tuple[str, str], tuple[_Figure, Mapping[str, Rational]]] = {}
        for system in systems:
            left()
            view = Graph(system, today=graph.today, cold_caches=graph.cold_caches)
            for figure, rates in _figures(view, loads_of(system, system.scenarios[number]), ask):
                key = figure.holder.name, figure.what
                known = worst.get(key)
                worst[key] = _worse(known, (figure, rates)) if known else (figure, rates)
        for figure, rates in worst.values():
            yield scenario, figure, rates


def _worse(
    first: tuple[_Figure, Mapping[str, Rational]],
    second: tuple[_Figure, Mapping[str, Rational]],
) -> tuple[_Figure, Mapping[str, Rational]]:
    """The figure that is busier, with the larger bound of both."""
    (one, _), (other, _) = first, second
    figure, rates = first if one.busy >= other.busy else second
    bounds = one.most, other.most
    most = None if None in bounds else max(bound for bound in bounds if bound is not None)
    waits = one.waits if most == one.most else other.waits
    gaps = tuple(dict.fromkeys((*one.gaps, *other.gaps)))
    return dataclasses.replace(figure, most=most, waits=waits, gaps=gaps), rates


def _figures(
    graph: Graph, loads: Loads, ask: _Ask[_Figure]
) -> Iterator[tuple[_Figure, Mapping[str, Rational]]]:
    corner = Corner(graph, loads)
    if not loads.shares:
        for figure in ask(corner, None):
            yield figure, loads.high
        return
    idle = {_key(figure): figure for figure in ask(corner, {})}
    single: dict[tuple[str, str], dict[str, _Figure]] = {}
    for name in loads.high:
        for figure in ask(corner, {name: 1.0}):
            single.setdefault(_key(figure), {})[name] = figure
    for key, by_journey in single.items():
        any_of_them = next(iter(by_journey.values()))
        base: Occupancy = idle.get(key, dataclasses.replace(any_of_them, busy=_NONE))
        gaps = dict.fromkeys(gap for part in by_journey.values() for gap in part.gaps)
        busy, rates = loads.worst({n: part.busy - base.busy for n, part in by_journey.items()})
        most, waits = (_worst_of(loads, by_journey, base, each) for each in ("most", "waits"))
        yield (
            dataclasses.replace(
                any_of_them, busy=base.busy + busy, most=most, waits=waits, gaps=tuple(gaps)
            ),
            rates,
        )


def _worst_of(
    loads: Loads, by_journey: Mapping[str, Occupancy], base: Occupancy, what: str
) -> Rational | None:
    """A bound at its worst rates, if each journey has one."""
    bounds = {name: getattr(part, what) for name, part in by_journey.items()}
    start: Rational | None = getattr(base, what)
    if start is None or None in bounds.values():
        return None
    return start + loads.worst({name: bound - start for name, bound in bounds.items()})[0]


def _key(figure: Occupancy) -> tuple[str, str]:
    return figure.holder.name, figure.what


def _judged(
    graph: Graph,
    scenario: Scenario,
    figure: Occupancy,
    rates: Mapping[str, Rational],
    limit: Rational,
) -> Answer:
    holder = graph.system.find(figure.holder.name)
    limit, figure = _as_it_sheds(holder, limit, figure)
    claim = f"{holder.name} keeps its {figure.what} under {_percent(limit)} busy in {scenario.name}"
    gaps, room = figure.gaps, _NONE
    if figure.each is not None and figure.units is not None:
        left = figure.left() or 0
        whole, rest = figure.each * figure.units, figure.each * left
        if figure.busy > limit * rest and isinstance(figure.holder, LocalCache):
            return Undecided(holder, claim, _in_turn(figure, limit * rest))
        if figure.busy > limit * whole:
            return _refuted(graph, claim, figure, rates, (whole, limit), scenario, "", figure.units)
        if figure.busy > limit * rest:
            lost = f" when a zone is lost, which leaves {left} of {figure.units} replicas"
            return _refuted(graph, claim, figure, rates, (rest, limit), scenario, lost, left)
        room = limit * (rest if figure.zones else whole)
        if isinstance(figure.holder, Service) and not figure.zones:
            gaps = (*gaps, Gap(holder, "deployment.zones", _needs(figure, limit)))
    elif isinstance(figure.holder, Service) and figure.units is None:
        gaps = (*gaps, Gap(holder, "deployment.replicas"))
    if gaps:
        gaps = tuple(dict.fromkeys(gaps))
        return Undecided(holder, claim, missing(gaps), gaps)
    if not figure.fits(room):
        return figure.unseen(holder, claim, room, scenario.name)
    return Proved(holder, claim, assumptions(figure))


def _in_turn(figure: Occupancy, room: Rational) -> str:
    return (
        f"whether look-ups wait for each other in a process: {count(figure.busy)} are under way in "
        f"all replicas, and {count(room)} are the limit"
    )


def _asking(graph: Graph, figure: Occupancy, rates: Mapping[str, Rational]) -> Iterator[str]:
    """The journeys that lead to a resource. Schedules and fallbacks may ask it without any."""
    for journey in graph.system.journeys:
        visits = graph.visits(journey)
        asked = {step.target.name for step, times in visits.interactions if times}
        asked |= {each.partition(".")[0] for each, times in visits.operations.items() if times}
        if journey.name in rates and figure.holder.name in asked:
            yield journey.name


def _as_it_sheds(holder: Subject, limit: Rational, figure: Occupancy) -> tuple[Rational, Occupancy]:
    """The limit of a resource: a party's is all that it grants; a service that sheds load keeps to
    its own, and turns away what is too much when a zone is lost."""
    if isinstance(holder, External):
        return _ALL, figure
    shed = shed_at(holder)
    if shed is None:
        return limit, figure
    return shed, dataclasses.replace(figure, zones=min(figure.zones, 1))


def shed_at(holder: Subject) -> Rational | None:
    """The share of a service's servers above which it turns requests away; ``None``: it does not,
    or nobody says."""
    shedding = getattr(holder, "shedding", None)
    if not isinstance(shedding, LoadShedding) or shedding.max_utilisation is None:
        return None
    return exact(shedding.max_utilisation)


def assumptions(figure: Occupancy) -> tuple[str, ...]:
    """What is assumed where a resource carries its load."""
    assumed = ["times are means, and the load is carried as it comes"]
    if isinstance(figure.holder, Service) and not says_its_cpu_limit(figure.holder):
        assumed.append(NO_LIMIT)
    if figure.crosses:
        assumed.append(f"the network, whose delay nobody declares, takes {ONE_WAY} one way")
    if figure.waits:
        assumed.append(
            "requests come as a Poisson stream or more evenly: then at most "
            f"{float(figure.waits):.3g} of the {figure.what} are held by requests that wait below"
        )
    return tuple(assumed)


def _needs(figure: Occupancy, limit: Rational) -> str:
    needed = math.ceil(figure.busy / (limit * (figure.each or 1)))
    return f"holds while {needed} of {figure.units} replicas are left"


def _refuted(
    graph: Graph,
    claim: str,
    figure: Occupancy,
    rates: Mapping[str, Rational],
    room: tuple[Rational, Rational],
    scenario: Scenario,
    lost: str,
    units: int,
) -> Refuted:
    capacity, limit = room
    name = figure.holder.name
    share = _percent(figure.busy / capacity, limit) if capacity else "more than all"
    shown = WorstPoint(
        f"{name} needs {share} of {_what(figure)} in scenario {scenario.name!r}{lost}; "
        f"the limit is {_percent(limit)}",
        (
            *(f"{name}: {Rate(float(rates[name])):.4}" for name in _asking(graph, figure, rates)),
            figure.shown(capacity),
        ),
        (),
        {name: f"{share} busy"},
        rates,
        figure.busy,
        capacity,
        limit,
        units,
        scenario.name,
    )
    return Refuted(graph.system.find(name), claim, shown, _fix(figure, limit))


def _what(figure: Occupancy) -> str:
    if isinstance(figure.holder, External):
        return "the rate that it grants"
    return f"its {figure.servers}"


def _fix(figure: Occupancy, limit: Rational) -> str:
    if isinstance(figure.holder, Service) and figure.each:
        return f"at least {least_units(figure, limit)} replicas"
    if isinstance(figure.holder, External):
        return f"a limit of at least {Rate(float(figure.busy)):.4}, a cache or fewer calls"
    key = getattr(figure.holder, "shard_key", None)
    if isinstance(key, ShardKey) and key.skew:
        return "a cache for the hottest keys, or several shards for each of them"
    if figure.each:
        times = math.ceil(figure.busy / (figure.each * limit))
        return f"{times} times as many shards, or a cache in front"
    return "more of it"


def _percent(share: Rational, limit: Rational | None = None) -> str:
    """Three digits, or as many as show that it is above the limit."""
    shown = f"{Fraction(float(share)):.3}"
    return (
        f"{Fraction(float(share)):.5}" if limit is not None and shown == _percent(limit) else shown
    )
