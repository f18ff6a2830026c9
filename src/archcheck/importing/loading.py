"""Models and files of other tools alike: what every command takes.

Targets that are models (Python, our own JSON) are loaded; all others are imported together, because
together they describe one system.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

from archcheck import loading
from archcheck.importing.importing import Import, import_paths, recognised
from archcheck.model import ModelError, System
from archcheck.model.codec import MAX_BYTES

_OURS = re.compile(r'"type"\s*:\s*"System"')
_MODEL = re.compile(r"^\s*(?:from|import)\s+archcheck\b", re.MULTILINE)
_MOST_LOOKED_AT = 2_000
"""Python files that are looked at to tell a model's folder from another. A choice."""


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
    found = import_paths(foreign) if foreign else None
    for system in systems if found is not None else ():
        if found is not None and system.name == found.system.name:
            raise ModelError(f"there are two systems called {system.name!r}; rename one")
    return systems, found


def _is_foreign(target: str | Path) -> bool:
    """Whether a target is no model but something that an importer knows."""
    path = Path(target)
    if not str(target) or not path.exists() or path.suffix == ".py":
        return False
    if path.is_dir():
        return not any(map(_is_model, _may_be_models(path))) and recognised(path)
    if path.suffix == ".json":
        return path.is_file() and not _is_model(path) and recognised(path)
    return path.is_file()


def _may_be_models(folder: Path) -> Iterator[Path]:
    looked_at = 0
    for ending in ("py", "json"):
        for path in sorted(folder.rglob(f"*.{ending}")):
            if any(part.startswith(".") for part in path.relative_to(folder).parts):
                continue
            looked_at += 1
            if looked_at > _MOST_LOOKED_AT:
                return
            if path.is_file():
                yield path


def _is_model(path: Path) -> bool:
    if path.stat().st_size > MAX_BYTES:
        return False
    text = path.read_text(encoding="utf-8", errors="replace")
    return (_OURS if path.suffix == ".json" else _MODEL).search(text) is not None
