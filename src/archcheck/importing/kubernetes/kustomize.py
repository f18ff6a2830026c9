"""Which files are patches of Kustomize: parts of objects, which say nothing by themselves."""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator
from pathlib import Path

from archcheck.importing.sources import SourceFile
from archcheck.importing.values import Value
from archcheck.model import ModelError

_NAMES = ("kustomization.yaml", "kustomization.yml", "Kustomization")
_LISTS = ("patches", "patchesStrategicMerge", "patchesJson6902", "components")


def patches_among(files: Iterable[SourceFile]) -> set[Path]:
    """The files that a kustomization beside or above them names as patches; named files stay."""
    every = list(files)
    named: set[Path] = set()
    for folder in {above for file in every for above in _folders(file)}:
        named.update(_patches_of(folder, every[0].root))
    return {file.path for file in every if file.path in named and not file.named}


def _folders(file: SourceFile) -> Iterator[Path]:
    """The folder of a file and the one above: patches often lie in a folder of their own."""
    for folder in (file.path.parent, file.path.parent.parent):
        if folder.is_relative_to(file.root):
            yield folder


def _patches_of(folder: Path, root: Path) -> Iterator[Path]:
    for name in _NAMES:
        path = folder / name
        if not path.is_file():
            continue
        try:
            documents = SourceFile(path, root).documents
        except ModelError:
            continue  # Kustomize refuses it too, and it is no manifest
        for document in documents:
            yield from _named_in(document, folder)


def _named_in(document: Value, folder: Path) -> Iterator[Path]:
    if not isinstance(document.raw, dict):
        return
    for key in _LISTS:
        listed = document.raw.get(key)
        for entry in listed.raw if listed is not None and isinstance(listed.raw, list) else ():
            path = entry.raw.get("path") if isinstance(entry.raw, dict) else entry
            if path is not None and path.text and "\n" not in path.text:
                yield Path(os.path.normpath(folder / path.text))
