"""What journeys leave open: a rule asks for it where the answer may be a violation.

Some rules speak of critical journeys only, others of those that begin outside. A journey that does
not say whether it is one must not pass for none. So the check runs once more as if it were, and the
rule asks only where that finds more: elsewhere the answer decides nothing.
"""

from __future__ import annotations

import dataclasses
from collections import deque
from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import Literal

from archcheck.findings.results import Result, Undecided, Violation, subject_name
from archcheck.graph import Graph
from archcheck.model import Journey

_MOST_CHECKS = 15
"""Times that a rule looks at a system in which some journeys say yes. A choice: enough to tell
eight journeys apart; each takes as long as the rule itself."""
Answer = Literal["critical", "public"]
"""An attribute of journeys that decides whether a rule concerns them."""


def with_questions(
    graph: Graph, attribute: Answer, check: Callable[[Graph], Iterable[Result]]
) -> Iterator[Result]:
    """What the check says, and a question for each journey on whose answer more depends."""
    results = list(check(graph))
    yield from results
    known = set(_violations(results))

    def finds_more(journeys: Sequence[Journey]) -> bool:
        supposed = _supposing(graph, journeys, attribute)
        return not known.issuperset(_violations(check(supposed)))

    open_ones = [each for each in graph.system.journeys if _is_open(each, attribute)]
    for journey in _deciding(open_ones, finds_more):
        yield Undecided(journey, attribute, f"holds with {attribute}=False")


def _deciding(
    journeys: Sequence[Journey], finds_more: Callable[[Sequence[Journey]], bool]
) -> list[Journey]:
    """Those on whose answer more depends, found by halving: what several together do not bring,
    none of them does. What is not told apart after so many checks may depend on each of them."""
    waiting, found = deque([journeys] if journeys else []), dict[str, None]()
    for _ in range(_MOST_CHECKS):
        if not waiting:
            break
        group = waiting.popleft()
        if not finds_more(group):
            continue
        half = len(group) // 2
        if half:
            waiting += group[:half], group[half:]
        else:
            found[group[0].name] = None
    found.update(dict.fromkeys(each.name for group in waiting for each in group))
    return [each for each in journeys if each.name in found]


def _is_open(journey: Journey, attribute: Answer) -> bool:
    """Whether nobody says it; who the users are says whether a journey begins outside."""
    is_told = attribute == "public" and journey.users is not None
    return getattr(journey, attribute) is None and not is_told


def _violations(results: Iterable[Result]) -> Iterator[tuple[str, str]]:
    """Subject and cause: messages also name the journeys, of which there may be more."""
    for result in results:
        if isinstance(result, Violation):
            yield subject_name(result.subject), result.cause


def _supposing(graph: Graph, journeys: Sequence[Journey], attribute: Answer) -> Graph:
    """The graph of a system in which these journeys say yes; many rules ask for the same one."""
    key = attribute, tuple(journey.name for journey in journeys)
    if key not in graph.answers:
        names = set(key[1])
        system = dataclasses.replace(
            graph.system,
            journeys=[
                _saying_yes(each, attribute) if each.name in names else each
                for each in graph.system.journeys
            ],
        )
        graph.answers[key] = Graph(system, today=graph.today)
    supposed: Graph = graph.answers[key]
    return supposed


def _saying_yes(journey: Journey, attribute: Answer) -> Journey:
    if attribute == "critical":
        return dataclasses.replace(journey, critical=True)
    return dataclasses.replace(journey, public=True)
