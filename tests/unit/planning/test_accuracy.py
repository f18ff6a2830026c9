"""What is said of the accuracy of analytic solutions, of systems that it was not learnt from."""

from __future__ import annotations

import importlib.util
import sys
from pathlib import Path
from types import ModuleType

import pytest
from depth import thorough

from archcheck.planning import CapacityPlan, solve_plan
from archcheck.planning.flow.accuracy import LEARNT
from archcheck.reporting.planning.tables import trusted
from archcheck.simulation.compiling import compile_plan

BENCHMARK = Path(__file__).parents[3] / "benchmarks" / "analytic.py"
FRESH = 50_000


@pytest.fixture(scope="module")
def analytic() -> ModuleType:
    """The benchmark, which draws the systems."""
    spec = importlib.util.spec_from_file_location("analytic", BENCHMARK)
    assert spec is not None
    assert spec.loader is not None
    found = importlib.util.module_from_spec(spec)
    sys.modules["analytic"] = found  # its dataclasses look themselves up
    spec.loader.exec_module(found)
    return found


def within(analytic: ModuleType, systems: range, users: int = 0) -> list[float]:
    """Of systems that mix all kinds, the shares of journeys whose mean, 95th percentile and load
    are as close as is said.
    """
    close: list[tuple[bool, ...]] = []
    for seed in systems:
        made = (
            analytic.Maker(analytic.MIXED, seed).system(users=users)
            if users
            else analytic.loaded(analytic.MIXED, seed, 0.95)
        )
        flow, gaps = analytic.gaps(made, seed)
        off = flow.accuracy
        if off is not None:
            close += [
                (abs(gap.mean) <= off.mean, abs(gap.p95) <= off.tail, abs(gap.load) <= off.load)
                for gap in gaps
            ]
    return [sum(each) / len(close) for each in zip(*close, strict=True)]


def test_systems_of_all_kinds_are_as_close_as_is_said(analytic: ModuleType) -> None:
    assert min(within(analytic, range(FRESH, FRESH + 25))) >= 0.85


@thorough
def test_many_systems_of_all_kinds_are_as_close_as_is_said(analytic: ModuleType) -> None:
    assert min(within(analytic, range(FRESH + 25, FRESH + 200))) >= 0.85
    assert min(within(analytic, range(FRESH, FRESH + 60), users=20)) >= 0.85


def test_a_nearly_full_resource_leaves_nothing_to_say(analytic: ModuleType) -> None:
    made = analytic.Maker("threads", 3).system(rate=1.0)
    (journey,) = solve_plan(compile_plan(made, made.scenarios[0])).journeys
    busiest = analytic.solved(made).busiest.load
    full = analytic.Maker("threads", 3).system(rate=0.97 / busiest)
    assert analytic.solved(made).accuracy == LEARNT["threads"][0]
    assert analytic.solved(full).accuracy is None
    plan = CapacityPlan(full, full.scenarios[0], (), analytic.solved(full), ())
    assert trusted(plan) == "nobody knows how far it is off"
    assert journey.rate == pytest.approx(1.0)
