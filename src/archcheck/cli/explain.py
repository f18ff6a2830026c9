"""``archcheck explain``: the page of a rule, or of a word of the vocabulary."""

from __future__ import annotations

import click

from archcheck.cli.common import output_option
from archcheck.cli.rule_options import RuleSelection, rule_options
from archcheck.findings import Rule
from archcheck.model import ArchcheckError
from archcheck.model.element import nearest
from archcheck.reporting.console import report_console
from archcheck.reporting.rules import print_page, rule_page
from archcheck.reporting.vocabulary import field_page, find_kind, kind_page, known_words


@click.command("explain")
@click.argument("word", metavar="WORD")
@rule_options
@output_option()
def command(word: str, selection: RuleSelection, output: str | None) -> None:
    """Explain a rule, or a word of the vocabulary.

    WORD is the id of a rule such as RES002, its name such as timeout-inversion, a kind of element
    such as Call, or one of its fields such as Call.timeout.
    """
    page = _page(word, selection.rules())
    with report_console(output) as console:
        print_page(console, page)


def _page(word: str, rules: tuple[Rule, ...]) -> str:
    for rule in rules:
        if word.upper() == rule.id or word.lower() == rule.name:
            return rule_page(rule)
    found = find_kind(word)
    if found is not None:
        kind, field = found
        return kind_page(kind) if field is None else field_page(kind, field)
    known = [*(rule.id for rule in rules), *(rule.name for rule in rules), *known_words()]
    raise ArchcheckError(
        f"no rule and no word of the vocabulary is called {word!r}{nearest(word, known)}"
    )
