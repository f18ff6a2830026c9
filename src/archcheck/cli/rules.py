"""``archcheck rules``: the table of rules, and a skeleton for a new one."""

from __future__ import annotations

import json
from pathlib import Path

import click

from archcheck.cli.common import output_option, write
from archcheck.cli.rule_options import RuleSelection, rule_options
from archcheck.cli.skeletons import rule_skeleton
from archcheck.files import write_file
from archcheck.model import ArchcheckError
from archcheck.reporting.console import report_console
from archcheck.reporting.rules import print_rules, rules_data, rules_index


@click.command("rules")
@click.option("--new", metavar="NAME", help="Write the skeleton of a rule: rules/NAME.py.")
@click.option("--id", "identity", metavar="ID", help="With --new: the rule's id, such as ACM001.")
@rule_options
@click.option(
    "--format",
    "format_",
    type=click.Choice(["text", "json", "markdown"]),
    default="text",
    show_default=True,
    help="How to list them.",
)
@output_option()
def command(
    new: str | None,
    identity: str | None,
    selection: RuleSelection,
    format_: str,
    output: str | None,
) -> None:
    """List the rules by concern, with what the configuration leaves out.

    Loading rules from the folder rules/ runs them.
    """
    if new is not None:
        _write_new(new, identity or _next_id(selection))
        return
    rules = selection.rules()
    chosen = selection.settings().chosen(rules)
    if format_ == "json":
        write(json.dumps(rules_data(rules, chosen), indent=2, ensure_ascii=False), output)
    elif format_ == "markdown":
        write(rules_index(rules), output)
    else:
        with report_console(output) as console:
            print_rules(console, rules, chosen)


def _next_id(selection: RuleSelection) -> str:
    """The first free id of the prefix for one's own rules."""
    taken = {rule.id for rule in selection.rules()}
    return next(f"OWN{n:03}" for n in range(1, 1000) if f"OWN{n:03}" not in taken)


def _write_new(name: str, identity: str) -> None:
    path = Path("rules") / f"{name.replace('-', '_')}.py"
    text = rule_skeleton(name, identity)
    if path.exists():
        raise ArchcheckError(f"{path} exists already; choose another name")
    path.parent.mkdir(exist_ok=True)
    write_file(path, text)
    click.echo(f"wrote {path}: rule {identity}; archcheck verify runs it from now on", err=True)
