"""What notebooks show: frames and charts of a simulation."""

from __future__ import annotations

from pathlib import Path

import pytest

from archcheck.loading import load

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
