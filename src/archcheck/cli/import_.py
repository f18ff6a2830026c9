"""``archcheck import``: a model from the files that a team has."""

from __future__ import annotations

import json
from pathlib import Path

import click

from archcheck.cli.common import checked_output, format_option, verbose_option, write
from archcheck.files import write_file
from archcheck.model import ModelError, to_json
from archcheck.reporting.console import report_console


def _model_file(ctx: click.Context, option: click.Parameter, file: str | None) -> str | None:
    if file not in (None, "-") and not str(file).endswith(".json"):
        raise click.BadParameter(
            f"{file!r} must be a JSON file, such as models/{Path(str(file)).stem or 'shop'}.json",
            ctx,
            option,
        )
    return checked_output(ctx, option, file)


@click.command("import")
@click.argument("paths", nargs=-1, required=True, metavar="PATH...")
@click.option(
    "-o",
    "--output",
    metavar="FILE.json",
    callback=_model_file,
    help="Write the model to this file; a file that is there stays as it is.",
)
@click.option(
    "--from",
    "kind",
    metavar="KIND",
    help="Read the paths as this kind (kubernetes, compose ...) and nothing else.",
)
@click.option("--name", metavar="NAME", help="The system's name instead of the folder's.")
@click.option(
    "--profile",
    "profiles",
    multiple=True,
    metavar="NAME",
    help="Turn on a profile of Compose; '*' turns on all.",
)
@click.option(
    "--env-file",
    "env_files",
    multiple=True,
    metavar="FILE",
    type=click.Path(exists=True, dir_okay=False, path_type=Path),
    help="Read Compose's variables from here instead of .env.",
)
@format_option("json")
@verbose_option("Show where each value is from, and what the model does not hold.")
def command(
    paths: tuple[str, ...],
    output: str | None,
    kind: str | None,
    name: str | None,
    profiles: tuple[str, ...],
    env_files: tuple[Path, ...],
    format_: str,
    verbose: bool,
) -> None:
    """Make a model of the files that a team has.

    A PATH is a file or a folder, such as a whole repository; archcheck recognises what lies in it.
    All paths together describe one system. Nothing in them is run, and nothing is fetched.
    """
    from archcheck.importing import Choices, import_paths
    from archcheck.importing.missing import missing_most
    from archcheck.reporting.importing import import_data, print_import

    if output not in (None, "-") and Path(str(output)).exists():
        raise ModelError(
            f"{output} is there already and stays as it is; name another file, or remove it"
        )
    choices = Choices(name, profiles, env_files)
    found = import_paths(paths, only=kind, choices=choices)
    missing = missing_most(found.system)
    if output == "-":
        write(to_json(found.system), None)
        return
    if format_ == "json":
        write(json.dumps(import_data(found, missing), indent=2), None)
    else:
        with report_console(None) as console:
            print_import(console, found, missing, verbose=verbose)
    if output is not None:
        write_file(output, to_json(found.system))
        click.echo(f"wrote {output}", err=True)
