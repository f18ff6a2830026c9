"""What journeys leave open: a rule asks for it where the answer may be a violation.

Some rules speak of critical journeys only, others of those that begin outside. A journey that does
not say whether it is one must not pass for none. So the check runs once more as if it were, and the
rule asks only where that finds more: elsewhere the answer decides nothing.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Iterable, Iterator
from typing import Literal

from archcheck.findings.results import Result, Undecided, Violation, subject_name
from archcheck.graph import Graph
from archcheck.model import Journey, System

Answer = Literal["critical", "public"]
"""An attribute of journeys that decides whether a rule concerns them."""


def with_questions(
    graph: Graph, attribute: Answer, check: Callable[[Graph], Iterable[Result]]
) -> Iterator[Result]:
    """What the check says, and a question for each journey on whose answer more depends."""
    results = list(check(graph))
    yield from results
    known = set(_violations(results))
    for journey in graph.system.journeys:
        if _is_open(journey, attribute):
            supposed = Graph(_supposing(graph.system, journey, attribute), today=graph.today)
            if not known.issuperset(_violations(check(supposed))):
                yield Undecided(journey, attribute, f"holds with {attribute}=False")


def _is_open(journey: Journey, attribute: Answer) -> bool:
    """Whether nobody says it; who the users are says whether a journey begins outside."""
    is_told = attribute == "public" and journey.users is not None
    return getattr(journey, attribute) is None and not is_told


def _violations(results: Iterable[Result]) -> Iterator[tuple[str, str]]:
    """Subject and cause: messages also name the journeys, of which there may be more."""
    for result in results:
        if isinstance(result, Violation):
            yield subject_name(result.subject), result.cause


def _supposing(system: System, journey: Journey, attribute: Answer) -> System:
    answer = {attribute: True}
    journeys = [
        dataclasses.replace(each, **answer) if each is journey else each  # type: ignore[arg-type]
        for each in system.journeys
    ]
    return dataclasses.replace(system, journeys=journeys)
