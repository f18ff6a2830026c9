"""Journeys that do not say whether they are critical: who is asked, and at which effort."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from depth import examples
from hypothesis import given
from hypothesis import strategies as st

from archcheck import Endpoint, Journey, Service, System
from archcheck.findings import Result, Undecided, Violation
from archcheck.findings.supposing import with_questions
from archcheck.graph import Graph


def asked(bad: list[bool]) -> tuple[list[str], int]:
    """The journeys that are asked where some lead to what a rule forbids, and its checks."""
    services = [Service(f"s{n}", endpoints=[Endpoint("go")]) for n, _ in enumerate(bad)]
    journeys = [Journey(f"j{n}", f"s{n}.go") for n, _ in enumerate(bad)]
    forbidden = {f"s{n}" for n, is_bad in enumerate(bad) if is_bad}
    checks = 0

    def check(graph: Graph) -> Iterator[Result]:
        nonlocal checks
        checks += 1
        for journey in graph.critical_journeys:
            owner, _ = graph.system.endpoint(journey.all_entries()[0])
            if owner.name in forbidden:
                yield Violation(owner, "it is forbidden")

    results = with_questions(Graph(System("made", services, journeys=journeys)), "critical", check)
    names = [each.subject.name for each in results if isinstance(each, Undecided)]  # type: ignore[union-attr]  # journeys
    return names, checks


@examples(200)
@given(st.lists(st.booleans(), max_size=8))
def test_of_a_few_just_those_are_asked_on_whom_it_depends(bad: list[bool]) -> None:
    names, _ = asked(bad)
    assert names == [f"j{n}" for n, is_bad in enumerate(bad) if is_bad]


@pytest.mark.parametrize("number", [9, 40, 300])
def test_of_many_all_are_asked_on_whom_it_depends_and_the_effort_is_bounded(number: int) -> None:
    bad = [n % 3 == 0 for n in range(number)]
    names, checks = asked(bad)
    assert set(names) >= {f"j{n}" for n, is_bad in enumerate(bad) if is_bad}
    assert checks <= 16


def test_nobody_is_asked_where_it_decides_nothing() -> None:
    assert asked([False] * 300) == ([], 2)
