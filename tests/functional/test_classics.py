"""The classics happen, and their remedies help."""

from __future__ import annotations

import functools
import statistics
import subprocess
import sys
from pathlib import Path

import pytest

from archcheck.loading import load
from archcheck.simulation import SimulationResult, simulate

CLASSICS = Path(__file__).parents[2] / "examples" / "classics"
NAMES = ("retry_storm", "cold_cache", "head_of_line", "hot_shard", "timeout_convoy")


@functools.cache
def both(name: str) -> tuple[SimulationResult, SimulationResult]:
    happens, fixed = load(CLASSICS / f"{name}.py")
    return simulate(happens, happens.scenarios[0]), simulate(fixed, fixed.scenarios[0])


def good(result: SimulationResult, journey: str, start: float, end: float) -> float:
    """Good answers in a second between two moments."""
    points = [p for p in result.series[journey] if start < p.time <= end]
    return statistics.fmean(point.throughput for point in points)


def test_a_retry_storm_stays_when_its_trigger_is_gone() -> None:
    storm, calm = both("retry_storm")
    assert good(storm, "order", 0, 20) > 260
    assert good(storm, "order", 60, 120) < 10
    assert storm.call("orders.place -> payments.charge").amplification > 2
    assert good(calm, "order", 70, 120) > 260


def test_a_cold_cache_takes_the_database_down() -> None:
    down, up = both("cold_cache")
    assert good(down, "page", 35, 45) > 950
    assert good(down, "page", 60, 90) < 800
    assert down.resource("catalogue").waiting > 1_000
    assert good(up, "page", 60, 90) > 950
    assert up.operation("catalogue.read").started < down.operation("catalogue.read").started / 10


def test_slow_reports_stand_in_the_way_of_orders() -> None:
    blocked, free = both("head_of_line")
    assert good(blocked, "order", 30, 50) < 150
    assert good(free, "order", 30, 50) > 170
    assert free.journey("order").latency.p99 < 0.2 < blocked.journey("order").latency.p99


def test_a_hot_shard_is_full_while_the_others_are_not() -> None:
    hot, even = both("hot_shard")
    store = hot.resource("history")
    assert store.busiest > 1.8 * store.utilisation
    assert store.utilisation < 0.5
    assert hot.journey("list").error_rate > 0.05
    assert even.journey("list").error_rate == 0
    assert even.resource("history").busiest < 1.2 * even.resource("history").utilisation


def test_aligned_retries_come_in_waves() -> None:
    waves, smooth = both("timeout_convoy")
    after = [point.throughput for point in waves.series["order"] if 25 < point.time <= 45]
    spread = [point.throughput for point in smooth.series["order"] if 25 < point.time <= 45]
    assert statistics.stdev(after) > 50
    assert statistics.stdev(spread) < 5


@pytest.mark.parametrize("name", NAMES)
def test_each_has_its_picture(name: str) -> None:
    picture = CLASSICS.parents[1] / "docs" / "images" / "classics" / f"{name}.svg"
    assert f"docs/images/classics/{name}.svg" in (CLASSICS / "README.md").read_text()
    assert picture.read_text().startswith("<svg")


def test_the_pictures_can_be_drawn_again(tmp_path: Path) -> None:
    """One of them, in a process of its own: the same bytes."""
    script = (
        f"import sys; sys.path.insert(0, {str(CLASSICS)!r}); import draw; from pathlib import Path;"
        f"draw.NAMES = ('head_of_line',); draw.main(Path({str(tmp_path)!r}))"
    )
    subprocess.run([sys.executable, "-c", script], check=True)
    made = (tmp_path / "head_of_line.svg").read_text()
    kept = CLASSICS.parents[1] / "docs" / "images" / "classics" / "head_of_line.svg"
    assert made == kept.read_text()
