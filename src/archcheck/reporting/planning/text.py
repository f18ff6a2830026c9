"""A capacity plan for a terminal."""

from __future__ import annotations

from rich.console import Console
from rich.text import Text

from archcheck.planning import CapacityPlan
from archcheck.reporting.console import printable
from archcheck.reporting.objectives import SIGNS, TONES
from archcheck.reporting.planning.tables import headline, sheets, verdicts
from archcheck.reporting.sheets import STYLES, print_sheets


def print_plan(console: Console, plan: CapacityPlan, *, verbose: bool = False) -> None:
    """The answers, then the tables behind them; with ``verbose``, what was assumed."""
    console.print(Text(printable(headline(plan)), style="bold"))
    for state, sentence in verdicts(plan):
        sign = (f"{SIGNS[state]} ", STYLES[TONES[state]])
        console.print(Text.assemble(sign, printable(sentence)))
    print_sheets(console, sheets(plan))
    if verbose:
        for assumption in plan.assumptions:
            console.print(
                f"assumed: {assumption.subject} {assumption.attribute} = {assumption.value} "
                f"({assumption.reason})",
                markup=False,
            )
    elif plan.assumptions:
        count = len(plan.assumptions)
        were = "value was" if count == 1 else "values were"
        console.print(f"{count} {were} assumed; -v lists them")
