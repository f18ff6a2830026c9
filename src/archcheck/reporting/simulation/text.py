"""The result of a simulation for a terminal."""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Sequence

from rich import box
from rich.console import Console
from rich.table import Table
from rich.text import Text

from archcheck.reporting.objectives import objectives_sheet
from archcheck.reporting.sheets import print_sheet
from archcheck.simulation import Band, RequestResult, ResourceResult, SimulationResult
from archcheck.units import Duration

_SHOWN_RESOURCES = 8
_SHOWN_CAUSES = 5
_SHOWN_CALLS = 8
_BAR = 10
_SMALLEST_SHARE = 0.0001
_HOT, _WARM = 0.85, 0.7
_SHOWN_COURSES = 3
_BLOCKS = " \u2581\u2582\u2583\u2584\u2585\u2586\u2587\u2588"


def print_simulation(console: Console, result: SimulationResult, *, verbose: bool = False) -> None:
    """Latencies by journey, where the time went, the bottleneck, what was assumed."""
    console.print(_headline(result))
    for overload in result.overloads:
        console.print(Text.assemble(("no steady state: ", "bold red"), str(overload)))
    console.print(_request_table("journeys", result, result.journeys))
    if any(job.started for job in result.jobs):
        console.print(_request_table("scheduled jobs", result, result.jobs))
    if verbose:
        console.print(_request_table("endpoints", result, result.operations))
    if result.objectives:
        print_sheet(console, objectives_sheet(result.objectives))
    console.print(_time_table(result, verbose))
    if verbose or any(call.amplification > 1 or call.broken for call in result.calls):
        console.print(_call_table(result, verbose))
    console.print(_resource_table(result, verbose))
    if verbose or result.scenario.faults:
        console.print(_course_table(result))
    console.print(_bottleneck(result))
    _print_notes(console, result)
    if result.not_simulated:
        console.print(
            Text.assemble(
                ("declared, but not simulated: ", "yellow"), ", ".join(result.not_simulated)
            )
        )
    _print_assumptions(console, result, verbose)


def _headline(result: SimulationResult) -> Text:
    runs = f", {result.replications} replications" if result.replications > 1 else ""
    found = " (found)" if result.warmup_is_found and result.warmup else ""
    left_out = f", the first {Duration(result.warmup):.3} left out{found}" if result.warmup else ""
    return Text.assemble(
        (result.system.name, "bold"),
        " under ",
        (result.scenario.name, "bold"),
        f": {Duration(result.simulated)} simulated{left_out}{runs}, seed {result.seed}, "
        f"engine {result.engine} ({result.engine_reason})",
        "" if result.is_complete else "; STOPPED before the end, incomplete",
    )


def _request_table(
    title: str, result: SimulationResult, requests: tuple[RequestResult, ...]
) -> Table:
    table = Table(title=title, title_justify="left", box=box.SIMPLE_HEAD, pad_edge=False)
    table.add_column("", no_wrap=True)
    degrades = ["degraded"] if any(request.degraded for request in requests) else []
    for column in ("started", "/s", "errors", *degrades, "mean", "p50", "p95", "p99", "p99.9"):
        table.add_column(column, justify="right", no_wrap=True)
    for request in requests:
        if not request.started:
            continue
        latency = request.latency
        table.add_row(
            request.name,
            f"{request.started:,}",
            f"{request.throughput:.1f}",
            _errors(request),
            *([_degraded(request)] if degrades else []),
            _mean(result, request),
            *(_seconds(value) for value in (latency.p50, latency.p95, latency.p99, latency.p999)),
        )
    return table


def _mean(result: SimulationResult, request: RequestResult) -> str:
    """The mean with the half width of its 95% interval, where there is one."""
    estimate = result.estimates.get(request.name, {}).get("mean")
    shown = _seconds(request.latency.mean)
    if estimate is None or math.isnan(request.latency.mean) or not estimate.value:
        return shown
    return f"{shown} ±{estimate.relative:.1%}"


def _errors(request: RequestResult) -> Text:
    if math.isnan(request.error_rate):
        return Text("-", style="dim")
    parts = {
        "timed out": request.timed_out,
        "rejected": request.rejected,
        "broken": request.broken,
        "failed": request.failed,
    }
    text = _share(request.error_rate) if request.error_rate else "0"
    worst = max(parts, key=lambda name: parts[name])
    if parts[worst]:
        text += f" {worst}"
    return Text(text, style="red" if parts[worst] else "")


def _degraded(request: RequestResult) -> str:
    return _share(request.degraded / request.finished) if request.degraded else ""


def _share(value: float) -> str:
    return f"{value:.2%}" if value >= _SMALLEST_SHARE else f"<{_SMALLEST_SHARE:.2%}"


def _time_table(result: SimulationResult, verbose: bool) -> Table:
    """For each journey, what the time of all and of the slowest hundredth went into."""
    table = Table(
        title="where the time went", title_justify="left", box=box.SIMPLE_HEAD, pad_edge=False
    )
    table.add_column("", no_wrap=True)
    table.add_column("mean", justify="right", no_wrap=True)
    table.add_column("on the critical path")
    for times in result.times:
        bands = times.bands if verbose else (times.bands[0], times.bands[-1])
        for band in dict.fromkeys(bands):
            name = times.journey if band.name == "all" else f"  {band.name}"
            table.add_row(name, _seconds(band.mean), _shares(band, verbose))
    return table


def _shares(band: Band, verbose: bool) -> str:
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


def _call_table(result: SimulationResult, verbose: bool) -> Table:
    table = Table(title="calls", title_justify="left", box=box.SIMPLE_HEAD, pad_edge=False)
    table.add_column("", no_wrap=True)
    for column in ("calls", "attempts", "timed out", "rejected", "broken", "failed", "critical"):
        table.add_column(column, justify="right", no_wrap=True)
    shown = result.calls if verbose else result.calls[:_SHOWN_CALLS]
    for call in shown:
        table.add_row(
            call.name,
            f"{call.calls:,}",
            f"x{call.amplification:.2f}",
            *(f"{n:,}" for n in (call.timed_out, call.rejected, call.broken, call.failed)),
            f"{call.critical_share:.0%}",
        )
    return table


def _resource_table(result: SimulationResult, verbose: bool) -> Table:
    shown = result.bottlenecks if verbose else result.bottlenecks[:_SHOWN_RESOURCES]
    title = "resources" if verbose else "busiest resources"
    table = Table(title=title, title_justify="left", box=box.SIMPLE_HEAD, pad_edge=False)
    table.add_column("", no_wrap=True)
    table.add_column("servers", justify="right")
    table.add_column("busy", no_wrap=True)
    for column in ("busiest", "waiting", "mean wait", "rejected"):
        table.add_column(column, justify="right")
    for resource in shown:
        table.add_row(
            f"{resource.name} {resource.what}",
            f"{resource.servers:,.4g}" if (resource.servers or 0) < 10_000 else "10,000+",
            _bar(resource.utilisation),
            f"{resource.busiest:.1%}" if resource.nodes > 1 else "",
            f"{resource.waiting:.2f}",
            _seconds(resource.mean_wait),
            f"{resource.rejected:,}",
        )
    return table


def _bar(utilisation: float) -> Text:
    filled = min(_BAR, round(utilisation * _BAR))
    colour = "red" if utilisation > _HOT else "yellow" if utilisation > _WARM else "green"
    return Text.assemble(
        ("\N{FULL BLOCK}" * filled, colour),
        ("\N{LIGHT SHADE}" * (_BAR - filled), "dim"),
        f" {utilisation:6.1%}",
    )


def _course_table(result: SimulationResult) -> Table:
    """How the run went: what changes from its beginning to its end, as small charts."""
    title = f"from 0 to {Duration(result.duration)}, each row from zero to its most"
    table = Table(title=title, title_justify="left", box=box.SIMPLE_HEAD, pad_edge=False)
    table.add_column("", no_wrap=True)
    table.add_column("the run", no_wrap=True)
    table.add_column("most", justify="right")
    started = {each.name for each in (*result.journeys, *result.jobs) if each.started}
    for name in (name for name in result.series if name in started):
        points = result.series[name]
        rows = (
            ("answers / s", [point.throughput for point in points], "{:,.4g}"),
            ("failed / s", [point.failures for point in points], "{:,.4g}"),
            ("p95, ms", [1000 * point.p95 for point in points], "{:,.3g}"),
        )
        for what, values, form in rows:
            known = [value for value in values if not math.isnan(value)]
            if any(known):
                table.add_row(f"{name} {what}", _course(values), form.format(max(known)))
    for resource in result.bottlenecks[:_SHOWN_COURSES]:
        busy = result.utilisation_series.get(resource.name)
        if busy and any(busy):
            shown = f"{resource.name} {resource.what} busy"
            table.add_row(shown, _course(busy), f"{max(busy):.0%}")
    return table


def _course(values: Sequence[float]) -> str:
    """A line of blocks, one for each interval: as high as the value; a dot where there is none."""
    most = max((value for value in values if not math.isnan(value)), default=0.0) or 1.0
    return "".join(
        "\N{MIDDLE DOT}" if math.isnan(value) else _BLOCKS[round(value / most * (len(_BLOCKS) - 1))]
        for value in values
    )


def _bottleneck(result: SimulationResult) -> Text:
    found: ResourceResult | None = result.bottleneck
    if found is None:
        return Text("no resource has a limited number of servers")
    name = (f"{found.name} {found.what}", "bold")
    return Text.assemble("bottleneck: ", name, ", ", found.evidence)


def _print_notes(console: Console, result: SimulationResult) -> None:
    kinds: dict[str, list[str]] = defaultdict(list)
    for counted, count in result.counts.items():
        kind, _, name = counted.partition(": ")
        kinds[kind].append(f"{count:,} {name}")
    for kind, counts in kinds.items():
        console.print(f"{kind}: {', '.join(counts)}")
    if result.precision is not None:
        reached = "reached" if result.precision_is_reached else "not reached"
        console.print(
            f"precision of {result.precision:.2%} {reached} with {result.replications} replications"
        )


def _print_assumptions(console: Console, result: SimulationResult, verbose: bool) -> None:
    """What was assumed, in the order of influence; equal values of several elements together."""
    if not result.assumptions:
        return
    groups: dict[tuple[str, str, str], list[tuple[str, float]]] = defaultdict(list)
    for assumption in result.assumptions:
        key = (assumption.attribute, assumption.value, assumption.reason)
        groups[key].append((assumption.subject, assumption.influence))
    title = "assumed, because the model does not declare it (share of the time that goes through):"
    console.print(Text(title, style="bold"))
    for (attribute, value, reason), subjects in groups.items():
        names = ", ".join(name for name, _ in (subjects if verbose else subjects[:3]))
        more = f" and {len(subjects) - 3} more" if len(subjects) > 3 and not verbose else ""
        share = min(1.0, sum(influence for _, influence in subjects))
        console.print(f"  {share:4.0%}  {attribute} = {value} ({reason}): {names}{more}")


def _seconds(value: float) -> str:
    return "-" if math.isnan(value) else f"{Duration(value):.3}"
