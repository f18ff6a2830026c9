"""Which folder a path is relative to: the configuration's, or the root of the repository.

Patterns of overrides and the files of reports mean the same, from whichever folder archcheck runs.
"""

from __future__ import annotations

from pathlib import Path


def repository_of(folder: Path) -> Path | None:
    """The root of the repository that ``folder`` is in."""
    inside = (place for place in (folder, *folder.parents) if (place / ".git").exists())
    return next(inside, None)


def relative_to_first(file: str, *folders: Path | None) -> str:
    """``file`` relative to the first of the folders that it is in, else as it is."""
    path = Path(file)
    for folder in folders:
        if folder is not None and path.is_relative_to(folder):
            return path.relative_to(folder).as_posix()
    return path.as_posix()
