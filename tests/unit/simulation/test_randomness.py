"""Counter-based draws: functions of their arguments alone, uniform, without visible pattern."""

from __future__ import annotations

import statistics

from hypothesis import given
from hypothesis import strategies as st

from archcheck.simulation.randomness import child, normal, place_hash, stream, uniform

words = st.integers(0, 2**64 - 1)


@given(words, words, st.integers(0, 1000))
def test_draws_are_in_the_unit_interval_and_repeat(seed: int, key: int, draw: int) -> None:
    place = stream(seed, place_hash("orders.place/0"))
    assert 0 <= uniform(place, key, draw) < 1
    assert uniform(place, key, draw) == uniform(place, key, draw)


def test_draws_of_different_requests_places_and_attempts_are_independent() -> None:
    first, second = (stream(1, place_hash(name)) for name in ("a", "b"))
    rows = [
        [uniform(first, child(0, 1, n)) for n in range(20_000)],
        [uniform(second, child(0, 1, n)) for n in range(20_000)],
        [uniform(first, child(0, 1, n), 1) for n in range(20_000)],
        [uniform(first, child(0, 1, n + 1)) for n in range(20_000)],
    ]
    for row in rows:
        assert abs(statistics.fmean(row) - 0.5) < 0.01
        assert abs(statistics.pvariance(row) - 1 / 12) < 0.005
        if row is not rows[0]:
            assert abs(statistics.correlation(rows[0], row)) < 0.03


def test_normal_draws_have_mean_zero_and_variance_one() -> None:
    row = [normal(stream(3, 5), n) for n in range(20_000)]
    assert abs(statistics.fmean(row)) < 0.03
    assert abs(statistics.pvariance(row) - 1) < 0.05
