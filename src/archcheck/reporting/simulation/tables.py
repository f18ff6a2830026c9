"""The tables of a simulation, for a terminal and for the report alike."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence

from archcheck.reporting.console import figure
from archcheck.reporting.objectives import objectives_sheet
from archcheck.reporting.sheets import Cell, Sheet, Tone, Words
from archcheck.simulation import Band, RequestResult, ResourceResult, SimulationResult
from archcheck.units import Duration

_SHOWN_RESOURCES = 8
_SHOWN_CAUSES = 5
_SHOWN_CALLS = 8
_SMALLEST_SHARE = 0.0001
_HOT, _WARM = 0.85, 0.7
"""Utilisations from which on a bar is red and yellow: as the overlay of diagrams."""
_LEAST = 1e-9
"""Seconds below which a sum of times is rounding. A choice: nothing that is modelled is faster."""
_SHOWN_COURSES = 3
_BLOCKS = " \u2581\u2582\u2583\u2584\u2585\u2586\u2587\u2588"


def simulation_sheets(result: SimulationResult, *, verbose: bool = False) -> Iterator[Sheet]:
    """The tables in the order in which they are read; with ``verbose`` all rows of all of them."""
    yield requests_sheet("journey", result, result.journeys)
    if any(job.started for job in result.jobs):
        yield requests_sheet("scheduled job", result, result.jobs)
    if verbose:
        yield requests_sheet("endpoint", result, result.operations)
    if result.objectives:
        yield objectives_sheet(result.objectives)
    if any(verbose or each.share >= _SMALLEST_SHARE for each in result.failures):
        yield failures_sheet(result, verbose=verbose)
    yield times_sheet(result, verbose=verbose)
    if verbose or any(call.amplification > 1 or call.broken for call in result.calls):
        yield calls_sheet(result, verbose=verbose)
    yield resources_sheet(result, verbose=verbose)
    if verbose or result.scenario.faults:
        yield course_sheet(result)


def requests_sheet(what: str, result: SimulationResult, requests: Sequence[RequestResult]) -> Sheet:
    """Journeys, jobs or endpoints: how many, how they ended, how long they took."""
    degrades = ["degraded"] if any(request.degraded for request in requests) else []
    rows: list[tuple[str | Cell, ...]] = []
    for request in requests:
        if not request.started:
            continue
        latency = request.latency
        rows.append(
            (
                request.name,
                f"{request.started:,}",
                f"{request.throughput:.1f}",
                _errors(request),
                *([_degraded(request)] if degrades else []),
                _mean(result, request),
                *map(seconds_shown, (latency.p50, latency.p95, latency.p99, latency.p999)),
            )
        )
    percentiles = ("p50", "p95", "p99", "p99.9")
    columns = (what, "started", "answered/s", "errors", *degrades, "mean", *percentiles)
    return Sheet(f"{what}s", columns, tuple(rows))


def _mean(result: SimulationResult, request: RequestResult) -> str:
    """The mean with the half width of its 95% interval, where there is one."""
    estimate = result.estimate(request.name, "mean")
    shown = seconds_shown(request.latency.mean)
    if estimate is None or math.isnan(request.latency.mean) or not estimate.value:
        return shown
    return f"{shown} ±{estimate.relative:.1%}"


def _errors(request: RequestResult) -> Cell:
    if math.isnan(request.error_rate):
        return Cell("-", "quiet")
    parts = {
        "timed out": request.timed_out,
        "rejected": request.rejected,
        "broken": request.broken,
        "failed": request.failed,
    }
    text = _share(request.error_rate) if request.error_rate else "0"
    worst = max(parts, key=lambda name: parts[name])
    return Cell(f"{text} {worst}", "bad") if parts[worst] else Cell(text)


def _degraded(request: RequestResult) -> str:
    return _share(request.degraded / request.finished) if request.degraded else ""


def _share(value: float) -> str:
    return f"{value:.2%}" if value >= _SMALLEST_SHARE else f"<{_SMALLEST_SHARE:.2%}"


def failures_sheet(result: SimulationResult, *, verbose: bool = False) -> Sheet:
    """For each journey that failed, what made it."""
    rows = []
    for each in result.failures:
        if each.share < _SMALLEST_SHARE and not verbose:
            continue
        shown = each.causes if verbose else each.causes[:_SHOWN_CAUSES]
        parts = [f"{cause.share:.0%} {cause.reason} ({cause.place})" for cause in shown]
        rest = len(each.causes) - len(shown)
        if rest:
            parts.append(f"{rest} other cause{'s' if rest > 1 else ''}")
        rows.append((each.journey, f"{each.count:,}", _share(each.share), ", ".join(parts)))
    columns = ("journey", "failed", "share", Words("what made them fail"))
    return Sheet("failures", columns, tuple(rows))


def times_sheet(result: SimulationResult, *, verbose: bool = False) -> Sheet:
    """For each journey, what the time of all and of the slowest hundredth went into."""
    rows = []
    for times in result.times:
        bands = times.bands if verbose else (times.bands[0], times.bands[-1])
        for band in dict.fromkeys(bands):
            name = times.journey if band.name == "all" else f"  {band.name}"
            rows.append((name, seconds_shown(band.mean), _shares(band, verbose=verbose)))
    columns = ("journey", "mean", Words("on the critical path"))
    return Sheet("where the time went", columns, tuple(rows))


def _shares(band: Band, *, verbose: bool) -> str:
    kept = [share for share in band.shares if share.share >= 0.005]
    shown = kept if verbose else kept[:_SHOWN_CAUSES]
    parts = [
        f"{share.share:.0%} {share.cause}" + (f" ({share.place})" if share.place else "")
        for share in shown
    ]
    rest = 1 - sum(share.share for share in shown)
    if rest >= 0.005 and len(band.shares) > len(shown):
        parts.append(f"{rest:.0%} other")
    return ", ".join(parts)


def calls_sheet(result: SimulationResult, *, verbose: bool = False) -> Sheet:
    """Calls, attempts and how these ended, the most critical first."""
    shown = result.calls if verbose else result.calls[:_SHOWN_CALLS]
    rows = tuple(
        (
            call.name,
            f"{call.calls:,}",
            f"x{call.amplification:.2f}",
            *(f"{n:,}" for n in (call.timed_out, call.rejected, call.broken, call.failed)),
            f"{call.critical_share:.0%}",
        )
        for call in shown
    )
    outcomes = ("timed out", "rejected", "broken", "failed")
    return Sheet("calls", ("call", "calls", "attempts", *outcomes, "critical"), rows)


def resources_sheet(
    result: SimulationResult, *, most: int = _SHOWN_RESOURCES, verbose: bool = False
) -> Sheet:
    """The busiest resources and who waits for them."""
    shown = result.bottlenecks if verbose else result.bottlenecks[:most]
    title = "resources" if verbose else "busiest resources"
    columns = ("resource", "servers", "busy", "busiest node", "waiting", "mean wait", "rejected")
    return Sheet(title, columns, tuple(map(_resource, shown)))


def _resource(resource: ResourceResult) -> tuple[str | Cell, ...]:
    busy = resource.utilisation
    tone: Tone = "bad" if busy > _HOT else "warning" if busy > _WARM else "good"
    return (
        resource.label,
        f"{resource.servers:,.4g}" if (resource.servers or 0) < 10_000 else "10,000+",
        Cell(f"{busy:.1%}", tone, share=busy),
        f"{resource.busiest:.1%}" if resource.nodes > 1 else "",
        f"{resource.waiting:.2f}",
        seconds_shown(resource.mean_wait),
        f"{resource.rejected:,}",
    )


def course_sheet(result: SimulationResult) -> Sheet:
    """How the run went: what changes from its beginning to its end, as small charts."""
    rows = []
    started = {each.name for each in (*result.journeys, *result.jobs) if each.started}
    for name in (name for name in result.series if name in started):
        points = result.series[name]
        measures = (
            ("answers / s", [point.throughput for point in points]),
            ("failed / s", [point.failures for point in points]),
            ("p95, ms", [1000 * point.p95 for point in points]),
        )
        for what, values in measures:
            known = [value for value in values if not math.isnan(value)]
            if any(known):
                rows.append((f"{name} {what}", _course(values), figure(max(known))))
    for resource in result.bottlenecks[:_SHOWN_COURSES]:
        busy = result.utilisation_series.get(resource.name)
        if busy and any(busy):
            shown = f"{resource.label} busy"
            rows.append((shown, _course(busy), f"{max(busy):.0%}"))
    title = f"from 0 to {Duration(result.duration)}, each row from zero to its most"
    return Sheet(title, ("what", "the run", "most"), tuple(rows))


def _course(values: Sequence[float]) -> str:
    """A line of blocks, one for each interval: as high as the value; a dot where there is none."""
    most = max((value for value in values if not math.isnan(value)), default=0.0) or 1.0
    return "".join(
        "\N{MIDDLE DOT}" if math.isnan(value) else _BLOCKS[round(value / most * (len(_BLOCKS) - 1))]
        for value in values
    )


def seconds_shown(value: float) -> str:
    """A time to three digits; sums of a run are not known to less than a billionth of a second."""
    if math.isnan(value):
        return "-"
    return f"{Duration(value if value >= _LEAST else 0.0):.3}"
