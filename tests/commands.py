"""The command line inside the process of the tests: a command takes what it takes, not a start-up.

The streams are the process's own file descriptors and the working folder, the environment, the
signals and the warnings are those of a new process: what a command leaves behind, the next one does
not find. What is about a process itself (pipes, signals, limits, workers, the script that pip
installs) is tested with a process: ``test_bad_conditions``, ``test_workers``, ``as_process``.
"""

from __future__ import annotations

import gc
import io
import json
import os
import signal
import subprocess
import sys
import tempfile
import warnings
from collections.abc import Iterator
from contextlib import ExitStack, chdir, contextmanager
from functools import cache
from pathlib import Path
from typing import IO
from unittest import mock

import jsonschema

from archcheck.cli.main import main
from archcheck.reporting.schemas import PRINTED, schema

ROOT = Path(__file__).parents[1]
PLAIN = {"NO_COLOR": "1", "COLUMNS": "100"}


def archcheck(
    *arguments: object, cwd: Path = ROOT, stdin: str = "", **environment: str
) -> subprocess.CompletedProcess[str]:
    """Run a command as ``python -m archcheck`` does: its exit code and both of its streams."""
    words = [str(argument) for argument in arguments]
    with tempfile.TemporaryFile() as out, tempfile.TemporaryFile() as err:
        with ExitStack() as stack:
            stack.enter_context(_stream(1, "stdout", out))
            stack.enter_context(_stream(2, "stderr", err))
            stack.enter_context(chdir(cwd))
            stack.enter_context(mock.patch.dict(os.environ, {**PLAIN, **environment}))
            stack.enter_context(mock.patch.object(sys, "stdin", io.StringIO(stdin)))
            stack.enter_context(mock.patch.object(sys, "argv", ["archcheck", *words]))
            stack.enter_context(_ordinary_warnings())
            stack.callback(signal.signal, signal.SIGTERM, signal.getsignal(signal.SIGTERM))
            stack.callback(gc.set_threshold, *gc.get_threshold())
            code = _exit_code()
        printed = _all(out)
        check_form(words, printed)
        return subprocess.CompletedProcess(words, code, printed, _all(err))


def check_form(words: list[str], printed: str) -> None:
    """Whatever JSON a command prints in a test follows its schema."""
    asked = "--format" in words and words[words.index("--format") + 1 :][:1] == ["json"]
    if asked and words[0] in PRINTED and printed.startswith(("{", "[")):
        name = "availability-kill" if "--kill" in words else words[0]
        _validator(name).validate(json.loads(printed))


@cache
def _validator(name: str) -> jsonschema.Draft202012Validator:
    return jsonschema.Draft202012Validator(schema(name))


def as_process(
    *arguments: object, cwd: Path = ROOT, **environment: str
) -> subprocess.CompletedProcess[str]:
    """The same as a process of its own."""
    return subprocess.run(
        [sys.executable, "-m", "archcheck", *map(str, arguments)],
        capture_output=True,
        text=True,
        check=False,
        cwd=cwd,
        env={**os.environ, **PLAIN, **environment},
    )


def _exit_code() -> int:
    try:
        main()
    except SystemExit as end:
        return end.code if isinstance(end.code, int) else 0
    return 0


@contextmanager
def _stream(number: int, name: str, file: IO[bytes]) -> Iterator[None]:
    before = os.dup(number)
    os.dup2(file.fileno(), number)
    try:
        with (
            open(number, "w", encoding="utf-8", closefd=False) as stream,
            mock.patch.object(sys, name, stream),
        ):
            yield
    finally:
        os.dup2(before, number)
        os.close(before)


@contextmanager
def _ordinary_warnings() -> Iterator[None]:
    """Python's own filters, not those of the suite, for which a warning is an error."""
    with warnings.catch_warnings():
        warnings.resetwarnings()
        for category in (DeprecationWarning, ImportWarning, ResourceWarning):
            warnings.simplefilter("ignore", category)
        yield


def _all(file: IO[bytes]) -> str:
    file.seek(0)
    return file.read().decode("utf-8", errors="replace").replace("\r\n", "\n")
