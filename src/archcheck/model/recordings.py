"""Files of measured times that a model names: a time in seconds on each line."""

from __future__ import annotations

import math
from collections.abc import Sequence
from pathlib import Path

from archcheck.model.errors import ModelError
from archcheck.model.sites import Site

_LARGEST = 64 * 1024 * 1024
"""Bytes of a file that are read at most. A choice: some millions of times."""
_LONGEST = 100 * 365.25 * 86_400
"""Seconds: what a duration may last, too."""


_STRETCH = 60.0
"""Seconds of a recording over which a rate is read off. A choice: what monitoring shows by default,
and long enough for queues of seconds to fill."""


def busiest_rate(times: Sequence[float]) -> float | None:
    """Requests a second in the busiest minute, or of all that come within a minute, of ascending
    times; ``None`` when it cannot be told.
    """
    if len(times) < 2 or times[-1] == times[0]:
        return None
    span = times[-1] - times[0]
    if span <= _STRETCH:
        return (len(times) - 1) / span
    first, most = 0, 0
    for last, moment in enumerate(times):
        while moment - times[first] > _STRETCH:
            first += 1
        most = max(most, last - first)
    return max(most / _STRETCH, (len(times) - 1) / span)


def times_in(file: str, site: Site | None) -> tuple[float, ...]:
    """The times in a file; a relative path starts at the folder of the model that was declared at
    ``site``. A model that is no program, as JSON is, may come from anybody, and names files of its
    own folder only. Raises :class:`ModelError` with the line that is wrong.
    """
    path, model = Path(file), Path(site.place.file) if site is not None else None
    if not path.is_absolute() and model is not None:
        beside = model.parent / path
        path = beside if beside.exists() else path
    if model is not None and model.suffix != ".py" and not _is_inside(path, model.parent):
        raise ModelError(f"{file}: recorded times lie in the folder of the model, or below it")
    try:
        if path.exists() and not path.is_file():  # a device may have no end
            raise ModelError(f"{path}: cannot read recorded times: this is no file")
        if path.stat().st_size > _LARGEST:
            raise ModelError(f"{path}: more than 64 MiB of recorded times")
        lines = path.read_text(encoding="utf-8-sig").split("\n")
    except OSError as error:
        raise ModelError(f"{path}: cannot read recorded times: {error.strerror}") from None
    except UnicodeDecodeError:
        raise ModelError(f"{path}: cannot read recorded times: this is no UTF-8 text") from None
    return tuple(
        _time(line.strip(), path, number) for number, line in enumerate(lines, 1) if line.strip()
    )


def _is_inside(path: Path, folder: Path) -> bool:
    return path.resolve().is_relative_to(folder.resolve())


def _time(text: str, path: Path, line: int) -> float:
    try:
        seconds = float(text) if "_" not in text else math.nan  # which Python reads as digits
    except ValueError:
        seconds = math.nan
    if not 0 <= seconds <= _LONGEST:
        raise ModelError(
            f"{path}:{line}: needs a time in seconds, at most 100 years, got {text[:40]!r}"
        )
    return seconds
