"""Journeys that are under way at the end of a run: left alone, or finished and counted."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest
from commands import archcheck
from fidelity.harness import service, system, work

from archcheck import (
    Arrivals,
    Call,
    Choice,
    Closed,
    Constant,
    Deterministic,
    Load,
    Move,
    Poisson,
    Recorded,
    Scenario,
    Session,
    System,
)
from archcheck.model import to_json
from archcheck.simulation import ENGINES, EngineName, SimulationResult, simulate
from archcheck.units import ms, s

TILL = system(service("till", work(100), threads=1))
"""One thread, 100 ms a request: ten a second."""


def ran(
    load: Arrivals | Session, *, drain: bool, model: System = TILL, engine: EngineName = "auto"
) -> SimulationResult:
    stream = load if isinstance(load, Session) else Load("visit", load)
    scenario = Scenario("load", load=[stream], drain=drain)
    return simulate(model, scenario, duration=10 * s, warmup=0 * s, engine=engine)


@pytest.mark.parametrize("engine", [name for name in ENGINES if name != "auto"])
def test_a_rush_at_the_end_is_counted_in_full(engine: EngineName) -> None:
    """Twenty a second for the last two seconds: request n comes after n/20 s, and has its answer
    after (n + 1)/10 s.
    """
    rush = Recorded(times=[(8 + n / 20) * s for n in range(40)])
    cut, drained = (ran(rush, drain=drain, engine=engine).journeys[0] for drain in (False, True))
    assert cut.started == drained.started == 40
    assert (cut.in_flight, drained.in_flight) == (pytest.approx(20, abs=1), 0)
    assert cut.latency.mean == pytest.approx(0.1 + 9.5 / 20, abs=0.03)
    assert drained.latency.mean == pytest.approx(0.1 + 19.5 / 20)
    assert drained.latency.max == pytest.approx(0.1 + 39 / 20)
    assert drained.throughput == cut.throughput == pytest.approx(2, abs=0.1)


def test_draining_ends_after_as_long_again() -> None:
    drained = ran(Deterministic(30 / s), drain=True).journeys[0]
    assert drained.started == pytest.approx(300, abs=1)
    assert drained.in_flight == pytest.approx(100, abs=2)


def test_all_but_how_journeys_end_is_of_the_run_itself() -> None:
    """Resources, endpoints, calls, rates and series."""
    model = system(
        service("front", Call("back.run", timeout=400 * ms)), service("back", work(100), threads=1)
    )
    cut, drained = (ran(Poisson(12 / s), drain=drain, model=model) for drain in (False, True))
    assert cut.journeys[0].in_flight > 0
    alike = [
        [replace(each, waiting_share=0.0) for each in result.resources] for result in (cut, drained)
    ]  # their shares of the journeys' time are of all journeys
    assert repr(alike[0]) == repr(alike[1])
    for name in ("operations", "calls", "counts", "series", "events", "utilisation_series"):
        one, other = getattr(cut, name), getattr(drained, name)
        assert repr(one) == repr(other), name
    assert drained.journeys[0].failed > cut.journeys[0].failed
    [failed] = drained.failures
    assert failed.count == drained.journeys[0].failed


def test_nobody_new_comes_meanwhile() -> None:
    """Neither users who think, nor the next journeys of a session."""
    closed = ran(Closed(users=5, think=Constant(1 * s)), drain=True)
    assert (
        closed.journeys[0].started
        == ran(Closed(users=5, think=Constant(1 * s)), drain=False).journeys[0].started
    )
    session = Session(
        "visit",
        Poisson(5 / s),
        moves=[Move(after="visit", to=[Choice("visit", 9)], leave=1)],
        pause=Constant(100 * ms),
    )
    cut, drained = (ran(session, drain=drain).journeys[0] for drain in (False, True))
    assert drained.started == cut.started
    assert cut.in_flight > drained.in_flight


def test_a_run_says_what_is_under_way(tmp_path: Path) -> None:
    load = Scenario("load", load=[Load("visit", Deterministic(20 / s))], duration=10 * s)
    model = tmp_path / "till.json"
    till = system(service("till", work(100), threads=1), scenarios=[load])
    model.write_text(to_json(till), encoding="utf-8")
    fault = ("--fault", "till slow x2 from 1s to 2s")
    cut = archcheck("simulate", model, *fault)
    assert "under way at the end: " in cut.stdout
    assert "with --drain they are finished" in cut.stdout
    drained = archcheck("simulate", model, *fault, "--drain")
    assert "10 s simulated and drained" in drained.stdout
    assert "as long again was not enough" in drained.stdout
