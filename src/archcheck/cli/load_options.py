"""Options of the commands that simulate a scenario: how long, on which engine, what goes wrong."""

from __future__ import annotations

from dataclasses import replace

import click

from archcheck.cli.common import Option, QuantityType
from archcheck.model import Scenario
from archcheck.simulation import ENGINES, parse_fault
from archcheck.units import Duration

duration_option: Option = click.option(
    "--duration", type=QuantityType(Duration), help="Simulated time, such as 60s."
)
warmup_option: Option = click.option(
    "--warmup",
    type=QuantityType(Duration),
    help="Time to leave out at the start, such as 5s (default: found, if the load is steady).",
)
fault_option: Option = click.option(
    "--fault",
    "faults",
    multiple=True,
    metavar="TEXT",
    help="A fault, such as 'payments slow x5 from 60s to 90s'; can be repeated.",
)
engine_option: Option = click.option(
    "--engine",
    type=click.Choice(ENGINES),
    default="auto",
    show_default=True,
    help="fast is compiled, simpy is the reference; auto takes fast if it is installed.",
)


def with_faults(scenario: Scenario, faults: tuple[str, ...]) -> Scenario:
    """The scenario, and what else goes wrong."""
    if not faults:
        return scenario
    return replace(scenario, faults=[*scenario.faults, *map(parse_fault, faults)])
