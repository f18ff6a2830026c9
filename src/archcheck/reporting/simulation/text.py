"""The result of a simulation for a terminal."""

from __future__ import annotations

from collections import defaultdict

from rich.console import Console
from rich.text import Text

from archcheck.model import Fault
from archcheck.reporting.console import spoken
from archcheck.reporting.sheets import print_sheet
from archcheck.reporting.simulation.assumptions import grouped
from archcheck.reporting.simulation.tables import simulation_sheets
from archcheck.simulation import RequestResult, ResourceResult, SimulationResult

_FEW = 3
"""Knife edges that are shown without ``-v``, the gravest first. A choice."""
_UNKNOWN = 0.01
"""The share of journeys without an outcome from which on a reader is told. A choice: smaller than
most intervals."""


def print_simulation(console: Console, result: SimulationResult, *, verbose: bool = False) -> None:
    """Latencies by journey, where the time went, the bottleneck, what was assumed."""
    console.print(_headline(result))
    for overload in result.overloads:
        console.print(Text.assemble(("no steady state: ", "bold red"), str(overload)))
    for slow in result.unsettled:
        console.print(Text.assemble(("too short to know: ", "bold yellow"), str(slow)))
    for fault in result.scenario.faults:
        if float(fault.start) >= result.duration:
            console.print(Text.assemble(("never begins: ", "bold yellow"), _late(fault, result)))
    for job in result.jobs:
        if not job.started:
            console.print(Text.assemble(("never begins: ", "bold yellow"), _idle(job, result)))
    for sheet in simulation_sheets(result, verbose=verbose):
        print_sheet(console, sheet)
    console.print(_bottleneck(result))
    _print_edges(console, result, verbose)
    _print_under_way(console, result)
    _print_notes(console, result)
    if result.not_simulated:
        console.print(
            Text.assemble(
                ("declared, but not simulated: ", "yellow"), ", ".join(result.not_simulated)
            )
        )
    _print_assumptions(console, result, verbose)


def _headline(result: SimulationResult) -> Text:
    drained = " and drained" if result.scenario.drain else ""
    runs = f", {result.replications} replications" if result.replications > 1 else ""
    found = " (found)" if result.warmup_is_found and result.warmup else ""
    left_out = f", the first {spoken(result.warmup)} left out{found}" if result.warmup else ""
    return Text.assemble(
        (result.system.name, "bold"),
        " under ",
        (result.scenario.name, "bold"),
        f": {spoken(result.simulated)} simulated{drained}{left_out}{runs}, seed {result.seed}, "
        f"engine {result.engine} ({result.engine_reason})",
        "" if result.is_complete else "; STOPPED before the end, incomplete",
    )


def _late(fault: Fault, result: SimulationResult) -> str:
    whose = getattr(fault, "target", getattr(fault, "zone", None))
    of = f" of {whose}" if whose is not None else ""
    at, end = spoken(float(fault.start)), spoken(result.duration)
    return f"{type(fault).__name__}{of} at {at}, as the run ends at {end} (--duration)"


def _idle(job: RequestResult, result: SimulationResult) -> str:
    long = spoken(result.duration - result.warmup)
    return f"{job.name}, scheduled more seldom than the {long} that count (--duration)"


def _bottleneck(result: SimulationResult) -> Text:
    found: ResourceResult | None = result.bottleneck
    if found is None:
        return Text("no resource has a limited number of servers")
    name = (found.label, "bold")
    return Text.assemble("bottleneck: ", name, ", ", found.evidence)


def _print_edges(console: Console, result: SimulationResult, verbose: bool) -> None:
    """Outcomes that move far where times are a little off."""
    edges = result.knife_edges
    if edges is None:
        return
    if edges.left_out and result.is_complete and not result.overloads:
        console.print(f"knife edges: nobody looked, as {edges.left_out}")
    shown = len(edges.found) if verbose else _FEW
    for edge in edges.found[:shown]:
        console.print(Text.assemble(("knife edge: ", "bold yellow"), str(edge)))
    if len(edges.found) > shown:
        more = len(edges.found) - shown
        console.print(f"{more} more knife edge{'s' if more > 1 else ''}; -v lists them")


def _print_under_way(console: Console, result: SimulationResult) -> None:
    """Journeys without an outcome, where they are too many for the shares to be those of all."""
    for each in result.journeys:
        if each.in_flight <= _UNKNOWN * each.started or not result.is_complete:
            continue
        known = (
            "as long again was not enough"
            if result.scenario.drain
            else "they count nowhere; with --drain they are finished, and counted"
        )
        said = f"{each.in_flight:,} of {each.started:,} {each.name} ({known})"
        console.print(Text.assemble(("under way at the end: ", "bold yellow"), said))


def _print_notes(console: Console, result: SimulationResult) -> None:
    kinds: dict[str, list[str]] = defaultdict(list)
    for counted, count in result.counts.items():
        kind, _, name = counted.partition(": ")
        kinds[kind].append(f"{count:,} {name}")
    for kind, counts in kinds.items():
        console.print(f"{kind}: {', '.join(counts)}")
    if result.precision is not None:
        reached = "reached" if result.precision_is_reached else "not reached"
        console.print(
            f"precision of {result.precision:.2%} {reached} with {result.replications} replications"
        )


def _print_assumptions(console: Console, result: SimulationResult, verbose: bool) -> None:
    """What was assumed, in the order of influence; equal values of several elements together."""
    if not result.assumptions:
        return
    title = "assumed, because the model does not declare it (share of the time that goes through):"
    console.print(Text(title, style="bold"))
    for each in grouped(result.assumptions):
        names = ", ".join(each.subjects if verbose else each.subjects[:3])
        rest = len(each.subjects) - 3
        more = f" and {rest} more" if rest > 0 and not verbose else ""
        console.print(
            f"  {each.influence:4.0%}  {each.attribute} = {each.value} ({each.reason}): "
            f"{names}{more}"
        )
