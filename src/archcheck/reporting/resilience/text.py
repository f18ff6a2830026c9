"""Trials under fault and phase maps for a terminal."""

from __future__ import annotations

from rich import box
from rich.console import Console
from rich.table import Table
from rich.text import Text

from archcheck.reporting.console import printable
from archcheck.resilience import BudgetSpent, ChaosResult, PhaseMap, TriggerResult
from archcheck.units import Duration

_STYLES = {"recovers": "green", "slow": "yellow", "stuck": "bold red"}
_SIGNS = {"stable": (" . ", "green"), "vulnerable": (" V ", "yellow"), "overloaded": (" X ", "red")}


def print_chaos(console: Console, found: ChaosResult) -> None:
    """A row for each trigger: recovery, the worst moment, the error budget that it costs."""
    console.print(
        Text(
            f"{found.system.name} under {found.scenario.name} at its peak: each trigger "
            f"{found.replications} times, seed {found.seed}",
            style="bold",
        )
    )
    if not found.carried:
        console.print(
            Text(
                "the load is not carried even when nothing goes wrong; archcheck plan says why",
                style="bold red",
            )
        )
        return
    table = Table(box=box.SIMPLE_HEAD, pad_edge=False)
    table.add_column("trigger", overflow="fold")
    for column in ("lasts", "afterwards", "all normal after", "fewest answers"):
        table.add_column(column, justify="right", no_wrap=True)
    table.add_column("errors and budget", overflow="fold")
    for result in found.results:
        table.add_row(
            Text(printable(result.trigger.name)),
            str(Duration(round(result.lasted, 3))),
            Text(result.verdict, style=_STYLES[result.verdict]),
            _recovery(result),
            f"{result.worst:.0%}",
            Text("\n".join(filter(None, map(_budget, result.budgets))) or "none"),
        )
    console.print(table)
    for result in found.results:
        if result.stuck is not None:
            console.print(
                Text.assemble(
                    ("stays broken: ", "bold red"),
                    printable(f"after {result.trigger.name}, {result.stuck}"),
                )
            )
    if found.untried:
        console.print(Text(f"STOPPED: {found.untried} triggers were not tried", style="bold red"))


def _recovery(result: TriggerResult) -> str:
    if result.recovery is None:
        return "not while watched" if result.stuck is None else "never"
    low = max(0.0, result.recovery - result.resolution)
    return f"{low:.3g} to {result.recovery + result.resolution:.3g} s"


def _budget(spent: BudgetSpent) -> str:
    errors = spent.errors
    if errors is None or errors.value < 0.5:
        return ""
    text = f"{printable(spent.journey)}: {errors.value:,.0f} ±{errors.half_width:,.0f}"
    if spent.share is not None and spent.reading is not None:
        text += f", {spent.share:.2%} ±{spent.reading.slack:.2%} of 30 days"
    return text


def print_phases(console: Console, found: PhaseMap) -> None:
    """A grid: loads are rows, sizes of the trigger are columns."""
    console.print(
        Text(
            f"{found.system.name} under {found.scenario.name}: after {_title(found)} of "
            f"{Duration(round(found.lasts, 3))}",
            style="bold",
        )
    )
    table = Table(box=box.SIMPLE_HEAD, pad_edge=False)
    table.add_column("load", justify="right")
    for size in found.sizes:
        table.add_column(_size(found.trigger, size), justify="center")
    for row in found.rows:
        table.add_row(f"x{row.factor:g}", *(Text(*_SIGNS[phase]) for phase in row.phases))
    console.print(table)
    console.print(". comes back   V vulnerable: stays broken afterwards   X overloaded anyway")
    for escape in found.escapes:
        kept = (
            "not even shedding everything brings it back"
            if escape.keep is None
            else f"keeping {escape.keep:.0%} of the load brings it back"
        )
        console.print(
            f"escape at x{found.escape_factor:g} from {_size(found.trigger, found.sizes[-1])}: for "
            f"{Duration(round(escape.seconds, 3))}, {kept}"
        )
    if not found.is_complete:
        console.print(Text("STOPPED before the end", style="bold red"))


def _title(found: PhaseMap) -> str:
    return "a burst of load" if found.trigger == "load" else printable(found.trigger)


def _size(trigger: str, size: float) -> str:
    return f"{size:.0%}" if trigger.endswith("fails") else f"x{size:g}"
