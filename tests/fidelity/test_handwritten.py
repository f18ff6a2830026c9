"""A SimPy script that somebody would write by hand agrees with the model of the same system."""

from __future__ import annotations

import importlib.util
import math
import statistics
import sys
from pathlib import Path

import pytest

from archcheck.simulation.estimates import quantile_t

SCRIPT = Path(__file__).parents[2] / "examples" / "handwritten_simpy.py"
RUNS = 8


def test_both_ways_of_simulating_agree() -> None:
    """Each number's difference lies within the 99% interval of a Welch test."""
    spec = importlib.util.spec_from_file_location("handwritten_simpy", SCRIPT)
    assert spec is not None
    assert spec.loader is not None
    script = importlib.util.module_from_spec(spec)
    sys.modules[spec.name] = script  # dataclasses look their module up
    spec.loader.exec_module(script)
    by_hand = [script.simulate_by_hand(25.0, seed) for seed in range(1, RUNS + 1)]
    model = [script.simulate_model(25.0, seed) for seed in range(1, RUNS + 1)]
    for name in ("mean", "p95", "throughput", "ledger", "payments_waiting"):
        ours, theirs = ([getattr(run, name) for run in runs] for runs in (model, by_hand))
        error = math.sqrt((statistics.variance(ours) + statistics.variance(theirs)) / RUNS)
        difference = statistics.fmean(ours) - statistics.fmean(theirs)
        assert abs(difference) <= quantile_t(2 * RUNS - 2, 0.99) * error, name
    assert statistics.fmean(run.mean for run in model) == pytest.approx(0.0305, rel=0.1)
