"""What stops when something is lost: zones by the proofs' structures, elements by their steps."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass, field

from archcheck.diagrams.views import Effect, Loss
from archcheck.graph import Graph
from archcheck.graph.copies import zone_called
from archcheck.graph.reach import zones_in
from archcheck.model import Journey
from archcheck.proof import ZoneFate, zone_fates
from archcheck.proof.budget import BudgetSpentError, ProofBudget

_SECONDS = 5.0
"""For all zones. A choice that bounds a report: 400 elements need a tenth of a second."""
_KINDS = ("callable", "datastore", "broker", "channel")
"""What can be lost, as :func:`~archcheck.diagrams.views.failure.failure_view` takes it."""


@dataclass(frozen=True)
class Lost:
    """A zone or an element, and what becomes of the journeys without it."""

    name: str
    kind: str
    stops: tuple[str, ...]
    may_stop: tuple[str, ...]
    """It depends on what is not declared, or there was no time to decide."""
    degrades: tuple[str, ...]
    gone: tuple[str, ...]
    """Of a zone: the elements that are gone with it."""
    effects: dict[str, int] = field(default_factory=dict, compare=False)
    """Of an element: every element that it meets, and the worst :class:`Effect` there."""
    critical: int = 0
    """How many critical journeys stop."""

    @property
    def is_zone(self) -> bool:
        """Whether it is a zone."""
        return self.kind == "zone"

    @property
    def shown(self) -> str:
        """``zone a``; of an element its name."""
        return zone_called(self.name) if self.is_zone else self.name

    @property
    def weight(self) -> tuple[int, ...]:
        """Zones before elements; what stops critical journeys before what stops others."""
        return (
            not self.is_zone,
            -self.critical,
            -len(self.stops),
            -len(self.may_stop),
            -len(self.degrades),
        )


def losses(graph: Graph) -> list[Lost]:
    """All that has an effect, the gravest first, and every zone."""
    critical = {journey.name for journey in graph.critical_journeys}
    found = [*_zones(graph, critical), *_elements(graph, critical)]
    return sorted(found, key=lambda lost: lost.weight)


def _zones(graph: Graph, critical: set[str]) -> Iterator[Lost]:
    fates: dict[str, list[ZoneFate]] = {zone: [] for zone in zones_in(graph.system)}
    with suppress(BudgetSpentError), ProofBudget(_SECONDS).running(1.0):
        for fate in zone_fates(graph):
            fates[fate.zone].append(fate)
    for zone, each in fates.items():
        told = {fate.journey.name for fate in each}
        each += [
            ZoneFate(zone, journey, "may stop")  # there was no time to decide
            for journey in graph.system.journeys
            if journey.name not in told
        ]
        of = {word: [f.journey.name for f in each if f.fate == word] for word in _FATES}
        gone = dict.fromkeys(name for f in each if f.fate == "stops" for name in f.gone)
        perhaps = dict.fromkeys(name for f in each for name in f.gone)
        yield Lost(
            zone,
            "zone",
            tuple(of["stops"]),
            tuple(of["may stop"]),
            (),
            tuple(gone or perhaps),
            critical=len(critical.intersection(of["stops"])),
        )


_FATES = ("stops", "may stop")


def _elements(graph: Graph, critical: set[str]) -> Iterator[Lost]:
    journeys = graph.system.journeys
    for member in graph.system.elements:
        if member.referred_as not in _KINDS:
            continue
        loss = Loss(graph, member.name)
        stops = _journeys(loss, journeys, Effect.FAILS)
        yield Lost(
            member.name,
            member.kind,
            stops,
            (),
            _journeys(loss, journeys, Effect.DEGRADED),
            (),
            _effects(loss),
            len(critical.intersection(stops)),
        )


def _journeys(loss: Loss, journeys: Sequence[Journey], effect: Effect) -> tuple[str, ...]:
    return tuple(each.name for each in journeys if loss.of_journey(each) is effect)


def _effects(loss: Loss) -> dict[str, int]:
    """The worst effect on each element that the loss meets."""
    found: dict[str, int] = dict.fromkeys(loss.lost, int(Effect.FAILS))
    for name, effect in loss.operations.items():
        if effect is not Effect.NONE:
            owner = name.rpartition(".")[0]
            found[owner] = max(found.get(owner, 0), int(effect))
    return found
