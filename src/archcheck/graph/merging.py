"""What operations ask, if calls that belong together were made as one."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterable
from dataclasses import replace
from functools import cached_property

from archcheck.graph import Graph, Interaction


class MergedGraph(Graph):
    """A graph in which an operation makes one call of its steps in a group.

    ``groups``: names of steps, as findings show them. A request of an operation makes all of its
    steps in a group together once at most; what lies behind them is visited as much less.
    """

    def __init__(self, graph: Graph, groups: Iterable[Collection[str]]) -> None:
        super().__init__(graph.system, today=graph.today, cold_caches=graph.cold_caches)
        self._groups = groups

    @cached_property
    def outgoing(self) -> dict[str, tuple[Interaction, ...]]:
        """Operation name to what it does outside its process."""
        merged = dict(super().outgoing)
        making = defaultdict[str, set[str]](set)
        for name, steps in merged.items():
            for step in steps:
                making[step.name].add(name)
        for group in self._groups:
            for name in set[str]().union(*(making.get(step, ()) for step in group)):
                merged[name] = _merged(merged[name], group)
        return merged


def _merged(steps: tuple[Interaction, ...], group: Collection[str]) -> tuple[Interaction, ...]:
    total = sum(step.visits for step in steps if step.name in group)
    if total <= 1:
        return steps
    return tuple(
        replace(step, visits=step.visits / total) if step.name in group else step for step in steps
    )
