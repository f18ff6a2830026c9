"""Work grows with the size of a system, not with its square; counted in calls, not in seconds."""

from __future__ import annotations

import sys
from collections.abc import Callable
from types import FrameType

from generated import generated

from archcheck import System
from archcheck.configuration import Settings
from archcheck.graph import Graph
from archcheck.plugins import rules
from archcheck.proof.questions import questions
from archcheck.verification import verify

SMALL, LARGE = 50, 200
LINEAR = 4.6
"""Four times as many services, and 15% for what is shared by more; pairs would be 16 times."""


def calls(work: Callable[[System], object], services: int) -> int:
    """How many Python functions are called, and generators resumed, for a system of a size."""
    system = generated(services)
    count = 0

    def counted(_frame: FrameType, event: str, _argument: object) -> None:
        nonlocal count
        count += event == "call"

    sys.setprofile(counted)
    try:
        work(system)
    finally:
        sys.setprofile(None)
    return count


def verified(system: System) -> object:
    settings = Settings()
    chosen = [rule for rule in settings.chosen(rules()) if rule.method != "sim"]
    return verify(system, chosen, settings=settings)


def proved(system: System) -> object:
    graph = Graph(system)
    return [list(question.ask(graph)) for question in questions()]


def test_checks_grow_as_the_system_does() -> None:
    verified(generated(SMALL))  # what is read once for all systems is not counted
    assert calls(verified, LARGE) < LINEAR * calls(verified, SMALL)


def test_proofs_grow_as_the_system_does() -> None:
    assert calls(proved, LARGE) < LINEAR * calls(proved, SMALL)
