"""Variants side by side: the same random numbers, intervals of differences."""

from __future__ import annotations

import math

import pytest

from archcheck import (
    CustomRuntime,
    Docker,
    Endpoint,
    Journey,
    Load,
    Poisson,
    Scenario,
    ScenarioError,
    Service,
    System,
    Work,
)
from archcheck.simulation import compare
from archcheck.units import ms, s

LOAD = Scenario("load", load=[Load("go", Poisson(80 / s))])


def served(threads: int, work: float = 10.0) -> System:
    return System(
        "x",
        [
            Service(
                "a",
                runtime=CustomRuntime(concurrency="blocking", threads=threads),
                deployment=Docker(replicas=1),
                endpoints=[Endpoint("run", steps=[Work(work * ms)])],
            )
        ],
        journeys=[Journey("go", "a.run")],
        scenarios=[LOAD],
    )


def test_a_variant_that_changes_nothing_differs_in_nothing() -> None:
    found = compare([("a", served(1), LOAD), ("b", served(1), LOAD)], duration=20 * s)
    for each in found.variants[1].compared:
        assert each.difference is not None
        assert (each.difference.value, each.difference.half_width) == (0.0, 0.0)
        assert not each.is_certain


def test_paired_differences_are_narrower_than_the_values() -> None:
    found = compare(
        [("a", served(1), LOAD), ("b", served(1, 10.2), LOAD)], duration=60 * s, warmup=5 * s
    )
    (mean,) = [each for each in found.variants[1].compared if each.metric == "mean"]
    assert mean.difference is not None
    assert mean.estimate is not None
    assert mean.difference.half_width < mean.estimate.half_width / 2
    assert mean.is_certain
    assert mean.difference.value > 0


def test_a_second_thread_takes_the_wait_away() -> None:
    """M/M/1 and M/M/2 at 80/s: the difference of their mean times."""
    found = compare(
        [("one", served(1), LOAD), ("two", served(2), LOAD)],
        duration=400 * s,
        warmup=20 * s,
        replications=8,
        jobs=2,
    )
    (mean,) = [each for each in found.variants[1].compared if each.metric == "mean"]
    assert mean.difference is not None
    exact = 0.01 / (1 - 0.4**2) - 0.01 / (1 - 0.8)
    assert mean.difference.value == pytest.approx(exact, abs=2 * mean.difference.half_width)


def test_stopped_after_the_first_variant() -> None:
    asked = 0

    def stop() -> bool:
        nonlocal asked
        asked += 1
        return asked > 16

    cases = [(name, served(1), LOAD) for name in "abcdefgh"]
    found = compare(cases, duration=20 * s, stop=stop, warmup=0 * s)
    assert not found.is_complete
    assert 1 <= len(found.variants) < 8


def test_too_few_runs_and_nothing_to_compare() -> None:
    with pytest.raises(ScenarioError, match="at least 2 replications"):
        compare([("a", served(1), LOAD)], replications=1)
    with pytest.raises(ScenarioError, match="nothing to compare"):
        compare([])


def test_journeys_without_answers_have_no_value() -> None:
    nobody = Scenario("load", load=[Load("go", Poisson(0.001 / s))])
    found = compare([("a", served(1), nobody), ("b", served(2), nobody)], duration=1 * s)
    assert all(math.isnan(each.value) for each in found.variants[0].compared)


def test_a_comparison_runs_as_long_as_its_slowest_queue_needs() -> None:
    found = compare([("a", served(1, 11.5), LOAD), ("b", served(2), LOAD)], duration=10 * s)
    assert {variant.result.duration for variant in found.variants} != {10.0}
    assert not any(variant.result.early for variant in found.variants)
    assert {each.side for each in found.variants[1].compared} == {"between"}


def test_what_no_run_can_settle_is_known_on_one_side_or_not_at_all() -> None:
    """At 99.5% of a thread a queue forgets in half an hour."""
    full, other, calm = served(1, 12.44), served(1, 12.43), served(2)
    found = compare([("full", full, LOAD), ("other", other, LOAD), ("calm", calm, LOAD)])
    _, second, third = [[e for e in each.compared if e.metric == "mean"] for each in found.variants]
    assert [(each.side, each.is_certain) for each in second] == [("unknown", False)]
    assert [(each.side, each.is_certain) for each in third] == [("at most", True)]
    turned = compare([("calm", calm, LOAD), ("full", full, LOAD)])
    (mean,) = [each for each in turned.variants[1].compared if each.metric == "mean"]
    assert (mean.side, mean.is_certain) == ("at least", True)
    assert mean.estimate is None
