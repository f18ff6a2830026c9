"""``archcheck schema``: the JSON Schemas of what commands print and read."""

from __future__ import annotations

import json
from pathlib import Path

import click

from archcheck.cli.common import output_option, write
from archcheck.cli.streams import guests
from archcheck.findings import Rule
from archcheck.plugins import rules
from archcheck.reporting.schemas import PRINTED, READ, schema


@click.command("schema")
@click.argument("name", type=click.Choice([*READ, *PRINTED]), required=False)
@output_option()
def command(name: str | None, output: str | None) -> None:
    """Write the JSON Schema of what a command prints or reads; without NAME, list them.

    The schema of the configuration has your own rules, too: loading rules from the folder rules/
    runs them.
    """
    if name is None:
        printed = {each: made.what for each, made in PRINTED.items()}
        for each, what in {**READ, **printed}.items():
            click.echo(f"{each:18} {what}")
        return
    named: tuple[Rule, ...] = ()
    if name == "configuration":
        with guests():
            named = rules(Path("rules"))
    found = schema(name, named)
    write(json.dumps(found, indent=2, ensure_ascii=False), output)
