"""Do limits of rate, bulkheads, pools and consumers let through every load?"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

from archcheck.findings import Subject
from archcheck.graph import Graph
from archcheck.graph.exact import Rational
from archcheck.model import Scenario
from archcheck.proof.answers import Answer, Refuted, Undecided, missing
from archcheck.proof.limits.barriers import Barrier
from archcheck.proof.limits.figures import Occupancy, WorstPoint, worst_for_each
from archcheck.proof.limits.load import carried, worst_barriers, worst_figures

_ALL = Rational(1)


def loads(graph: Graph) -> Iterator[Answer]:
    """Does every resource carry every load, and is there a limit that does not let it through?"""
    yield from carried(graph)
    yield from let_through(graph)


def let_through(graph: Graph) -> Iterator[Answer]:
    """The limits that a load is sure to exceed, with a zone lost or none, each once."""
    yield from worst_for_each(_let_through(graph))


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
    left = barrier.left() or 0
    for units, lost in ((barrier.units, ""), (left, _lost(left, barrier.units))):
        room = barrier.room(units)
        if barrier.exceeds(room):
            yield too_little(graph, scenario, barrier, rates, (units, lost), claim)
            return


def _lost(left: int, units: int) -> str:
    return f" when a zone is lost, which leaves {left} of {units} replicas"


def too_little(
    graph: Graph,
    scenario: Scenario,
    barrier: Barrier,
    rates: Mapping[str, Rational],
    left: tuple[int, str],
    claim: str,
    subject: Subject | None = None,
) -> Answer:
    """Refuted, unless something before it may let through less; ``left``: replicas, and why."""
    units, lost = left
    is_sized = barrier.zones > 0 or barrier.units != 1
    lost = lost if is_sized else ""
    room = barrier.room(units if is_sized else 1)
    subject = subject or barrier.own_subject(graph)
    before = [each for each in _before(graph, scenario, barrier) if each.what != barrier.what]
    if before and not barrier.exceeds(room / _passing(before, barrier)):
        names = " and ".join(dict.fromkeys(_called(each) for each in before))
        reason = (
            f"how much {names} let through: {barrier.what} {barrier.shown(room)} in scenario "
            f"{scenario.name!r}{lost}"
        )
        return Undecided(subject, claim, reason)
    shown = WorstPoint(
        f"{barrier.what} {barrier.shown(room)} in scenario {scenario.name!r}{lost}",
        tuple(f"{name}: {float(rate):.4g}/s" for name, rate in rates.items() if rate),
        (),
        {barrier.holder.name: f"{barrier.what}: too small"},
        rates,
        barrier.busy,
        room,
        _ALL,
        units if is_sized else None,
        scenario.name,
        barrier.what,
        barrier.asked,
        barrier.watched,
    )
    return Refuted(subject, claim, shown, barrier.enough(max(1, units)))


def _called(figure: Occupancy) -> str:
    return figure.what if isinstance(figure, Barrier) else figure.holder.name


def _before(graph: Graph, scenario: Scenario, barrier: Barrier) -> list[Occupancy]:
    """What else is asked for too much on the way to a limit."""
    asking = barrier.comes_from()
    found: list[Occupancy] = []
    for other, figure, _ in worst_barriers(graph):
        units = figure.left()
        if other is scenario and units is not None and figure.exceeds(figure.room(units)):
            if asking & _behind(graph, figure.leads_to()):
                found.append(figure)
    for other, resource, _ in worst_figures(graph):
        units = resource.left()
        if other is not scenario or units is None or resource.each is None:
            continue
        own = {operation.name for operation in graph.operations_of(resource.holder)}
        if resource.busy > resource.room(units) and asking & _behind(graph, own):
            found.append(resource)
    return found


def _passing(before: Sequence[Occupancy], barrier: Barrier) -> Rational:
    """The share of what is asked that comes through all that is full, at least."""
    share = _ALL
    for each in before:
        share *= max(Rational(1, 10**9), each.room(each.left() or 0) / each.busy)
    return share


def _behind(graph: Graph, operations: set[str]) -> set[str]:
    """Operations and all that they ask, later or at once."""
    found: set[str] = set()
    waiting = list(operations)
    while waiting:
        name = waiting.pop()
        if name in found:
            continue
        found.add(name)
        for step in graph.outgoing.get(name, ()):
            waiting += [step.target_name, *graph.consumers.get(step.target.name, ())]
            if step.fallback is not None:
                waiting.append(step.fallback.target_name)
    return found
