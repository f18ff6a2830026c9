"""Consoles: coloured and fitted on a terminal, plain and of any width in a pipe or a file."""

from __future__ import annotations

import io
import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any, TextIO

from rich.console import Console as Console
from rich.text import Text

from archcheck.files import replacing
from archcheck.units import spoken as spoken

_PIPE_WIDTH = 120
"""Columns where the output is no terminal. A choice: room for the tables of a simulation."""


def printable(text: str) -> str:
    """``text`` on one line, with whatever could steer a terminal or hide text written out."""
    if text.isprintable():
        return text
    return "".join(sign if sign.isprintable() else f"\\x{ord(sign):02x}" for sign in text)


def figure(value: float) -> str:
    """Four digits as people write them, never an exponent: ``37,000``, ``271.9``, ``0.0123``."""
    text = f"{value:.4g}"
    if abs(float(text)) >= 1000:
        return f"{float(text):,.0f}"
    return f"{value:.12f}".rstrip("0") if "e" in text else text


def counted(number: int, word: str) -> str:
    """``1 error``, ``2 errors``."""
    return f"{number} {word}" if number == 1 else f"{number} {word}s"


_SHOWN = 6
"""Names of a list; ``-v`` shows all."""


def some(names: Sequence[str], *, verbose: bool = False) -> str:
    """The first of several names, and how many more there are."""
    shown = names if verbose else names[:_SHOWN]
    more = f" and {len(names) - len(shown)} more" if len(shown) < len(names) else ""
    return f"{printable(', '.join(shown))}{more}"


def console_for(file: TextIO) -> Console:
    """A console that obeys ``NO_COLOR`` and never cuts text where nobody can widen the window.

    Texts are printed as they are: in ``payments[v2]`` nothing is markup.
    """
    if file.isatty():
        return Console(file=file, highlight=False, markup=False)
    return Console(
        file=file,
        highlight=False,
        markup=False,
        width=_PIPE_WIDTH,
        soft_wrap=True,
        no_color=True,
    )


@contextmanager
def report_console(output: str | None) -> Iterator[Console]:
    """A console on standard output (also ``"-"``), or on a file that is written and named."""
    if output in (None, "-"):
        yield console_for(sys.stdout)
        return
    with replacing(output) as path, path.open("w", encoding="utf-8") as file:
        yield console_for(file)
    sys.stderr.write(f"wrote {output}\n")


def plain_text(show: Callable[[Console], None]) -> str:
    """What is shown, without colours."""
    buffer = io.StringIO()
    show(_captured(buffer, no_color=True))
    return buffer.getvalue()


def html_text(show: Callable[[Console], None]) -> str:
    """What is shown as a piece of HTML, with colours."""
    console = _captured(io.StringIO(), record=True)
    show(console)
    return console.export_html(
        inline_styles=True,
        code_format="<pre style='line-height:1.35;font-size:12px'>{code}</pre>",
    )


def _captured(buffer: TextIO, **options: Any) -> Console:
    return Console(
        file=buffer, width=_PIPE_WIDTH, highlight=False, markup=False, soft_wrap=True, **options
    )


@contextmanager
def progress_bar(text: str, total: float) -> Iterator[Callable[[float], None]]:
    """Show on a terminal how much is done, of ``total``; nothing in a pipe."""
    if not sys.stderr.isatty():
        yield lambda _: None
        return
    from rich.progress import BarColumn, Progress, TextColumn, TimeRemainingColumn

    columns = (TextColumn("{task.description}"), BarColumn(), TimeRemainingColumn(compact=True))
    with Progress(*columns, console=Console(stderr=True), transient=True) as bar:
        task = bar.add_task(text, total=total)
        yield lambda done: bar.update(task, completed=done, total=max(total, done))


@contextmanager
def time_left(text: str, seconds: float | None = None) -> Iterator[Callable[[str], None]]:
    """Show on a terminal what is being done, and the time that is left; nothing in a pipe.

    ``seconds``: what all of it takes at most; where nobody knows, the time that it has taken.
    """
    if not sys.stderr.isatty():
        yield lambda _: None
        return
    from rich.progress import Progress, ProgressColumn, SpinnerColumn, Task, TextColumn

    class Left(ProgressColumn):
        def render(self, task: Task) -> Text:
            passed = task.elapsed or 0.0
            if seconds is None:
                return Text(spoken(round(passed)))
            left = seconds - passed
            return Text(f"at most {spoken(round(left))} left" if left >= 1 else "nearly done")

    columns = (SpinnerColumn(), TextColumn("{task.description}", markup=False), Left())
    with Progress(*columns, console=Console(stderr=True), transient=True) as bar:
        task = bar.add_task(text, total=None)
        yield lambda what: bar.update(task, description=f"{text}: {what}")
