"""``archcheck simulate``: a scenario on a system."""

from __future__ import annotations

import json

import click

from archcheck.cli.common import (
    QuantityType,
    choose_scenario,
    models_argument,
    one_system,
    output_option,
    write,
)
from archcheck.reporting.console import report_console, spinner
from archcheck.reporting.simulation import print_simulation, simulation_data
from archcheck.simulation import simulate
from archcheck.units import Duration


@click.command("simulate")
@models_argument
@click.option("--system", "system_name", metavar="NAME", help="Which system, if there are several.")
@click.option("--scenario", metavar="NAME", help="Which scenario (default: the first declared).")
@click.option("--duration", type=QuantityType(Duration), help="Simulated time, such as 60s.")
@click.option("--warmup", type=QuantityType(Duration), help="Left out at the start, such as 5s.")
@click.option("--seed", type=int, default=1, show_default=True, help="Same seed, same result.")
@click.option(
    "--format",
    "format_",
    type=click.Choice(["text", "json"]),
    default="text",
    show_default=True,
    help="How to report.",
)
@click.option("-v", "--verbose", is_flag=True, help="List every endpoint, resource and assumption.")
@output_option
def command(
    models: tuple[str, ...],
    system_name: str | None,
    scenario: str | None,
    duration: Duration | None,
    warmup: Duration | None,
    seed: int,
    format_: str,
    verbose: bool,
    output: str | None,
) -> int:
    """Put a model under load and predict latencies and bottlenecks.

    Exits with 1 when a journey misses an objective. Loading a Python model runs it.
    """
    system = one_system(models, system_name)
    chosen = choose_scenario(system, scenario)
    with spinner(f"simulating {system.name} under {chosen.name}"):
        result = simulate(system, chosen, duration=duration, warmup=warmup, seed=seed)
    if format_ == "json":
        write(json.dumps(simulation_data(result), indent=2), output)
    else:
        with report_console(output) as console:
            print_simulation(console, result, verbose=verbose)
    return 1 if result.missed_objectives() else 0
