"""What notebooks show: frames and charts of a simulation."""

from __future__ import annotations

from pathlib import Path

import pytest

from archcheck.loading import load
from archcheck.units import percent, s

EXAMPLE = Path(__file__).parents[2] / "examples" / "checkout.py"


def test_a_simulation_shows_its_time_and_draws_itself(tmp_path: Path) -> None:
    (system,) = load(EXAMPLE)
    view = system.simulate("peak", replications=2)
    assert view.result.replications == 2
    times = view.times()
    everything = times[(times.journey == "checkout") & (times.band == "all")]
    assert everything["share"].sum() == pytest.approx(1)
    assert everything.iloc[0]["cause"] == "work"
    assert view.frame().iloc[0]["p99"] > view.frame().iloc[0]["p50"]
    view.chart(tmp_path / "run.png")
    assert (tmp_path / "run.png").read_bytes().startswith(b"\x89PNG")


def test_a_plan_shows_itself(tmp_path: Path) -> None:
    (system,) = load(EXAMPLE)
    view = system.plan("peak", target=1.0, growth=5 * percent)
    assert "sustainable load" in repr(view)
    assert "sustainable load" in view._repr_html_()
    frame = view.frame()
    assert {"factor", "p95", "simulated"} <= set(frame.columns)
    assert frame["simulated"].any()
    view.chart(tmp_path / "plan.svg")
    assert "sustainable" in (tmp_path / "plan.svg").read_text()


def test_a_system_with_other_values_is_another_system() -> None:
    (system,) = load(EXAMPLE)
    slow, fast = (
        each.simulate(duration=20 * s).result.journey("checkout").latency.p99
        for each in (system, system.with_({"payments.threads": 16}))
    )
    assert fast < slow
