"""Do limits of rate, bulkheads, pools and consumers let through every load?"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from archcheck.findings import Subject
from archcheck.graph import Graph
from archcheck.graph.exact import Rational
from archcheck.model import Scenario
from archcheck.proof.answers import Answer, Refuted, Undecided, missing
from archcheck.proof.limits.barriers import Barrier
from archcheck.proof.limits.figures import WorstPoint, worst_for_each
from archcheck.proof.limits.load import carried
from archcheck.proof.limits.open_hits import whatever_hits
from archcheck.proof.limits.phases import in_runs, said
from archcheck.proof.limits.upstream import held_up
from archcheck.proof.limits.worst import ZoneCase, losses, worst_barriers

_ALL = Rational(1)


def loads(graph: Graph) -> Iterator[Answer]:
    """Does every resource carry every load, and is there a limit that does not let it through?"""
    yield from carried(graph)
    yield from let_through(graph)


def let_through(graph: Graph) -> Iterator[Answer]:
    """The limits that a load is sure to exceed, with a zone lost or none, each once."""
    yield from whatever_hits(graph, lambda each: worst_for_each(_let_through(each)))


def _let_through(graph: Graph) -> Iterator[Answer]:
    for scenario, barrier, rates in worst_barriers(graph):
        yield from judged(graph, scenario, barrier, rates)


def judged(
    graph: Graph, scenario: Scenario, barrier: Barrier, rates: Mapping[str, Rational]
) -> Iterator[Answer]:
    """What is said of a limit that lets too little through, or of which nobody says how much."""
    subject = barrier.own_subject(graph)
    claim = f"{barrier.what} lets through {scenario.name}"
    if barrier.each is None or barrier.units is None:
        if barrier.kind == "places" and barrier.gaps:
            yield Undecided(subject, claim, missing(barrier.gaps), barrier.gaps)
        return
    for case in losses(barrier):
        if case.is_lost and not case.surely:
            continue  # nobody is left who would ask: that is said of the replicas
        if case.figure.exceeds(case.figure.room(case.surely)):
            yield too_little(graph, scenario, case, rates, Claimed(subject, claim))
            return


@dataclass(frozen=True)
class Claimed:
    """What is claimed, and of what."""

    subject: Subject
    claim: str


def too_little(
    graph: Graph,
    scenario: Scenario,
    case: ZoneCase[Barrier],
    rates: Mapping[str, Rational],
    claimed: Claimed,
) -> Answer:
    """Refuted, unless something before it may let through less."""
    barrier, units = case.figure, case.surely
    room = barrier.room(units)
    where = f" in scenario {scenario.name!r}{said(barrier.faults)}{case.text}"
    before = held_up(graph, scenario, case, room)
    if before:
        reason = f"how much {before} let through: {barrier.what} {barrier.shown(room)}{where}"
        return Undecided(claimed.subject, claimed.claim, reason)
    shown = WorstPoint(
        f"{barrier.what} {barrier.shown(room)}{where}",
        tuple(f"{name}: {float(rate):.4g}/s" for name, rate in rates.items() if rate),
        (),
        {barrier.holder.name: f"{barrier.what}: too small"},
        rates,
        barrier.busy,
        room,
        _ALL,
        units if barrier.is_sized else None,
        scenario.name,
        barrier.what,
        barrier.asked,
        barrier.watched,
        in_runs(case.faults),
    )
    return Refuted(claimed.subject, claimed.claim, shown, barrier.enough(max(1, units)))
