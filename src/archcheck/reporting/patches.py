"""Patches on a console: bytes that ``git apply`` takes, whatever the files hold."""

from __future__ import annotations

from rich.console import Console
from rich.text import Text

from archcheck.editing import Patch
from archcheck.reporting.console import printable


def print_patch(console: Console, patch: Patch) -> None:
    """A patch, and what has to be done by hand."""
    if patch.files:
        _print_diff(console, patch.diff())
    for text in patch.by_hand:
        console.print(Text(f"# by hand: {printable(text)}"))


def _print_diff(console: Console, diff: str) -> None:
    """The text as it is: a console makes spaces of tabs, and leaves carriage returns out.

    On a terminal, where nobody reads it but people, and in HTML, it is shown as other texts are.
    """
    if console.is_terminal or console.record:
        console.print(Text(diff.rstrip("\n")))
        return
    console.file.flush()
    binary = getattr(console.file, "buffer", None)
    if binary is None:
        console.file.write(diff)
    else:
        binary.write(diff.encode())
        binary.flush()
