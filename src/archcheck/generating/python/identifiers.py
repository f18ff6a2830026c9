"""Names of a model as names in Python: of variables, of constants and of files.

Names in a model are text (any script, spaces, keywords); names in Python are ASCII words here,
so that no name of a model is ever code, and files have names on every system.
"""

from __future__ import annotations

import builtins
import keyword
import re
import unicodedata
from collections.abc import Iterable

from archcheck import model, units

UNITS = frozenset(name for name in dir(units) if not name.startswith("_"))
"""What ``archcheck.units`` has; ``s`` and ``days`` are the names of people's services, too."""
_TAKEN = frozenset(
    {
        *keyword.kwlist,
        *keyword.softkwlist,
        *dir(builtins),
        *UNITS,
        *model.__all__,
        *("archcheck", "date", "journeys", "scenarios", "system"),
        "l",  # looks like a one
    }
)
_NO_FILES = frozenset(
    {
        "con",
        "prn",
        "aux",
        "nul",
        "conftest",
        *(f"{p}{n}" for p in ("com", "lpt") for n in range(10)),
    }
)
"""Names that files cannot have on Windows, and the one that pytest runs."""
_LONGEST = 60
"""Characters of a name in Python. A choice."""


def words(text: str) -> str:
    """``text`` in lower case with underscores, ASCII only: ``AccountService`` is
    ``account_service``; empty where nothing of it is left."""
    plain = unicodedata.normalize("NFKD", text).encode("ascii", "ignore").decode("ascii")
    parted = re.sub(r"(?<=[a-z0-9])(?=[A-Z])|(?<=[A-Z])(?=[A-Z][a-z])", "_", plain)
    slug = re.sub(r"[^a-z0-9]+", "_", parted.lower()).strip("_")
    return slug[:_LONGEST].strip("_")


class Names:
    """The names of one file, or of the files of one folder: each is given once."""

    def __init__(self, taken: frozenset[str] = _TAKEN) -> None:
        self._taken = set(taken)

    def variable(self, text: str, kind: str) -> str:
        """A name for a variable or a file; ``kind`` helps where the name alone does not do."""
        slug = words(text)
        if not slug:
            return self._free(kind, numbered=True)
        if slug[0].isdigit() or slug in self._taken:
            with_kind = f"{slug}_{kind}" if not slug[0].isdigit() else f"{kind}_{slug}"
            return self._free(with_kind)
        return self._free(slug)

    def constant(self, candidates: Iterable[str]) -> str:
        """The first of some names that is free, in capitals; else the last with a number."""
        return self._first([name.upper() for name in candidates])

    def function(self, candidates: Iterable[str]) -> str:
        """The first of some names that is free; else the last with a number."""
        return self._first(list(candidates))

    def _first(self, candidates: list[str]) -> str:
        fit = [name for name in candidates if name.isidentifier()] or ["VALUE"]
        return self._free(next((name for name in fit if name not in self._taken), fit[-1]))

    def and_not(self, names: Iterable[str]) -> None:
        """These names are taken."""
        self._taken.update(names)

    def _free(self, name: str, *, numbered: bool = False) -> str:
        number, free = 1, f"{name}_1" if numbered else name
        while free in self._taken:
            number += 1
            free = f"{name}_{number}"
        self._taken.add(free)
        return free


def file_names() -> Names:
    """The names of the files of a package."""
    return Names((_TAKEN - {"journeys"}) | _NO_FILES)


def module_name(text: str) -> str:
    """``text`` if Python can import a module of that name, else the nearest name that it can."""
    if text.isidentifier() and not keyword.iskeyword(text):
        return text
    slug = words(text)
    return (
        slug if slug.isidentifier() and not keyword.iskeyword(slug) else f"model_{slug}".rstrip("_")
    )
