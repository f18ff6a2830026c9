"""What notebooks show: frames and charts of a simulation."""

from __future__ import annotations

from pathlib import Path

import pytest

from archcheck import ArchcheckError
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


def test_frames_are_of_pandas_or_polars() -> None:
    (system,) = load(EXAMPLE)
    run = system.simulate("peak", duration=10 * s)
    for views in (system.verify().frame, system.prove().frame, run.frame, run.resources, run.times):
        pandas, polars = views("pandas"), views("polars")
        assert type(polars).__module__.startswith("polars")
        assert [*pandas.columns] == [*polars.columns]
        assert len(pandas) == len(polars) > 0
    with pytest.raises(ArchcheckError, match="a frame is of pandas or polars, not of 'arrow'"):
        run.frame("arrow")  # type: ignore[arg-type]


def test_proofs_show_themselves() -> None:
    (system,) = load(EXAMPLE)
    view = system.prove()
    assert "what is proved" in repr(view)
    assert "what is proved" in view._repr_html_()
    assert set(view.frame()["verdict"]) <= {"proved", "refuted", "undecided"}


@pytest.mark.parametrize("ending", ["svg", "png", "pdf", "mmd", "puml"])
def test_pictures_of_results_are_saved_by_their_ending(tmp_path: Path, ending: str) -> None:
    (system,) = load(EXAMPLE)
    target = tmp_path / f"out.{ending}"
    system.verify().diagram().save(target)
    assert target.stat().st_size > 300
    assert repr(system.diagram()) == "DiagramView('checkout: containers': 3 elements)"
    with pytest.raises(ArchcheckError, match=r"cannot draw 'x\.doc'"):
        system.diagram().save(tmp_path / "x.doc")


def test_a_run_is_laid_over_any_view() -> None:
    (system,) = load(EXAMPLE)
    run = system.simulate("peak", duration=10 * s)
    assert "% busy" in run.diagram().svg
    assert "/s" in run.diagram("flow", "journey", "checkout")._repr_svg_()
    with pytest.raises(ArchcheckError, match="has no overlay 'heat'; it has utilisation, latency"):
        run.diagram("heat")


def test_charts_bring_vega_lite_and_svg(tmp_path: Path) -> None:
    (system,) = load(EXAMPLE)
    run = system.simulate("peak", duration=10 * s)
    shown = run.percentiles(tmp_path / "p.pdf")._repr_mimebundle_()
    assert [kind for kind in shown if kind.startswith("application/vnd.vegalite.v")]
    assert "checkout" in shown["image/svg+xml"]
    assert (tmp_path / "p.pdf").read_bytes().startswith(b"%PDF")


def test_a_report_is_written(tmp_path: Path) -> None:
    (system,) = load(EXAMPLE)
    path = system.report(tmp_path / "review.html")
    assert "<h1>checkout</h1>" in path.read_text()
