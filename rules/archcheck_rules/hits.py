"""What depends on how often a cache hits, where nobody says that."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator

from archcheck.capacity import open_lookups, with_best_hits
from archcheck.findings import Result, Undecided, Violation
from archcheck.graph import Graph


def whatever_hits(graph: Graph, judge: Callable[[Graph], Iterable[Result]]) -> Iterator[Result]:
    """What ``judge`` says of elements; what better hits would take away is a question for them."""
    best = with_best_hits(graph)
    always = set(_violated(judge(best))) if best is not graph else set()
    for result in judge(graph):
        if best is graph or not isinstance(result, Violation) or _name(result) in always:
            yield result
        else:
            lookups = open_lookups(graph, _name(result))
            yield from (Undecided(step, "hit_ratio") for step in lookups)


def _violated(results: Iterable[Result]) -> Iterator[str]:
    return (_name(result) for result in results if isinstance(result, Violation))


def _name(result: Violation) -> str:
    return str(getattr(result.subject, "name", ""))
