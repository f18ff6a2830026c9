"""Folders for files that nobody needs again: a volume there keeps no data of an element."""

from __future__ import annotations

SCRATCH = ("/tmp", "/var/tmp", "/run", "/var/run", "/dev/shm")  # noqa: S108  # names, not files
"""Filesystem Hierarchy Standard 3.0: 3.15 /run, 3.18 /tmp, 5.15 /var/tmp; /dev/shm is Linux's."""


def is_scratch(folder: str) -> bool:
    """Whether a folder is for scratch, or lies in one that is."""
    path = folder.rstrip("/") or "/"
    return any(path == known or path.startswith(f"{known}/") for known in SCRATCH)
