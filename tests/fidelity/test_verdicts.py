"""Verdicts that hold: what is met is met, what is too short says so, what is too much is overload.

M/M/1 at 95%: the exact mean is 200 ms, the exact p99 921 ms. Runs of a minute begin empty, and a
queue of then is felt for a quarter of a minute.
"""

from __future__ import annotations

import math
from dataclasses import replace

import pytest
from depth import sample, thorough
from fidelity.harness import service, system

from archcheck import Poisson, Scenario, Slo, System, Work
from archcheck.findings import Objective
from archcheck.model.scenarios import Load
from archcheck.simulation import SimulationResult, compare, simulate, simulate_until_decided
from archcheck.units import ms, s

MM1 = system(service("queue", Work(10 * ms), threads=1))


def load(rate: float) -> Scenario:
    return Scenario("r", load=[Load("visit", Poisson(rate / s))])


def promising(p99: float) -> System:
    """The queue, whose visits promise a p99 of so many seconds."""
    visit = replace(MM1.journeys[0], slo=Slo(p99=p99 * s))
    return replace(MM1, journeys=[visit])


def exact_p99(rate: float) -> float:
    return -math.log(0.01) / (100 - rate)


def run(rate: float, seconds: float, seed: int, runs: int = 5) -> SimulationResult:
    return simulate(MM1, load(rate), duration=seconds * s, replications=runs, seed=seed)


@thorough
@pytest.mark.parametrize("runs", [1, 5, 10])
def test_a_minute_at_95_percent_never_says_met(runs: int) -> None:
    for seed in range(1, 31):
        found = run(95, 60, seed, runs)
        assert found.early == ("visit",)
        objective = Objective("visit", "p99", 0.87 * exact_p99(95))
        assert found.reading(objective).state != "met"


@thorough
def test_long_runs_cover_and_say_met_rightly() -> None:
    """At 80%, 100 s are 110 relaxation times. Of 60 intervals 57 are expected to cover; fewer than
    52 would happen twice in a hundred times (binomial)."""
    covered = {"mean": 0, "p50": 0, "p99": 0}
    exact = {"mean": 0.05, "p50": 0.05 * math.log(2), "p99": exact_p99(80)}
    false_met = 0
    for seed in range(1, 61):
        found = run(80, 100, 7919 * seed)
        for name, value in exact.items():
            estimate = found.estimates["visit"][name]
            covered[name] += abs(estimate.value - value) <= estimate.half_width
        objective = Objective("visit", "p99", 0.95 * exact["p99"])
        false_met += found.reading(objective).state == "met"
    assert min(covered.values()) >= 52
    assert false_met <= 3


@thorough
@pytest.mark.parametrize(("rate", "other"), [(94.5, 90.0), (80.0, 50.0)])
def test_differences_cover_though_the_first_runs_are_too_short(rate: float, other: float) -> None:
    """The difference of two M/M/1, from runs that are asked to last 20 s. Of 40 intervals 38 are
    expected to cover; fewer than 34 would happen twice in a hundred times (binomial)."""
    covered = {"mean": 0, "p99": 0}
    exact = {
        "mean": 1 / (100 - other) - 1 / (100 - rate),
        "p99": exact_p99(other) - exact_p99(rate),
    }
    for seed in range(1, 41):
        loads = [("first", MM1, load(rate)), ("second", MM1, load(other))]
        found = compare(loads, duration=20 * s, seed=7919 * seed, jobs=2).variants[1].compared
        for each in found:
            if each.metric in covered and each.difference is not None:
                gap = abs(each.difference.value - exact[each.metric])
                assert each.side == "between"
                covered[each.metric] += gap <= each.difference.half_width
    assert min(covered.values()) >= 34


def test_calm_runs_of_a_minute_are_long_enough() -> None:
    assert not run(50, 60, 1).unsettled
    single = run(50, 60, 1, runs=1)
    estimate = single.estimates["visit"]["p50"]
    assert estimate.method == "sections"
    assert abs(estimate.value - 0.02 * math.log(2)) <= 2 * estimate.half_width


@pytest.mark.parametrize("seconds", [60.0, 3600.0])
@pytest.mark.parametrize("rate", sample([100.5, 101.0, 101.5]))
def test_a_slight_overload_is_one_however_long_the_run(rate: float, seconds: float) -> None:
    (found,) = run(rate, seconds, 1, runs=1).overloads
    assert (found.name, found.what) == ("queue", "threads")
    assert found.ratio >= rate / 100 - 1e-9


@pytest.mark.parametrize("rate", [95.0, 99.0])
def test_a_queue_that_is_nearly_full_is_no_overload(rate: float) -> None:
    assert not run(rate, 600, 1, runs=1).overloads


@pytest.mark.parametrize(("bound", "state"), [(0.6, "missed"), (1.5, "met")])
def test_archcheck_finds_how_long_to_run(bound: float, state: str) -> None:
    model = promising(bound)
    found = simulate_until_decided(model, load(95))
    assert [reading.state for reading in found.objectives] == [state]
    assert found.duration > 60
    if state == "met":
        assert found.early == ()


def test_a_short_queue_that_turns_away_is_soon_settled() -> None:
    """Twice what can be served, of which half is rejected: full all the time, and no overload."""
    model = system(service("queue", Work(10 * ms), threads=1, room=5))
    found = simulate(model, load(200), duration=60 * s, replications=5)
    assert found.journey("visit").rejected > 0
    assert not found.overloads
    assert not found.unsettled
    assert found.reading(Objective("visit", "p99", 0.2)).state == "met"


def test_what_is_not_decided_within_the_budget_stays_open() -> None:
    found = simulate_until_decided(promising(exact_p99(95)), load(95), events=2_000_000)
    assert [reading.state for reading in found.objectives] == ["open"]
    assert found.events < 2_000_000


def test_no_failure_in_a_few_requests_is_no_proof_of_many_nines() -> None:
    found = run(50, 20, 1)
    few = found.reading(Objective("visit", "availability", 0.9999))
    assert found.journey("visit").started < 6_000
    assert few.state == "open"
    assert few.shown.startswith("100%, at least 99.8")  # half busy: two would fail together
    assert found.reading(Objective("visit", "availability", 0.998)).state == "met"
