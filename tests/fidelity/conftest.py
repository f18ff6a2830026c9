"""Every test of fidelity holds for both engines.

The compiled engine is held against theory. The reference engine must do the very same as the
compiled one, event by event, for the first thousands of events of each of these systems; and where
a test is marked ``on_both``, it is held against theory itself, in ``make thorough``.
"""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from depth import thorough
from differential.compare import difference

from archcheck.model import Scenario, System
from archcheck.simulation.compiling import compile_plan
from archcheck.simulation.engines import EngineChoice, fast
from archcheck.simulation.plan import Plan

EVENTS = 4_000


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    both = any(metafunc.definition.iter_markers("on_both")) or not fast.is_compiled()
    metafunc.parametrize(
        "engine",
        [pytest.param("simpy", marks=thorough), "fast"] if both else ["fast"],
        indirect=True,
    )


@pytest.fixture(autouse=True)
def engine(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Let ``simulate`` take one engine, and compare the other one with it."""
    monkeypatch.setattr(
        "archcheck.simulation.running.choose", lambda _: EngineChoice(request.param, "as asked")
    )
    plans: list[Plan] = []

    def compiled(system: System, scenario: Scenario) -> Plan:
        plan = compile_plan(system, scenario)
        if fast.is_compiled() and plan not in plans:
            plans.append(plan)
        return plan

    monkeypatch.setattr("archcheck.simulation.running.compile_plan", compiled)
    yield
    for plan in plans:
        assert difference(plan, seed=1, duration=a_while(plan)) is None


def a_while(plan: Plan) -> float:
    """Seconds in which some thousands of events happen, at most an hour."""
    duration = 0.5
    while duration < 3600 and fast.run(plan, seed=1, duration=duration, warmup=0).events < EVENTS:
        duration *= 2
    return duration
