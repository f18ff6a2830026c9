"""``archcheck fix --interactive``: each edit with its reasons, and a person who decides."""

from __future__ import annotations

from collections.abc import Sequence

import click

from archcheck.editing import Edit
from archcheck.mending import Explanation
from archcheck.reporting.console import printable
from archcheck.reporting.repairs import what_it_mends


def chosen_edits(explained: Sequence[Explanation]) -> tuple[Edit, ...]:
    """The edits that somebody takes, one question for each. Raises :class:`click.Abort`.

    Questions are beside the result: on standard error.
    """
    chosen = []
    for number, each in enumerate(explained, 1):
        click.echo(err=True)
        _say(f"{number} of {len(explained)}: {each.edit}, at a cost of {float(each.cost):g}")
        _say(f"  mends: {what_it_mends(each)}")
        for other in each.alternatives:
            _say(f"  instead: {other.text} ({other.why_not})")
        if click.confirm("  take it?", default=True, err=True):
            chosen.append(each.edit)
    return tuple(chosen)


def _say(text: str) -> None:
    click.echo(printable(text), err=True)
