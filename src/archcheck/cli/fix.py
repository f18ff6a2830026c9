"""``archcheck fix``: the cheapest edits that make the rules hold."""

from __future__ import annotations

from pathlib import Path

import click

from archcheck import configuration, facade
from archcheck.cli.choosing import chosen_edits
from archcheck.cli.common import (
    models_argument,
    one_system,
    output_option,
    proof_budget_option,
    system_option,
)
from archcheck.cli.rule_options import RuleSelection, listed, rule_options
from archcheck.cli.streams import guests
from archcheck.editing import COSTS, Patch
from archcheck.mending import explain, of_edits
from archcheck.model import ModelError, Place
from archcheck.reporting.console import report_console, time_left
from archcheck.reporting.repairs import print_explanations, print_repair
from archcheck.reporting.simulation import print_simulation
from archcheck.units import Duration


@click.command("fix")
@models_argument
@system_option
@rule_options
@click.option(
    "--allow",
    multiple=True,
    metavar="KIND=COST",
    help=f"Allow only these edits, at these costs ({', '.join(COSTS)}); can be repeated.",
)
@click.option(
    "--only",
    multiple=True,
    metavar="RULES",
    help="Mend only what these rules find (ids, groups, globs); all others guard.",
)
@click.option(
    "--explain",
    "is_explained",
    is_flag=True,
    help="Say for each edit what it mends, what else would, and why that was not chosen.",
)
@click.option(
    "--interactive",
    "is_interactive",
    is_flag=True,
    help="Ask about each edit whether it is taken.",
)
@click.option(
    "--write", "write_", is_flag=True, help="Write the edits into the files of the model."
)
@click.option("--simulate", "scenario", metavar="SCENARIO", help="Simulate the repaired system.")
@proof_budget_option("Time to find the cheapest edits; as much again to try them.", "30s")
@output_option()
def command(
    models: tuple[str, ...],
    system_name: str | None,
    selection: RuleSelection,
    allow: tuple[str, ...],
    only: tuple[str, ...],
    is_explained: bool,
    is_interactive: bool,
    write_: bool,
    scenario: str | None,
    proof_budget: Duration,
    output: str | None,
) -> int:
    """Find the cheapest edits that make the rules hold, as a patch, or with --write in place.

    Timeouts, attempts, breakers, fallbacks, pools, replicas and zones are weighed against each
    other; no timeout gets shorter than what it waits for under the declared loads. The repaired
    system is verified again, and simulated beside the original: edits that would cost good answers
    or an objective are not offered. A Python model is loaded once more, with the patch, to see
    that it gives what it promises; edits that cannot be written are listed and mend nothing yet.
    Exits with 1 when something is left that edits could mend, or is to be done by hand, with 0 when
    all is mended that fix has edits for: what it has none for is named, and archcheck verify judges
    it. Loading a Python model runs its code.
    """
    system = one_system(models, system_name)
    settings = selection.settings()
    rules = selection.rules()
    mended = listed(only)
    configuration.check_patterns(mended, rules)
    costs = _costs(allow) if allow else None
    seconds = float(proof_budget) / 2  # for the reasons of edits
    with time_left(f"looking for edits of {system.name}"), guests():
        found = facade.fix(
            system,
            rules,
            settings=settings,
            costs=costs,
            only=mended,
            proof_budget=float(proof_budget),
        )
    if settings.baseline is not None and settings.baseline.exists():
        click.echo("the baseline is not read: what it accepts is mended, too", err=True)
    if is_interactive:
        with guests():
            explained = explain(found, rules, settings=settings, costs=costs, seconds=seconds)
        taken = chosen_edits(explained)
        with time_left(f"trying the edits of {system.name}"), guests():
            found = of_edits(found, taken, settings=settings, costs=costs)
    with guests():
        patch = found.patch  # loads the model again
        reasons = (
            explain(found, rules, settings=settings, costs=costs, seconds=seconds)
            if is_explained
            else ()
        )
    with report_console(output) as console:
        print_repair(console, found)
        print_explanations(console, reasons)
        if scenario is not None:
            run = facade.simulate(found.system, scenario)
            print_simulation(console, run)
    if write_:
        write_patch(patch)
    return 0 if found.is_complete and not patch.by_hand else 1


def write_patch(patch: Patch) -> None:
    """Write the files, and say so even when somebody interrupts just then."""
    names = ", ".join(Place(file, 1).shown_file() for file in sorted(patch.files))
    try:
        patch.write()
    except KeyboardInterrupt:
        done = [Path(file).read_bytes() == new.encode() for file, (_, new) in patch.files.items()]
        if done and all(done):
            click.echo(f"wrote {names}", err=True)
        raise
    click.echo(f"wrote {names or 'nothing'}", err=True)


def _costs(allow: tuple[str, ...]) -> dict[str, float]:
    """``--allow timeout=1,breaker=2 --allow pool`` is three kinds."""
    costs = {}
    for part in (word.strip() for text in allow for word in text.split(",") if word.strip()):
        kind, _, cost = part.partition("=")
        try:
            costs[kind.strip()] = float(cost) if cost else COSTS.get(kind.strip(), 1.0)
        except ValueError:
            raise ModelError(f"--allow takes KIND=COST, such as timeout=1, got {part!r}") from None
    return costs
