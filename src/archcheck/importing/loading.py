"""Models and files of other tools alike: what every command takes.

Targets that are models (Python, our own JSON) are loaded; all others are imported together, because
together they describe one system.
"""

from __future__ import annotations

import os
import re
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

from archcheck import loading
from archcheck.model import ModelError, System

if TYPE_CHECKING:
    from archcheck.importing.importing import Import

_OURS = re.compile(r'"type"\s*:\s*"System"')
_MODEL = re.compile(r"^\s*(?:from|import)\s+archcheck\b", re.MULTILINE)
_MOST_LOOKED_AT = 2_000
"""Files that are looked at to tell a model's folder from another. A choice."""
_SKIPPED = frozenset({"node_modules", "vendor", "venv", "site-packages", "__pycache__", "target"})
"""Folders that hold what others wrote, or what is built."""
_MOST_READ = 256 * 1024
"""Bytes of each that are read for that: imports, and the type of a JSON model, stand at the top."""


def load(*targets: str | Path) -> tuple[System, ...]:
    """All systems in ``targets``. Runs Python models, and nothing of what is imported.

    Raises :class:`ModelError` with one sentence, and the place where there is one.
    """
    systems, found = load_and_import(*targets)
    return (*systems, found.system) if found is not None else systems


def load_and_import(*targets: str | Path) -> tuple[tuple[System, ...], Import | None]:
    """The systems of the models, and the import of all other files, if there are any."""
    foreign = [target for target in targets if _is_foreign(target)]
    models = [target for target in targets if target not in foreign]
    systems = loading.load(*models) if models else ()
    if not foreign:
        return systems, None
    from archcheck.importing.importing import import_paths  # only those who need it wait for it

    found = import_paths(foreign)
    for system in systems:
        if system.name == found.system.name:
            raise ModelError(f"there are two systems called {system.name!r}; rename one")
    return systems, found


def _is_foreign(target: str | Path) -> bool:
    """Whether a target is no model but something that an importer knows."""
    path = Path(target)
    if not str(target) or not path.exists() or path.suffix == ".py":
        return False
    if path.is_dir():
        return not any(map(_is_model, _may_be_models(path))) and _is_known(path)
    if path.suffix == ".json":
        return path.is_file() and not _is_model(path) and _is_known(path)
    return path.is_file()


def _is_known(path: Path) -> bool:
    from archcheck.importing.importing import recognised

    return recognised(path)


def _may_be_models(folder: Path) -> Iterator[Path]:
    """The Python and JSON files of a folder, but for what others wrote and what is built."""
    looked_at = 0
    for current, folders, names in os.walk(folder):
        folders[:] = sorted(f for f in folders if f[0] != "." and f not in _SKIPPED)
        for path in (Path(current, name) for name in sorted(names)):
            if path.suffix not in (".py", ".json") or path.name[0] == "." or not path.is_file():
                continue
            looked_at += 1
            if looked_at > _MOST_LOOKED_AT:
                return
            yield path


def _is_model(path: Path) -> bool:
    with path.open("rb") as file:
        text = file.read(_MOST_READ).decode("utf-8", errors="replace")
    return (_OURS if path.suffix == ".json" else _MODEL).search(text) is not None
