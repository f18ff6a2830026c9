"""From what a team has to a model: files of other tools, read and joined.

::

    from archcheck.importing import import_paths

    found = import_paths(["deploy/"])
    found.system, found.joined.conflicts

Importers are plugins in the group ``archcheck.importers``; each says what it recognises and yields
statements with their places (:mod:`.facts`), and :mod:`.joining` makes one system of all of them.

Names are loaded when they are used: every command asks here whether a path is a model.
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from archcheck.importing.facts import (
        About,
        ElementPlace,
        Fact,
        Hint,
        KnownAs,
        Promised,
        Reaches,
        Remark,
        Said,
        StartsAfter,
        Toward,
        UnreadFile,
    )
    from archcheck.importing.importing import Import, ReadFile, import_paths, recognised
    from archcheck.importing.plugins import GROUP, Importer, ImporterError, importers
    from archcheck.importing.sources import Choices, SourceFile

__all__ = [
    "GROUP",
    "About",
    "Choices",
    "ElementPlace",
    "Fact",
    "Hint",
    "Import",
    "Importer",
    "ImporterError",
    "KnownAs",
    "Promised",
    "Reaches",
    "ReadFile",
    "Remark",
    "Said",
    "SourceFile",
    "StartsAfter",
    "Toward",
    "UnreadFile",
    "import_paths",
    "importers",
    "recognised",
]

_HOMES = {
    "importing": ("Import", "ReadFile", "import_paths", "recognised"),
    "plugins": ("GROUP", "Importer", "ImporterError", "importers"),
    "sources": ("Choices", "SourceFile"),
}


def __getattr__(name: str) -> Any:
    if name not in __all__:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    home = next((home for home, names in _HOMES.items() if name in names), "facts")
    return getattr(importlib.import_module(f"{__name__}.{home}"), name)
