"""What is full on the way to a resource or a limit, and lets less through than is asked.

Who asks for 600/s through a limit of 100/s asks nobody behind it for 600/s: what is said of a load
there is sure only as far as it comes through.
"""

from __future__ import annotations

from collections.abc import Sequence

from archcheck.findings import Subject
from archcheck.graph import Graph
from archcheck.graph.exact import Rational, exact
from archcheck.model import LoadShedding, Scenario
from archcheck.proof.limits.barriers import Barrier
from archcheck.proof.limits.figures import Occupancy
from archcheck.proof.limits.worst import ZoneCase, worst_barriers, worst_figures

_ALL = Rational(1)
_HARDLY_ANY = Rational(1, 10**9)


def held_up(
    graph: Graph, scenario: Scenario, case: ZoneCase[Barrier] | ZoneCase[Occupancy], room: Rational
) -> str:
    """What may let through so little that ``room`` is enough, for people; empty where nothing may.

    ``case`` is of something that is asked for more than ``room``.
    """
    before = _before(graph, scenario, case)
    share = _ALL
    for figure, least in before:
        share *= max(_HARDLY_ANY, least / figure.busy)
    if not before or case.figure.busy * share > room:
        return ""
    return " and ".join(dict.fromkeys(_called(figure) for figure, _ in before))


def shed_at(holder: Subject) -> Rational | None:
    """The share of a service's servers above which it turns requests away; ``None``: it does not,
    or nobody says."""
    shedding = getattr(holder, "shedding", None)
    if not isinstance(shedding, LoadShedding) or shedding.max_utilisation is None:
        return None
    return exact(shedding.max_utilisation)


def _called(figure: Occupancy) -> str:
    return figure.what if isinstance(figure, Barrier) else figure.holder.name


def _before(
    graph: Graph, scenario: Scenario, case: ZoneCase[Barrier] | ZoneCase[Occupancy]
) -> Sequence[tuple[Occupancy, Rational]]:
    """What else is asked for too much on the way, and how much that lets through."""
    asking, own = _asking(graph, case.figure), case.figure
    found: list[tuple[Occupancy, Rational]] = []
    for figures in (worst_barriers(graph), worst_figures(graph)):
        for other, figure, _ in figures:
            if _is_same(figure, own) or other.name != scenario.name or figure.each is None:
                continue
            units = figure.left() if case.is_lost else figure.there()
            least = figure.room(units or 0) * (shed_at(figure.holder) or _ALL)
            is_full = units is not None and figure.busy > least
            if is_full and asking & _behind(graph, _leads_to(graph, figure)):
                found.append((figure, least))
    return found


def _is_same(one: Occupancy, other: Occupancy) -> bool:
    """Whether both are the same, or both what the requests in one element need."""
    of_elements = not isinstance(one, Barrier) and not isinstance(other, Barrier)
    return one.holder.name == other.holder.name and (one.what == other.what or of_elements)


def _asking(graph: Graph, figure: Occupancy) -> set[str]:
    """The operations whose requests come to it."""
    if isinstance(figure, Barrier):
        return figure.comes_from()
    own = {operation.name for operation in graph.operations_of(figure.holder)}
    return own or {step.operation.name for step in graph.incoming.get(figure.holder.name, ())}


def _leads_to(graph: Graph, figure: Occupancy) -> set[str]:
    """The operations that get what it lets through."""
    if isinstance(figure, Barrier):
        return figure.leads_to()
    return {operation.name for operation in graph.operations_of(figure.holder)}


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
