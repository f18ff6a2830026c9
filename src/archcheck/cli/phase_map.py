"""``archcheck phase-map``: from which load on a system does not come back after a trigger."""

from __future__ import annotations

import click

from archcheck.cli.common import (
    chart_option,
    format_option,
    jobs_option,
    models_argument,
    one_system,
    output_option,
    scenario_option,
    seed_option,
    stoppable,
    system_option,
    write_chart,
    write_result,
)
from archcheck.facade import chosen_scenario
from archcheck.reporting.charts import phase_chart
from archcheck.reporting.console import progress_bar
from archcheck.reporting.resilience import phases_data, print_phases
from archcheck.resilience import phase_map


@click.command("phase-map")
@click.argument("trigger", metavar="TRIGGER")
@models_argument
@system_option
@scenario_option("Over the load of which scenario (default: the first declared).")
@jobs_option()
@seed_option()
@format_option("json")
@chart_option("the map")
@output_option()
def command(
    trigger: str,
    models: tuple[str, ...],
    system_name: str | None,
    scenario: str | None,
    jobs: int,
    seed: int,
    format_: str,
    chart: str | None,
    output: str | None,
) -> int:
    """Show at which load and after which fault a system recovers.

    TRIGGER is 'load', 'payments slow' or 'payments fails'. The map shows where the system comes
    back, where it stays broken, and what helps. There is no verdict: exits with 1 only when Ctrl-C
    has stopped it. Loading a Python model runs its code.
    """
    system = one_system(models, system_name)
    chosen = chosen_scenario(system, scenario)
    with progress_bar(f"mapping {system.name}", 1.0) as progress, stoppable() as stop:
        found = phase_map(
            system, chosen, trigger, jobs=jobs, seed=seed, progress=progress, stop=stop
        )
    write_result(found, format_, output, data=phases_data, show=print_phases)
    if chart is not None:
        write_chart(phase_chart(found), chart)
    return 0 if found.is_complete else 1
