"""From what a team has to a model: files of other tools, read and joined.

::

    from archcheck.importing import import_paths

    found = import_paths(["deploy/"])
    found.system, found.joined.conflicts

Importers are plugins in the group ``archcheck.importers``; each says what it recognises and yields
statements with their places (:mod:`.facts`), and :mod:`.joining` makes one system of all of them.
"""

from archcheck.importing.facts import (
    Fact,
    Hint,
    KnownAs,
    LeftOut,
    Part,
    Reaches,
    Remark,
    Said,
    StartsAfter,
)
from archcheck.importing.importing import Import, ReadFile, import_paths, recognised
from archcheck.importing.plugins import GROUP, Importer, ImporterError, importers
from archcheck.importing.sources import Choices, SourceFile

__all__ = [
    "GROUP",
    "Choices",
    "Fact",
    "Hint",
    "Import",
    "Importer",
    "ImporterError",
    "KnownAs",
    "LeftOut",
    "Part",
    "Reaches",
    "ReadFile",
    "Remark",
    "Said",
    "SourceFile",
    "StartsAfter",
    "import_paths",
    "importers",
    "recognised",
]
