"""Lookups of which nobody says how often they find their answer in the cache."""

from __future__ import annotations

from collections.abc import Iterable

from archcheck.capacity.queueing import zipf_share
from archcheck.editing import Edit, apply
from archcheck.graph import Graph, Interaction
from archcheck.graph.once import once
from archcheck.model import Cached, KeySpace, Named
from archcheck.model.linking import walk
from archcheck.units import Fraction


def open_lookups(graph: Graph, element: str = "") -> tuple[Interaction, ...]:
    """Those without a hit ratio, but for caches that hold all of the declared keys.

    ``element``: only those that its load depends on: it is asked behind them, or it waits for them.
    """
    found = (step for step in _without_ratio(graph) if not _holds_all(step))
    return tuple(step for step in found if not element or _concerns(graph, step, element))


def _concerns(graph: Graph, lookup: Interaction, element: str) -> bool:
    inside = {id(part) for part in walk(lookup.declared)}
    asked = graph.outgoing[lookup.operation.name]
    behind = [step for step in asked if id(step.declared) in inside and step is not lookup]
    if element == lookup.source.name or element in _reached(graph, behind):
        return True
    own = (step for step in graph.interactions if step.source.name == element)
    return lookup.source.name in _reached(graph, own)


def _reached(graph: Graph, steps: Iterable[Interaction]) -> set[str]:
    """What the steps ask, and what that asks in turn."""
    found: set[str] = set()
    seen: set[str] = set()
    waiting = list(steps)
    while waiting:
        step = waiting.pop()
        found.add(step.target.name)
        if step.target_name not in seen:
            seen.add(step.target_name)
            waiting += graph.outgoing.get(step.target_name, ())
    return found


def _without_ratio(graph: Graph) -> tuple[Interaction, ...]:
    return tuple(
        step
        for step in graph.interactions
        if isinstance(step.declared, Cached) and step.declared.hit_ratio is None
    )


def _holds_all(step: Interaction) -> bool:
    keys = getattr(step.declared, "keys", None)
    held = getattr(step.target, "max_entries", None)
    return keys is not None and held is not None and held >= keys.count


@once
def with_best_hits(graph: Graph) -> Graph:
    """The graph with a hit ratio for each lookup that has none, as good as it gets: lookups without
    declared keys always hit."""
    return _with_hits(graph, _without_ratio(graph))


@once
def with_hits_by_keys(graph: Graph) -> Graph:
    """The graph with a hit ratio for each lookup that has none, and declares its keys."""
    lookups = _without_ratio(graph)
    return _with_hits(graph, [s for s in lookups if getattr(s.declared, "keys", None) is not None])


def _with_hits(graph: Graph, lookups: Iterable[Interaction]) -> Graph:
    edits = [
        Edit(lookup, {"hit_ratio": Fraction(_most_hits(step.target, lookup.keys))}, step.name)
        for step in lookups
        if isinstance(lookup := step.declared, Cached)
    ]
    return Graph(apply(graph.system, edits), today=graph.today) if edits else graph


def _most_hits(cache: Named, keys: KeySpace | None) -> float:
    """The share of the most popular keys, as many as the cache holds; all if it does not say."""
    held = getattr(cache, "max_entries", None)
    if keys is None or held is None or held >= keys.count:
        return 1.0
    return zipf_share(keys.count, keys.skew) / zipf_share(held, keys.skew)
