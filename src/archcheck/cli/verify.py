"""``archcheck verify``: the rules, for people and for CI."""

from __future__ import annotations

import json

import click

from archcheck.cli.common import load_systems, models_argument, output_option, write
from archcheck.findings import Severity
from archcheck.reporting.console import report_console
from archcheck.reporting.verification import print_verification, verification_data
from archcheck.verification import verify


@click.command("verify")
@models_argument
@click.option(
    "--format",
    "format_",
    type=click.Choice(["text", "json"]),
    default="text",
    show_default=True,
    help="How to report.",
)
@click.option(
    "--fail-on",
    type=click.Choice(["error", "warning", "info"]),
    default="error",
    show_default=True,
    help="The lowest severity that makes the exit code 1.",
)
@click.option("--strict", is_flag=True, help="Exit with 3 when a rule is undecided.")
@click.option("-q", "--quiet", is_flag=True, help="Print only the summary.")
@click.option("-v", "--verbose", is_flag=True, help="List every undecided place and every rule.")
@output_option
def command(
    models: tuple[str, ...],
    format_: str,
    fail_on: Severity,
    strict: bool,
    quiet: bool,
    verbose: bool,
    output: str | None,
) -> int:
    """Check models against the rules.

    MODEL is a Python file, a folder, package.module:name or a JSON file (default: models/).
    Loading a Python model runs it.
    """
    results = [verify(system) for system in load_systems(models)]
    if format_ == "json":
        write(json.dumps([verification_data(result) for result in results], indent=2), output)
    else:
        with report_console(output) as console:
            for result in results:
                print_verification(console, result, quiet=quiet, verbose=verbose)
    if any(result.fails(fail_on) for result in results):
        return 1
    return 3 if strict and any(result.questions for result in results) else 0
