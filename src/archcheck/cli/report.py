"""``archcheck report``: a whole design review in one HTML file."""

from __future__ import annotations

import sys

import click

from archcheck.cli.common import (
    QuantityType,
    cases_of,
    models_argument,
    one_system,
    output_option,
    scenario_option,
    seed_option,
    set_option,
    system_option,
)
from archcheck.cli.rule_options import RuleSelection, rule_options
from archcheck.cli.streams import guests
from archcheck.extras import require
from archcheck.facade import chosen_scenario
from archcheck.files import check_writable, write_file
from archcheck.model import ModelError
from archcheck.reporting.console import counted, time_left
from archcheck.reporting.report import BUDGET, PACKAGES, PARTS, Review, carry_out, report_page
from archcheck.units import Duration


@click.command("report")
@models_argument
@system_option
@scenario_option("Simulate this one and plan for it (default: the first; the busiest).")
@set_option("Compare with this what-if, such as payments.replicas=6; several values after commas.")
@click.option(
    "--without",
    multiple=True,
    type=click.Choice(PARTS),
    help="Leave this part out to save time; can be repeated.",
)
@click.option("--repair", is_flag=True, help="Add what archcheck fix finds, and what it would do.")
@rule_options
@seed_option("Seed of the simulations.")
@click.option(
    "--budget",
    type=QuantityType(Duration),
    default=f"{BUDGET:g}s",
    show_default=True,
    help="Time for the questions; what takes longer is left out, and named. Pictures come on top.",
)
@click.option("--serve", is_flag=True, help="Serve it, and update it when the model changes.")
@click.option(
    "--port",
    type=click.IntRange(0, 65535),
    default=8765,
    show_default=True,
    help="Port of --serve, on this machine.",
)
@output_option("Write to this file (default: NAME.html).")
def command(
    models: tuple[str, ...],
    system_name: str | None,
    scenario: str | None,
    settings: tuple[str, ...],
    without: tuple[str, ...],
    repair: bool,
    selection: RuleSelection,
    seed: int,
    budget: Duration,
    serve: bool,
    port: int,
    output: str | None,
) -> int:
    """Write a report: one HTML file for a design review.

    Verdicts, an interactive diagram, findings with the lines of the model, proofs and
    counterexamples, a simulation, a capacity plan, what-ifs, assumptions, and the rules. The file
    loads nothing from anywhere. Exits with 1 when there are errors. Loading a Python model runs
    its code.
    """
    if serve and output is not None:
        raise ModelError("--serve shows the report and writes no file; leave out -o, or --serve")
    require(*PACKAGES)
    if serve:
        from archcheck.cli.serving import serve as serve_report

        return serve_report(models or ("models",), sys.argv[1:], port)
    system = one_system(models, system_name)
    output = output or f"{system.name}.html"
    if output != "-":
        check_writable(output)
    chosen = chosen_scenario(system, scenario) if scenario else None
    cases = cases_of(system, chosen or chosen_scenario(system, None), settings) if settings else ()
    shown = time_left(f"reviewing {system.name}", float(budget))
    with shown as progress, guests():
        review = carry_out(
            system,
            chosen,
            rules=selection.rules(),
            settings=selection.settings(),
            without=without,
            cases=cases,
            repair=repair,
            seed=seed,
            budget=float(budget),
            progress=progress,
        )
        page = report_page(review)
    if output == "-":
        click.echo(page)
        output = "standard output"
    else:
        write_file(output, page)
    click.echo(_summary(review, output, len(page.encode())), err=True)
    return 1 if review.verification.fails() else 0


def _summary(review: Review, output: str, size: int) -> str:
    checked = review.verification
    errors, warnings = checked.count("error"), checked.count("warning")
    left = f"; left out: {'; '.join(review.left_out)}" if review.left_out else ""
    counts = f"{counted(errors, 'error')}, {counted(warnings, 'warning')}"
    return f"wrote {output} ({size / 1e6:.1f} MB): {counts}{left}"
