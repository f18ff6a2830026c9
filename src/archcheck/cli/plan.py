"""``archcheck plan``: how much a system takes, what breaks first, what more load costs."""

from __future__ import annotations

import re
from functools import partial

import click

from archcheck.cli.common import (
    QuantityType,
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
    verbose_option,
    write,
    write_chart,
    write_result,
)
from archcheck.extras import require
from archcheck.model import ScenarioError
from archcheck.planning import plan_capacity
from archcheck.reporting.charts import PACKAGES, capacity_chart
from archcheck.reporting.console import time_left
from archcheck.reporting.planning import plan_data, plan_page, print_plan
from archcheck.units import Duration, Fraction

_FACTOR = re.compile(r"x?\s*([0-9]+(?:\.[0-9]+)?)\s*(x|%)?", re.IGNORECASE)


@click.command("plan")
@models_argument
@system_option
@scenario_option("Whose load grows (default: the busiest at its peak).")
@click.option(
    "--target",
    default="x2",
    show_default=True,
    metavar="FACTOR",
    help="Find the cheapest sizes for this load, such as x2 or 150%.",
)
@click.option(
    "--growth",
    type=QuantityType(Fraction),
    help="Growth of the load in a month, such as 5% (default: that of the scenario).",
)
@click.option("--lose-zone", is_flag=True, help="Find sizes that carry the load without one zone.")
@click.option(
    "--max-utilisation",
    type=QuantityType(Fraction),
    default="80%",
    show_default=True,
    help="How busy the sizes may leave a resource.",
)
@click.option(
    "--budget",
    type=QuantityType(Duration),
    default="30s",
    show_default=True,
    help="Time for all of it; the plan names what takes longer. Most systems need less.",
)
@click.option(
    "--confirm-alone",
    is_flag=True,
    help="Also simulate the growth of each journey alone; takes longer.",
)
@jobs_option()
@seed_option("The same seed gives the same numbers.")
@format_option("json", "html")
@chart_option("the capacity curve")
@verbose_option("List what was assumed.")
@output_option()
def command(
    models: tuple[str, ...],
    system_name: str | None,
    scenario: str | None,
    target: str,
    growth: Fraction | None,
    lose_zone: bool,
    max_utilisation: Fraction,
    budget: Duration,
    confirm_alone: bool,
    jobs: int,
    seed: int,
    format_: str,
    chart: str | None,
    verbose: bool,
    output: str | None,
) -> int:
    """Plan the capacity of a system.

    The sustainable load, the bottlenecks one after the other, the capacity curve, the cheapest
    sizes for more load, headroom, what to measure, and costs: by an analytic solution, confirmed
    by simulations. Exits with 1 when the declared load is not carried, or the wanted one cannot
    be. Ctrl-C reports what is there. Loading a Python model runs its code.
    """
    if format_ == "html":
        require(*PACKAGES)  # it has a chart, and planning takes a while
    system = one_system(models, system_name)
    factor = _factor(target)
    shown = time_left(f"planning {system.name}", float(budget))
    with shown as progress, stoppable() as stop:
        plan = plan_capacity(
            system,
            system.scenario(scenario) if scenario is not None else None,
            target=factor,
            growth=growth,
            loses_zone=lose_zone,
            most_busy=float(max_utilisation),
            jobs=jobs,
            seed=seed,
            budget=float(budget),
            confirm_alone=confirm_alone,
            progress=lambda what, done: progress(what),
            stop=stop,
        )
    if format_ == "html":
        write(plan_page(plan), output)
    else:
        show = partial(print_plan, verbose=verbose)
        write_result(plan, format_, output, data=plan_data, show=show)
    if chart is not None:
        write_chart(capacity_chart(plan), chart)
    return 0 if plan.is_fine else 1


def _factor(text: str) -> float:
    found = _FACTOR.fullmatch(text.strip())
    if found is None:
        raise ScenarioError(f"the target {text!r} is no factor; write one such as x2 or 150%")
    value = float(found[1])
    return value / 100 if found[2] == "%" else value
