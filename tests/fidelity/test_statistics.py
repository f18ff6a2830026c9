"""The statistics themselves: intervals that cover as often as they say, warm-up, overload."""

from __future__ import annotations

import math
import random
import statistics

import pytest
from depth import thorough
from fidelity.harness import runs, service, system

from archcheck import Call, Constant, Poisson, Scenario, Work
from archcheck.findings import Objective
from archcheck.model.scenarios import Load
from archcheck.simulation import simulate
from archcheck.simulation.estimates import of_batches, of_replications, quantile_t, warm_up
from archcheck.units import ms, s

MM1 = system(service("queue", Work(10 * ms), threads=1))


@pytest.mark.parametrize(
    ("degrees", "confidence", "value"),
    [(1, 0.95, 12.706), (4, 0.95, 2.776), (9, 0.99, 3.250), (19, 0.95, 2.093), (200, 0.95, 1.972)],
)
def test_students_t_is_that_of_the_tables(degrees: int, confidence: float, value: float) -> None:
    assert quantile_t(degrees, confidence) == pytest.approx(value, abs=6e-4)


@thorough
def test_intervals_of_replications_cover_at_their_rate() -> None:
    """100 intervals of five runs each: 95 are expected to cover; fewer than 89 or none too many
    would happen once in a hundred times (binomial)."""
    exact, covered = 1 / 50, 0
    for sweep in range(100):
        found = runs(MM1, Poisson(50 / s), 8.0, count=5, share=0.25, seeds=1_000 * sweep)
        estimate = of_replications([run.journey("visit").latency.mean for run in found])
        assert estimate is not None
        covered += abs(estimate.value - exact) <= estimate.half_width
    assert covered >= 89


def test_batch_means_cover_a_correlated_series() -> None:
    """A first-order autoregression with a correlation of 0.8: 93% of the intervals or so cover."""
    rng = random.Random(5)
    covered = 0
    for _ in range(200):
        series, value = [], rng.gauss(0, 1 / 0.6)
        for _ in range(4_000):
            value = 0.8 * value + rng.gauss(0, 1)
            series.append(value)
        estimate = of_batches(series)
        assert estimate is not None
        covered += abs(estimate.value) <= estimate.half_width
    assert covered >= 178


def test_losses_that_come_together_are_not_taken_for_none() -> None:
    """M/M/1/31 at 80%: one request in 5,000 finds the queue full, and then five of them do."""
    model = system(service("queue", Work(10 * ms), threads=1, room=30))
    scenario = Scenario("x", load=[Load("visit", Poisson(80 / s))])
    loss = 0.2 * 0.8**31 / (1 - 0.8**32)
    covered = 0
    for seed in range(30):
        run = simulate(model, scenario, duration=200 * s, replications=5, seed=31 * seed + 7)
        estimate = run.estimates["visit"]["error_rate"]
        covered += abs(estimate.value - loss) <= estimate.half_width
        assert run.reading(Objective("visit", "availability", 1 - 0.9 * loss)).state != "met"
    assert covered >= 28


def test_mser_cuts_a_transient_off() -> None:
    rng = random.Random(7)
    values = [10 * math.exp(-n / 40) + rng.gauss(5, 1) for n in range(2_000)]
    found = warm_up([float(n) for n in range(2_000)], values)
    assert 60 <= found <= 300
    assert warm_up([float(n) for n in range(2_000)], [v % 7 for v in map(float, range(2_000))]) < 50


def test_a_found_warm_up_takes_the_bias_out() -> None:
    """A busy station that starts empty."""
    model = system(service("queue", Work(10 * ms), threads=1))
    scenario = Scenario("x", load=[Load("visit", Poisson(85 / s))])
    means = []
    for seed in range(1, 9):
        result = simulate(model, scenario, duration=60 * s, seed=seed)
        assert result.warmup_is_found
        means.append(result.journey("visit").latency.mean)
    assert statistics.fmean(means) == pytest.approx(1 / 15, rel=0.15)


def test_an_overload_is_said_and_has_no_mean() -> None:
    model = system(
        service("front", Call("back.run"), threads=20), service("back", Work(10 * ms), threads=1)
    )
    scenario = Scenario("x", load=[Load("visit", Poisson(131 / s))])
    result = simulate(model, scenario, duration=60 * s)
    (overload,) = result.overloads
    assert overload.name == "front"
    assert overload.ratio == pytest.approx(1.31, abs=0.06)
    assert overload.held_up_by == ("back (100% of its threads)",)
    assert math.isnan(result.journey("visit").latency.mean)
    assert result.bottleneck is not None


@pytest.mark.parametrize("rate", [50, 90, 95])
def test_a_busy_station_is_no_overload(rate: int) -> None:
    scenario = Scenario("x", load=[Load("visit", Poisson(rate / s))])
    for seed in range(1, 4):
        assert simulate(MM1, scenario, duration=30 * s, seed=seed).overloads == ()


def test_a_bounded_queue_turns_away_and_has_a_steady_state() -> None:
    model = system(service("queue", Work(Constant(10 * ms)), threads=1, room=5))
    scenario = Scenario("x", load=[Load("visit", Poisson(150 / s))])
    result = simulate(model, scenario, duration=30 * s)
    assert result.overloads == ()
    assert result.journey("visit").rejected > 0
    assert result.journey("visit").latency.max <= 0.06 + 1e-9


def test_precision_is_reached_and_said() -> None:
    scenario = Scenario("x", load=[Load("visit", Poisson(50 / s))])
    result = simulate(MM1, scenario, duration=10 * s, precision=0.03)
    assert result.precision_is_reached
    assert result.estimates["visit"]["mean"].relative <= 0.03
    assert result.replications >= 5
    assert result.journey("visit").latency.mean == pytest.approx(0.02, rel=0.06)
