"""What each lost zone does to each journey: it stops it for certain, perhaps, or not at all."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Literal, TypeAlias

from archcheck.graph import Graph
from archcheck.graph.reach import zones_in
from archcheck.model import Journey
from archcheck.proof.survival.journeys import Survival
from archcheck.proof.survival.questions import gone_with
from archcheck.proof.survival.structure import Unit, works

Fate: TypeAlias = Literal["stops", "may stop", "goes on"]
"""``may stop``: it depends on what is not declared."""


@dataclass(frozen=True)
class ZoneFate:
    """What becomes of a journey when a zone is lost, and the elements that are gone with it."""

    zone: str
    journey: Journey
    fate: Fate
    gone: tuple[str, ...] = ()


def zone_fates(graph: Graph) -> Iterator[ZoneFate]:
    """For each zone of the model, in its order, what its loss does to every journey.

    The same structures decide as in :func:`~archcheck.proof.survival.questions.zone_loss`, which
    asks about critical journeys only. Raises :class:`~archcheck.proof.budget.BudgetSpentError`.
    """
    best, worst = Survival(graph), Survival(graph, worst=True)
    needs = [
        (journey, best.of_journey(journey), worst.of_journey(journey))
        for journey in graph.system.journeys
    ]
    for zone in zones_in(graph.system):
        unit = Unit("zone", zone)
        for journey, known, at_worst in needs:
            stops = not works(known.structure, unit.units)
            may = not works(at_worst.structure, unit.units)
            fate: Fate = "stops" if stops else "may stop" if may else "goes on"
            needed = known if stops else at_worst
            gone = gone_with(needed, unit) if may or stops else ()
            yield ZoneFate(zone, journey, fate, gone)
