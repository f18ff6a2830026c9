"""The result of a simulation as a picture: where the time went, and how the run went.

Drawn with matplotlib, which the extra ``charts`` brings.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO, Any

from archcheck.model import ArchcheckError
from archcheck.simulation import JourneyTime, SeriesPoint, SimulationResult
from archcheck.simulation.record import BUCKETS

_COLOURS = {
    "work": "#4c78a8",
    "waiting for a thread": "#e45756",
    "waiting for cores": "#f58518",
    "waiting for a connection": "#b279a2",
    "waiting for a connection of the store": "#d67195",
    "waiting for a consumer": "#9d755d",
    "waiting at the bulkhead": "#eeca3b",
    "network": "#bab0ac",
    "no answer in time": "#7f3c8d",
    "backoff": "#72b7b2",
    "waiting for the cache to fill": "#54a24b",
}
_LINES = ("#4c78a8", "#f58518", "#54a24b", "#e45756", "#b279a2", "#72b7b2")
_ROW = 0.42
_SHOWN_RESOURCES = 5
_WIDTH = 9.0
_STYLE: Any = {
    "font.size": 9,
    "svg.fonttype": "none",
    "text.parse_math": False,
    "svg.hashsalt": "archcheck",
    "axes.spines.top": False,
    "axes.spines.right": False,
}


def checked_target(target: str) -> Path:
    """The file of a picture. Raises :class:`ArchcheckError` for a kind that cannot be drawn."""
    path = Path(target)
    if path.suffix not in (".svg", ".png"):
        raise ArchcheckError(f"cannot draw {path.name!r}; use a name that ends in .svg or .png")
    return path


def draw_charts(result: SimulationResult, target: str) -> None:
    """Write the picture to a ``.svg`` or ``.png`` file.

    Above: for each journey and percentile band, what the mean time went into. Below: throughput
    and failures, 95th percentile, utilisation of the busiest resources over the run. Raises
    :class:`ArchcheckError` for another kind of file, or without matplotlib.
    """
    path = checked_target(target)
    rows = sum(len(times.bands) for times in result.times)
    high = max(1.4, _ROW * rows + 0.9)
    with figure_of(_WIDTH, high + 6.2) as figure:
        axes = figure.subplots(4, 1, height_ratios=[high, 1.6, 1.6, 1.6])
        figure.suptitle(f"{result.system.name} under {result.scenario.name}", weight="bold")
        _draw_times(axes[0], result.times)
        _draw_throughput(axes[1], result)
        _draw_latency(axes[2], result)
        _draw_utilisation(axes[3], result)
        save(figure, path)


@contextmanager
def figure_of(width: float, height: float) -> Iterator[Any]:
    """A figure of so many inches in our style, which draws the same bytes each time.

    Raises :class:`ArchcheckError` without matplotlib.
    """
    try:
        import matplotlib as mpl
        from matplotlib.figure import Figure
    except ImportError:
        raise ArchcheckError("charts need matplotlib: install archcheck-models[charts]") from None
    with mpl.rc_context(_STYLE):
        yield Figure(figsize=(width, height), layout="constrained")


def save(figure: Any, target: Path | IO[bytes], kind: str = "") -> None:
    """Write a figure to a file, or as ``kind`` to a stream."""
    kind = kind or (target.suffix.removeprefix(".") if isinstance(target, Path) else "svg")
    metadata = {"Date": None} if kind == "svg" else {"Software": None}
    figure.savefig(target, format=kind, dpi=110, metadata=metadata)


def _draw_times(axes: Any, times: tuple[JourneyTime, ...]) -> None:
    names: list[str] = []
    legend: dict[str, Any] = {}
    for journey in times:
        for band in journey.bands:
            row = len(names)
            names.append(f"{journey.journey}  {band.name}" if band.name == "all" else band.name)
            causes: dict[str, float] = {}
            for share in band.shares:
                causes[share.cause] = causes.get(share.cause, 0.0) + share.seconds * 1000
            left = 0.0
            for cause in sorted(causes, key=list(_COLOURS).index):
                colour = _COLOURS[cause]
                legend[cause] = axes.barh(row, causes[cause], left=left, color=colour, height=0.7)
                left += causes[cause]
            axes.annotate(
                f"{left:,.3g} ms",
                (left, row),
                xytext=(4, 0),
                textcoords="offset points",
                va="center",
                size=8,
            )
    axes.set_yticks(range(len(names)), names)
    axes.invert_yaxis()
    axes.margins(x=0.12)
    axes.set_xlabel("mean milliseconds on the critical path")
    if legend:
        axes.legend(
            legend.values(), legend.keys(), loc="lower center", bbox_to_anchor=(0.5, 1.0),
            ncols=4, frameon=False, fontsize=8,
        )  # fmt: skip


def _series(result: SimulationResult) -> list[tuple[str, tuple[SeriesPoint, ...]]]:
    """The series of the journeys and jobs that were started."""
    started = {each.name for each in (*result.journeys, *result.jobs) if each.started}
    return [(name, points) for name, points in result.series.items() if name in started]


def _draw_throughput(axes: Any, result: SimulationResult) -> None:
    for colour, (name, points) in zip(_LINES * 9, _series(result), strict=False):
        time = [point.time for point in points]
        axes.plot(time, [point.throughput for point in points], color=colour, label=name)
        if any(point.failures for point in points):
            failures = [point.failures for point in points]
            axes.plot(time, failures, color=colour, ls=":", label=f"{name} failures")
    _finish(axes, result, "answers / s")


def _draw_latency(axes: Any, result: SimulationResult) -> None:
    for colour, (name, points) in zip(_LINES * 9, _series(result), strict=False):
        time = [point.time for point in points]
        axes.plot(time, [point.p95 * 1000 for point in points], color=colour, label=name)
    _finish(axes, result, "p95, ms")


def _draw_utilisation(axes: Any, result: SimulationResult) -> None:
    width = result.duration / BUCKETS
    time = [(bucket + 1) * width for bucket in range(BUCKETS)]
    shown = [each for each in result.bottlenecks if each.name in result.utilisation_series]
    for colour, resource in zip(_LINES, shown[:_SHOWN_RESOURCES], strict=False):
        series = [100 * value for value in result.utilisation_series[resource.name]]
        axes.plot(time, series, color=colour, label=f"{resource.name} {resource.what}")
    axes.set_xlabel("seconds")
    _finish(axes, result, "busy, %")


def _finish(axes: Any, result: SimulationResult, label: str) -> None:
    for fault in result.scenario.faults:
        end = min(float(fault.end), result.duration)
        if float(fault.start) < result.duration:
            axes.axvspan(float(fault.start), end, color="#e45756", alpha=0.12, lw=0)
    axes.set_ylabel(label)
    axes.set_ylim(bottom=0)
    axes.set_xlim(0, result.duration)
    axes.legend(loc="upper left", bbox_to_anchor=(1.0, 1.0), frameon=False, fontsize=8)
