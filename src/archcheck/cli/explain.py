"""``archcheck explain``: the page of a rule."""

from __future__ import annotations

import click

from archcheck.cli.common import output_option
from archcheck.cli.rule_options import RuleSelection, rule_options
from archcheck.findings import Rule
from archcheck.model import ArchcheckError
from archcheck.model.element import nearest
from archcheck.reporting.console import report_console
from archcheck.reporting.rules import print_page


@click.command("explain")
@click.argument("rule", metavar="RULE")
@rule_options
@output_option()
def command(rule: str, selection: RuleSelection, output: str | None) -> None:
    """Explain a rule: what it asks for, why, and what a model looks like that obeys it.

    RULE is an id such as RES002, or a name such as timeout-inversion.
    """
    found = _find(rule, selection.rules())
    with report_console(output) as console:
        print_page(console, found)


def _find(word: str, rules: tuple[Rule, ...]) -> Rule:
    for rule in rules:
        if word.upper() == rule.id or word.lower() == rule.name:
            return rule
    known = [*(rule.id for rule in rules), *(rule.name for rule in rules)]
    raise ArchcheckError(f"no rule is called {word!r}{nearest(word, known)}")
