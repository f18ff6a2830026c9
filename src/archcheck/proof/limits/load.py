"""Does every resource carry every load in the declared ranges, with any one zone lost too?"""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Iterator, Mapping

from archcheck.findings import Subject
from archcheck.graph import Graph
from archcheck.graph.cpu import NO_CORES, NO_LIMIT, cores_of, says_its_cpu_limit
from archcheck.graph.exact import Rational
from archcheck.graph.transfer import ONE_WAY
from archcheck.model import External, LocalCache, Scenario, Service, ShardKey, effective
from archcheck.proof.answers import Answer, Gap, Proved, Refuted, Undecided, missing
from archcheck.proof.budget import left
from archcheck.proof.limits.figures import (
    Occupancy,
    WorstPoint,
    count,
    least_units,
    worst_for_each,
)
from archcheck.proof.limits.lost_caches import that_stay
from archcheck.proof.limits.open_hits import whatever_hits
from archcheck.proof.limits.phases import in_runs, said, uncounted
from archcheck.proof.limits.ranges import loads_of, worst_system
from archcheck.proof.limits.upstream import held_up, shed_at
from archcheck.proof.limits.worst import ZoneCase, losses, worst_figures
from archcheck.units import Fraction, Rate

LIMIT = Rational(4, 5)
"""The share of a resource that may be busy, unless a rule says otherwise.

At 80%, four requests are at a single server on average (M/M/1); at 90% there are nine.
"""
_NONE = Rational(0)
_ALL = Rational(1)
"""Of the rate that an external party grants, all may be used."""


def carried(graph: Graph, limit: Rational = LIMIT) -> Iterator[Answer]:
    """For each loaded resource and scenario: does it stay under ``limit``, one zone lost or not?

    A resource that does not is one answer, whatever the number of scenarios. One that would, if the
    caches of which nobody knows the hit ratio hit as often as they can, asks for that.
    """
    yield from whatever_hits(graph, lambda each: worst_for_each(_carried(each, limit)))


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
    cases = [] if figure.each is None else list(losses(figure))
    for case in cases:
        room = case.figure.room(case.surely)
        if case.figure.busy > limit * room:
            if isinstance(holder, LocalCache):
                return Undecided(holder, claim, _in_turn(case.figure, limit * room))
            before = held_up(graph, scenario, case, limit * room)
            if before:
                needs = f"it is asked for {case.figure.shown(room)}{case.text}"
                return Undecided(holder, claim, f"how much {before} let through: {needs}")
            return _refuted(graph, claim, case, rates, (room, limit), scenario)
    gaps = tuple(_gaps(holder, figure, limit))
    if gaps:
        return Undecided(holder, claim, missing(gaps), gaps)
    for case in sorted(cases, key=lambda each: each.figure.room(each.least)):
        room = limit * case.figure.room(case.least)
        if not case.figure.fits(room):
            if case.figure.fits(limit * case.figure.room(case.surely)):
                return Undecided(holder, claim, _resting(case, limit))
            return case.figure.unseen(holder, claim, room, scenario.name)
    faults = uncounted(scenario)
    if faults:
        return Undecided(holder, claim, f"an account of what {faults} comes to")
    stay = that_stay(graph) if figure.zones > 1 else ()
    return Proved(holder, claim, (*assumptions(figure), *stay))


def _gaps(holder: Subject, figure: Occupancy, limit: Rational) -> Iterator[Gap]:
    found = [*figure.gaps, *(gap for lost in figure.cold for gap in lost.figure.gaps)]
    if isinstance(figure.holder, Service):
        if figure.units is None:
            found.append(Gap(holder, "deployment.replicas"))
        elif not figure.zones and figure.each is not None:
            found.append(Gap(holder, "deployment.zones", _needs(figure, limit)))
    return iter(dict.fromkeys(found))


def _resting(case: ZoneCase[Occupancy], limit: Rational) -> str:
    most = f"{_percent(limit)} of {count(case.figure.room(case.least))} {case.figure.servers}"
    return (
        f"where the autoscaler of {case.figure.holder.name} comes to rest{case.text}: with "
        f"{case.least} replicas it may be more than {most}"
    )


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
    return shed, dataclasses.replace(figure, zones=min(figure.zones, 1), cold=())


def _has_a_core_each(service: Service) -> bool:
    """Whether nobody says on how many cores the threads of a service run."""
    blocks = effective(service.runtime, "concurrency").value == "blocking"
    return blocks and cores_of(service).parallel is None


def assumptions(figure: Occupancy) -> tuple[str, ...]:
    """What is assumed where a resource carries its load."""
    assumed = ["times are means, and the load is carried as it comes"]
    if shed_at(figure.holder) is not None:
        assumed.append("what is too much for a service that sheds load is turned away")
    if isinstance(figure.holder, Service) and not says_its_cpu_limit(figure.holder):
        assumed.append(NO_LIMIT)
    if isinstance(figure.holder, Service) and _has_a_core_each(figure.holder):
        assumed.append(NO_CORES)
    place = getattr(figure.holder, "deployment", None)
    if place is not None and place.autoscale is not None and figure.rest is None:
        assumed.append("an autoscaler of which nobody says what it steers for reaches its maximum")
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
    case: ZoneCase[Occupancy],
    rates: Mapping[str, Rational],
    room: tuple[Rational, Rational],
    scenario: Scenario,
) -> Refuted:
    capacity, limit = room
    figure, name = case.figure, case.figure.holder.name
    share = _percent(figure.busy / capacity, limit) if capacity else "more than all"
    shown = WorstPoint(
        f"{name} needs {share} of {_what(figure)} in scenario {scenario.name!r}"
        f"{said(figure.faults)}{case.text}; the limit is {_percent(limit)}",
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
        case.surely,
        scenario.name,
        faults=in_runs(case.faults),
    )
    return Refuted(graph.system.find(name), claim, shown, _fix(figure, limit))


def _what(figure: Occupancy) -> str:
    if isinstance(figure.holder, External):
        return "the rate that it grants"
    return f"its {figure.servers}"


def _fix(figure: Occupancy, limit: Rational) -> str:
    if isinstance(figure.holder, Service) and figure.each:
        if figure.rest is not None and (figure.there(surely=True) or 0) < (figure.units or 0):
            return "more replicas at least, or an autoscaler that adds some before it is too busy"
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
