"""Run the classics and draw each with its mend, side by side."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

import matplotlib as mpl
from matplotlib.figure import Figure

from archcheck.loading import load
from archcheck.simulation import SimulationResult, simulate

HERE = Path(__file__).parent
IMAGES = HERE.parents[1] / "docs" / "images" / "classics"
NAMES = ("retry_storm", "cold_cache", "head_of_line", "hot_shard", "timeout_convoy")
COLOURS = ("#4c78a8", "#f58518")


def both(name: str) -> tuple[SimulationResult, SimulationResult]:
    """What happens, and what happens with the mend."""
    happens, mended = load(HERE / f"{name}.py")
    return simulate(happens, happens.scenarios[0]), simulate(mended, mended.scenarios[0])


def draw(name: str) -> Figure:
    """Good and bad answers above, the 95th percentile, and the busiest resource."""
    results = both(name)
    figure = Figure(figsize=(9, 5.4), layout="constrained")
    figure.suptitle(f"{name.replace('_', ' ')}: {results[0].scenario.name}", weight="bold")
    rows = figure.subplots(3, 2, sharex=True, sharey="row")
    for column, result in enumerate(results):
        answers, percentile, queue = (row[column] for row in rows)
        answers.set_title(result.system.name, fontsize=9)
        for colour, (journey, points) in zip(COLOURS, result.series.items(), strict=False):
            time = [point.time for point in points]
            answers.plot(time, [p.throughput for p in points], color=colour, label=f"{journey} ok")
            answers.plot(
                time, [p.failures for p in points], color=colour, ls=":", label=f"{journey} failed"
            )
            percentile.plot(time, [p.p95 for p in points], color=colour)
        _draw_queue(queue, result)
        for axes in (answers, percentile, queue):
            _finish(axes, result)
    for row, label in zip(rows, ("answers / s", "p95, s", "waiting"), strict=True):
        row[0].set_ylabel(label)
        row[0].set_ylim(bottom=0)
    rows[0][1].legend(frameon=False, fontsize=7, loc="upper right")
    rows[2][0].set_xlabel("seconds")
    rows[2][1].set_xlabel("seconds")
    return figure


def _draw_queue(axes: Any, result: SimulationResult) -> None:
    waiting = max(result.waiting_series.values(), key=sum)
    name = next(name for name, series in result.waiting_series.items() if series == waiting)
    width = result.duration / len(waiting)
    axes.plot([(i + 1) * width for i in range(len(waiting))], waiting, color="#e45756")
    axes.text(0.02, 0.85, f"for {name}", transform=axes.transAxes, fontsize=7, color="#e45756")


def _finish(axes: Any, result: SimulationResult) -> None:
    for fault in result.scenario.faults:
        axes.axvspan(float(fault.start), float(fault.end), color="#e45756", alpha=0.12, lw=0)
    axes.set_xlim(0, result.duration)
    axes.spines[["top", "right"]].set_visible(False)


def main(target: Path = IMAGES) -> None:
    """Write all pictures."""
    target.mkdir(parents=True, exist_ok=True)
    style = {"svg.hashsalt": "archcheck", "svg.fonttype": "none", "font.size": 8}
    with mpl.rc_context(style):
        for name in NAMES:
            draw(name).savefig(target / f"{name}.svg", metadata={"Date": None})


if __name__ == "__main__":
    main(Path(sys.argv[1]) if len(sys.argv) > 1 else IMAGES)
