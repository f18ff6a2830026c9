"""``archcheck verify``: the rules, for people and for CI."""

from __future__ import annotations

import datetime
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import click

from archcheck.cli.common import (
    format_option,
    load_systems,
    models_argument,
    output_option,
    proof_budget_option,
    strict_option,
    verbose_option,
    write,
)
from archcheck.cli.completion import files
from archcheck.cli.rule_options import RuleSelection, rule_options
from archcheck.cli.streams import guests
from archcheck.findings import Severity
from archcheck.model import ModelError
from archcheck.reporting.console import progress_bar, report_console
from archcheck.reporting.verification import WRITERS, print_suggestions, print_verification, sarif
from archcheck.units import Duration
from archcheck.verification import Baseline, Verification, verify
from archcheck.verification.targeting import targets_in_vain


@click.command("verify")
@models_argument
@format_option(*WRITERS)
@rule_options
@click.option(
    "--fail-on",
    type=click.Choice(["error", "warning", "info"]),
    help="The lowest severity that makes the exit code 1 (default: error).",
)
@strict_option
@click.option(
    "--baseline",
    metavar="FILE",
    shell_complete=files,
    help="Report only findings that this baseline lacks.",
)
@click.option("--update-baseline", is_flag=True, help="Write today's findings into the baseline.")
@click.option(
    "--sarif-everything",
    is_flag=True,
    help="SARIF: also write suppressed, baselined and undecided results.",
)
@click.option("--no-sim", is_flag=True, help="Leave out the rules that simulate.")
@proof_budget_option("Time for all proofs; the rest is undecided.")
@click.option("--suggest", is_flag=True, help="Only show what to declare first.")
@click.option(
    "--date",
    "today",
    type=click.DateTime(["%Y-%m-%d"]),
    help="Check as of this day instead of today.",
)
@click.option("-q", "--quiet", is_flag=True, help="Print only the summary.")
@verbose_option("List every finding, every place and every rule.")
@output_option()
def command(
    models: tuple[str, ...],
    format_: str,
    selection: RuleSelection,
    fail_on: Severity | None,
    strict: bool,
    baseline: str | None,
    update_baseline: bool,
    sarif_everything: bool,
    no_sim: bool,
    proof_budget: Duration,
    suggest: bool,
    today: datetime.datetime | None,
    quiet: bool,
    verbose: bool,
    output: str | None,
) -> int:
    """Check models against the rules.

    MODEL is a Python file, a folder, package.module:name or a JSON file (default: models/).
    Loading a Python model runs its code, and so does loading rules from the folder rules/.

    Exits with 0 if all is well, 1 on findings, 2 if the model, the configuration or the command
    line is wrong, 3 if something is undecided under --strict, 4 if a rule raised an error.
    """
    if sarif_everything and format_ != "sarif":
        raise ModelError("--sarif-everything needs --format sarif")
    rules, settings = selection.rules(), selection.settings()
    settings = replace(settings, fail_on=fail_on or settings.fail_on)
    if no_sim:
        rules = tuple(rule for rule in rules if rule.method != "sim")
    path = Path(baseline) if baseline else settings.baseline
    if update_baseline and path is None:
        raise ModelError("--update-baseline needs a file: --baseline archcheck-baseline.json")
    older = Baseline.read(path) if path and (path.exists() or not update_baseline) else None
    known = None if update_baseline else older
    systems = load_systems(models)
    with progress_bar("checking the rules", float(len(systems))) as progress, guests():
        results = [
            verify(
                system,
                rules,
                settings=settings,
                baseline=known,
                today=today.date() if today else None,
                proof_budget=float(proof_budget),
                progress=lambda done, before=number: progress(before + done),  # type: ignore[misc]
            )
            for number, system in enumerate(systems)
        ]
    if update_baseline and path:
        accepted = (older or Baseline()).updated(results)
        accepted.write(path)
        click.echo(f"wrote {path} with {len(accepted.fingerprints)} accepted places", err=True)
        return 4 if any(result.broken for result in results) else 0
    if sarif_everything:
        write(sarif(results, everything=True), output)
    else:
        _report(results, format_, output, suggest=suggest, quiet=quiet, verbose=verbose)
    for sentence in targets_in_vain(results, rules, settings):
        click.echo(f"warning: {sentence}", err=True)
    for rule, element in known.gone(results) if known else []:
        click.echo(
            f"the baseline accepts {rule} for {element}, which is not found any more; "
            "--update-baseline removes it",
            err=True,
        )
    return _exit_code(results, settings.fail_on, strict=strict or settings.strict)


def _report(
    results: Sequence[Verification],
    format_: str,
    output: str | None,
    *,
    suggest: bool,
    quiet: bool,
    verbose: bool,
) -> None:
    if format_ != "text":
        write(WRITERS[format_](results), output)
        return
    with report_console(output) as console:
        if suggest:
            print_suggestions(console, results)
            return
        for result in results:
            print_verification(
                console, result, quiet=quiet, verbose=verbose, complete=output not in (None, "-")
            )


def _exit_code(results: Sequence[Verification], fail_on: Severity, *, strict: bool) -> int:
    if any(result.broken for result in results):
        return 4
    if any(result.fails(fail_on) for result in results):
        return 1
    return 3 if strict and any(result.questions for result in results) else 0
