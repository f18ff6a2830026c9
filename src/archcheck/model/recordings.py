"""Files of measured times that a model names: a time in seconds on each line."""

from __future__ import annotations

import math
from pathlib import Path

from archcheck.model.errors import ModelError
from archcheck.model.sites import Site

_LARGEST = 64 * 1024 * 1024
"""Bytes of a file that are read at most. A choice: some millions of times."""


def times_in(file: str, site: Site | None) -> tuple[float, ...]:
    """The times in a file; a relative path starts at the folder of the model that was declared at
    ``site``. Raises :class:`ModelError` with the line that is wrong.
    """
    path = Path(file)
    if not path.is_absolute() and site is not None:
        beside = Path(site.place.file).parent / path
        path = beside if beside.exists() else path
    try:
        if path.stat().st_size > _LARGEST:
            raise ModelError(f"{path}: more than 64 MiB of recorded times")
        lines = path.read_text(encoding="utf-8").split("\n")
    except OSError as error:
        raise ModelError(f"{path}: cannot read recorded times: {error.strerror}") from None
    except UnicodeDecodeError:
        raise ModelError(f"{path}: cannot read recorded times: this is no UTF-8 text") from None
    return tuple(
        _time(line.strip(), path, number) for number, line in enumerate(lines, 1) if line.strip()
    )


def _time(text: str, path: Path, line: int) -> float:
    try:
        seconds = float(text)
    except ValueError:
        seconds = math.nan
    if not 0 <= seconds < math.inf:
        raise ModelError(f"{path}:{line}: needs a time in seconds, got {text[:40]!r}")
    return seconds
