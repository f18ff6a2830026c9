"""Trials under fault and phase maps for a terminal."""

from __future__ import annotations

from rich.console import Console
from rich.text import Text

from archcheck.reporting.console import printable
from archcheck.reporting.sheets import Cell, Sheet, Tone, Words, print_sheet
from archcheck.resilience import BudgetSpent, ChaosResult, PhaseMap, TriggerResult
from archcheck.resilience.phases import PhaseRow
from archcheck.units import Duration

_TONES: dict[str, Tone] = {"recovers": "good", "slow": "warning", "stuck": "bad"}
_SIGNS = {
    "stable": Cell(".", "good"),
    "vulnerable": Cell("V", "warning"),
    "overloaded": Cell("X", "bad"),
}


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
                "the system does not carry the load even without a fault; archcheck plan shows why",
                style="bold red",
            )
        )
        return
    print_sheet(console, chaos_sheet(found))
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


def chaos_sheet(found: ChaosResult) -> Sheet:
    """A row for each trigger."""
    rows = tuple(
        (
            result.trigger.name,
            str(Duration(round(result.lasted, 3))),
            Cell(result.verdict, _TONES[result.verdict]),
            _recovery(result),
            f"{result.worst:.0%}",
            "\n".join(filter(None, map(_budget, result.budgets))) or "none",
        )
        for result in found.results
    )
    columns = ("trigger", "lasts", "afterwards", "all normal after", "fewest answers")
    return Sheet("", (*columns, Words("errors and budget")), rows)


def _recovery(result: TriggerResult) -> str:
    if result.recovery is None:
        return "not while watched" if result.stuck is None else "never"
    low = max(0.0, result.recovery - result.resolution)
    return f"{low:.3g} to {result.recovery + result.resolution:.3g} s"


def _budget(spent: BudgetSpent) -> str:
    errors = spent.errors
    if errors is None or errors.value < 0.5:
        return ""
    text = f"{spent.journey}: {errors.value:,.0f} ±{errors.half_width:,.0f}"
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
    print_sheet(console, phases_sheet(found))
    for escape in found.escapes:
        kept = (
            "not even shedding all load lets it recover"
            if escape.keep is None
            else f"keeping {escape.keep:.0%} of the load lets it recover"
        )
        console.print(
            f"escape at x{found.escape_factor:g} from {_size(found.trigger, found.sizes[-1])}: for "
            f"{Duration(round(escape.seconds, 3))}, {kept}"
        )
    if not found.is_complete:
        console.print(Text("STOPPED before the end", style="bold red"))


def phases_sheet(found: PhaseMap) -> Sheet:
    """A row for each load, a column for each size of the trigger."""
    columns = ("load", *(_size(found.trigger, size) for size in found.sizes))
    rows = tuple(map(_load, found.rows))
    legend = ". comes back   V vulnerable: stays broken afterwards   X overloaded anyway"
    return Sheet("", columns, rows, legend)


def _load(row: PhaseRow) -> tuple[str | Cell, ...]:
    return (f"x{row.factor:g}", *(_SIGNS[phase] for phase in row.phases))


def _title(found: PhaseMap) -> str:
    return "a burst of load" if found.trigger == "load" else printable(found.trigger)


def _size(trigger: str, size: float) -> str:
    return f"{size:.0%}" if trigger.endswith("fails") else f"x{size:g}"
