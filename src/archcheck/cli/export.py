"""``archcheck export``: a model as JSON or as Python."""

from __future__ import annotations

from collections.abc import Iterator

import click

from archcheck.cli.common import checked_output, models_argument, one_system, system_option, write
from archcheck.cli.completion import files
from archcheck.model import Icon, Recorded, System, to_json
from archcheck.model.linking import walk


def _checked(ctx: click.Context, option: click.Parameter, path: str | None) -> str | None:
    """What cannot be written, or would be written over, is refused before models are loaded."""
    if ctx.params.get("format_") != "python" or path in (None, "", "-"):
        return checked_output(ctx, option, path)
    from archcheck.cli.new_models import new_model

    return str(new_model(str(path)))


@click.command("export")
@models_argument
@system_option
@click.option(
    "--format",
    "format_",
    type=click.Choice(["json", "python"]),
    default="json",
    show_default=True,
    is_eager=True,  # it decides what an output can be
    help="The format.",
)
@click.option(
    "-o",
    "--output",
    metavar="PATH",
    callback=_checked,
    shell_complete=files,
    help="Write to this file instead of standard output; Python also to a folder, as a package.",
)
def command(
    models: tuple[str, ...],
    system_name: str | None,
    format_: str,
    output: str | None,
) -> None:
    """Write a model as JSON or as Python.

    A JSON model can be verified, simulated and drawn without running any Python. As Python it is
    a package with a file for each boundary, or a single file; nothing that exists is written over.
    """
    if format_ == "json":
        write(to_json(one_system(models, system_name)), output)
    else:
        _write_python(one_system(models, system_name), output)


def _write_python(system: System, output: str | None) -> None:
    from archcheck.cli.new_models import new_model, write_model
    from archcheck.generating import write_python

    prints = output is None or output == "-"
    files = write_python(system, one_file=prints or str(output).endswith(".py"))
    if prints:
        write(files["__init__.py"], None)
    else:
        write_model(files, new_model(str(output)))
    for file in dict.fromkeys(_files_beside(system)):
        click.echo(f"{file} is not copied: put it beside the written file that names it", err=True)


def _files_beside(system: System) -> Iterator[str]:
    """Files that the model names by their place relative to its own."""
    for part in (*system.scenarios, *system.look):
        for inner in walk(part):
            if isinstance(inner, Recorded | Icon) and inner.file is not None:
                yield inner.file
