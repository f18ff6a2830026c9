"""Kustomize: what a kustomization is made of, and which files are patches."""

from __future__ import annotations

import os
import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from archcheck.importing.sources import SourceFile, inside
from archcheck.importing.values import Value
from archcheck.model import ModelError

NAMES = ("kustomization.yaml", "kustomization.yml", "Kustomization")
_PATCHES = ("patches", "patchesStrategicMerge", "patchesJson6902")
_OTHERS = (*_PATCHES, "configurations", "crds", "generators", "transformers", "validators",
           "replacements")  # fmt: skip
_PROGRAMS = ("generators", "transformers", "validators")
_MADE_OF = ("resources", "bases", "components")
_PATCH_LISTS = (*_PATCHES, "components")
_DEEPEST = 30
"""Bases of bases. A choice: overlays have two or three."""
_ELSEWHERE = re.compile(r"://|^[^/]*[@:]|\?|//|\.git(?:/|$)|_git/|^github\.com", re.IGNORECASE)
"""Names that Kustomize takes for a repository elsewhere, also where there is a folder of this name
(kubernetes-sigs/kustomize, remoteBuild.md)."""


# -- what it is made of ----------------------------------------------------------------------------


@dataclass
class Kustomization:
    """A kustomization and all files that it is made of, those of its bases among them."""

    file: SourceFile
    documents: dict[Path, Value] = field(default_factory=dict)
    """Itself and the kustomizations that it is made of, in the order in which they are named."""
    files: dict[Path, None] = field(default_factory=dict)
    """All files, the base's before the patches'."""

    def setting(self, key: str) -> Value | None:
        """What it says under a key, else what its bases say."""
        said = (document.get(key) for document in self.documents.values())
        return next((value for value in said if value is not None), None)


def is_kustomization(file: SourceFile) -> bool:
    """Whether a file is a kustomization, and no object of Flux, which has the same name."""
    if file.name not in NAMES:
        return False
    documents = file.readable
    return len(documents) == 1 and documents[0].is_mapping and _is_ours(documents[0])


def _is_ours(document: Value) -> bool:
    version = document.get("apiVersion")
    return version is None or version.text.startswith("kustomize.config.k8s.io/")


def is_component(file: SourceFile) -> bool:
    """Whether it is a part that others include, and nothing by itself."""
    kind = file.documents[0].get("kind")
    return kind is not None and kind.text == "Component"


def made_of(file: SourceFile) -> Kustomization:
    """A kustomization with its files.

    Raises :class:`ModelError` for what Kustomize would have to fetch or to run, and for files that
    are not there.
    """
    found = Kustomization(file)
    _gather(file, found, 0)
    return found


def _gather(file: SourceFile, found: Kustomization, depth: int) -> None:
    """Add a kustomization: its bases first, then what changes them."""
    if depth > _DEEPEST:
        raise ModelError(f"has bases of bases, more than {_DEEPEST} deep", file.place)
    document = _document(file)
    found.documents[file.path] = document
    found.files[file.path] = None
    for name in _resources(document):
        base = _kustomization_in(file, name)
        if base is None:
            found.files[_local(file, name)] = None
        elif base.path not in found.documents:
            _gather(base, found, depth + 1)
    for name in _others(document):
        found.files[_local(file, name)] = None
    for key in _PROGRAMS:
        for entry in document.each(key):
            _check_program(file, entry)


def _check_program(file: SourceFile, entry: Value) -> None:
    """Generators and transformers are settings of what Kustomize has built in, and may name files:
    those that are elsewhere are fetched."""
    text = entry.string("a generator or transformer")
    inner = text if "\n" in text else file.beside(text, entry.place).text
    if "://" in inner:
        raise ModelError("names what is elsewhere: nothing is fetched from there", entry.place)


def _document(file: SourceFile) -> Value:
    if not is_kustomization(file):
        raise ModelError("is no kustomization", file.place)
    document = file.documents[0]
    for key in ("helmCharts", "helmChartInflationGenerator", "helmGlobals"):
        charts = document.get(key)
        if charts is not None:
            raise ModelError(f"has {key}, for which Kustomize fetches charts", charts.place)
    return document


def _resources(document: Value) -> Iterator[Value]:
    for key in _MADE_OF:
        yield from document.each(key)


def _others(document: Value) -> Iterator[Value]:
    """Patches, settings of what Kustomize does, and files that ConfigMaps are made of."""
    for key in _OTHERS:
        for entry in document.each(key):
            path = entry.get("path") if entry.is_mapping else entry
            if path is not None and "\n" not in path.string(key):
                yield path
    schema = document.get("openapi", "path")
    if schema is not None:
        yield schema
    for key in ("configMapGenerator", "secretGenerator"):
        for entry in document.each(key):
            yield from entry.each("envs")
            one = entry.get("env")
            yield from [one] if one is not None else []
            for each in entry.each("files"):
                named = each.string("a file").rpartition("=")[2]
                yield Value(named, each.place, named)


def _kustomization_in(file: SourceFile, name: Value) -> SourceFile | None:
    """The kustomization of a folder; nothing for a file."""
    folder = Path(os.path.normpath(file.path.parent / name.string("a resource")))
    if _ELSEWHERE.search(name.text):
        raise ModelError(f"names {name.text!r}: nothing is fetched from elsewhere", name.place)
    if not folder.is_dir():
        return None
    found = next((each for each in NAMES if (folder / each).is_file()), NAMES[0])
    return SourceFile(inside(folder / found, file.root, name.text, name.place), file.root)


def _local(file: SourceFile, name: Value) -> Path:
    text = name.string("a file")
    if _ELSEWHERE.search(text):
        raise ModelError(f"names {text!r}: nothing is fetched from elsewhere", name.place)
    return file.beside(text, name.place).path


# -- which of them is the system -------------------------------------------------------------------


def systems_among(
    every: Sequence[Kustomization],
) -> tuple[list[Kustomization], list[Kustomization]]:
    """Those that are what runs, and those that are variants of it.

    What another one is made of is a part of that one. Of several that are made of the same
    (overlays for development and for production), the one in the shallowest folder counts; if
    there are several, what they have in common counts: nobody says which of them is meant.
    """
    parts = {path for each in every for path in each.documents if path != each.file.path}
    chosen: list[Kustomization] = []
    variants: list[Kustomization] = []
    for group in _sharing([each for each in every if each.file.path not in parts]):
        least = min(len(each.file.path.parts) for each in group)
        shallow = [each for each in group if len(each.file.path.parts) == least]
        if len(shallow) == 1:
            chosen += shallow
            variants += [each for each in group if each is not shallow[0]]
        else:
            chosen += _common(group)
            variants += group
    return chosen, variants


def _sharing(roots: Sequence[Kustomization]) -> list[list[Kustomization]]:
    """Groups of those that have a file in common."""
    groups: list[tuple[set[Path], list[Kustomization]]] = []
    for each in roots:
        files, members = set(each.files), [each]
        for group in [one for one in groups if one[0] & files]:
            groups.remove(group)
            files |= group[0]
            members = [*group[1], *members]
        groups.append((files, members))
    return [members for _, members in groups]


def _common(group: Sequence[Kustomization]) -> list[Kustomization]:
    """The kustomizations that all of a group are made of, without what those are made of."""
    paths = [path for path in group[0].documents if all(path in each.documents for each in group)]
    files = [SourceFile(path, group[0].file.root) for path in paths]
    found = [made_of(file) for file in files if not is_component(file)]
    parts = {path for each in found for path in each.documents if path != each.file.path}
    return [each for each in found if each.file.path not in parts]


# -- patches among files that are read as they lie -------------------------------------------------


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
    for name in NAMES:
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
    for key in _PATCH_LISTS:
        listed = document.raw.get(key)
        for entry in listed.raw if listed is not None and isinstance(listed.raw, list) else ():
            path = entry.raw.get("path") if isinstance(entry.raw, dict) else entry
            if path is not None and path.text and "\n" not in path.text:
                yield Path(os.path.normpath(folder / path.text))
