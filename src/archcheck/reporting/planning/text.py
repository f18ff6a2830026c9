"""A capacity plan for a terminal."""

from __future__ import annotations

from rich import box
from rich.console import Console
from rich.table import Table
from rich.text import Text

from archcheck.planning import CapacityPlan
from archcheck.reporting.console import printable
from archcheck.reporting.planning.tables import headline, sheets, verdicts


def print_plan(console: Console, plan: CapacityPlan, *, verbose: bool = False) -> None:
    """The answers, then the tables behind them; with ``verbose``, what was assumed."""
    console.print(Text(printable(headline(plan)), style="bold"))
    for is_good, sentence in verdicts(plan):
        console.print(
            Text.assemble(
                ("+ " if is_good else "! ", "green" if is_good else "bold red"), printable(sentence)
            )
        )
    for sheet in sheets(plan):
        table = Table(
            title=printable(sheet.title), title_justify="left", box=box.SIMPLE_HEAD, pad_edge=False
        )
        for number, column in enumerate(sheet.columns):
            table.add_column(
                printable(column),
                justify="right" if number else "left",
                no_wrap=bool(number),
                overflow="fold",
            )
        for row in sheet.rows:
            table.add_row(*map(Text, map(printable, row)))
        console.print()
        if sheet.rows:
            console.print(table)
        else:
            console.print(Text(printable(sheet.title), style="italic"))
        if sheet.remark:
            console.print(Text(printable(sheet.remark), style="dim"))
    if verbose:
        for assumption in plan.assumptions:
            console.print(
                f"assumed: {assumption.subject} {assumption.attribute} = {assumption.value} "
                f"({assumption.reason})",
                markup=False,
            )
    elif plan.assumptions:
        console.print(f"{len(plan.assumptions)} values were assumed; -v lists them")
