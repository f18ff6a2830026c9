"""Each resource and each limit in each scenario, at the rates and in the configuration that are
worst, with what goes wrong there.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Generic, TypeAlias, TypeVar

from archcheck.graph import Graph
from archcheck.graph.exact import Rational
from archcheck.graph.once import once
from archcheck.model import Fault, FlushCache, Scenario, System
from archcheck.proof.budget import left
from archcheck.proof.feature_flags import configured
from archcheck.proof.limits.barriers import Barrier, barriers
from archcheck.proof.limits.figures import ColdCaches, Corner, Occupancy
from archcheck.proof.limits.lost_caches import caches_by_zone, without_caches
from archcheck.proof.limits.phases import phases, slowed
from archcheck.proof.limits.ranges import Loads, loads_of, worst_system

_NONE = Rational(0)
_Figure = TypeVar("_Figure", bound=Occupancy)
_Ask: TypeAlias = Callable[[Corner, Mapping[str, float] | None], Iterator[_Figure]]
"""What is asked of the load at a corner, at its highest rates or at other ones."""
_Known: TypeAlias = dict[tuple[str, str], tuple[_Figure, Mapping[str, Rational]]]


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
        worst: _Known[_Figure] = {}
        cold: dict[tuple[str, tuple[str, ...]], _Known[_Figure]] = {}
        for system in systems:
            for faults in phases(scenario):
                left()
                slow = slowed(system, faults)
                loads = loads_of(slow, slow.scenarios[number], faults)
                _add(worst, graph, slow, loads, ask)
                for lost in caches_by_zone(slow).items():
                    empty = without_caches(slow, lost[1])
                    _add(cold.setdefault(lost, {}), graph, empty, loads, ask)
        for found in cold.values():
            for key, (figure, rates) in found.items():
                none = dataclasses.replace(figure, busy=_NONE, most=_NONE, waits=_NONE)
                worst.setdefault(key, (none, rates))
        for key, (figure, rates) in worst.items():
            yield scenario, dataclasses.replace(figure, cold=tuple(_lost(cold, key))), rates


def _add(
    known: _Known[_Figure], graph: Graph, system: System, loads: Loads, ask: _Ask[_Figure]
) -> None:
    view = Graph(system, today=graph.today, cold_caches=graph.cold_caches)
    for figure, rates in _figures(view, loads, ask):
        key = _key(figure)
        gaps = tuple(dict.fromkeys((*figure.gaps, *loads.gaps)))
        found = dataclasses.replace(figure, faults=loads.faults, gaps=gaps), rates
        known[key] = _worse(known[key], found) if key in known else found


def _lost(
    cold: Mapping[tuple[str, tuple[str, ...]], _Known[_Figure]], key: tuple[str, str]
) -> Iterator[ColdCaches]:
    """What a figure is in each zone's loss; the units of one in other zones all stay."""
    for (zone, caches), found in cold.items():
        if key in found:
            figure, _ = found[key]
            deployment = getattr(figure.holder, "deployment", None)
            if deployment is not None and zone not in deployment.zones:
                figure = dataclasses.replace(figure, zones=min(1, figure.zones))
            yield ColdCaches(zone, caches, figure)


def _worse(
    first: tuple[_Figure, Mapping[str, Rational]],
    second: tuple[_Figure, Mapping[str, Rational]],
) -> tuple[_Figure, Mapping[str, Rational]]:
    """The figure that is busier, with the larger bound of both."""
    (one, _), (other, _) = first, second
    figure, rates = first if _share(one) >= _share(other) else second
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
            yield figure, loads.sure
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


def _share(figure: Occupancy) -> Rational:
    """How much of it each unit has to do."""
    return figure.busy / max(1, figure.there() or 1)


@dataclass(frozen=True)
class ZoneCase(Generic[_Figure]):
    """A figure with nothing lost or a zone, and how many units there are then."""

    figure: _Figure
    surely: int
    """No more than so many."""
    least: int
    """At least so many: fewer where an autoscaler may rest sooner."""
    text: str = ""
    faults: tuple[Fault, ...] = ()
    is_lost: bool = False
    """Whether a zone is lost."""


def losses(figure: _Figure) -> Iterator[ZoneCase[_Figure]]:
    """A figure with all its units, without its fullest zone, and without each zone that takes
    caches with it; nothing where nobody says how many units there are.
    """
    if figure.units is None:
        return
    most, least = figure.there(surely=True) or 0, figure.there() or 0
    where = "at which its autoscaler rests"
    resting = f" with the {most} of {figure.units} replicas {where}" if most < figure.units else ""
    yield ZoneCase(figure, most, least, resting, figure.faults)
    yield _loss(figure, "a zone", ())
    for lost in figure.cold:
        yield _loss(
            dataclasses.replace(figure, **_asked(lost.figure)), f"zone {lost.zone}", lost.caches
        )


def _loss(figure: _Figure, zone: str, caches: tuple[str, ...]) -> ZoneCase[_Figure]:
    most, least = figure.left(surely=True) or 0, figure.left() or 0
    leaves = f", which leaves {most} of {figure.units} replicas" if figure.zones > 1 else ""
    with_it = f" and {' and '.join(caches)} with it" if caches else ""
    faults = (*figure.faults, *(FlushCache(name) for name in caches))
    return ZoneCase(figure, most, least, f" when {zone} is lost{with_it}{leaves}", faults, True)


def _asked(figure: Occupancy) -> dict[str, Any]:
    """What a load asks, and of how many units, apart from what is asked for."""
    names = ("busy", "most", "waits", "zones", "gaps", "rest", "faults", "crosses")
    return {name: getattr(figure, name) for name in names}
