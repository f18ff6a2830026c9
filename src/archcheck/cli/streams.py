"""The standard streams are ours: what models and rules print goes to standard error.

A model may print, write from a child process, close or replace ``sys.stdout``: what archcheck
writes there is JSON that a program reads. :func:`guests` is for the time in which code runs that is
not ours. Nor can such code end the process as if all were well.
"""

from __future__ import annotations

import io
import os
import sys
import warnings
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, suppress
from typing import Any, NoReturn

import click


def complaint() -> str | None:
    """What is wrong with the streams that the process was started with, in a sentence."""
    if sys.stderr is None:
        sys.stderr = open(os.devnull, "w", encoding="utf-8")  # noqa: SIM115  # for good
    if sys.stdout is None:
        return "standard output is closed; send it to /dev/null if nobody wants it"
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="backslashreplace")  # not every terminal has every character
    return None


def forget_output() -> None:
    """Nobody can take standard output any more; what is left in its buffer must not fail again."""
    os.dup2(os.open(os.devnull, os.O_WRONLY), 1)


@contextmanager
def guests() -> Iterator[None]:
    """Run code of models and rules; standard output is standard error meanwhile."""
    with ExitStack() as stack:
        for stream in (sys.stdout, sys.stderr):
            stream.flush()
        for number in (1, 2):
            stack.callback(_back, os.dup(number), number)
        os.dup2(2, 1)
        for name in ("stdout", "stderr"):
            theirs = open(2, "w", encoding="utf-8", errors="backslashreplace", closefd=False)  # noqa: SIM115  # not ours to close
            stack.callback(_flushed, theirs)
            for place in (name, f"__{name}__"):
                stack.enter_context(_swapped(sys, place, theirs))
        stack.enter_context(_swapped(os, "_exit", _refused))
        stack.enter_context(warnings.catch_warnings())
        warnings.showwarning = _shown  # type: ignore[assignment]  # takes the rest, and ignores it
        yield


@contextmanager
def _swapped(module: Any, name: str, value: object) -> Iterator[None]:
    before = getattr(module, name)
    setattr(module, name, value)
    try:
        yield
    finally:
        setattr(module, name, before)


def _back(saved: int, number: int) -> None:
    os.dup2(saved, number)
    os.close(saved)


def _flushed(stream: io.TextIOWrapper) -> None:
    with suppress(ValueError, OSError):  # they may have closed it
        stream.flush()


def _refused(code: int = 0) -> NoReturn:
    from archcheck.model import ModelError  # takes its time, which --help need not

    raise ModelError(f"the model ends the process (os._exit({code}))")


def _shown(message: Warning | str, category: type[Warning], *rest: object) -> None:
    from archcheck.loading import SkippedFile

    text = f"warning: {message}" if category is SkippedFile else f"{category.__name__}: {message}"
    click.echo(text, err=True)
