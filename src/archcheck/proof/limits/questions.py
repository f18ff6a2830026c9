"""Does every resource carry every load in the declared ranges, with any one zone lost too?

What a load asks of a resource is computed by :mod:`archcheck.capacity` (traffic equations, Little's
law) at the worst corner; as a decimal of 15 digits it is exact for all that models declare, and
everything after it is computed with rationals. An autoscaled service is judged at its largest
scale, which is what it can reach: whether it gets there in time is rule DEP006's question.
"""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from archcheck.capacity import Demand, StoreDemand, demands
from archcheck.findings import Subject
from archcheck.graph import Graph, Operation
from archcheck.model import (
    Datastore,
    External,
    Journey,
    RateLimit,
    Scenario,
    Service,
    effective,
)
from archcheck.proof.answers import (
    Answer,
    Counterexample,
    Gap,
    Proved,
    Refuted,
    Undecided,
    missing,
)
from archcheck.proof.budget import left
from archcheck.proof.exact import Rational, exact
from archcheck.proof.limits.ranges import Loads, loads_of, worst_system
from archcheck.units import Fraction, Rate

LIMIT = Rational(4, 5)
"""The share of a resource that may be busy, unless a rule says otherwise."""
_NONE = Rational(0)


@dataclass(frozen=True)
class WorstPoint(Counterexample):
    """The rates of journeys at which ``busy`` exceeds ``capacity`` of a resource."""

    rates: Mapping[str, Rational] = dataclasses.field(default_factory=dict)
    busy: Rational = _NONE
    capacity: Rational = _NONE


@dataclass(frozen=True)
class Figure:
    """What a load keeps busy of a resource, and what there is of it.

    Of a service all replicas at its largest scale count, of a datastore one node of a shard.
    """

    holder: Service | Datastore | External
    what: str
    busy: Rational
    each: Rational | None
    """Servers (or operations a second) of one unit; ``None``: not declared."""
    units: int | None = 1
    zones: int = 0
    """Zones over which units are spread; 0: not declared, or the loss of one takes none."""
    gaps: tuple[Gap, ...] = ()

    def left(self) -> int | None:
        """Units that are left when the fullest zone is lost."""
        if self.units is None or self.zones < 2:
            return self.units
        return self.units - math.ceil(self.units / self.zones)


def worst_demands(graph: Graph) -> tuple[Demand, ...]:
    """The demand of each scenario at its worst corner: what :func:`capacity.demands` is for the
    declared values. Shares of a mix are not traded against each other here.
    """
    system = worst_system(graph.system)
    if system is graph.system and not any(s.uncertain for s in system.scenarios):
        return demands(graph)
    worst = Graph(system, today=graph.today)
    return tuple(_demand(worst, loads_of(system, s)) for s in system.scenarios if s.load)


def _demand(graph: Graph, loads: Loads) -> Demand:
    return Demand(graph, loads.scenario, {n: float(rate) for n, rate in loads.high.items()})


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
        for figure in figures_of(_demand(graph, loads)):
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


def figures_of(demand: Demand) -> Iterator[Figure]:
    """Services by their workers, datastores by the queries of a node and by their stated rate."""
    for service in demand.graph.system.services:
        resource, unsized = demand.resource_of(service), demand.unsized_of(service)
        found = resource or unsized
        if found is None:
            continue
        gaps = tuple(Gap(part.holder, part.attribute) for part in found.missing)
        if unsized is not None:
            gaps = (*gaps, Gap(service, unsized.attribute))
        deployment = service.deployment
        yield Figure(
            service,
            resource.what if resource else "workers",
            exact(found.busy),
            exact(resource.per_unit) if resource else None,
            deployment.most_replicas() if deployment else None,
            len(set(deployment.zones)) if deployment else 0,
            gaps,
        )
    for store, asked in demand.stores.items():
        yield from _store_figures(store, asked)


def _store_figures(store: Datastore, asked: StoreDemand) -> Iterator[Figure]:
    """Writes and fresh reads keep the primary busy, stale reads all copies alike."""
    each, what = asked.servers_of_a_node()
    stale = exact(asked.stale_busy)
    node = exact(asked.write_busy) + exact(asked.read_busy) - stale + stale / asked.copies
    gaps = tuple(Gap(store, attribute) for attribute in asked.missing)
    if each is None:
        gaps = (*gaps, Gap(store, what))
    capacity = Rational(each) if each is not None else None
    yield Figure(store, what, node / asked.shards, capacity, gaps=gaps)
    stated = effective(store, "max_rate")
    if stated.is_known:
        rate = (exact(asked.reads) + exact(asked.writes)) / asked.shards
        yield Figure(store, "max_rate", rate, exact(stated.value))


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


def least_units(figure: Figure, limit: Rational) -> int:
    """The fewest replicas with which the limit holds, one zone lost where there are several."""
    needed = max(1, math.ceil(figure.busy / (limit * (figure.each or 1))))
    if figure.zones < 2:
        return needed
    count = needed
    while count - math.ceil(count / figure.zones) < needed:
        count += 1
    return count


def _percent(share: Rational) -> str:
    return f"{Fraction(float(share)):.3}"


# -- admission ------------------------------------------------------------------------------------


def admissions(graph: Graph) -> Iterator[Answer]:
    """Does what lies behind each limited endpoint carry all that its limit lets through?

    Everything that a request waits for counts, at its largest scale and full, and external parties
    that it cannot do without; the other endpoints are idle.
    """
    limited: list[tuple[Operation, Rational]] = []
    for operation in graph.operations.values():
        limit = getattr(operation.part, "rate_limit", None)
        if not isinstance(operation.owner, Service) or not isinstance(limit, RateLimit):
            continue
        rate = _admitted(operation.owner, limit)
        if rate is not None:
            limited.append((operation, rate))
        elif limit.per == "replica":
            claim = f"what lies behind {operation.name} carries what it admits"
            gap = Gap(operation.owner, "deployment.replicas")
            yield Undecided(operation, claim, missing((gap,)), (gap,))
    if not limited:
        return
    probes = [Journey(f"limit of {op.name.replace('.', ' ')}", op.name) for op, _ in limited]
    journeys = [*graph.system.journeys, *probes]
    probed = Graph(dataclasses.replace(graph.system, journeys=journeys), today=graph.today)
    scenario = Scenario("all that is admitted", load=[])
    for probe, (operation, rate) in zip(probes, limited, strict=True):
        left()
        demand = Demand(probed, scenario, {probe.name: float(rate)})
        claim = f"what lies behind {operation.name} carries the {Rate(float(rate))} it admits"
        yield _behind(graph, operation, claim, rate, demand)


def _admitted(owner: Service, limit: RateLimit) -> Rational | None:
    """What a limit lets through in the long run; one for each client does not bound the sum."""
    if limit.per == "client":
        return None
    replicas = owner.deployment.most_replicas() if owner.deployment else None
    if limit.per == "replica":
        return exact(limit.rate) * replicas if replicas else None
    return exact(limit.rate)


def _behind(graph: Graph, subject: Operation, claim: str, rate: Rational, demand: Demand) -> Answer:
    gaps: list[Gap] = []
    waited_for = _waited_for(graph, subject.name)
    for figure in (*figures_of(demand), *_parties(demand)):
        if figure.holder.name not in waited_for:
            continue
        gaps += figure.gaps
        if figure.each is None or figure.units is None:
            if figure.units is None and figure.each is not None:
                gaps.append(Gap(figure.holder, "deployment.replicas"))
            continue
        capacity = figure.each * figure.units
        if figure.busy > capacity:
            carries = Rate(float(rate * capacity / figure.busy))
            name = figure.holder.name
            shown = WorstPoint(
                f"the limit of {Rate(float(rate))} lets through more than {name} can take: "
                f"{carries:.4}",
                (
                    graph.system.find(name),
                    f"{float(figure.busy):.4g} {figure.what} busy of {float(capacity):.4g}",
                ),
                (),
                {name: f"full at {carries:.4}"},
                {},
                figure.busy,
                capacity,
            )
            return Refuted(subject, claim, shown, f"RateLimit({carries:.3})".replace("/s", " / s"))
    if gaps:
        found = tuple(dict.fromkeys(gaps))
        return Undecided(subject, claim, missing(found), found)
    return Proved(subject, claim)


def _waited_for(graph: Graph, operation: str) -> set[str]:
    """The elements that a request waits for; what messages cause can wait for a quieter time."""
    found: set[str] = set()
    waiting, seen = [operation], {operation}
    while waiting:
        name = waiting.pop()
        if name in graph.operations:
            found.add(graph.operations[name].owner.name)
        for step in graph.outgoing.get(name, ()):
            if step.is_synchronous:
                found.add(step.target.name)
                if step.target_name not in seen:
                    seen.add(step.target_name)
                    waiting.append(step.target_name)
    return found


def _parties(demand: Demand) -> Iterator[Figure]:
    """External parties that say what they take, by the calls that cannot do without them."""
    asked: dict[External, Rational] = {}
    for step, rate in demand.steps.items():
        if isinstance(step.target, External) and not step.can_fail_softly:
            asked[step.target] = asked.get(step.target, _NONE) + exact(rate)
    for party, total in asked.items():
        if party.rate_limit is not None:
            yield Figure(party, "calls a second", total, exact(party.rate_limit.rate))


# -- rollouts -------------------------------------------------------------------------------------


def rollouts(graph: Graph) -> Iterator[Answer]:
    """While a service is rolled out, does the loss of any zone leave enough replicas?

    At its largest scale, with as many replicas away as the rollout allows, all of them outside
    the zone that is lost.
    """
    for demand in worst_demands(graph):
        for figure in figures_of(demand):
            if isinstance(figure.holder, Service):
                yield from _rolled(graph, demand.scenario, figure, figure.holder)


def _rolled(graph: Graph, scenario: Scenario, figure: Figure, service: Service) -> Iterator[Answer]:
    holder = graph.system.find(service.name)
    claim = f"{service.name} carries {scenario.name} while it is rolled out and a zone is lost"
    rollout = effective(service.deployment, "rollout")
    gaps = list(figure.gaps)
    if not rollout.is_known:
        gaps.append(Gap(holder, "deployment.rollout"))
    if not figure.zones:
        gaps.append(Gap(holder, "deployment.zones"))
    if gaps or figure.each is None or figure.units is None:
        yield Undecided(holder, claim, missing(gaps), tuple(dict.fromkeys(gaps)))
        return
    if figure.zones < 2:
        return  # without another zone nothing is left: that is rule RES013's
    away = rollout.value.unavailable(figure.units)
    left = max(0, (figure.left() or 0) - away)
    needed = math.ceil(figure.busy / figure.each)
    if needed <= left or needed > (figure.left() or 0):
        yield Proved(holder, claim)  # an overload without a rollout is not the rollout's
        return
    shown = WorstPoint(
        f"a rollout and the loss of a zone leave {left} of {figure.units} replicas of "
        f"{service.name}, and the load needs {needed} in scenario {scenario.name!r}",
        (
            f"{away} are away for the rollout",
            f"{figure.units - (figure.left() or 0)} are in the zone that is lost",
            f"{float(figure.busy):.4g} {figure.what} busy, {float(figure.each):g} in each replica",
        ),
        (),
        {service.name: f"{left} of {figure.units} left"},
        {},
        figure.busy,
        figure.each * left,
    )
    yield Refuted(holder, claim, shown, "rollout=RollingUpdate(max_surge=1, max_unavailable=0)")
