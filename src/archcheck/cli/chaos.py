"""What ``archcheck simulate --chaos`` and ``--phase-map`` do."""

from __future__ import annotations

import json
from dataclasses import dataclass

import click

from archcheck.cli.common import stoppable, write
from archcheck.model import Scenario, System
from archcheck.reporting.console import progress_bar, report_console
from archcheck.reporting.resilience import (
    chaos_data,
    draw_chaos,
    draw_phases,
    phases_data,
    print_chaos,
    print_phases,
)
from archcheck.resilience import phase_map, run_chaos


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
    text = f"trying triggers on {system.name}"
    with progress_bar(text, 1.0) as progress, stoppable() as stop:
        found = run_chaos(
            system,
            options.scenario,
            jobs=options.jobs,
            seed=options.seed,
            progress=progress,
            stop=stop,
        )
    if options.format == "json":
        write(json.dumps(chaos_data(found), indent=2), options.output)
    else:
        with report_console(options.output) as console:
            print_chaos(console, found)
    if options.chart is not None:
        draw_chaos(found, options.chart)
        click.echo(f"wrote {options.chart}", err=True)
    return 0 if found.is_fine else 1


def draw_map(system: System, trigger: str, options: Options) -> int:
    """The map over load and the size of a trigger; 0, since a map is no verdict."""
    text = f"mapping {system.name}"
    with progress_bar(text, 1.0) as progress, stoppable() as stop:
        found = phase_map(
            system,
            options.scenario,
            trigger,
            jobs=options.jobs,
            seed=options.seed,
            progress=progress,
            stop=stop,
        )
    if options.format == "json":
        write(json.dumps(phases_data(found), indent=2), options.output)
    else:
        with report_console(options.output) as console:
            print_phases(console, found)
    if options.chart is not None:
        draw_phases(found, options.chart)
        click.echo(f"wrote {options.chart}", err=True)
    return 0 if found.is_complete else 1
