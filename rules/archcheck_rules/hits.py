"""What depends on how often a cache hits, where nobody says that."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator

from archcheck import Journey
from archcheck.capacity import open_lookups, with_best_hits
from archcheck.findings import Result, Undecided, Violation
from archcheck.graph import Graph, Interaction, Operation


def whatever_hits(graph: Graph, judge: Callable[[Graph], Iterable[Result]]) -> Iterator[Result]:
    """What ``judge`` says; a violation that better hits would take away is a question for them."""
    best = with_best_hits(graph)
    always = set(_violated(judge(best))) if best is not graph else set()
    for result in judge(graph):
        if best is graph or not isinstance(result, Violation) or _about(result) in always:
            yield result
        else:
            yield from (Undecided(step, "hit_ratio") for step in _open(graph, result))


def _violated(results: Iterable[Result]) -> Iterator[tuple[str, str]]:
    return (_about(result) for result in results if isinstance(result, Violation))


def _about(result: Violation) -> tuple[str, str]:
    about = result.load.about if result.load is not None else ""
    return str(getattr(result.subject, "name", "")), about


def _open(graph: Graph, result: Violation) -> Iterable[Interaction]:
    """The lookups without a hit ratio that the load or the time of the subject depends on."""
    match result.subject:
        case Journey() as journey:
            on_the_way = {step for step, _ in graph.visits(journey).interactions}
            return (step for step in open_lookups(graph) if step in on_the_way)
        case Interaction(target=element) | Operation(owner=element):
            return open_lookups(graph, element.name)
        case subject:
            return open_lookups(graph, str(getattr(subject, "name", "")))
