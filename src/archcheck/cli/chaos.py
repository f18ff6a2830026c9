"""What ``archcheck simulate --chaos`` and ``--phase-map`` do."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass
from typing import TypeVar

import click

from archcheck.cli.common import stoppable, write
from archcheck.model import Scenario, System
from archcheck.reporting.charts import Chart, chaos_chart, phase_chart, save_chart
from archcheck.reporting.console import Console, progress_bar, report_console
from archcheck.reporting.resilience import (
    chaos_data,
    phases_data,
    print_chaos,
    print_phases,
)
from archcheck.resilience import phase_map, run_chaos

Found = TypeVar("Found")


@dataclass(frozen=True)
class Options:
    """What both take from the command line."""

    scenario: Scenario
    format: str
    output: str | None
    chart: str | None
    jobs: int
    seed: int


def try_chaos(system: System, options: Options) -> int:
    """The standard triggers one by one; 1 when the system stays broken after one of them."""
    with progress_bar(f"trying triggers on {system.name}", 1.0) as progress, stoppable() as stop:
        found = run_chaos(
            system,
            options.scenario,
            jobs=options.jobs,
            seed=options.seed,
            progress=progress,
            stop=stop,
        )
    _report(found, options, chaos_data, print_chaos, chaos_chart)
    return 0 if found.is_fine else 1


def draw_map(system: System, trigger: str, options: Options) -> int:
    """The map over load and the size of a trigger: no verdict, but 1 when it was stopped."""
    with progress_bar(f"mapping {system.name}", 1.0) as progress, stoppable() as stop:
        found = phase_map(
            system,
            options.scenario,
            trigger,
            jobs=options.jobs,
            seed=options.seed,
            progress=progress,
            stop=stop,
        )
    _report(found, options, phases_data, print_phases, phase_chart)
    return 0 if found.is_complete else 1


def _report(
    found: Found,
    options: Options,
    data: Callable[[Found], object],
    show: Callable[[Console, Found], None],
    chart: Callable[[Found], Chart],
) -> None:
    if options.format == "json":
        write(json.dumps(data(found), indent=2), options.output)
    else:
        with report_console(options.output) as console:
            show(console, found)
    if options.chart is not None:
        save_chart(chart(found), options.chart)
        click.echo(f"wrote {options.chart}", err=True)
