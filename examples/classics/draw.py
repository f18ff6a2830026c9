"""Run the classics and draw each with its remedy, side by side."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

import altair as alt

from archcheck.loading import load
from archcheck.reporting.charts import Chart, save_chart
from archcheck.simulation import SimulationResult, simulate

HERE = Path(__file__).parent
IMAGES = HERE.parents[1] / "docs" / "images" / "classics"
NAMES = ("retry_storm", "cold_cache", "head_of_line", "hot_shard", "timeout_convoy")


def both(name: str) -> tuple[SimulationResult, SimulationResult]:
    """What happens, and what happens with the remedy."""
    happens, fixed = load(HERE / f"{name}.py")
    return simulate(happens, happens.scenarios[0]), simulate(fixed, fixed.scenarios[0])


def draw(name: str) -> Chart:
    """Good and bad answers above, the 95th percentile, and the longest queue."""
    results = both(name)
    panels = (answers, percentile, queue)
    rows = [
        alt.hconcat(*(panel(result) for result in results)).resolve_scale(y="shared")
        for panel in panels
    ]
    title = f"{name.replace('_', ' ')}: {results[0].scenario.name}"
    return alt.vconcat(*rows, title=title).resolve_scale(color="independent")


def answers(result: SimulationResult) -> Chart:
    """Answers a second by journey; dotted: without a good one."""
    rows = [
        {"seconds": point.time, "value": value, "journey": journey, "what": what}
        for journey, points in result.series.items()
        for point in points
        for what, value in (("good", point.throughput), ("failed", point.failures))
    ]
    dashes = alt.Scale(domain=["good", "failed"], range=[[1, 0], [2, 3]])
    dash = alt.StrokeDash("what:N", scale=dashes, legend=None)
    return lines(result, rows, "answers / s; dotted: failed", result.system.name).encode(
        strokeDash=dash
    )


def percentile(result: SimulationResult) -> Chart:
    """The 95th percentile by journey."""
    rows = [
        {"seconds": point.time, "value": point.p95, "journey": journey}
        for journey, points in result.series.items()
        for point in points
        if point.p95 == point.p95
    ]
    return lines(result, rows, "p95, s")


def queue(result: SimulationResult) -> Chart:
    """How many wait for what most wait for."""
    name, waiting = max(result.waiting_series.items(), key=lambda item: sum(item[1]))
    width = result.duration / len(waiting)
    rows = [
        {"seconds": (bucket + 1) * width, "value": value, "journey": f"for {name}"}
        for bucket, value in enumerate(waiting)
    ]
    return lines(result, rows, "waiting")


def lines(
    result: SimulationResult, rows: list[dict[str, Any]], label: str, title: str = ""
) -> Chart:
    """Lines over the run, with its faults shaded."""
    chart = (
        alt.Chart(alt.Data(values=rows))
        .mark_line(strokeWidth=1.5)
        .encode(
            x=alt.X("seconds:Q", title="seconds", scale=alt.Scale(domain=[0, result.duration])),
            y=alt.Y("value:Q", title=label),
            color=alt.Color("journey:N", legend=alt.Legend(title=None, orient="top-right")),
        )
    )
    faults = [
        {"start": float(f.start), "end": min(float(f.end), result.duration)}
        for f in result.scenario.faults
    ]
    shade = alt.Chart(alt.Data(values=faults)).mark_rect(color="#e45756", opacity=0.12)
    both = shade.encode(x="start:Q", x2="end:Q") + chart
    return both.properties(width=330, height=120, title=title)


def main(target: Path = IMAGES) -> None:
    """Write all pictures."""
    target.mkdir(parents=True, exist_ok=True)
    for name in NAMES:
        save_chart(draw(name), target / f"{name}.svg")


if __name__ == "__main__":
    main(Path(sys.argv[1]) if len(sys.argv) > 1 else IMAGES)
