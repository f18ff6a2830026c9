"""How often journeys work, if units fail independently, and whether that is what they promise."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from archcheck.graph import Graph
from archcheck.graph.exact import Rational, exact
from archcheck.graph.once import once
from archcheck.model import Journey
from archcheck.proof.answers import Answer, Counterexample, Gap, Proved, Refuted, Undecided, missing
from archcheck.proof.budget import left
from archcheck.proof.survival.configurations import in_every_configuration
from archcheck.proof.survival.journeys import Survival
from archcheck.proof.survival.structure import Bounds, Unit, probability
from archcheck.units import Fraction


@dataclass(frozen=True)
class Availability:
    """How often a journey works, if units fail independently; ``gaps`` count as never failing."""

    journey: Journey
    bounds: Bounds
    gaps: tuple[Gap, ...]


@once
def availabilities(graph: Graph) -> tuple[Availability, ...]:
    """The availability of each journey, exact or between bounds.

    A replica and a copy are up as their deployment declares, a managed element as its provider
    agrees, an external as it agrees; zones have no declared availability and count as up. What
    fails a share of its requests by itself answers the others.
    """
    return tuple(_availabilities(graph))


def _availabilities(graph: Graph) -> Iterator[Availability]:
    best = Survival(graph, as_sold=True, by_chance=True)
    worst = Survival(graph, as_sold=True, by_chance=True, worst=True)
    for journey in graph.system.journeys:
        left()
        needs, at_worst = best.of_journey(journey), worst.of_journey(journey)
        up: dict[Unit, Rational] = {}
        gaps = dict.fromkeys(gap for gap in at_worst.gaps if "zones" not in gap.attribute)
        for unit in sorted(at_worst.structure.units | needs.structure.units):
            source = worst if unit in at_worst.structure.units else best
            share, gap = source.up(unit)
            if gap is not None:
                gaps.setdefault(gap)
            if share is not None:
                up[unit] = share
        bounds = probability(needs.structure, up)
        if not gaps:
            bounds = Bounds(probability(at_worst.structure, up).low, bounds.high)
        yield Availability(journey, bounds, tuple(gaps))


def promised_availability(graph: Graph) -> Iterator[Answer]:
    """Can each journey keep the availability that it promises?"""
    yield from in_every_configuration(graph, _promised)


def _promised(graph: Graph) -> Iterator[Answer]:
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
        return Undecided(journey, claim, f"a narrower answer: it lies between {between}")
    return Proved(journey, claim, ("units fail independently of each other",))
