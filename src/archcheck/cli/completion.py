"""What the shell completes with TAB where Click cannot know it.

Completion never loads a model: that would run code because somebody pressed a key. So names of
scenarios, systems and elements are not completed.
"""

from __future__ import annotations

import click
from click.shell_completion import CompletionItem


def files(_: click.Context, __: click.Parameter, incomplete: str) -> list[CompletionItem[str]]:
    """Files and folders; the shell itself lists them."""
    return [CompletionItem(incomplete, type="file")]


def folders(_: click.Context, __: click.Parameter, incomplete: str) -> list[CompletionItem[str]]:
    """Folders; the shell itself lists them."""
    return [CompletionItem(incomplete, type="dir")]
