"""``archcheck simulate``: a scenario on a system."""

from __future__ import annotations

import json
from contextlib import nullcontext
from dataclasses import replace

import click

from archcheck.cli.common import (
    QuantityType,
    choose_scenario,
    models_argument,
    one_system,
    output_option,
    stoppable,
    write,
)
from archcheck.reporting.console import progress_bar, report_console
from archcheck.reporting.simulation import (
    checked_target,
    draw_charts,
    print_simulation,
    simulation_data,
    trace_file,
)
from archcheck.simulation import ENGINES, EngineName, parse_fault, simulate
from archcheck.units import Duration, Fraction


@click.command("simulate")
@models_argument
@click.option("--system", "system_name", metavar="NAME", help="Which system, if there are several.")
@click.option("--scenario", metavar="NAME", help="Which scenario (default: the first declared).")
@click.option("--duration", type=QuantityType(Duration), help="Simulated time, such as 60s.")
@click.option(
    "--warmup",
    type=QuantityType(Duration),
    help="Left out at the start, such as 5s (default: found, where the load is steady).",
)
@click.option(
    "--fault",
    "faults",
    multiple=True,
    metavar="TEXT",
    help="What goes wrong, such as 'payments slow x5 from 60s to 90s'; can be repeated.",
)
@click.option(
    "--replications", type=int, default=1, show_default=True, help="Independent runs, merged."
)
@click.option(
    "--precision",
    type=QuantityType(Fraction),
    help="Replicate until mean latencies are known to this, such as 2%.",
)
@click.option(
    "--jobs", type=int, default=-1, show_default=True, help="Cores for replications; -1: all."
)
@click.option(
    "--backend",
    metavar="URL",
    help="Spread replications over a cluster instead: dask://HOST:PORT.",
)
@click.option(
    "--engine",
    type=click.Choice(ENGINES),
    default="auto",
    show_default=True,
    help="fast is compiled, simpy the reference; auto takes fast where it is installed.",
)
@click.option("--seed", type=int, default=1, show_default=True, help="Same seed, same result.")
@click.option(
    "--format",
    "format_",
    type=click.Choice(["text", "json"]),
    default="text",
    show_default=True,
    help="How to report.",
)
@click.option("--chart", metavar="FILE", help="Also draw where the time went (.svg or .png).")
@click.option(
    "--trace",
    metavar="FILE",
    help="Also write every journey, request and attempt (.parquet or .csv).",
)
@click.option(
    "--trace-share",
    type=QuantityType(Fraction),
    default="100%",
    show_default=True,
    help="The share of the journeys that the trace has, with all that belongs to them.",
)
@click.option("-v", "--verbose", is_flag=True, help="List every endpoint, resource and assumption.")
@output_option
def command(
    models: tuple[str, ...],
    system_name: str | None,
    scenario: str | None,
    duration: Duration | None,
    warmup: Duration | None,
    faults: tuple[str, ...],
    replications: int,
    precision: Fraction | None,
    jobs: int,
    backend: str | None,
    engine: EngineName,
    seed: int,
    format_: str,
    chart: str | None,
    trace: str | None,
    trace_share: Fraction,
    verbose: bool,
    output: str | None,
) -> int:
    """Put a model under load and predict latencies and bottlenecks.

    Exits with 1 when a journey misses an objective, or when the load cannot be carried. Ctrl-C
    reports what is there, marked incomplete. Loading a Python model runs it.
    """
    system = one_system(models, system_name)
    chosen = choose_scenario(system, scenario)
    if chart is not None:
        checked_target(chart)
    if faults:
        chosen = replace(chosen, faults=[*chosen.faults, *map(parse_fault, faults)])
    text = f"simulating {system.name} under {chosen.name}"
    with (
        trace_file(trace, float(trace_share)) if trace else nullcontext() as tracer,
        progress_bar(text, replications) as progress,
        stoppable() as stop,
    ):
        result = simulate(
            system,
            chosen,
            duration=duration,
            warmup=warmup,
            seed=seed,
            replications=replications,
            precision=float(precision) if precision is not None else None,
            jobs=jobs,
            engine=engine,
            backend=backend,
            progress=progress,
            stop=stop,
            tracer=tracer,
        )
    if format_ == "json":
        write(json.dumps(simulation_data(result), indent=2), output)
    else:
        with report_console(output) as console:
            print_simulation(console, result, verbose=verbose)
    if trace is not None:
        click.echo(f"wrote {trace}", err=True)
    if chart is not None:
        draw_charts(result, chart)
        click.echo(f"wrote {chart}", err=True)
    fine = result.is_complete and not result.missed_objectives() and not result.overloads
    return 0 if fine else 1
