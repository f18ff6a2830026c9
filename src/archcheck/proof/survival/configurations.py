"""What a question about failures answers in every configuration of the feature flags."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace

from archcheck.findings import subject_name
from archcheck.graph import Graph
from archcheck.model import Flag, System
from archcheck.proof.answers import Answer, Proved, Refuted, Undecided
from archcheck.proof.budget import BudgetSpentError
from archcheck.proof.feature_flags import configured, described

_AS_TODAY = "feature flags stand as they do today: they allow too many configurations"
_WORSE = (Refuted, Undecided, Proved)


def in_every_configuration(
    graph: Graph, ask: Callable[[Graph], Iterator[Answer]]
) -> Iterator[Answer]:
    """The worst answer to each claim, that of today's configuration where others are no worse.

    Where the flags allow too many, what is proved of today's is proved of that alone, and says so.
    """
    if not graph.system.of_type(Flag):
        yield from ask(graph)
        return
    try:
        systems = configured(graph.system)
    except BudgetSpentError:
        yield from (
            replace(answer, assumptions=(*answer.assumptions, _AS_TODAY))
            if isinstance(answer, Proved)
            else answer
            for answer in ask(graph)
        )
        return
    worst: dict[tuple[str, str], Answer] = {}
    for system in systems:
        view = Graph(system, today=graph.today, cold_caches=graph.cold_caches)
        for found in ask(graph if system is graph.system else view):
            answer = found if system is graph.system else _naming(found, system)
            key = subject_name(answer.subject), answer.claim
            known = worst.setdefault(key, answer)
            if _WORSE.index(type(answer)) < _WORSE.index(type(known)):
                worst[key] = answer
    yield from worst.values()


def _naming(answer: Answer, system: System) -> Answer:
    """With the configuration in which it is refuted."""
    if not isinstance(answer, Refuted):
        return answer
    where = described({flag.name: flag.on is not False for flag in system.of_type(Flag)})
    shown = answer.counterexample
    return replace(answer, counterexample=replace(shown, message=f"{shown.message}, {where}"))
