"""``archcheck simulate``: a scenario on a system."""

from __future__ import annotations

import json
from contextlib import nullcontext
from dataclasses import replace
from typing import Any

import click

from archcheck.cli.chaos import Options, draw_map, try_chaos
from archcheck.cli.common import (
    QuantityType,
    cases_of,
    models_argument,
    one_system,
    output_option,
    stoppable,
    write,
)
from archcheck.facade import chosen_scenario
from archcheck.model import Scenario, ScenarioError, System
from archcheck.reporting.charts import checked_target, save_chart, simulation_chart
from archcheck.reporting.console import progress_bar, report_console
from archcheck.reporting.simulation import (
    comparison_data,
    print_comparison,
    print_simulation,
    simulation_data,
    trace_file,
)
from archcheck.simulation import (
    ENGINES,
    EngineName,
    SimulationResult,
    compare,
    parse_fault,
    simulate,
)
from archcheck.simulation.comparing import REPLICATIONS
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
    "--set",
    "settings",
    multiple=True,
    metavar="PATH=VALUE",
    help="What if: compare with payments.replicas=6, 'orders->payments.timeout=150ms', load=x2; "
    "several values (2,4,8 or 2..8 or 50ms..500ms/5) are compared one by one.",
)
@click.option(
    "--chaos",
    is_flag=True,
    help="Instead: what the standard triggers do, one by one, and whether the system comes back.",
)
@click.option(
    "--phase-map",
    metavar="TRIGGER",
    help="Instead: over load and the size of a trigger ('load', 'payments slow', 'payments "
    "fails'), where the system comes back, and where it stays broken.",
)
@click.option(
    "--replications",
    type=int,
    help="Independent runs, merged (default: 1; with --set: 5 of each variant).",
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
    settings: tuple[str, ...],
    chaos: bool,
    phase_map: str | None,
    replications: int | None,
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
    reports what is there, marked incomplete. With --set, variants are simulated side by side with
    the same random numbers. Loading a Python model runs it.
    """
    system = one_system(models, system_name)
    chosen = chosen_scenario(system, scenario)
    if chart is not None:
        checked_target(chart)
    if faults:
        chosen = replace(chosen, faults=[*chosen.faults, *map(parse_fault, faults)])
    single = {"--trace": trace, "--backend": backend, "--precision": precision}
    if chaos or phase_map is not None:
        others = {"--set": settings, "--fault": faults, "--phase-map": phase_map if chaos else None}
        _refuse({**single, **others}, "trials under fault")
        options = Options(chosen, format_, output, chart, jobs, seed)
        if phase_map is not None:
            return draw_map(system, phase_map, options)
        return try_chaos(system, options)
    if settings:
        _refuse({**single, "--chart": chart}, "a comparison")
        return _compare(
            system,
            chosen,
            faults,
            settings,
            format_=format_,
            output=output,
            duration=duration,
            warmup=warmup,
            seed=seed,
            replications=replications if replications is not None else REPLICATIONS,
            jobs=jobs,
            engine=engine,
        )
    count = replications if replications is not None else 1
    text = f"simulating {system.name} under {chosen.name}"
    with (
        trace_file(trace, float(trace_share)) if trace else nullcontext() as tracer,
        progress_bar(text, count) as progress,
        stoppable() as stop,
    ):
        result = simulate(
            system,
            chosen,
            duration=duration,
            warmup=warmup,
            seed=seed,
            replications=count,
            precision=float(precision) if precision is not None else None,
            jobs=jobs,
            engine=engine,
            backend=backend,
            progress=progress,
            stop=stop,
            tracer=tracer,
        )
    _report(result, format_, output, verbose=verbose)
    if trace is not None:
        click.echo(f"wrote {trace}", err=True)
    if chart is not None:
        save_chart(simulation_chart(result), chart)
        click.echo(f"wrote {chart}", err=True)
    fine = result.is_complete and not result.missed_objectives() and not result.overloads
    return 0 if fine else 1


def _report(result: SimulationResult, format_: str, output: str | None, *, verbose: bool) -> None:
    if format_ == "json":
        write(json.dumps(simulation_data(result), indent=2), output)
        return
    with report_console(output) as console:
        print_simulation(console, result, verbose=verbose)


def _refuse(options: dict[str, object], what: str) -> None:
    """Raise :class:`ScenarioError` for the first option that was given and means nothing here."""
    given = next((name for name, value in options.items() if value), None)
    if given is not None:
        raise ScenarioError(f"{given} is not part of {what}; leave it out")


def _compare(
    system: System,
    scenario: Scenario,
    faults: tuple[str, ...],
    settings: tuple[str, ...],
    *,
    format_: str,
    output: str | None,
    replications: int,
    **options: Any,
) -> int:
    """The system as it is beside all variants of it."""
    cases = cases_of(system, scenario, settings, keep_faults=bool(faults))
    text = f"comparing {len(cases)} variants of {system.name}"
    with progress_bar(text, len(cases) * replications) as progress, stoppable() as stop:
        found = compare(cases, replications=replications, progress=progress, stop=stop, **options)
    if format_ == "json":
        write(json.dumps(comparison_data(found), indent=2), output)
    else:
        with report_console(output) as console:
            print_comparison(console, found)
    return 0 if found.is_complete else 1
