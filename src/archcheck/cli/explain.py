"""``archcheck explain``: the page of a rule, or of a word of the vocabulary."""

from __future__ import annotations

from collections.abc import Iterator

import click
from click.shell_completion import CompletionItem

from archcheck import plugins
from archcheck.cli.common import output_option
from archcheck.cli.rule_options import RuleSelection, rule_options
from archcheck.findings import Rule
from archcheck.model import ArchcheckError
from archcheck.model.element import nearest
from archcheck.reporting.console import report_console
from archcheck.reporting.rules import print_page, rule_page
from archcheck.reporting.vocabulary import field_page, find_kind, kind_page, known_words


def _completed(_: click.Context, __: click.Parameter, incomplete: str) -> list[CompletionItem[str]]:
    """Rules, and words of the vocabulary; fields when the dot after their kind is there."""
    return [
        CompletionItem(word, help=text)
        for word, text in _words(fields="." in incomplete)
        if word.lower().startswith(incomplete.lower())
    ]


def _words(*, fields: bool) -> Iterator[tuple[str, str | None]]:
    try:
        found = plugins.rules()  # not those of the folder rules/: no code runs because of a key
    except ArchcheckError:  # the command itself says what is wrong with a rule pack
        found = ()
    yield from ((rule.id, rule.name) for rule in found)
    yield from ((rule.name, rule.id) for rule in found)
    yield from ((word, None) for word in known_words() if ("." in word) == fields)


@click.command("explain")
@click.argument("word", metavar="WORD", shell_complete=_completed)
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
