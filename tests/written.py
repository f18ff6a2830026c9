"""A system written as Python and loaded again."""

from __future__ import annotations

import tempfile
from collections.abc import Mapping
from pathlib import Path

from archcheck import System
from archcheck.generating import write_python
from archcheck.generating.python.packages import packaged
from archcheck.loading import load


def saved(files: Mapping[str, str], folder: Path) -> Path:
    """The files in a folder."""
    folder.mkdir(parents=True, exist_ok=True)
    for name, text in files.items():
        (folder / name).write_text(text, encoding="utf-8")
    return folder


def loaded(files: Mapping[str, str]) -> System:
    """What a package declares."""
    with tempfile.TemporaryDirectory() as folder:
        (system,) = load(saved(files, Path(folder) / "written"))
    return system


def again(system: System) -> System:
    """The system written and loaded."""
    return loaded(write_python(system))


def again_as_package(system: System) -> System:
    """The same in a file for each boundary, however small it is."""
    return loaded(packaged(system))
