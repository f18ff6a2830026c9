"""What a load keeps busy of each resource at the worst corner, and what there is of it.

What a load asks of a resource is computed by :mod:`archcheck.capacity` (traffic equations, Little's
law); as a decimal of 15 digits it is exact for all that models declare, and everything after it is
computed with rationals. An autoscaled service counts at its largest scale, which is what it can
reach: whether it gets there in time is rule DEP006's question.
"""

from __future__ import annotations

import dataclasses
import math
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property

from archcheck.capacity import (
    CPU,
    Attempted,
    Demand,
    Held,
    Resource,
    Rest,
    StoreDemand,
    Unsized,
    Waiting,
    query_time,
    rest_of,
    servers_called,
)
from archcheck.findings import Subject, also_in
from archcheck.graph import Graph
from archcheck.graph.exact import Rational, exact
from archcheck.graph.once import once
from archcheck.model import (
    Datastore,
    Endpoint,
    External,
    Fault,
    LocalCache,
    ModelError,
    RateLimit,
    Service,
    effective,
)
from archcheck.proof.answers import Answer, Counterexample, Gap, Proved, Refuted, Undecided
from archcheck.proof.limits.ranges import Loads, loads_of, worst_system

_NONE = Rational(0)
_ALL = Rational(1)
_MANY = 1000
"""Times the limit above which a bound of waits says nothing to a reader. A choice."""


@dataclass(frozen=True)
class WorstPoint(Counterexample):
    """The rates of journeys, or of endpoints, at which ``busy`` exceeds ``limit`` of ``capacity``.

    ``units``: the replicas that have this capacity; ``None``: all that are declared. ``scenario``:
    whose load it is; empty where it is none's. ``barrier``: the limit that lets too little through;
    ``asked`` and ``watched``: the elements whose calls show it in a run, and the resources.
    ``faults``: what goes wrong for as long as these rates come.
    """

    rates: Mapping[str, Rational] = dataclasses.field(default_factory=dict)
    busy: Rational = _NONE
    capacity: Rational = _NONE
    limit: Rational = _ALL
    units: int | None = None
    scenario: str = ""
    barrier: str = ""
    asked: tuple[str, ...] = ()
    watched: tuple[str, ...] = ()
    faults: tuple[Fault, ...] = ()


@dataclass(frozen=True)
class ColdCaches:
    """What the loss of a zone makes of a figure by the caches that it takes with it."""

    zone: str
    caches: tuple[str, ...]
    figure: Occupancy


@dataclass(frozen=True)
class Occupancy:
    """What a load keeps busy of a resource, and what there is of it.

    Of a service all replicas at its largest scale count, of a datastore one node of a shard.
    """

    holder: Service | Datastore | External
    what: str
    busy: Rational
    """What a run shows: all that surely comes, each at its service times."""
    each: Rational | None
    """Servers (or operations a second) of one unit; ``None``: not declared."""
    units: int | None = 1
    zones: int = 0
    """Zones over which units are spread; 0: not declared, or the loss of one takes none."""
    gaps: tuple[Gap, ...] = ()
    most: Rational | None = _NONE
    """What no run exceeds: all that may come, and the waits in queues below; ``None``: no bound."""
    waits: Rational | None = _NONE
    """What of ``most`` is spent in queues; ``None``: the waits have no bound."""
    crosses: bool = False
    """Whether ``most`` counts a network whose delay nobody declares."""

    rest: Rest | None = None
    """Where the autoscaler of the units comes to rest; ``None``: it adds as many as it may."""
    faults: tuple[Fault, ...] = ()
    """The scenario's faults that make the load what it is here."""
    cold: tuple[ColdCaches, ...] = ()
    """What is asked while a zone is lost that takes caches with it."""

    def there(self, *, surely: bool = False) -> int | None:
        """Units that an autoscaler comes to, or ``surely`` no more than that."""
        if self.units is None or self.rest is None:
            return self.units
        return min(self.units, self.rest.least if not surely else self.rest.most)

    def left(self, *, surely: bool = False) -> int | None:
        """The same when the fullest zone is lost: the autoscaler replaces what it can."""
        if self.units is None:
            return None
        left = left_without_a_zone(self.units, self.zones)
        if self.rest is None:
            return left
        there = self.there(surely=surely) or 0
        return left_without_a_zone(there, self.zones) if self.rest.is_stuck else min(left, there)

    def room(self, units: int) -> Rational:
        """What so many units have."""
        return (self.each or _NONE) * units

    def fits(self, room: Rational) -> bool:
        """Whether no run exceeds ``room``."""
        return self.most is not None and max(self.most, self.busy) <= room

    @property
    def servers(self) -> str:
        """What is busy, as people call it."""
        return servers_called(self.holder, self.what)

    def shown(self, capacity: Rational) -> str:
        """``35 of 40 threads busy``."""
        said = f"{count(self.busy)} of {count(capacity)} {self.servers}"
        return said if isinstance(self.holder, External) else f"{said} busy"

    def unseen(self, holder: Subject, claim: str, room: Rational, scenario: str = "") -> Unseen:
        """What would have to be known to say whether ``room`` is exceeded."""
        name, where = self.holder.name, f" in scenario {scenario!r}" if scenario else ""
        asked = None if self.most is None or self.waits is None else self.most - self.waits
        if asked is not None and (asked > room or not self.waits):
            network = "the network (nobody declares its delay), " if self.crosses else ""
            reason = (
                f"a bound for what {network}hedges, retries, fallbacks, repeated messages, "
                f"schedules and lost copies add{where}: they may keep {count(asked)} "
                f"{self.servers} of {name} busy, and {count(room)} are the limit"
            )
            return Unseen(holder, claim, reason, (), scenario, float(asked))
        spare = max(_NONE, room - (asked if asked is not None else self.busy))
        endless = self.waits is None or self.waits > _MANY * room
        bound = "any number of" if endless or self.waits is None else f"{count(self.waits)}"
        reason = (
            f"a bound for the waits in queues below {name}{where}: requests that wait there may "
            f"hold {bound} {self.servers} of it, and {count(spare)} are free"
        )
        most = math.inf if self.waits is None else float(self.waits)
        return Unseen(holder, claim, reason, (), scenario, most)


def left_without_a_zone(units: int, zones: int) -> int:
    """How many units are left when the fullest of several zones is lost."""
    return units if zones < 2 else units - math.ceil(units / zones)


def count(amount: Rational) -> str:
    """``314,600`` or ``0.25``: four digits, never an exponent."""
    text = f"{float(amount):,.0f}" if amount >= 1000 else f"{float(amount):.4g}"
    return f"{float(amount):.12f}".rstrip("0") if "e" in text else text


class Corner:
    """The load of a scenario at one corner: what surely comes, what may come, and the waits."""

    def __init__(self, graph: Graph, loads: Loads) -> None:
        self.graph = Attempted(graph.system, today=graph.today, cold_caches=graph.cold_caches)
        self.loads = loads
        self._high = {name: float(rate) for name, rate in loads.high.items()}
        self._sure = {name: float(rate) for name, rate in loads.sure.items()}
        span = loads.scenario.duration
        self._span = float(span) if span else None

    def figures(self, rates: Mapping[str, float] | None = None) -> Iterator[Occupancy]:
        """All resources at the given rates of journeys, else at the highest."""
        sure = self.surely(rates)
        try:
            most: Demand | None = self.at_most(rates)
            _ = most.rates if most else None
        except ModelError:  # attempts of a circle of calls that do not die out
            most = None
        found = {(figure.holder.name, figure.what): figure for figure in figures_of(sure)}
        busiest: dict[tuple[str, str], Rational] = {}
        for figure in figures_of(most) if most else ():  # what only fallbacks ask, too
            key = (figure.holder.name, figure.what)
            busiest.setdefault(key, figure.busy)
            found.setdefault(key, dataclasses.replace(figure, busy=_NONE))
        for key, figure in found.items():
            yield self._bounded(figure, most, busiest.get(key, _NONE))

    def figures_and_parties(self, rates: Mapping[str, float] | None = None) -> Iterator[Occupancy]:
        """The same, and external parties that say what they take."""
        yield from self.figures(rates)
        yield from _parties(self, rates)

    def surely(self, rates: Mapping[str, float] | None = None) -> Demand:
        """What a run shows."""
        if rates is None:
            return self._surely
        return Demand(self.graph, self.loads.scenario, rates)

    @cached_property
    def _surely(self) -> Demand:
        return Demand(self.graph, self.loads.scenario, self._sure)

    def at_most(self, rates: Mapping[str, float] | None = None) -> Demand:
        """What no run exceeds, without waits."""
        if rates is None:
            return self._at_most
        return Demand(self._everything, self.loads.scenario, rates, self._span)

    @cached_property
    def _at_most(self) -> Demand:
        return Demand(self._everything, self.loads.scenario, self._high, self._span)

    @cached_property
    def _everything(self) -> Attempted:
        system = self.graph.system
        return Attempted(
            system, today=self.graph.today, cold_caches=self.graph.cold_caches, at_most=True
        )

    @cached_property
    def _waiting(self) -> Waiting:
        """Waits at the highest rates, with as few replicas as a rollout and a zone may leave."""
        services = self.graph.system.services
        counts = {service.name: _fewest(service) for service in services}
        known = {name: count for name, count in counts.items() if count is not None}
        return Waiting(self.at_most(), known)

    def _bounded(self, figure: Occupancy, most: Demand | None, busiest: Rational) -> Occupancy:
        """With what it is busy at most; ``busiest``: what a store is, by all that may come."""
        if most is None:
            return dataclasses.replace(figure, most=None)
        holder = figure.holder
        if isinstance(holder, Service):
            part = most.unsized_of(holder)
            if figure.what == CPU:
                part = None
            elif effective(holder.runtime, "concurrency").value == "blocking":
                return self._held(figure, holder, most)
            found = part or next(
                (r for r in most.resources_of(holder) if r.what == figure.what), None
            )
            return dataclasses.replace(figure, most=exact(found.busy) if found else _NONE)
        return dataclasses.replace(figure, most=busiest)

    def _held(self, figure: Occupancy, service: Service, most: Demand) -> Occupancy:
        total = Held()
        for operation in most.graph.operations_of(service):
            rate = most.rates.get(operation.name, 0.0)
            if rate and isinstance(operation.part, Endpoint):
                total += self._waiting.held(operation.name).scaled(rate)
        own = {(gap.holder, gap.attribute) for gap in figure.gaps}
        more = (Gap(m.holder, m.attribute) for m in total.missing)
        gaps = (*figure.gaps, *(g for g in more if (g.holder, g.attribute) not in own))
        if math.isinf(total.seconds):
            return dataclasses.replace(figure, most=None, waits=None, gaps=gaps)
        network = self.graph.system.network
        asks = any(self.graph.outgoing[op.name] for op in most.graph.operations_of(service))
        return dataclasses.replace(
            figure,
            most=exact(total.seconds),
            waits=exact(total.waits),
            gaps=gaps,
            crosses=asks and (network is None or network.delay is None),
        )


def _fewest(service: Service) -> int | None:
    deployment = service.deployment
    units = deployment.most_replicas() if deployment else None
    if deployment is None or units is None:
        return None
    zones = len(set(deployment.zones))
    if zones < 2:
        return units
    rollout = effective(deployment, "rollout")
    away = rollout.value.unavailable(units) if rollout.is_known else 0
    return max(1, left_without_a_zone(units, zones) - away)


@once
def worst_demands(graph: Graph) -> tuple[Demand, ...]:
    """The demand of each scenario at its worst corner: what :func:`capacity.demands` is for the
    declared values. Shares of a mix are not traded against each other here.
    """
    system = worst_system(graph.system)
    worst = Attempted(system, today=graph.today, cold_caches=graph.cold_caches)
    return tuple(
        Demand(worst, s, {n: float(rate) for n, rate in loads_of(system, s).high.items()})
        for s in system.scenarios
        if s.load
    )


def figures_of(demand: Demand) -> Iterator[Occupancy]:
    """Services by their workers, datastores by the queries of a node and by their stated rate."""
    for service in demand.graph.system.services:
        parts: list[Resource | Unsized] = [*demand.resources_of(service)]
        if unsized := demand.unsized_of(service):
            parts.append(unsized)
        for part in parts:
            yield _service_figure(demand, service, part)
    for store, asked in demand.stores.items():
        if isinstance(store, LocalCache):
            if asked.read_busy or asked.write_busy:
                yield _in_process(demand, store, asked)
        else:
            yield from _store_figures(store, asked, at_most=demand.graph.at_most)


def _service_figure(demand: Demand, service: Service, part: Resource | Unsized) -> Occupancy:
    gaps = tuple(Gap(missing.holder, missing.attribute) for missing in part.missing)
    if isinstance(part, Resource):
        what, capacity = part.what, exact(part.per_unit)
    else:
        what, capacity, gaps = "workers", None, (*gaps, Gap(service, part.attribute))
    deployment = service.deployment
    return Occupancy(
        service,
        what,
        exact(part.busy),
        capacity,
        deployment.most_replicas() if deployment else None,
        len(set(deployment.zones)) if deployment else 0,
        gaps,
        rest=rest_of(demand, service),
    )


def _store_figures(store: Datastore, asked: StoreDemand, *, at_most: bool) -> Iterator[Occupancy]:
    """Writes and fresh reads keep the primary busy, stale reads the copies; the busier counts.

    At most, a zone is lost, and fewer copies share what they are asked.
    """
    each, what = asked.servers_of_a_node()
    stale = exact(asked.stale_busy)
    primary = exact(asked.write_busy) + exact(asked.read_busy) - stale
    node = max(primary, stale / max(1, asked.copies - 1))
    if at_most:
        node = max(node, exact(asked.busiest_node_left() * asked.shards))
    share = exact(asked.hottest_share()) if asked.shards > 1 else _ALL
    popularity = asked.unknown_popularity()
    uneven = (Gap(store, popularity),) if popularity is not None else ()
    gaps = (*(Gap(store, attribute) for attribute in asked.missing), *uneven)
    if each is None:
        gaps = (*gaps, Gap(store, what))
    capacity = Rational(each) if each is not None else None
    yield Occupancy(store, what, node * share, capacity, gaps=gaps)
    stated = effective(store, "max_rate")
    if stated.is_known:
        rate = (exact(asked.reads) + exact(asked.writes)) * share
        yield Occupancy(store, "max_rate", rate, exact(stated.value), gaps=uneven)


def _in_process(demand: Demand, cache: LocalCache, asked: StoreDemand) -> Occupancy:
    """Each replica of whoever asks it has a cache of its own; that of the busiest counts."""
    each, what = asked.servers_of_a_node()
    gaps = [Gap(cache, attribute) for attribute in asked.missing]
    if each is None:
        gaps.append(Gap(cache, what))
    busy: dict[str, Rational] = defaultdict(Rational)
    places = {}
    for step, rate in demand.steps.items():
        if step.target is cache:
            time = query_time(cache, step.step).seconds
            busy[step.source.name] += exact(rate) * exact(time)
            places[step.source.name] = getattr(step.source, "deployment", None)
    replicas = {name: place.most_replicas() if place else None for name, place in places.items()}
    name = max(busy, key=lambda each: busy[each] / (replicas[each] or 1))
    place = places[name]
    return Occupancy(
        cache,
        what,
        busy[name],
        Rational(each) if each is not None else None,
        replicas[name],
        len(set(place.zones)) if place else 0,
        tuple(gaps),
    )


def least_units(figure: Occupancy, limit: Rational) -> int:
    """The fewest replicas with which the limit holds, one zone lost where there are several."""
    needed = max(1, math.ceil(figure.busy / (limit * (figure.each or 1))))
    if figure.zones < 2:
        return needed
    count = needed
    while left_without_a_zone(count, figure.zones) < needed:
        count += 1
    return count


def _parties(corner: Corner, rates: Mapping[str, float] | None) -> Iterator[Occupancy]:
    """External parties that say what they take, by the calls that cannot do without them."""
    most = _calls(corner.at_most(rates))
    for (party, limited), total in _calls(corner.surely(rates)).items():
        if isinstance(limited.rate_limit, RateLimit):
            what = "calls a second" if limited is party else f"calls of {limited.name} a second"
            limit = exact(limited.rate_limit.rate)
            yield Occupancy(party, what, total, limit, most=most.get((party, limited), total))


def _calls(demand: Demand) -> dict[tuple[External, External | Endpoint], Rational]:
    """Calls of each party, and of each of its endpoints."""
    asked: dict[tuple[External, External | Endpoint], Rational] = {}
    for step, rate in demand.steps.items():
        party = step.target
        if isinstance(party, External) and not step.can_fail_softly:
            for limited in (party, step.endpoint):
                if limited is not None:
                    asked[party, limited] = asked.get((party, limited), _NONE) + exact(rate)
    return asked


@dataclass(frozen=True)
class Unseen(Undecided):
    """Whether a resource is large enough depends on what may come; ``most``: how much of it."""

    scenario: str = ""
    most: float = 0.0


def worst_of_claims(answers: Iterable[Answer]) -> Iterator[Answer]:
    """One answer for each claim: refuted before undecided before proved."""
    found: dict[str, Answer] = {}
    for answer in answers:
        known = found.setdefault(answer.claim, answer)
        if _WORSE.index(type(answer)) < _WORSE.index(type(known)):
            found[answer.claim] = answer
    yield from found.values()


_WORSE = (Refuted, Unseen, Undecided, Proved)


def worst_for_each(answers: Iterable[Answer]) -> Iterator[Answer]:
    """Scenarios in which the same resource is too small are one answer: the worst, naming the rest.

    The same for those in which what may come has no bound.
    """
    alike: dict[tuple[str, int, str], list[Answer]] = defaultdict(list)
    for number, answer in enumerate(answers):
        shown = _of_a_load(answer)
        which = id(answer.subject) if isinstance(shown, WorstPoint | Unseen) else number
        barrier = getattr(shown, "barrier", "")
        alike[type(answer).__name__, which, barrier].append(answer)
    for several in alike.values():
        worst = max(several, key=_amount)
        yield _naming(worst, [other for other in several if other is not worst])


def _of_a_load(answer: Answer) -> object:
    return answer.counterexample if isinstance(answer, Refuted) else answer


def _amount(answer: Answer) -> float:
    shown = _of_a_load(answer)
    if isinstance(shown, WorstPoint):
        return float(shown.busy)
    return shown.most if isinstance(shown, Unseen) else 0.0


def _naming(answer: Answer, others: Sequence[Answer]) -> Answer:
    own = getattr(_of_a_load(answer), "scenario", "")
    names = (getattr(_of_a_load(other), "scenario", "") for other in others)
    also = also_in([name for name in names if name != own])
    if isinstance(answer, Unseen):
        return dataclasses.replace(answer, reason=answer.reason + also)
    if isinstance(answer, Refuted):
        shown = answer.counterexample
        shown = dataclasses.replace(shown, message=shown.message + also)
        return dataclasses.replace(answer, counterexample=shown)
    return answer
