"""Importers found where they are: entry points in the group ``archcheck.importers``.

Those that come with archcheck are found like any other. An importer is one module or package that
holds one object; adding one touches nothing else.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from functools import cache
from importlib.metadata import entry_points
from typing import Protocol, runtime_checkable

from archcheck.importing.facts import Precedence, Said
from archcheck.importing.sources import Choices, SourceFile
from archcheck.model import ArchcheckError
from archcheck.model.element import nearest

GROUP = "archcheck.importers"


class ImporterError(ArchcheckError):
    """An importer is there but not usable, or not there."""


@runtime_checkable
class Importer(Protocol):
    """What reads one kind of source."""

    @property
    def name(self) -> str:
        """What ``--from`` calls it."""

    @property
    def title(self) -> str:
        """Its name in sentences."""

    @property
    def precedence(self) -> Precedence:
        """What kind of source it is: who wins where two disagree."""

    @property
    def order(self) -> int:
        """Among importers of the same precedence, the lower number wins."""

    def recognises(self, file: SourceFile) -> bool:
        """Whether a file is of this kind. Must not raise for files of other kinds."""

    def read(self, files: Sequence[SourceFile], choices: Choices) -> Iterable[Said]:
        """What the files say, all of this kind at once: files refer to each other.

        Each :class:`Said` is one account that is consistent in itself. Raises
        :class:`~archcheck.model.ModelError` with the line of what is wrong.
        """


@cache
def importers() -> tuple[Importer, ...]:
    """All installed importers; those first that win where two disagree.

    Raises :class:`ImporterError` with what is wrong with one of them.
    """
    found: dict[str, Importer] = {}
    for point in sorted(entry_points(group=GROUP), key=lambda point: point.name):
        try:
            importer = point.load()
        except Exception as error:
            raise ImporterError(
                f"the importer {point.value!r} cannot be loaded: {type(error).__name__}: {error}"
            ) from error
        if not isinstance(importer, Importer):
            raise ImporterError(
                f"the importer {point.value!r} must have name, title, precedence, order, "
                "recognises and read (archcheck.importing.plugins.Importer)"
            )
        if importer.name in found:
            raise ImporterError(f"there are two importers called {importer.name!r}")
        found[importer.name] = importer
    if not found:
        raise ImporterError(
            "no importers are installed; install archcheck-models again (in its repository: "
            "make install)"
        )
    return tuple(sorted(found.values(), key=lambda each: (each.order, each.name)))


def importer_called(name: str) -> Importer:
    """The importer that ``--from`` names. Raises :class:`ImporterError` with the nearest names."""
    known = {importer.name: importer for importer in importers()}
    if name not in known:
        raise ImporterError(
            f"there is no importer {name!r}{nearest(name, list(known))}; there are "
            f"{', '.join(known)}"
        )
    return known[name]
