"""``archcheck simulate``: a scenario on a system."""

from __future__ import annotations

from contextlib import nullcontext
from functools import partial

import click

from archcheck.cli.common import (
    QuantityType,
    chart_option,
    checked_output,
    format_option,
    jobs_option,
    models_argument,
    one_system,
    output_option,
    scenario_option,
    seed_option,
    stoppable,
    system_option,
    verbose_option,
    write_chart,
    write_result,
)
from archcheck.cli.completion import files
from archcheck.cli.load_options import (
    as_asked,
    drain_option,
    duration_option,
    engine_option,
    fault_option,
    warmup_option,
)
from archcheck.facade import chosen_scenario
from archcheck.findings import gravest
from archcheck.model import ModelError
from archcheck.reporting.charts import simulation_chart
from archcheck.reporting.console import progress_bar
from archcheck.reporting.simulation import print_simulation, simulation_data, trace_file
from archcheck.simulation import (
    EVENTS,
    EVENTS_A_SECOND,
    EngineName,
    runs_for,
    simulate,
    simulate_until_decided,
    with_knife_edges,
)
from archcheck.units import Duration, Fraction


@click.command("simulate")
@models_argument
@system_option
@scenario_option("Which scenario (default: the first declared).")
@duration_option
@warmup_option
@fault_option
@drain_option
@click.option(
    "--replications",
    type=click.IntRange(min=1),
    help="Independent runs, merged (default: 5 where journeys promise something, else 1).",
)
@click.option(
    "--precision",
    type=QuantityType(Fraction),
    help="Replicate until all mean latencies have this precision, such as 2%.",
)
@click.option(
    "--budget",
    type=QuantityType(Duration),
    help="How long to look for a verdict (default: 5s), in events: 2 million are a second.",
)
@jobs_option("Cores for replications; -1: all.")
@click.option(
    "--backend",
    metavar="URL",
    help="Spread replications over a cluster: dask://HOST:PORT.",
)
@engine_option
@seed_option()
@format_option("json")
@chart_option("where the time went")
@click.option(
    "--trace",
    metavar="FILE",
    callback=checked_output,
    shell_complete=files,
    help="Also write every journey, request and attempt (.parquet or .csv).",
)
@click.option(
    "--trace-share",
    type=QuantityType(Fraction),
    default="100%",
    show_default=True,
    help="The share of the journeys to trace, with all that belongs to them.",
)
@click.option("--strict", is_flag=True, help="Exit with 3 if an objective is open.")
@verbose_option("List every endpoint, resource and assumption.")
@output_option()
def command(
    models: tuple[str, ...],
    system_name: str | None,
    scenario: str | None,
    duration: Duration | None,
    warmup: Duration | None,
    faults: tuple[str, ...],
    drain: bool,
    replications: int | None,
    precision: Fraction | None,
    budget: Duration | None,
    jobs: int,
    backend: str | None,
    engine: EngineName,
    seed: int,
    format_: str,
    chart: str | None,
    trace: str | None,
    trace_share: Fraction,
    strict: bool,
    verbose: bool,
    output: str | None,
) -> int:
    """Put a model under load and predict latencies and bottlenecks.

    Objectives are met, missed, or open where the runs do not decide. A steady load is simulated
    for as long as they need, its duration at least, unless --duration or --replications say how
    long; faults and changing loads for their own time. Knife edges are outcomes that move far
    where all work takes 3% longer or shorter. Exits with 1 when an objective is missed, or when
    the load cannot be carried. Ctrl-C reports what is there, marked incomplete.
    Loading a Python model runs its code.
    """
    system = one_system(models, system_name)
    chosen = as_asked(chosen_scenario(system, scenario), faults, drain=drain)
    decides = all(each is None for each in (duration, replications, precision, trace))
    if not decides and budget is not None:
        raise ModelError(
            "--budget is for runs whose length is chosen by objectives; --duration, "
            "--replications, --precision and --trace say how long"
        )
    text = f"simulating {system.name} under {chosen.name}"
    with (
        trace_file(trace, float(trace_share)) if trace else nullcontext() as tracer,
        progress_bar(text, replications or runs_for(system, chosen)) as progress,
        stoppable() as stop,
    ):
        if decides:
            result = simulate_until_decided(
                system,
                chosen,
                warmup=warmup,
                seed=seed,
                jobs=jobs,
                engine=engine,
                backend=backend,
                progress=progress,
                stop=stop,
                events=EVENTS if budget is None else round(float(budget) * EVENTS_A_SECOND),
            )
        else:
            is_single = trace is not None or precision is not None
            result = simulate(
                system,
                chosen,
                duration=duration,
                warmup=warmup,
                seed=seed,
                replications=replications or (1 if is_single else runs_for(system, chosen)),
                precision=float(precision) if precision is not None else None,
                jobs=jobs,
                engine=engine,
                backend=backend,
                progress=progress,
                stop=stop,
                tracer=tracer,
            )
        if tracer is None:
            result = with_knife_edges(result, jobs=jobs, stop=stop)
    show = partial(print_simulation, verbose=verbose)
    write_result(result, format_, output, data=simulation_data, show=show)
    if trace is not None:
        click.echo(f"wrote {trace}", err=True)
    if chart is not None:
        write_chart(simulation_chart(result), chart)
    state = gravest(result.objectives)
    if not result.is_complete or state == "missed" or result.overloads:
        return 1
    return 3 if strict and state == "open" else 0
