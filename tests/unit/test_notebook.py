"""What notebooks show: texts, frames, charts and pictures of results."""

from __future__ import annotations

from pathlib import Path

import pytest
from depth import sample, thorough
from IPython.core.interactiveshell import InteractiveShell

import archcheck
from archcheck import ArchcheckError, System
from archcheck.loading import load
from archcheck.notebook import SHOWN, chart, frame, html, load_ipython_extension, text
from archcheck.notebook.kinds import KINDS
from archcheck.units import percent, s

EXAMPLE = Path(__file__).parents[2] / "examples" / "checkout.py"


@pytest.fixture
def system() -> System:
    (found,) = load(EXAMPLE)
    return found


def test_a_simulation_shows_its_time_and_draws_itself(system: System, tmp_path: Path) -> None:
    run = archcheck.simulate(system, "peak", replications=2)
    assert run.replications == 2
    times = frame(run, "times")
    everything = times[(times.journey == "checkout") & (times.band == "all")]
    assert everything["share"].sum() == pytest.approx(1)
    assert everything.iloc[0]["cause"] == "work"
    assert frame(run).iloc[0]["p99"] > frame(run).iloc[0]["p50"]
    chart(run).save(tmp_path / "run.png")
    assert (tmp_path / "run.png").read_bytes().startswith(b"\x89PNG")


def test_a_plan_shows_itself(system: System, tmp_path: Path) -> None:
    plan = archcheck.plan(system, "peak", target=1.0, growth=5 * percent)
    assert "sustainable load" in text(plan)
    assert "sustainable load" in html(plan)
    curve = frame(plan)
    assert {"factor", "p95", "simulated"} <= set(curve.columns)
    assert curve["simulated"].any()
    chart(plan).save(tmp_path / "plan.svg")
    assert "sustainable" in (tmp_path / "plan.svg").read_text()


def test_a_system_with_other_values_is_another_system(system: System) -> None:
    slow, fast = (
        archcheck.simulate(each, duration=20 * s).journey("checkout").latency.p99
        for each in (system, archcheck.with_(system, {"payments.threads": 16}))
    )
    assert fast < slow


def test_frames_are_of_pandas_or_polars(system: System) -> None:
    run = archcheck.simulate(system, "peak", duration=10 * s)
    available = archcheck.availability(system, samples=100)
    shown = [(archcheck.verify(system), None), (archcheck.prove(system), None), (available, None)]
    for result, of in [*shown, (run, None), (run, "resources"), (run, "times")]:
        pandas, polars = frame(result, of), frame(result, of, library="polars")
        assert type(polars).__module__.startswith("polars")
        assert [*pandas.columns] == [*polars.columns]
        assert len(pandas) == len(polars) > 0
    with pytest.raises(ArchcheckError, match="a frame is of pandas or polars, not of 'arrow'"):
        frame(run, library="arrow")  # type: ignore[arg-type]


def test_what_a_result_has_not_is_said(system: System) -> None:
    run = archcheck.simulate(system, "peak", duration=10 * s)
    with pytest.raises(ArchcheckError, match="no frame 'calls'; it has journeys, resources, times"):
        frame(run, "calls")
    with pytest.raises(ArchcheckError, match="Verification has no chart"):
        chart(archcheck.verify(system))
    with pytest.raises(ArchcheckError, match="a System is no result; results are CapacityPlan"):
        text(system)


def test_proofs_show_themselves(system: System) -> None:
    proofs = archcheck.prove(system)
    assert "what is proved" in text(proofs)
    assert "what is proved" in html(proofs)
    assert set(frame(proofs)["verdict"]) <= {"proved", "refuted", "undecided"}


@pytest.mark.parametrize("ending", sample(["svg", "png", "pdf", "mmd", "puml"]))
def test_pictures_of_results_are_saved_by_their_ending(
    system: System, tmp_path: Path, ending: str
) -> None:
    target = tmp_path / f"out.{ending}"
    archcheck.diagram(archcheck.verify(system)).save(target)
    assert target.stat().st_size > 300
    picture = archcheck.diagram(system)
    assert repr(picture) == "Picture('checkout: containers': 3 elements)"
    with pytest.raises(ArchcheckError, match=r"cannot draw 'x\.doc'"):
        picture.save(tmp_path / "x.doc")


def test_a_run_is_laid_over_any_view(system: System) -> None:
    run = archcheck.simulate(system, "peak", duration=10 * s)
    assert "% busy" in archcheck.diagram(run).svg
    assert "/s" in archcheck.diagram(run, "journey", "checkout", overlay="flow")._repr_svg_()
    with pytest.raises(ArchcheckError, match="has no overlay 'heat'; it has utilisation, latency"):
        archcheck.diagram(run, overlay="heat")
    with pytest.raises(ArchcheckError, match="only a simulation has overlays"):
        archcheck.diagram(archcheck.prove(system), overlay="flow")
    with pytest.raises(ArchcheckError, match="is of a simulation"):
        archcheck.diagram(system, overlay="flow")


def test_charts_bring_vega_lite_and_svg(system: System, tmp_path: Path) -> None:
    run = archcheck.simulate(system, "peak", duration=10 * s)
    figure = chart(run, "percentiles")
    shown = figure._repr_mimebundle_()
    assert [kind for kind in shown if kind.startswith("application/vnd.vegalite.v")]
    assert "checkout" in shown["image/svg+xml"]
    figure.save(tmp_path / "p.pdf")
    assert (tmp_path / "p.pdf").read_bytes().startswith(b"%PDF")


@thorough
def test_a_report_is_written(system: System, tmp_path: Path) -> None:
    path = archcheck.report(system, tmp_path / "review.html")
    assert "<h1>checkout</h1>" in path.read_text()


def test_every_kind_of_result_is_known_to_notebooks_by_its_name() -> None:
    assert {(kind.__module__, kind.__name__) for kind in KINDS} == set(SHOWN)


def test_ipython_shows_results_as_text_and_html(system: System) -> None:
    shell = InteractiveShell()
    checked = archcheck.verify(system)
    assert shell.display_formatter is not None
    before, _ = shell.display_formatter.format(checked)
    assert "text/html" not in before
    load_ipython_extension(shell)
    shown, _ = shell.display_formatter.format(checked)
    assert shown["text/plain"] == text(checked)
    assert shown["text/html"] == html(checked)
