"""Log-bucketed histograms: percentiles within half a percent, merging without loss."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from archcheck.simulation.histogram import Histogram

latencies = st.lists(st.floats(1e-6, 1e4), min_size=1, max_size=300)


def filled(values: list[float]) -> Histogram:
    histogram = Histogram()
    for value in values:
        histogram.add(value)
    return histogram


@given(latencies, st.floats(0.01, 1))
def test_quantiles_are_within_half_a_percent(values: list[float], share: float) -> None:
    rank = max(0, -int(-share * len(values) // 1) - 1)
    exact = sorted(values)
    near = exact[max(0, rank - 1) : rank + 2]
    estimate = filled(values).quantile(share)
    assert any(estimate == pytest.approx(value, rel=0.0051) for value in near)


@given(latencies, latencies)
def test_merging_is_like_adding_to_one(first: list[float], second: list[float]) -> None:
    merged, single = Histogram.merged([filled(first), filled(second)]), filled(first + second)
    assert merged.count == single.count
    assert merged.max == single.max
    assert merged.mean == pytest.approx(single.mean)
    assert merged.quantile(0.9) == single.quantile(0.9)
