"""Helm charts: the files that one is made of."""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

from archcheck.importing.kubernetes.running import MOST_FILES
from archcheck.importing.sources import SourceFile
from archcheck.model import ModelError

CHART = "Chart.yaml"
_SCHEMA = "values.schema.json"
"""Checks values and may refer to schemas elsewhere; manifests are the same without it."""


@dataclass(frozen=True)
class Chart:
    """A chart that can be rendered."""

    file: SourceFile
    name: str

    @property
    def folder(self) -> Path:
        """The folder that is the chart."""
        return self.file.path.parent

    def files(self) -> dict[Path, Path]:
        """Its ordinary files, each with its path in the chart. Links lead anywhere: refused."""
        found: dict[Path, Path] = {}
        for path in _walked(self.folder):
            if path.is_symlink():
                raise ModelError(f"holds a link, {path.name!r}, which may lead anywhere",
                                 self.file.place)  # fmt: skip
            if path.is_file() and path.name != _SCHEMA:
                found[path] = path.relative_to(self.folder)
            if len(found) > MOST_FILES:
                raise ModelError(f"has more than {MOST_FILES:,} files", self.file.place)
        return found


def _walked(folder: Path) -> Iterator[Path]:
    for current, folders, names in os.walk(folder):
        folders[:] = sorted(name for name in folders if not name.startswith("."))
        for name in sorted([*names, *folders]):
            yield Path(current, name)


def is_chart(file: SourceFile) -> bool:
    """Whether a file describes a chart."""
    return file.name == CHART and any(
        document.is_mapping and document.get("name") is not None for document in file.readable
    )


def charts_among(files: Iterable[SourceFile]) -> list[SourceFile]:
    """The charts that are not part of another one."""
    every = [file for file in files if is_chart(file)]
    parts = parts_of(every, every)
    return [file for file in every if file.path not in parts]


def parts_of(charts: Iterable[SourceFile], files: Iterable[SourceFile]) -> dict[Path, Path]:
    """The files that are parts of a chart, each with the chart's own file."""
    folders = {
        file.path.parent / part: file.path for file in charts for part in ("charts", "crds", "ci")
    }
    return {
        file.path: folders[above]
        for file in files
        for above in file.path.parents
        if above in folders
    }


def chart_of(file: SourceFile) -> Chart:
    """The chart that a file describes. Raises :class:`ModelError` for one without manifests."""
    document = file.documents[0]
    name, kind = document.need("name"), document.get("type")
    if kind is not None and kind.string("type") == "library":
        raise ModelError("is a library for other charts, and has no manifests", kind.place)
    return Chart(file, name.string("name"))
