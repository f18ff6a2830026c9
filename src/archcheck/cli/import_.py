"""``archcheck import``: a model from the files that a team has."""

from __future__ import annotations

import json
from pathlib import Path

import click

from archcheck.cli.common import checked_output, format_option, verbose_option, write
from archcheck.cli.completion import files
from archcheck.files import write_file
from archcheck.model import ModelError, System, to_json
from archcheck.model.element import Element
from archcheck.reporting.console import report_console


def _new_model(ctx: click.Context, option: click.Parameter, path: str | None) -> str | None:
    """A place for a new model: nothing that exists is written over."""
    if path in (None, "-"):
        return path
    if str(path).endswith(".json"):
        if Path(str(path)).exists():
            raise ModelError(
                f"{path} is there already and stays as it is; name another file, or remove it"
            )
        return checked_output(ctx, option, path)
    from archcheck.cli.new_models import new_model

    return str(new_model(str(path)))


@click.command("import")
@click.argument("paths", nargs=-1, required=True, metavar="PATH...", shell_complete=files)
@click.option(
    "-o",
    "--output",
    metavar="PATH",
    callback=_new_model,
    shell_complete=files,
    help="Write the model: as Python to a folder or a .py file, as JSON to a .json file.",
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
    help="Turn on a profile of Compose or Spring; '*' turns on all.",
)
@click.option(
    "--env-file",
    "env_files",
    multiple=True,
    metavar="FILE",
    type=click.Path(exists=True, dir_okay=False, path_type=Path),
    help="Read Compose's variables from here instead of .env.",
)
@click.option(
    "--render",
    is_flag=True,
    help="Run kustomize (or kubectl) and helm on what they render, without a network.",
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
    render: bool,
    format_: str,
    verbose: bool,
) -> None:
    """Make a model of the files that a team has.

    A PATH is a file or a folder, such as a whole repository; archcheck recognises what lies in it.
    All paths together describe one system. Nothing is run without --render, and nothing is
    fetched.
    """
    from archcheck.importing import Choices, import_paths
    from archcheck.importing.missing import missing_most
    from archcheck.reporting.importing import import_data, print_import

    choices = Choices(name, profiles, env_files, render)
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
        _write(found.system, output)


def _write(system: System, output: str) -> None:
    if output.endswith(".json"):
        write_file(output, to_json(system))
        click.echo(f"wrote {output}", err=True)
        return
    from archcheck.cli.new_models import write_model
    from archcheck.generating import in_written_order, write_python

    ordered = in_written_order(system)
    files = write_python(ordered, comment=_source, one_file=output.endswith(".py"))
    write_model(files, Path(output))


def _source(element: Element) -> str | None:
    """The line that an element is from."""
    return str(element.site.place) if element.site is not None else None
