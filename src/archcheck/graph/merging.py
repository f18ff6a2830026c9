"""How often a journey visits what, if calls that belong together were made as one."""

from __future__ import annotations

from collections.abc import Collection, Iterable
from dataclasses import replace

from archcheck.graph import Graph, Interaction
from archcheck.graph.visits import Visits, solve_visits
from archcheck.model import Journey


def visits_if_merged(graph: Graph, journey: Journey, groups: Iterable[Collection[str]]) -> Visits:
    """The visits of a run of ``journey``, if an operation made one call of the steps of a group.

    ``groups``: names of steps, as findings show them. A request of an operation makes all of its
    steps in a group together once at most; what lies behind them is visited as much less.
    """
    outgoing = dict(graph.outgoing)
    for group in groups:
        for name in {step.operation.name for step in _among(graph, group)}:
            outgoing[name] = _merged(outgoing[name], group)
    return solve_visits(graph.entries(journey), outgoing, graph.consumers)


def _among(graph: Graph, group: Collection[str]) -> Iterable[Interaction]:
    return (step for step in graph.interactions if step.name in group)


def _merged(steps: tuple[Interaction, ...], group: Collection[str]) -> tuple[Interaction, ...]:
    total = sum(step.visits for step in steps if step.name in group)
    if total <= 1:
        return steps
    return tuple(
        replace(step, visits=step.visits / total) if step.name in group else step for step in steps
    )
