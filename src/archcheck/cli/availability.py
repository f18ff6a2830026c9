"""``archcheck availability``: how often journeys and endpoints can answer."""

from __future__ import annotations

import json
from functools import partial

import click

from archcheck.capacity import journey_rates
from archcheck.cli.common import (
    QuantityType,
    format_option,
    models_argument,
    one_system,
    output_option,
    scenario_option,
    seed_option,
    system_option,
    verbose_option,
    write,
    write_result,
)
from archcheck.graph import Graph
from archcheck.model import ModelError
from archcheck.reporting.console import report_console, time_left
from archcheck.reporting.resilience import (
    availability_data,
    killed_data,
    print_availability,
    print_killed,
)
from archcheck.resilience import estimate_availability, when_killed
from archcheck.resilience.availability import MOST_SAMPLES, SAMPLES
from archcheck.units import Fraction


@click.command("availability")
@models_argument
@system_option
@click.option(
    "--zone-availability",
    type=QuantityType(Fraction),
    help="The share of the time that each zone is up, such as 99.99%; zones then fail too.",
)
@click.option(
    "--kill",
    "shares",
    multiple=True,
    type=QuantityType(Fraction),
    help="Use the call graph alone: what answers when this share of the containers is killed; can "
    "be repeated.",
)
@click.option(
    "--replicas",
    "counts",
    multiple=True,
    metavar="NAME=N",
    help="With --kill: the number of replicas of a service; can be repeated.",
)
@scenario_option("With --kill: only the journeys of this scenario, and their mean by their rates.")
@click.option("--stores", is_flag=True, help="With --kill: count datastores as containers.")
@click.option(
    "--samples",
    type=click.IntRange(1, MOST_SAMPLES),
    default=SAMPLES,
    show_default=True,
    help="Draws of the Monte Carlo method.",
)
@seed_option("The same seed gives the same samples.")
@format_option("json")
@verbose_option("List every endpoint, and all that is not declared.")
@output_option()
def command(
    models: tuple[str, ...],
    system_name: str | None,
    zone_availability: Fraction | None,
    shares: tuple[Fraction, ...],
    counts: tuple[str, ...],
    scenario: str | None,
    stores: bool,
    samples: int,
    seed: int,
    format_: str,
    verbose: bool,
    output: str | None,
) -> int:
    """Compute how available journeys and endpoints are.

    The values come from the declared availabilities of replicas, copies and external parties:
    exactly, and by Monte Carlo. Exits with 1 if an objective cannot be met. Loading a Python model
    runs its code.
    """
    system = one_system(models, system_name)
    graph = Graph(system)
    if shares:
        replicas = dict(map(_count, counts))
        rates = journey_rates(system.scenario(scenario)) if scenario is not None else None
        killed = [
            when_killed(graph, float(share), journeys=rates, replicas=replicas, stores=stores)
            for share in shares
        ]
        if format_ == "json":
            write(json.dumps(killed_data(system, killed, rates), indent=2), output)
        else:
            with report_console(output) as console:
                print_killed(console, system, killed, rates)
        return 0
    if counts or stores or scenario is not None:
        raise ModelError(
            "--replicas, --scenario and --stores belong to --kill; add it, such as --kill 30%"
        )
    zone = float(zone_availability) if zone_availability is not None else None
    with time_left(f"computing how available {system.name} is"):
        found = estimate_availability(graph, zone_availability=zone, samples=samples, seed=seed)
    show = partial(print_availability, verbose=verbose)
    write_result(found, format_, output, data=availability_data, show=show)
    return 0 if found.is_fine else 1


def _count(text: str) -> tuple[str, int]:
    name, equals, number = text.rpartition("=")
    if not equals or not number.strip().isdigit():
        raise ModelError(f"{text!r} is not of the form NAME=N, such as payments=3")
    return name.strip(), int(number)
