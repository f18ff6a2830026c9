"""Kustomizations and charts among the files: rendered if the user asks for it.

Rendering runs a program of the user's on files that may be anybody's. So it is never done unasked:
see the decision page ``rendering-is-asked-for``.
"""

from __future__ import annotations

import shutil
import tempfile
import time
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from archcheck.importing.facts import UnreadFile
from archcheck.importing.kubernetes.helm import CHART, Chart, chart_of, charts_among, parts_of
from archcheck.importing.kubernetes.kustomize import (
    Kustomization,
    is_component,
    is_kustomization,
    made_of,
    systems_among,
)
from archcheck.importing.kubernetes.objects import Object, objects_in
from archcheck.importing.kubernetes.places import Templates, as_in_originals
from archcheck.importing.kubernetes.running import copied, printed_by
from archcheck.importing.sources import SourceFile
from archcheck.importing.values import Value
from archcheck.importing.yaml_files import read_yaml
from archcheck.model import ModelError, Place

MOST_SECONDS = 300.0
"""How long all renderings of an import may take together. A choice: most take half a second."""
_VARIANT = "one of several variants of the same: name its folder to import it"
_UNUSED = "a component that no kustomization in the files includes"
_TEMPLATES = {"templates", "crds"}
_YAML = (".yaml", ".yml", ".json")


@dataclass
class Rendering:
    """What came of the kustomizations and charts among the files."""

    documents: dict[Path, list[Value]] = field(default_factory=dict)
    """What was printed, by the kustomization or chart."""
    taken: dict[Path, Path] = field(default_factory=dict)
    """Files that are not read as they lie, each with what it is a part of."""
    unread: list[UnreadFile] = field(default_factory=list)
    _files: dict[Path, SourceFile] = field(default_factory=dict)
    _start: float = field(default_factory=time.monotonic)

    def check_time(self, place: Place) -> None:
        """Refuse to go on when all renderings together have taken too long."""
        if time.monotonic() - self._start > MOST_SECONDS:
            raise ModelError(
                f"is left out: rendering has taken {MOST_SECONDS:g} s; name it by itself", place
            )

    def add(self, file: SourceFile, documents: list[Value], made_of: Iterable[Path]) -> None:
        """What a kustomization or chart is, and the files that it is instead of."""
        self.documents[file.path] = documents
        self.taken |= dict.fromkeys(made_of, file.path)
        self._files[file.path] = file

    def note(self, file: SourceFile, error: ModelError) -> None:
        """Leave a kustomization or chart out, with the reason; a named one ends the import."""
        line = "" if error.place in (None, file.place) else f"{error.place}: "
        if file.named:
            raise ModelError(f"{line}{error.sentence}", file.place)
        self.unread.append(UnreadFile(str(file.path), f"{line}{error.sentence}"))

    def give_up(self, error: ModelError) -> None:
        """Leave out what was printed with something wrong in it; its files are read as they lie.

        Raises the error if it is in none of those.
        """
        wrong = Path(error.place.file) if error.place is not None else Path()
        whole = self.taken.get(wrong, wrong)
        if self.documents.pop(whole, None) is None:
            raise error
        self.taken = {path: of for path, of in self.taken.items() if of != whole}
        self.note(self._files[whole], error)


def is_rendered(file: SourceFile) -> bool:
    """Whether a file says how manifests are rendered."""
    return is_kustomization(file) or file.name == CHART


def rendered(files: Sequence[SourceFile], *, asked: bool) -> Rendering:
    """What Kustomize and Helm make of the files, if it is asked for."""
    found = Rendering()
    charts = charts_among(files)
    found.taken = parts_of(charts, files)
    every = [f for f in files if f.path not in found.taken and is_kustomization(f)]
    components = [file for file in every if is_component(file)]
    systems = [file for file in every if file not in components]
    if not asked:
        for file in charts:
            found.note(file, ModelError(_how("a Helm chart", "helm", file), file.place))
        for file in systems:
            found.note(file, ModelError(_how("a kustomization", "kustomize", file), file.place))
    else:
        for file in charts:
            _render_chart(file, found)
    whole = [each for file in systems if (each := _made_of(file, found, asked=asked)) is not None]
    _leave_out(components, whole, found)
    if asked:
        _render_kustomizations(whole, found)
    return found


def _made_of(file: SourceFile, found: Rendering, *, asked: bool) -> Kustomization | None:
    try:
        return made_of(file)
    except ModelError as error:
        if asked:
            found.note(file, error)
        return None


def _leave_out(
    components: Iterable[SourceFile], every: Sequence[Kustomization], found: Rendering
) -> None:
    """Components that nobody includes: choices that a team offers, and has not made here."""
    used = {path for each in every for path in each.files}
    for file in components:
        if file.named:
            raise ModelError("is a component: a part that kustomizations include", file.place)
        component = None if file.path in used else _made_of(file, found, asked=False)
        if component is not None:
            found.note(file, ModelError(_UNUSED, file.place))
            found.taken |= {path: file.path for path in component.files if path not in used}


def _how(what: str, tool: str, file: SourceFile) -> str:
    lies = "" if tool == "helm" else "; its manifests are read as they lie, without its changes"
    return f"{what} is rendered by 'archcheck import --render', which runs {tool}{lies}"


# -- Helm ------------------------------------------------------------------------------------------


def _render_chart(file: SourceFile, found: Rendering) -> None:
    try:
        found.check_time(file.place)
        chart = chart_of(file)
        files = chart.files()
        templates = [path for path, inner in files.items() if _TEMPLATES & {*inner.parts}]
        found.add(file, _of_chart(chart, files), templates)
    except ModelError as error:
        found.note(file, error)


def _of_chart(chart: Chart, files: Mapping[Path, Path]) -> list[Value]:
    program, place = shutil.which("helm"), chart.file.place
    if program is None:
        raise ModelError("is rendered by helm, which is not on the PATH", place)
    with tempfile.TemporaryDirectory() as folder:
        copied(files, Path(folder, "chart"), place)
        command = [program, "template", chart.name, "chart", "--skip-tests"]
        printed = printed_by(command, Path(folder), place)
    texts = {
        f"{chart.name}/{inner.as_posix()}": (path, path.read_text("utf-8", errors="replace"))
        for path, inner in files.items()
        if _TEMPLATES & {*inner.parts}
    }
    templates = Templates(printed, texts, place)
    return [templates.placed(document) for document in _parsed(printed, "helm", place)]


def _parsed(printed: str, tool: str, place: Place) -> list[Value]:
    try:
        return list(read_yaml(printed, place.file))
    except ModelError as error:
        raise ModelError(f"what {tool} prints {error.sentence}", place) from None


# -- Kustomize -------------------------------------------------------------------------------------


def _render_kustomizations(every: Sequence[Kustomization], found: Rendering) -> None:
    chosen, variants = systems_among(every)
    for each in chosen:
        try:
            found.check_time(each.file.place)
            found.add(each.file, _of_kustomization(each), each.files)
        except ModelError as error:
            found.note(each.file, error)
    for each in variants:
        if any(path in found.taken for path in each.files):  # else it is read as it lies
            found.note(each.file, ModelError(_VARIANT, each.file.place))
            found.taken |= {path: each.file.path for path in each.files if path not in found.taken}


def _of_kustomization(each: Kustomization) -> list[Value]:
    place, root = each.file.place, each.file.root
    kustomize, kubectl = shutil.which("kustomize"), shutil.which("kubectl")
    if kustomize is None and kubectl is None:
        raise ModelError("is rendered by kustomize or kubectl, which are not on the PATH", place)
    command = [kustomize, "build"] if kustomize else [str(kubectl), "kustomize"]
    inner = {path: SourceFile(path, root).inner for path in each.files}
    with tempfile.TemporaryDirectory() as folder:
        copied(inner, Path(folder), place)
        target = inner[each.file.path].parent
        printed = printed_by([*command, str(target)], Path(folder), place)
    originals = list(_originals(each))
    return [
        as_in_originals(document, originals, each.setting, place)
        for document in _parsed(printed, "kustomize", place)
    ]


def _originals(each: Kustomization) -> Iterator[Object]:
    for path in each.files:
        if path in each.documents or path.suffix.lower() not in _YAML:
            continue
        for document in SourceFile(path, each.file.root).readable:
            try:
                yield from objects_in(document)
            except ModelError:
                continue  # a file of settings, or a part of an object: it has no lines to give
