"""What has state and is shared: breakers, bulkheads, rate limits, retry budgets for a callee."""

from __future__ import annotations

from collections import defaultdict
from typing import Literal

from archcheck.graph import Graph, Interaction
from archcheck.graph.once import once
from archcheck.model import LocalCache

Mechanism = Literal["breaker", "bulkhead", "rate_limit", "budget"]


def sharing(graph: Graph, mechanism: Mechanism) -> list[tuple[Interaction, ...]]:
    """The steps that have the mechanism, those together that share one.

    In each replica of a service there is one for a callee, of all that declare the same.
    """
    found: defaultdict[tuple[str, str], list[list[Interaction]]] = defaultdict(list)
    groups: list[list[Interaction]] = []
    for step in graph.questions:
        declared = _declared(step, mechanism)
        if declared is None:
            continue
        known = found[step.source.name, step.target.name]
        same = [each for each in known if _declared(each[0], mechanism) == declared]
        if not same:
            same = [[]]
            known += same
            groups += same
        same[0].append(step)
    return [tuple(group) for group in groups]


@once
def filled_by_others(graph: Graph) -> frozenset[Interaction]:
    """The lookups that may wait for what another step fetches: their cache lets one of those who
    miss an entry fetch it, and has lookups of several steps.

    A cache in the process has those of its service.
    """
    groups: defaultdict[tuple[str, str], list[Interaction]] = defaultdict(list)
    for step in graph.interactions:
        if step.mode == "cache" and getattr(step.target, "coalesced", None):
            own = step.source.name if isinstance(step.target, LocalCache) else ""
            groups[own, step.target.name].append(step)
    return frozenset(step for group in groups.values() if len(group) > 1 for step in group)


def _declared(step: Interaction, mechanism: Mechanism) -> object:
    holder = step.protection.retry if mechanism == "budget" else step.protection
    return getattr(holder, mechanism, None)
