"""Charts: complete, the same bytes twice, and harmless names."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from depth import thorough

from archcheck import (
    ArchcheckError,
    Endpoint,
    Journey,
    Load,
    Poisson,
    Scenario,
    Service,
    System,
    Work,
)
from archcheck.planning import plan_capacity
from archcheck.reporting.charts import (
    capacity_chart,
    chaos_chart,
    chart_svg,
    percentile_chart,
    phase_chart,
    run_chart,
    save_chart,
    simulation_chart,
    times_chart,
)
from archcheck.resilience import phase_map, run_chaos
from archcheck.simulation import SimulationResult, simulate
from archcheck.units import ms, s

ODD = "<b>'odd'</b> \"name\" datum[0]"


def system() -> System:
    return System(
        "charts",
        [Service("a", endpoints=[Endpoint("go", steps=[Work(5 * ms)])])],
        journeys=[Journey(ODD, "a.go", critical=True)],
        scenarios=[Scenario("usual", load=[Load(ODD, Poisson(100 / s))])],
    )


def run() -> SimulationResult:
    found = system()
    return simulate(found, found.scenarios[0], duration=20 * s, warmup=1 * s)


def test_the_bars_of_a_journey_add_up_to_its_mean() -> None:
    result = run()
    rows = times_chart(result).to_dict()["layer"][0]["data"]["values"]
    total = sum(row["ms"] for row in rows if row["band"].endswith(": all"))
    assert total == pytest.approx(1000 * result.journeys[0].latency.mean, rel=1e-6)


def test_percentiles_rise() -> None:
    values = [row["ms"] for row in percentile_chart(run()).to_dict()["data"]["values"]]
    assert values == sorted(values)
    assert len(values) == 5


def test_the_run_has_a_point_for_each_interval() -> None:
    chart = json.dumps(run_chart(run()).to_dict())
    assert chart.count('"what": "good"') == 60


def test_charts_are_the_same_bytes_twice() -> None:
    assert chart_svg(simulation_chart(run())) == chart_svg(simulation_chart(run()))


def test_names_are_only_data() -> None:
    svg = chart_svg(simulation_chart(run()))
    assert "<b>" not in svg
    assert "&lt;b&gt;" in svg


def test_a_plan_shows_today_and_what_is_sustained() -> None:
    found = system()
    chart = json.dumps(capacity_chart(plan_capacity(found)).to_dict())
    for word in ("declared", "sustainable", "good answers", "simulated", "analytic"):
        assert f'"{word}"' in chart


@thorough
def test_trials_and_phases_have_a_field_for_each_result() -> None:
    found = system()
    scenario = found.scenarios[0]
    chaos = run_chaos(found, scenario, jobs=1)
    bars = chaos_chart(chaos).to_dict()["data"]["values"]
    assert [bar["trigger"] for bar in bars] == [each.trigger.name for each in chaos.results]
    phases = phase_map(found, scenario, "a slow", jobs=1)
    fields = phase_chart(phases).to_dict()["data"]["values"]
    assert len(fields) == len(phases.rows) * len(phases.sizes)


@pytest.mark.parametrize("ending", ["svg", "png", "pdf"])
def test_charts_are_saved_by_their_ending(tmp_path: Path, ending: str) -> None:
    target = tmp_path / f"run.{ending}"
    save_chart(percentile_chart(run()), target)
    assert target.stat().st_size > 1000
    with pytest.raises(ArchcheckError, match=r"cannot draw 'run\.gif'; use a name that ends in"):
        save_chart(percentile_chart(run()), tmp_path / "run.gif")
