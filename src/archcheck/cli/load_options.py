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
drain_option: Option = click.option(
    "--drain",
    is_flag=True,
    help="Finish and count what is under way at the end, while nobody new comes.",
)
engine_option: Option = click.option(
    "--engine",
    type=click.Choice(ENGINES),
    default="auto",
    show_default=True,
    help="fast is compiled, simpy is the reference; auto takes fast if it is installed.",
)


def as_asked(scenario: Scenario, faults: tuple[str, ...], *, drain: bool) -> Scenario:
    """The scenario with what else goes wrong, drained where it says so or somebody asks."""
    if not faults and drain <= scenario.drain:
        return scenario
    wrong = [*scenario.faults, *map(parse_fault, faults)]
    return replace(scenario, faults=wrong, drain=drain or scenario.drain)
