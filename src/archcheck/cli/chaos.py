"""``archcheck chaos``: what the standard triggers do to a system."""

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
from archcheck.reporting.charts import chaos_chart
from archcheck.reporting.console import progress_bar
from archcheck.reporting.resilience import chaos_data, print_chaos
from archcheck.resilience import run_chaos


@click.command("chaos")
@models_argument
@system_option
@scenario_option("At the peak of which scenario (default: the first declared).")
@jobs_option()
@seed_option()
@format_option("json")
@chart_option("how the journeys went after each trigger")
@output_option()
def command(
    models: tuple[str, ...],
    system_name: str | None,
    scenario: str | None,
    jobs: int,
    seed: int,
    format_: str,
    chart: str | None,
    output: str | None,
) -> int:
    """Try the standard faults one by one, and report whether the system recovers.

    Bursts of load, slow and failing dependencies, lost replicas and zones, flushed caches. Exits
    with 1 when the system stays broken after one of them. Ctrl-C reports what is there. Loading a
    Python model runs its code.
    """
    system = one_system(models, system_name)
    chosen = chosen_scenario(system, scenario)
    with progress_bar(f"trying triggers on {system.name}", 1.0) as progress, stoppable() as stop:
        found = run_chaos(system, chosen, jobs=jobs, seed=seed, progress=progress, stop=stop)
    write_result(found, format_, output, data=chaos_data, show=print_chaos)
    if chart is not None:
        write_chart(chaos_chart(found), chart)
    return 0 if found.is_fine else 1
