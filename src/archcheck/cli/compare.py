"""``archcheck compare``: what if, side by side."""

from __future__ import annotations

import click

from archcheck.cli.common import (
    cases_of,
    format_option,
    jobs_option,
    models_argument,
    one_system,
    output_option,
    scenario_option,
    seed_option,
    set_option,
    stoppable,
    system_option,
    write_result,
)
from archcheck.cli.load_options import (
    as_asked,
    drain_option,
    duration_option,
    engine_option,
    fault_option,
    warmup_option,
)
from archcheck.facade import chosen_scenario
from archcheck.reporting.console import progress_bar
from archcheck.reporting.simulation import comparison_data, print_comparison
from archcheck.simulation import EngineName, compare
from archcheck.simulation.comparing import REPLICATIONS
from archcheck.units import Duration


@click.command("compare")
@models_argument
@system_option
@set_option(
    "What if, such as payments.replicas=6, 'orders->payments.timeout=150ms', load=x2; several "
    "values (2,4,8 or 2..8 or 50ms..500ms/5) are compared one by one; can be repeated.",
    required=True,
)
@scenario_option("Under which scenario (default: the first declared).")
@duration_option
@warmup_option
@fault_option
@drain_option
@click.option(
    "--replications",
    type=click.IntRange(min=1),
    default=REPLICATIONS,
    show_default=True,
    help="Independent runs of each variant.",
)
@jobs_option("Cores for replications; -1: all.")
@engine_option
@seed_option()
@format_option("json")
@output_option()
def command(
    models: tuple[str, ...],
    system_name: str | None,
    settings: tuple[str, ...],
    scenario: str | None,
    duration: Duration | None,
    warmup: Duration | None,
    faults: tuple[str, ...],
    drain: bool,
    replications: int,
    jobs: int,
    engine: EngineName,
    seed: int,
    format_: str,
    output: str | None,
) -> int:
    """Compare a model with variants of it, and show which differences are certain.

    All variants run with the same random numbers. Exits with 1 when Ctrl-C has stopped it; what is
    there is reported. Loading a Python model runs its code.
    """
    system = one_system(models, system_name)
    chosen = as_asked(chosen_scenario(system, scenario), faults, drain=drain)
    cases = cases_of(system, chosen, settings, keep_faults=bool(faults))
    text = f"comparing {len(cases)} variants of {system.name}"
    with progress_bar(text, len(cases) * replications) as progress, stoppable() as stop:
        found = compare(
            cases,
            duration=duration,
            warmup=warmup,
            seed=seed,
            replications=replications,
            jobs=jobs,
            engine=engine,
            progress=progress,
            stop=stop,
        )
    write_result(found, format_, output, data=comparison_data, show=print_comparison)
    return 0 if found.is_complete else 1
