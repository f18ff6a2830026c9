"""Patches are printed as bytes, so that ``git apply`` takes them."""

from __future__ import annotations

import io
from pathlib import Path

from archcheck.editing import Patch
from archcheck.reporting.console import console_for, report_console
from archcheck.reporting.patches import print_patch

PATCH = Patch({"model.py": ("a\tb\r\n\r\né\x0c\n", "a\tc\r\n\r\né\x0c\n")}, ("line 1: \tthis",))


def test_tabs_returns_and_other_signs_are_kept_in_a_pipe() -> None:
    stream = io.BytesIO()
    console = console_for(io.TextIOWrapper(stream, encoding="ascii"))
    console.print("before")
    print_patch(console, PATCH)
    start, _, end = stream.getvalue().partition(PATCH.diff().encode())
    assert start == b"before\n"
    assert end == b"# by hand: line 1: \\x09this\n"


def test_and_in_a_file(tmp_path: Path) -> None:
    file = tmp_path / "patch.diff"
    with report_console(str(file)) as console:
        print_patch(console, PATCH)
    assert file.read_bytes().startswith(PATCH.diff().encode())


def test_nothing_is_printed_of_no_edits() -> None:
    stream = io.StringIO()
    print_patch(console_for(stream), Patch())
    assert stream.getvalue() == ""
