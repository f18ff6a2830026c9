"""``archcheck export``: a model as JSON, and the schema of that JSON."""

from __future__ import annotations

import json

import click

from archcheck.cli.common import models_argument, one_system, output_option, system_option, write
from archcheck.model import json_schema, to_json
from archcheck.reporting.verification.jsonform import schema as verification_schema


@click.command("export")
@models_argument
@system_option
@click.option(
    "--schema",
    is_flag=False,
    flag_value="model",
    type=click.Choice(["model", "verify"]),
    help="Write a JSON Schema instead: of models, or of what verify --format json writes.",
)
@click.option(
    "--format",
    "format_",
    type=click.Choice(["json"]),
    default="json",
    show_default=True,
    help="The format.",
)
@output_option()
def command(
    models: tuple[str, ...],
    system_name: str | None,
    schema: str | None,
    format_: str,
    output: str | None,
) -> None:
    """Write a model as JSON, or the JSON Schema of models.

    A JSON model can be verified, simulated and drawn without running any Python.
    """
    if schema is not None:
        made = json_schema() if schema == "model" else verification_schema()
        write(json.dumps(made, indent=2), output)
    else:
        write(to_json(one_system(models, system_name)), output)
