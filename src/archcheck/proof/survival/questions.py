"""The questions about failures: zones, any few of them, fallbacks, quorums, availability."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import combinations
from weakref import WeakKeyDictionary

from archcheck.findings import Subject, subject_name
from archcheck.graph import Graph
from archcheck.graph.exact import Rational, exact
from archcheck.model import (
    CutLink,
    Datastore,
    Errors,
    Fault,
    Journey,
    Kill,
    ModelError,
    Named,
    Quorum,
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
from archcheck.proof.survival.components import up_probability
from archcheck.proof.survival.journeys import Needs, Survival
from archcheck.proof.survival.structure import (
    Bounds,
    CutSet,
    Unit,
    minimal_cut_sets,
    probability,
    works,
)
from archcheck.units import Duration, Fraction

MOST_FAILURES = 4
"""The largest number of failures at once that cut sets are listed for. A choice: sets of five are
many, and hardly anybody would read or repair them."""
_CAPACITY = "what is left carries the load (rule PRF001)"
_SHOWN = 8
"""Cut sets that a counterexample names. A choice: it says how many there are."""


@dataclass(frozen=True)
class FailureSet(Counterexample):
    """Failures that stop what ought to survive them: the first set, and all minimal ones."""

    sets: tuple[tuple[Unit, ...], ...] = ()

    def faults(self, start: Duration, end: Duration) -> tuple[Fault, ...]:
        """The first set as faults, for replaying it in a simulation."""
        return tuple(_fault(unit, start, end) for unit in self.sets[0])


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


def _answer(
    graph: Graph,
    subject: Subject,
    claim: str,
    needs: Needs,
    cuts: Sequence[CutSet],
    message: str,
    fix: str,
) -> Answer:
    if cuts:
        return Refuted(subject, claim, _failures(graph, subject, needs, cuts, message), fix)
    if needs.gaps:
        return Undecided(subject, claim, missing(needs.gaps), needs.gaps)
    return Proved(subject, claim, (_CAPACITY,))


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
    return (graph.system.find(name) for name in names)


def _together(cut: Iterable[Unit]) -> str:
    return " and ".join(str(unit) for unit in sorted(cut))


# -- zones ----------------------------------------------------------------------------------------


def zone_loss(graph: Graph) -> Iterator[Answer]:
    """Does every critical journey survive the loss of any one zone?"""
    survival = Survival(graph)
    for journey in graph.critical_journeys:
        left()
        needs = survival.of_journey(journey)
        zones = sorted(unit for unit in needs.structure.units if unit.kind == "zone")
        lost = [zone for zone in zones if not works(needs.structure, zone.units)]
        claim = f"{journey.name} survives the loss of any one zone"
        cuts = [zone.units for zone in lost]
        names = ", ".join(zone.element for zone in lost)
        gone = gone_with(needs, lost[0]) if lost else ()
        message = f"{journey.name} stops when a zone is lost: {names}"
        fix = f"spread {' and '.join(gone) or 'it'} over at least two zones"
        answer = _answer(graph, journey, claim, needs, cuts, message, fix)
        if isinstance(answer, Refuted):
            way = next((needs.ways[name] for name in gone if needs.ways.get(name)), ())
            story: tuple[Subject | str, ...] = (
                f"without {lost[0]} these are gone:",
                *_members(graph, gone),
                *way,
            )
            sets = tuple((zone,) for zone in lost)
            shown = FailureSet(message, story, (), dict.fromkeys(gone, "lost"), sets)
            answer = Refuted(journey, claim, shown, fix)
        yield answer


def gone_with(needs: Needs, zone: Unit) -> tuple[str, ...]:
    """The elements that a lost zone takes with it."""
    parts = getattr(needs.structure, "parts", (needs.structure,))
    stopped = [part for part in parts if not works(part, zone.units)]
    names = {unit.element for part in stopped for unit in part.units if unit.kind != "zone"}
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
    survival = Survival(graph, links=links)
    for journey in graph.critical_journeys:
        left()
        needs = survival.of_journey(journey)
        cuts = minimal_cut_sets(needs.structure, size)
        failures = "any single failure" if size == 1 else f"any {size} failures"
        smallest = f"{len(cuts)} minimal set{'s' if len(cuts) > 1 else ''} of up to {size}"
        first = _together(cuts[0]) if cuts else ""
        yield _answer(
            graph,
            journey,
            f"{journey.name} survives {failures}",
            needs,
            cuts,
            f"{journey.name} stops without {first}" + (f" ({smallest})" if len(cuts) > 1 else ""),
            "another replica, another zone or a fallback for what most of the sets have in common",
        )


def shared_fates(graph: Graph, size: int = 1) -> Iterator[Answer]:
    """Does any set of up to ``size`` failures take a step and its fallback together?"""
    survival = Survival(graph)
    for step in graph.synchronous():
        left()
        both = survival.alternatives(step)
        if both is None:
            continue
        primary, other = both
        cuts = [
            cut
            for cut in minimal_cut_sets(primary.structure, size)
            if not works(other.structure, cut)
        ]
        gaps = tuple(dict.fromkeys(primary.gaps + other.gaps))
        needs = Needs(primary.structure, gaps, {**other.ways, **primary.ways})
        fallback = getattr(step.step, "fallback", None)
        name = fallback.target if fallback else ""
        lost = _together(cuts[0]) if cuts else ""
        yield _answer(
            graph,
            step,
            f"{step.target_name} and its fallback {name} do not fail together",
            needs,
            cuts,
            f"without {lost} both {step.target_name} and its fallback {name} are gone",
            'a fallback that does not need it, such as Fallback("static")',
        )


# -- quorums --------------------------------------------------------------------------------------


def quorums(graph: Graph, size: int = 1) -> Iterator[Answer]:
    """Do declared quorums overlap as promised, and survive the loss of any ``size`` zones?"""
    for store in graph.system.datastores:
        quorum = getattr(store, "quorum", None)
        if isinstance(quorum, Quorum):
            yield _overlap(store, quorum)
            yield _placed(store, quorum, size)


def _overlap(store: Datastore, quorum: Quorum) -> Answer:
    consistency = effective(store, "consistency")
    claim = f"reads of {store.name} see its writes, as it claims"
    if not consistency.is_known:
        return Undecided(store, claim, "not declared: consistency", (Gap(store, "consistency"),))
    both = quorum.read + quorum.write
    if consistency.value != "strong" or both > quorum.copies:
        return Proved(store, claim)
    shown = Counterexample(
        f"{store.name} claims strong consistency, but {quorum.read} copies that are read and "
        f"{quorum.write} that are written need not share one of {quorum.copies}",
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


def _placed(store: Datastore, quorum: Quorum, size: int) -> Answer:
    claim = f"{store.name} keeps its quorum when any {size} of its zones are lost"
    zones = tuple(dict.fromkeys(store.zones))
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
        f"{store.name} keeps {remain} of {quorum.copies} copies without {' and '.join(worst)}, "
        f"and needs {needed}",
        tuple(f"{zone} has {count} of {quorum.copies} copies" for zone, count in held.items()),
        (store,),
        {store.name: f"{remain} of {quorum.copies} copies"},
        (tuple(Unit("zone", zone) for zone in worst),),
    )
    return Refuted(store, claim, shown, f"at least {quorum.copies} zones, one for each copy")


def _held(held: dict[str, int], zones: Iterable[str]) -> int:
    return sum(held[zone] for zone in zones)


# -- availability ---------------------------------------------------------------------------------


@dataclass(frozen=True)
class Availability:
    """How often a journey works, if units fail independently; ``gaps`` count as never failing."""

    journey: Journey
    bounds: Bounds
    gaps: tuple[Gap, ...]


_known: WeakKeyDictionary[Graph, tuple[Availability, ...]] = WeakKeyDictionary()


def availabilities(graph: Graph) -> tuple[Availability, ...]:
    """The availability of each journey, exact or between bounds; computed once for a graph.

    A replica and a copy are up as their deployment declares, a managed element as its provider
    agrees, an external as it agrees; zones have no declared availability and count as up.
    """
    if graph not in _known:
        _known[graph] = tuple(_availabilities(graph))
    return _known[graph]


def _availabilities(graph: Graph) -> Iterator[Availability]:
    survival = Survival(graph, as_sold=True)
    for journey in graph.system.journeys:
        left()
        needs = survival.of_journey(journey)
        up: dict[Unit, Rational] = {}
        gaps = dict.fromkeys(gap for gap in needs.gaps if "zones" not in gap.attribute)
        for unit in sorted(needs.structure.units):
            declared, gap = up_probability(graph, unit)
            if gap is not None:
                gaps.setdefault(gap)
            if declared is not None:
                up[unit] = exact(declared)
        yield Availability(journey, probability(needs.structure, up), tuple(gaps))


def promised_availability(graph: Graph) -> Iterator[Answer]:
    """Can each journey keep the availability that it promises?"""
    for found in availabilities(graph):
        slo = found.journey.slo
        if slo is not None and slo.availability is not None:
            yield _kept(found, exact(slo.availability))


def _kept(found: Availability, target: Rational) -> Answer:
    journey, bounds = found.journey, found.bounds
    claim = f"{journey.name} can be available {Fraction(float(target)):.8} of the time"
    if bounds.high < target:
        at_most = Fraction(float(bounds.high))
        shown = Counterexample(
            f"{journey.name} promises {Fraction(float(target)):.8} and can reach {at_most:.6}",
            (f"what it needs works together {at_most:.6} of the time",),
        )
        return Refuted(journey, claim, shown, "fewer hard dependencies, or more replicas")
    if found.gaps:
        return Undecided(journey, claim, missing(found.gaps), found.gaps)
    if bounds.low < target:
        between = f"{Fraction(float(bounds.low)):.6} and {Fraction(float(bounds.high)):.6}"
        return Undecided(journey, claim, f"it lies between {between}")
    return Proved(journey, claim, ("units fail independently of each other",))
