"""``archcheck prove``: what holds in every case, and what does not."""

from __future__ import annotations

import json
from pathlib import Path

import click

from archcheck import facade
from archcheck.cli.common import (
    checked_output,
    format_option,
    models_argument,
    one_system,
    output_option,
    proof_budget_option,
    strict_option,
    system_option,
    verbose_option,
    write,
)
from archcheck.cli.completion import files
from archcheck.cli.rule_options import listed
from archcheck.cli.streams import guests
from archcheck.diagrams import checked_format
from archcheck.editing import patch_of, unshared
from archcheck.graph import Graph
from archcheck.mending import shortest_timeouts, without_losses
from archcheck.proof import (
    ProofBudget,
    Proofs,
    availabilities,
    prove,
    suggest_sizes,
    suggest_timeouts,
)
from archcheck.replaying import Replay, replay
from archcheck.reporting.console import progress_bar, report_console, time_left
from archcheck.reporting.patches import print_patch
from archcheck.reporting.proofs import print_proofs, proofs_data
from archcheck.units import Duration


@click.command("prove")
@models_argument
@system_option
@click.option(
    "--question",
    "names",
    multiple=True,
    metavar="NAMES",
    help="Ask only these questions, such as deadlines or deadlines,load.",
)
@click.option(
    "--failures",
    type=click.IntRange(min=0),
    default=1,
    show_default=True,
    help="How many failures at once critical journeys must survive.",
)
@click.option(
    "--suggest",
    type=click.Choice(["timeouts", "replicas"]),
    help="Only print a patch: timeouts that meet all deadlines, or the fewest replicas.",
)
@click.option(
    "--diagram",
    metavar="FILE",
    callback=checked_output,
    shell_complete=files,
    help="Also draw the counterexamples (.svg, .png ...).",
)
@click.option(
    "--replay",
    "is_replayed",
    is_flag=True,
    help="Also play each counterexample in the simulator, and say what the run shows.",
)
@proof_budget_option("Time for all questions; what is not decided by then is undecided.")
@format_option("json")
@strict_option
@verbose_option("List what is proved, and on what it rests.")
@output_option()
def command(
    models: tuple[str, ...],
    system_name: str | None,
    names: tuple[str, ...],
    failures: int,
    suggest: str | None,
    diagram: str | None,
    is_replayed: bool,
    proof_budget: Duration,
    format_: str,
    strict: bool,
    verbose: bool,
    output: str | None,
) -> int:
    """Prove what holds in every case, or show the case in which it does not.

    Every failure, every load in the declared ranges, every configuration of feature flags, every
    order of a saga's messages. Exits with 1 when something is refuted. Loading a Python model
    runs its code.
    """
    names = listed(names)
    system = one_system(models, system_name)
    graph = Graph(system)
    if suggest is not None:
        return _suggest(graph, suggest, output)
    if diagram is not None:
        checked_format(diagram)
    budget = ProofBudget(float(proof_budget))
    with time_left(f"proving {system.name}", float(proof_budget)):
        proofs = prove(graph, names, failures=failures, budget=budget)
    replays = _replayed(graph, proofs) if is_replayed else {}
    wanted = not proofs.is_stopped and (not names or "availability" in names)
    available = availabilities(graph) if wanted else ()
    if format_ == "json":
        write(json.dumps(proofs_data(proofs, available, replays), indent=2), output)
    else:
        with report_console(output) as console:
            print_proofs(console, proofs, available, replays, verbose=verbose)
    if diagram is not None:
        _draw(proofs, Path(diagram))
    if proofs.refuted:
        return 1
    return 3 if strict and proofs.is_undecided else 0


def _replayed(graph: Graph, proofs: Proofs) -> dict[int, Replay]:
    """What a run makes of each refuted answer, by the identity of the answer."""
    found: dict[int, Replay] = {}
    with progress_bar("replaying", len(proofs.refuted)) as advance:
        for number, refuted in enumerate(proofs.refuted):
            found[id(refuted)] = replay(graph, refuted)
            advance(number + 1)
    return found


def _draw(proofs: Proofs, path: Path) -> None:
    facade.diagram(proofs).save(path)
    click.echo(f"wrote {path}", err=True)


def _suggest(graph: Graph, what: str, output: str | None) -> int:
    """The patch on standard output or in a file; what cannot be done on standard error."""
    graph = Graph(unshared(graph.system))
    if what == "timeouts":
        timeouts = suggest_timeouts(graph, shortest_timeouts(graph.system))
        edits = timeouts.edits
        impossible = [str(refuted.counterexample) for refuted in timeouts.conflicts]
        unknown = [f"{name}: nothing says how long it may take" for name in timeouts.undecided]
    else:
        sizes = suggest_sizes(graph)
        edits, impossible, unknown = sizes.edits, [*sizes.conflicts], [*sizes.undecided]
    edits, refused, not_run = without_losses(graph.system, edits)
    with guests():  # the model is loaded again
        patch = patch_of(graph.system, edits)
    with report_console(output) as console:
        print_patch(console, patch)
    for edit, why in refused:
        click.echo(f"not suggested: {edit}: {why}", err=True)
    if not_run:
        click.echo(f"not compared: {', '.join(not_run)}", err=True)
    for text in impossible:
        click.echo(f"impossible: {text}", err=True)
    for text in unknown:
        click.echo(f"undecided: {text}", err=True)
    return 1 if impossible else 0
