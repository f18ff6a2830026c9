"""A simulation as charts: where the time went, how the run went, the percentiles."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from archcheck.findings import PERCENTILES
from archcheck.reporting.charts.base import RED, WIDTH, Chart, data, millis
from archcheck.simulation import SeriesPoint, SimulationResult
from archcheck.simulation.record import BUCKETS
from archcheck.units import spoken

CAUSES = {
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
"""Why time passed, each with its colour."""
_SHOWN_RESOURCES = 5
_SHOWN_CAUSES = 5


def simulation_chart(result: SimulationResult) -> Chart:
    """All charts of a run, below each other."""
    import altair as alt

    title = f"{result.system.name} under {result.scenario.name}"
    charts = [run_chart(result)]
    if any(times.bands for times in result.times):
        charts.insert(0, times_chart(result))
    return alt.vconcat(*charts, title=title).resolve_scale(color="independent")


def times_chart(result: SimulationResult) -> Chart:
    """For each journey and band of percentiles, what the mean time went into."""
    import altair as alt

    rows = [*_times(result)]
    order = list(dict.fromkeys(row["band"] for row in rows))
    used = [cause for cause in CAUSES if any(row["cause"] == cause for row in rows)]
    bars = alt.Chart(data(rows)).encode(
        y=alt.Y("band:N", sort=order, title=None, axis=alt.Axis(ticks=False, domain=False)),
        order=alt.Order("rank:Q"),
        tooltip=["band:N", "cause:N", alt.Tooltip("ms:Q", format=",.3~g")],
    )
    stack = bars.mark_bar(height={"band": 0.7}).encode(
        x=alt.X("sum(ms):Q", title="mean milliseconds on the critical path"),
        color=alt.Color(
            "cause:N",
            scale=alt.Scale(domain=used, range=[CAUSES[cause] for cause in used]),
            legend=alt.Legend(title=None, orient="bottom", columns=4),
        ),
    )
    totals = (
        alt.Chart(data(_totals(rows)))
        .mark_text(align="left", dx=5)
        .encode(
            y=alt.Y("band:N", sort=order, title=None),
            x="ms:Q",
            text=alt.Text("text:N"),
        )
    )
    return (stack + totals).properties(width=WIDTH, height=alt.Step(24))


def _times(result: SimulationResult) -> Iterator[dict[str, Any]]:
    for times in result.times:
        for band in times.bands:
            name = f"{times.journey}: {band.name}"
            causes: dict[str, float] = {}
            for share in band.shares:
                causes[share.cause] = causes.get(share.cause, 0.0) + millis(share.seconds)
            for rank, cause in enumerate(CAUSES):
                if cause in causes:
                    yield {"band": name, "cause": cause, "ms": causes[cause], "rank": rank}


def _totals(rows: list[dict[str, Any]]) -> Iterator[dict[str, Any]]:
    sums: dict[str, float] = {}
    for row in rows:
        sums[row["band"]] = sums.get(row["band"], 0.0) + row["ms"]
    yield from ({"band": band, "ms": ms, "text": spoken(ms / 1000)} for band, ms in sums.items())


def run_chart(result: SimulationResult) -> Chart:
    """How the run went: answers, 95th percentile, the busiest resources; faults are shaded."""
    import altair as alt

    series = [*_series(result)]
    answers = [
        {"seconds": point.time, "value": value, "journey": name, "what": what}
        for name, points in series
        for what, attribute in (("good", "throughput"), ("failed", "failures"))
        for point in points
        if (value := getattr(point, attribute)) or what == "good"
    ]
    latency = [
        {"seconds": point.time, "value": millis(point.p95), "journey": name}
        for name, points in series
        for point in points
    ]
    dashes = alt.StrokeDash(
        "what:N",
        scale=alt.Scale(domain=["good", "failed"], range=[[1, 0], [3, 3]]),
        legend=None,
    )
    panels = [
        _lines(result, answers, "answers / s; dotted: failed", "journey").encode(strokeDash=dashes)
        + _faults(result),
        _lines(result, latency, "p95, ms", "journey") + _faults(result),
        _lines(result, _busy(result), "busy, %", "resource", is_last=True) + _faults(result),
    ]
    if result.failures:
        lost = _lines(result, _failures(result), "failed / s", "cause") + _faults(result)
        panels.insert(1, lost)
    return alt.vconcat(*panels).resolve_scale(color="independent")


def _failures(result: SimulationResult) -> list[dict[str, Any]]:
    """The most frequent causes, whichever journeys they made fail."""
    counts: dict[str, int] = {}
    series: dict[str, list[float]] = {}
    for cause in (cause for each in result.failures for cause in each.causes):
        name = f"{cause.reason} ({cause.place})"
        counts[name] = counts.get(name, 0) + cause.count
        before = series.get(name, [0.0] * BUCKETS)
        series[name] = [a + b for a, b in zip(before, cause.series, strict=True)]
    shown = sorted(counts, key=lambda name: -counts[name])[:_SHOWN_CAUSES]
    width = result.duration / BUCKETS
    return [
        {"seconds": (bucket + 1) * width, "value": value, "cause": name}
        for name in shown
        for bucket, value in enumerate(series[name])
    ]


def _lines(
    result: SimulationResult,
    rows: list[dict[str, Any]],
    label: str,
    by: str,
    *,
    is_last: bool = False,
) -> Chart:
    import altair as alt

    return (
        alt.Chart(data(rows))
        .mark_line(point=alt.OverlayMarkDef(size=12, opacity=0.55), strokeWidth=1.6)
        .encode(
            x=alt.X(
                "seconds:Q",
                title="seconds" if is_last else None,
                scale=alt.Scale(domain=[0, result.duration], nice=False),
                axis=alt.Axis(labels=is_last),
            ),
            y=alt.Y("value:Q", title=label, scale=alt.Scale(zero=True)),
            color=alt.Color(f"{by}:N", legend=alt.Legend(title=None)),
            tooltip=[
                f"{by}:N",
                alt.Tooltip("seconds:Q", format=".3~g"),
                alt.Tooltip("value:Q", title=label, format=",.3~g"),
            ],
        )
        .properties(width=WIDTH, height=120)
    )


def _faults(result: SimulationResult) -> Chart:
    import altair as alt

    rows = [
        {
            "start": float(fault.start),
            "end": min(float(fault.end), result.duration),
            "fault": type(fault).__name__,
        }
        for fault in result.scenario.faults
        if float(fault.start) < result.duration
    ]
    shade = alt.Chart(data(rows)).mark_rect(color=RED, opacity=0.13)
    return shade.encode(x="start:Q", x2="end:Q", tooltip=["fault:N"])


def _series(result: SimulationResult) -> Iterator[tuple[str, tuple[SeriesPoint, ...]]]:
    """The series of the journeys and jobs that were started."""
    started = {each.name for each in (*result.journeys, *result.jobs) if each.started}
    yield from ((name, points) for name, points in result.series.items() if name in started)


def _busy(result: SimulationResult) -> list[dict[str, Any]]:
    width = result.duration / BUCKETS
    shown = [each for each in result.bottlenecks if each.name in result.utilisation_series]
    return [
        {
            "seconds": (bucket + 1) * width,
            "value": 100 * value,
            "resource": resource.label,
        }
        for resource in shown[:_SHOWN_RESOURCES]
        for bucket, value in enumerate(result.utilisation_series[resource.name])
    ]


def percentile_chart(result: SimulationResult) -> Chart:
    """The percentiles of the journeys' latencies."""
    import altair as alt

    rows = [
        {
            "journey": journey.name,
            "percentile": name if name != "p999" else "p99.9",
            "ms": millis(getattr(journey.latency, name)),
        }
        for journey in result.journeys
        if journey.finished
        for name in PERCENTILES
    ]
    return (
        alt.Chart(data(rows))
        .mark_line(point=alt.OverlayMarkDef(size=60), strokeWidth=1.6)
        .encode(
            x=alt.X("percentile:N", sort=None, title=None, axis=alt.Axis(labelAngle=0)),
            y=alt.Y("ms:Q", title="latency, ms", scale=alt.Scale(zero=True)),
            color=alt.Color("journey:N", legend=alt.Legend(title=None)),
            tooltip=["journey:N", "percentile:N", alt.Tooltip("ms:Q", format=",.3~g")],
        )
        .properties(width=WIDTH, height=220)
    )
