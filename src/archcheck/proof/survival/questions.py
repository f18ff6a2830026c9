"""The questions about failures: zones, any few of them, fallbacks, quorums."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from functools import partial
from itertools import combinations

from archcheck.findings import Subject, subject_name
from archcheck.graph import Graph
from archcheck.graph.copies import needed_for, zone_called, zones_of
from archcheck.model import (
    Absent,
    Broker,
    CutLink,
    Datastore,
    Errors,
    Fault,
    Journey,
    Kill,
    ModelError,
    Named,
    Quorum,
    Service,
    ZoneLoss,
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
from archcheck.proof.limits.ranges import worst_graph
from archcheck.proof.survival.configurations import in_every_configuration
from archcheck.proof.survival.journeys import HARD, NESTED, SOONER, Survival
from archcheck.proof.survival.needs import Needs
from archcheck.proof.survival.structure import (
    CutSet,
    Structure,
    Unit,
    any_of,
    minimal_cut_sets,
    works,
)
from archcheck.units import Duration, Fraction

MOST_FAILURES = 4
"""The largest number of failures at once that cut sets are listed for. A choice: sets of five are
many, and hardly anybody would read or repair them."""
_CAPACITY = (
    "what is left carries the load (rule PRF001) within its limits, answers in time with its "
    "retries and fallbacks (question deadlines), and fails by itself as rarely as before"
)
_SHOWN = 8
"""Cut sets that a counterexample names. A choice: it says how many there are."""


@dataclass(frozen=True)
class FailureSet(Counterexample):
    """Failures that stop what ought to survive them: the first set, and all minimal ones."""

    sets: tuple[tuple[Unit, ...], ...] = ()

    def faults(self, start: Duration, end: Duration, number: int = 0) -> tuple[Fault, ...]:
        """A set, the first unless ``number`` says otherwise, as faults of a simulation."""
        return tuple(_fault(unit, start, end) for unit in self.sets[number])


def _fault(unit: Unit, start: Duration, end: Duration) -> Fault:
    match unit.kind:
        case "zone":
            return ZoneLoss(unit.element, start=start, end=end)
        case "link":
            source, _, target = unit.element.partition(" -> ")
            return CutLink(source=source, target=target, start=start, end=end)
        case "external" | "element":
            return Errors(unit.element, rate=Fraction(1.0), start=start, end=end)
        case _:
            return Kill(unit.element, start=start, end=end)


@dataclass(frozen=True)
class _Both:
    """What a subject needs: with what is not declared at its best, and at its worst."""

    best: Needs
    worst: Needs

    def assumed(self) -> tuple[str, ...]:
        return (_CAPACITY, *self.worst.assumptions)


class _Journeys:
    """The needs of journeys in every way that a question about failures asks for them."""

    def __init__(self, graph: Graph, *, links: bool = False) -> None:
        self._best = Survival(graph, links=links)
        self._worst = Survival(worst_graph(graph), links=links, worst=True)
        self._noticed = Survival(graph, links=links, noticed=True)

    def of(self, journey: Journey) -> _Both:
        return _Both(self._best.of_journey(journey), self._worst.of_journey(journey))

    def is_partly(self, journey: Journey, cut: CutSet) -> bool:
        """Whether a cut set stops only what goes to dead replicas, which no caller notices."""
        return works(self._noticed.of_journey(journey).structure, cut)


def _answer(
    graph: Graph,
    subject: Subject,
    claim: str,
    both: _Both,
    cuts: tuple[Sequence[CutSet], Sequence[CutSet]],
    message: str,
    fix: str,
) -> Answer:
    """``cuts``: with what is not declared at its best, and at its worst."""
    best, worst = cuts
    if best:
        return Refuted(subject, claim, _failures(graph, subject, both.best, best, message), fix)
    if worst:
        gaps = both.worst.gaps
        return Undecided(subject, claim, missing(gaps), gaps)
    return Proved(subject, claim, both.assumed())


def _failures(
    graph: Graph, subject: Subject, needs: Needs, cuts: Sequence[CutSet], message: str
) -> FailureSet:
    sets = tuple(tuple(sorted(cut)) for cut in cuts)
    first = sets[0]
    story: list[Subject | str] = [f"without {_together(cut)} it stops" for cut in sets[:_SHOWN]]
    if len(sets) > _SHOWN:
        more = len(sets) - _SHOWN
        story.append(f"and {more} more set{'s' if more > 1 else ''}")
    name = subject_name(subject)
    lost = [unit.element for unit in first if unit.element in needs.ways]
    way = next((needs.ways[name] for name in lost), ())
    alone = {cut[0].element: f"alone stops {name}" for cut in sets if len(cut) == 1}
    marks = {**alone, **({} if len(first) == 1 else dict.fromkeys(lost, "lost"))}
    return FailureSet(message, (*story, *_members(graph, lost), *way), (), marks, sets)


def _members(graph: Graph, names: Iterable[str]) -> Iterator[Named]:
    elements = graph.system.directory.elements
    return (graph.system.find(name) for name in names if name in elements)  # links are none


def _together(cut: Iterable[Unit]) -> str:
    return " and ".join(str(unit) for unit in sorted(cut))


# -- zones ----------------------------------------------------------------------------------------


def zone_loss(graph: Graph) -> Iterator[Answer]:
    """Does every critical journey survive the loss of any one zone?"""
    yield from in_every_configuration(graph, _zone_loss)


def _zone_loss(graph: Graph) -> Iterator[Answer]:
    journeys = _Journeys(graph)
    for journey in graph.critical_journeys:
        left()
        both = journeys.of(journey)
        yield _zones_lost(graph, journeys, journey, both)


def _zones_lost(graph: Graph, journeys: _Journeys, journey: Journey, both: _Both) -> Answer:
    needs = both.best
    cuts, worst = (_stopping_zones(each.structure) for each in (needs, both.worst))
    lost = [zone for cut in cuts for zone in cut]
    names = ", ".join(zone.element for zone in lost)
    gone = gone_with(needs, lost[0]) if lost else ()
    message = f"{journey.name} stops when a zone is lost: {names}"
    fix = ", ".join(_another_zone(graph.system.find(name)) for name in gone) or _SPREAD.format("it")
    if lost and journeys.is_partly(journey, cuts[0]):
        unnoticed = " and ".join(gone)
        message = (
            f"{journey.name} goes on losing requests when a zone is lost: {names}; callers do not "
            f"notice which replicas of {unnoticed} are dead"
        )
        fix = f"a readiness probe for {unnoticed}"
    claim = f"{journey.name} survives the loss of any one zone"
    if not lost:
        # no zone cuts a link, so that no timeout matters
        no_matter = ("timeout", SOONER)
        gaps = tuple(gap for gap in both.worst.gaps if gap.attribute not in no_matter)
        assumed = tuple(each for each in both.worst.assumptions if each not in (HARD, NESTED))
        open_ = replace(both.worst, gaps=gaps, assumptions=assumed)
        return _answer(graph, journey, claim, _Both(needs, open_), (cuts, worst), message, fix)
    way = next((needs.ways[name] for name in gone if needs.ways.get(name)), ())
    story: tuple[Subject | str, ...] = (
        f"without {lost[0]} these are gone:",
        *_members(graph, gone),
        *way,
    )
    sets = tuple((zone,) for zone in lost)
    shown = FailureSet(message, story, (), dict.fromkeys(gone, "lost"), sets)
    return Refuted(journey, claim, shown, fix)


_SPREAD = "spread {} over at least two zones"


def _another_zone(member: Named) -> str:
    """What an element lacks that a lost zone takes with it."""
    place = getattr(member, "deployment", None)
    zones = place.zones if isinstance(member, Service) and place else ()
    if isinstance(member, Datastore | Broker):
        zones = zones_of(member)
    several = len(set(zones)) > 1
    if not several or isinstance(getattr(place, "spread", None), Absent):
        return _SPREAD.format(member.name)
    if isinstance(member, Datastore):
        needed = needed_for(member, "write")
        if needed.best > 1:
            return f"{member.name} over at least three zones, of which two keep its majority"
        return f"automatic failover of {member.name}, to a copy in another zone"
    if isinstance(member, Broker):
        return f"topics of {member.name} that need fewer than all of their copies in sync"
    return f"another replica of {member.name} in each zone"


def _stopping_zones(structure: Structure) -> list[CutSet]:
    """The zones whose loss stops a structure; the empty set where it never works."""
    if not works(structure, frozenset()):
        return [frozenset()]
    zones = sorted(unit for unit in structure.units if unit.kind == "zone")
    return [zone.units for zone in zones if not works(structure, zone.units)]


def gone_with(needs: Needs, zone: Unit) -> tuple[str, ...]:
    """The elements that a lost zone takes with it."""
    parts = getattr(needs.structure, "parts", (needs.structure,))
    stopped = [part for part in parts if not works(part, zone.units)]
    units = {unit for part in stopped for unit in part.units}
    names = {unit.element for unit in units if unit.kind not in ("zone", "link")}
    return tuple(sorted(names))


# -- any few failures -----------------------------------------------------------------------------


def cut_sets(graph: Graph, size: int = 1, *, links: bool = False) -> Iterator[Answer]:
    """Does every critical journey survive any ``size`` failures, and if not, which not?

    Replicas, zones, copies of datastores, nodes of brokers and external parties fail, and with
    ``links`` connections too. The counterexample has all minimal cut sets up to that size.
    Raises :class:`ModelError` for a size that is not between 1 and :data:`MOST_FAILURES`.
    """
    if not 1 <= size <= MOST_FAILURES:
        raise ModelError(
            f"the number of failures at once must be from 1 to {MOST_FAILURES}, got {size}"
        )
    yield from in_every_configuration(graph, partial(_cut_sets, size=size, links=links))


def _cut_sets(graph: Graph, *, size: int, links: bool) -> Iterator[Answer]:
    journeys = _Journeys(graph, links=links)
    for journey in graph.critical_journeys:
        left()
        both = journeys.of(journey)
        cuts = [minimal_cut_sets(each.structure, size) for each in (both.best, both.worst)]
        failures = "any single failure" if size == 1 else f"any {size} failures"
        first = _together(cuts[0][0]) if cuts[0] else ""
        message = f"{journey.name} stops without {first}"
        fix = "another replica, another zone or a fallback for what most of the sets have in common"
        if cuts[0] and journeys.is_partly(journey, cuts[0][0]):
            message = f"{journey.name} goes on losing requests without {first}, which none notices"
            fix = f"a readiness probe for {' and '.join(_elements(cuts[0][0]))}"
        elif not links and cuts[0] and any(unit.kind == "link" for unit in cuts[0][0]):
            fix = "a timeout that ends before that of who waits above"
        if len(cuts[0]) > 1:
            most = "1 failure" if size == 1 else f"{size} failures"
            message += f" ({len(cuts[0])} minimal sets of up to {most})"
        claim = f"{journey.name} survives {failures}"
        yield _answer(graph, journey, claim, both, (cuts[0], cuts[1]), message, fix)


def shared_fates(graph: Graph, size: int = 1) -> Iterator[Answer]:
    """Does any set of up to ``size`` failures take a step and its fallback together?"""
    yield from in_every_configuration(graph, partial(_shared_fates, size=size))


def _shared_fates(graph: Graph, size: int) -> Iterator[Answer]:
    survival = Survival(graph, links=True)
    worst = Survival(worst_graph(graph), links=True, worst=True)
    for step in graph.synchronous():
        left()
        both, at_worst = survival.alternatives(step), worst.alternatives(step)
        if both is None or at_worst is None:
            continue
        primary, other = both
        cuts = [
            cut
            for cut in minimal_cut_sets(primary.structure, size)
            if not works(other.structure, cut)
        ]
        either = any_of(part.structure for part in at_worst)
        gaps = tuple(dict.fromkeys(at_worst[0].gaps + at_worst[1].gaps))
        assumed = tuple(dict.fromkeys(at_worst[0].assumptions + at_worst[1].assumptions))
        needs = Needs(primary.structure, gaps, {**other.ways, **primary.ways}, assumed)
        fallback = getattr(step.step, "fallback", None)
        name = fallback.target if fallback else ""
        lost = _together(cuts[0]) if cuts else ""
        yield _answer(
            graph,
            step,
            f"{step.target_name} and its fallback {name} do not fail together",
            _Both(needs, needs),
            (cuts, minimal_cut_sets(either, size) if gaps else ()),
            f"without {lost} both {step.target_name} and its fallback {name} are gone",
            'a fallback that does not need it, such as Fallback("static")',
        )


def _elements(cut: CutSet) -> list[str]:
    return list(dict.fromkeys(unit.element for unit in sorted(cut)))


# -- quorums --------------------------------------------------------------------------------------


def quorums(graph: Graph, size: int = 1) -> Iterator[Answer]:
    """Do declared quorums overlap as promised, and survive the loss of any ``size`` zones?

    Copies that follow by consensus need a majority, whether a quorum is declared or not.
    """
    for store in graph.system.datastores:
        quorum = getattr(store, "quorum", None)
        if isinstance(quorum, Quorum):
            yield _overlap(store, quorum)
            yield _placed(store, quorum, size, _smaller(quorum, store, size))
        elif zones_of(store) and (majority := _by_consensus(store)) is not None:
            yield _placed(store, majority, size, _wider(majority, store, size))


def _by_consensus(store: Datastore) -> Quorum | None:
    """The majority that a store needs which agrees on each write by consensus (Raft, Paxos)."""
    copies = effective(store, "copies")
    if effective(store, "replication").value != "consensus" or not copies.is_known:
        return None
    majority = int(copies.value) // 2 + 1
    return Quorum(copies=copies.value, read=majority, write=majority)


def _overlap(store: Datastore, quorum: Quorum) -> Answer:
    consistency = effective(store, "consistency")
    claim = f"reads of {store.name} see its writes, as it claims"
    if not consistency.is_known:
        return Undecided(store, claim, "not declared: consistency", (Gap(store, "consistency"),))
    both = quorum.read + quorum.write
    if consistency.value != "strong" or both > quorum.copies:
        return Proved(store, claim)
    shown = Counterexample(
        f"{store.name} claims strong consistency, but a read asks {quorum.read} and a write "
        f"reaches {quorum.write} of {quorum.copies} copies, which may be others",
        (
            f"{quorum.write} of {quorum.copies} copies take a write",
            f"a read asks {quorum.read} of the {quorum.copies - quorum.write} others",
        ),
        (store,),
        {store.name: "stale read"},
    )
    needed = quorum.copies // 2 + 1
    fix = f"Quorum(copies={quorum.copies}, read={needed}, write={needed})"
    return Refuted(store, claim, shown, fix)


def _smaller(quorum: Quorum, store: Datastore, size: int) -> str:
    """The smallest change of a quorum, or of its zones, with which it survives."""
    majority = quorum.copies // 2 + 1
    needed = min(max(quorum.read, quorum.write), majority)
    zones = _zones_for(quorum.copies, needed, store, size)
    copies = quorum.copies
    if zones is None:
        copies = zones = 2 * size + 1
        majority = needed = size + 1
    parts = []
    if copies != quorum.copies or needed < max(quorum.read, quorum.write):
        parts.append(f"Quorum(copies={copies}, read={majority}, write={majority})")
    if zones > len(set(zones_of(store))):
        parts.append(f"at least {zones} zones")
    return " over ".join(parts)


def _wider(quorum: Quorum, store: Datastore, size: int) -> str:
    zones = _zones_for(quorum.copies, quorum.write, store, size)
    if zones is not None:
        return f"at least {zones} zones"
    return f"copies={2 * size + 1} over at least {2 * size + 1} zones"


def _zones_for(copies: int, needed: int, store: Datastore, size: int) -> int | None:
    """The fewest zones, today's at least, without ``size`` of which ``needed`` copies are left."""
    for zones in range(max(1, len(set(zones_of(store)))), copies + 1):
        held = sorted(sum(n % zones == place for n in range(copies)) for place in range(zones))
        if sum(held[: max(0, zones - size)]) >= needed:
            return zones
    return None


def _placed(store: Datastore, quorum: Quorum, size: int, fix: str) -> Answer:
    claim = f"{store.name} keeps its quorum when any {size} of its zones are lost"
    zones = tuple(dict.fromkeys(zones_of(store)))
    if not zones:
        return Undecided(store, claim, "not declared: zones", (Gap(store, "zones"),))
    needed = max(quorum.read, quorum.write)
    held = {
        zone: sum(n % len(zones) == place for n in range(quorum.copies))
        for place, zone in enumerate(zones)
    }
    worst = max(combinations(zones, min(size, len(zones))), key=lambda lost: _held(held, lost))
    remain = quorum.copies - _held(held, worst)
    if remain >= needed:
        return Proved(store, claim)
    shown = FailureSet(
        f"{store.name} keeps {remain} of {quorum.copies} copies without "
        f"{' and '.join(map(zone_called, worst))}, and needs {needed}",
        tuple(
            f"{zone_called(zone)} has {count} of {quorum.copies} copies"
            for zone, count in held.items()
        ),
        (store,),
        {store.name: f"{remain} of {quorum.copies} copies"},
        (tuple(Unit("zone", zone) for zone in worst),),
    )
    return Refuted(store, claim, shown, fix)


def _held(held: dict[str, int], zones: Iterable[str]) -> int:
    return sum(held[zone] for zone in zones)
