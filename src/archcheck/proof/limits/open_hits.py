"""Answers that depend on caches of which nobody says how often they hit."""

from __future__ import annotations

from collections.abc import Callable, Iterator

from archcheck.capacity import open_lookups, with_best_hits
from archcheck.findings import subject_name
from archcheck.graph import Graph
from archcheck.proof.answers import Answer, Gap, Proved, Refuted, Undecided, missing


def whatever_hits(graph: Graph, ask: Callable[[Graph], Iterator[Answer]]) -> Iterator[Answer]:
    """The answers to a question of load, which takes look-ups without a hit ratio as misses.

    One that is refuted so, and would not be if they hit as often as they can, asks for the ratio.
    """
    best = with_best_hits(graph)
    if best is graph:
        yield from ask(graph)
        return
    always = {_about(each) for each in ask(best) if isinstance(each, Refuted)}
    for each in ask(graph):
        if not isinstance(each, Refuted) or _about(each) in always or _has_none_left(each):
            yield each
            continue
        lookups = open_lookups(graph, next(iter(each.counterexample.marks)))
        gaps = tuple(Gap(step, "hit_ratio") for step in lookups)
        if gaps:
            yield Undecided(each.subject, each.claim, missing(gaps), gaps)
        else:  # the caches hold all of the declared keys
            yield Proved(each.subject, each.claim, ("caches that hold all keys are filled",))


def _has_none_left(answer: Refuted) -> bool:
    """Whether nobody is there for the misses that come until caches are full."""
    return getattr(answer.counterexample, "units", None) == 0


def _about(answer: Refuted) -> tuple[str, str]:
    return subject_name(answer.subject), getattr(answer.counterexample, "barrier", "")
