"""The result of a simulation as text and as JSON."""

from __future__ import annotations

import math
from collections import defaultdict
from dataclasses import asdict
from typing import Any

from rich import box
from rich.console import Console
from rich.table import Table
from rich.text import Text

from archcheck.simulation import RequestResult, ResourceResult, SimulationResult
from archcheck.units import Duration

_SHOWN_RESOURCES = 8
_BAR = 10
_HOT, _WARM = 0.85, 0.7


def print_simulation(console: Console, result: SimulationResult, *, verbose: bool = False) -> None:
    """Latencies by journey, the busiest resources, the bottleneck, what was assumed."""
    console.print(_headline(result))
    console.print(_request_table("journeys", result.journeys))
    if verbose:
        console.print(_request_table("endpoints", result.operations))
    console.print(_resource_table(result, verbose))
    console.print(_bottleneck(result))
    for missed in result.missed_objectives():
        console.print(Text.assemble(("objective missed: ", "bold red"), missed))
    if result.not_simulated:
        console.print(
            Text.assemble(
                ("declared, but not simulated by this version: ", "yellow"),
                ", ".join(result.not_simulated),
            )
        )
    _print_assumptions(console, result, verbose)


def _headline(result: SimulationResult) -> Text:
    return Text.assemble(
        (result.system.name, "bold"),
        " under ",
        (result.scenario.name, "bold"),
        f": {Duration(result.duration)} simulated, the first {Duration(result.warmup)} left out, "
        f"seed {result.seed}, engine {result.engine}",
    )


def _request_table(title: str, requests: tuple[RequestResult, ...]) -> Table:
    table = Table(title=title, title_justify="left", box=box.SIMPLE_HEAD, pad_edge=False)
    table.add_column("", no_wrap=True)
    for column in ("started", "/s", "errors", "mean", "p50", "p90", "p95", "p99", "p99.9"):
        table.add_column(column, justify="right", no_wrap=True)
    for request in requests:
        latency = request.latency
        table.add_row(
            request.name,
            f"{request.started:,}",
            f"{request.throughput:.1f}",
            _errors(request),
            *(
                _seconds(value)
                for value in (
                    latency.mean,
                    latency.p50,
                    latency.p90,
                    latency.p95,
                    latency.p99,
                    latency.p999,
                )
            ),
        )
    return table


def _errors(request: RequestResult) -> Text:
    if math.isnan(request.error_rate):
        return Text("-", style="dim")
    parts = {
        "timed out": request.timed_out,
        "rejected": request.rejected,
        "failed": request.failed,
    }
    text = f"{request.error_rate:.2%}" if request.error_rate else "0"
    worst = max(parts, key=lambda name: parts[name])
    if parts[worst]:
        text += f" {worst}"
    if request.degraded:
        text += f", {request.degraded / request.finished:.1%} degraded"
    return Text(text, style="red" if parts[worst] else "")


def _resource_table(result: SimulationResult, verbose: bool) -> Table:
    limited = [r for r in result.resources if not math.isnan(r.utilisation)]
    busiest = sorted(limited, key=lambda r: (-r.utilisation, r.name))
    shown = busiest if verbose else busiest[:_SHOWN_RESOURCES]
    title = "resources" if verbose else "busiest resources"
    table = Table(title=title, title_justify="left", box=box.SIMPLE_HEAD, pad_edge=False)
    table.add_column("", no_wrap=True)
    table.add_column("servers", justify="right")
    table.add_column("busy", no_wrap=True)
    for column in ("waiting", "mean wait", "rejected"):
        table.add_column(column, justify="right")
    for resource in shown:
        table.add_row(
            f"{resource.name} {resource.what}",
            f"{resource.servers:,}",
            _bar(resource.utilisation),
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


def _bottleneck(result: SimulationResult) -> Text:
    found = result.bottleneck
    if found is None:
        return Text("no resource has a limited number of servers")
    return Text.assemble(
        "bottleneck: ",
        (f"{found.name} {found.what}", "bold"),
        f", {found.utilisation:.1%} busy ({found.busy:.2f} of {found.servers} on average), "
        f"{found.waiting:.2f} waiting, {_seconds(found.mean_wait)} mean wait",
    )


def _print_assumptions(console: Console, result: SimulationResult, verbose: bool) -> None:
    if not result.assumptions:
        return
    groups: dict[tuple[str, str, str], list[str]] = defaultdict(list)
    for assumption in result.assumptions:
        key = (assumption.attribute, assumption.value, assumption.reason)
        groups[key].append(assumption.subject)
    console.print(Text("assumed, because the model does not declare it:", style="bold"))
    for (attribute, value, reason), subjects in groups.items():
        names = ", ".join(subjects if verbose else subjects[:3])
        more = f" and {len(subjects) - 3} more" if len(subjects) > 3 and not verbose else ""
        console.print(f"  {attribute} = {value} ({reason}): {names}{more}")


def _seconds(value: float) -> str:
    return "-" if math.isnan(value) else f"{Duration(value):.3}"


# -- JSON -----------------------------------------------------------------------------------------


def simulation_data(result: SimulationResult) -> dict[str, Any]:
    """The result as plain data for ``--format json``; seconds and rates a second, NaN is null."""
    found = result.bottleneck
    data = {
        "format": "archcheck.simulate/1",
        "system": result.system.name,
        "scenario": result.scenario.name,
        "engine": result.engine,
        "seed": result.seed,
        "duration": result.duration,
        "warmup": result.warmup,
        "events": result.events,
        "journeys": [_request_data(request) for request in result.journeys],
        "endpoints": [_request_data(request) for request in result.operations],
        "resources": [asdict(resource) for resource in result.resources],
        "bottleneck": _bottleneck_data(found) if found else None,
        "missed_objectives": list(result.missed_objectives()),
        "series": {
            name: [asdict(point) for point in points] for name, points in result.series.items()
        },
        "utilisation_series": {n: list(v) for n, v in result.utilisation_series.items()},
        "assumptions": [asdict(assumption) for assumption in result.assumptions],
        "not_simulated": list(result.not_simulated),
    }
    return {key: _without_nan(value) for key, value in data.items()}


def _request_data(request: RequestResult) -> dict[str, Any]:
    return {**asdict(request), "finished": request.finished, "error_rate": request.error_rate}


def _bottleneck_data(resource: ResourceResult) -> dict[str, Any]:
    return {"name": resource.name, "what": resource.what, "utilisation": resource.utilisation}


def _without_nan(value: Any) -> Any:
    match value:
        case float() if math.isnan(value):
            return None
        case dict():
            return {key: _without_nan(item) for key, item in value.items()}
        case list() | tuple():
            return [_without_nan(item) for item in value]
        case _:
            return value
