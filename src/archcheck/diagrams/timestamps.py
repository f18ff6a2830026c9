"""The date of a model: a property of the model, so that the same model gives the same picture.

``SOURCE_DATE_EPOCH`` (reproducible-builds.org) when it is set; else the day of the last commit
that touched the files which declare the model; else the day on which they were last changed.
"""

from __future__ import annotations

import datetime
import os
import shutil
import subprocess
from functools import cache
from pathlib import Path

from archcheck.model import System


def date_of(system: System) -> datetime.date | None:
    """The day of the model; ``None`` when it was not declared in files."""
    epoch = os.environ.get("SOURCE_DATE_EPOCH", "")
    if epoch.isdigit():
        return datetime.datetime.fromtimestamp(int(epoch), tz=datetime.UTC).date()
    sites = [part.site for part in (system, *system.elements) if part.site]
    named = dict.fromkeys(site.place.file for site in sites)
    files = tuple(file for file in named if Path(file).is_file())
    if not files:
        return None
    return (
        _committed(files)
        or datetime.datetime.fromtimestamp(
            max(Path(file).stat().st_mtime for file in files), tz=datetime.UTC
        ).date()
    )


@cache
def _committed(files: tuple[str, ...]) -> datetime.date | None:
    """The day of the last commit of ``files``; ``None`` where git does not know or they differ."""
    git = shutil.which("git")
    folder = Path(files[0]).resolve().parent
    if git is None:
        return None
    paths = [str(Path(file).resolve()) for file in files]
    asked = [git, "-C", str(folder)]
    changed = _output([*asked, "status", "--porcelain", "--", *paths])
    if changed is None or changed.strip():
        return None
    text = _output([*asked, "log", "-1", "--format=%cs", "--", *paths])
    return datetime.date.fromisoformat(text.strip()) if text and text.strip() else None


def _output(command: list[str]) -> str | None:
    try:
        done = subprocess.run(  # noqa: S603  # git, with files of the model after the --
            command, capture_output=True, text=True, check=False, timeout=10
        )
    except (OSError, subprocess.TimeoutExpired):
        return None
    return done.stdout if done.returncode == 0 else None
