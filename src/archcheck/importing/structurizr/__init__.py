"""Structurizr workspaces: in JSON, as Structurizr exports them, and in its DSL."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence

from archcheck.importing.facts import Precedence, Remark, Said, Statement, UnreadFile
from archcheck.importing.sources import Choices, SourceFile
from archcheck.importing.structurizr.dsl import read_dsl
from archcheck.importing.structurizr.elements import elements_of
from archcheck.importing.structurizr.statements import Workspace
from archcheck.importing.values import Value
from archcheck.model import ModelError

_KINDS = ("people", "softwareSystems", "customElements")
_WORKSPACE = re.compile(r"^\ufeff?[ \t]*workspace\b", re.IGNORECASE | re.MULTILINE)


class StructurizrImporter:
    """Reads the model of a workspace: people, systems, containers and their relationships."""

    name = "structurizr"
    title = "Structurizr"
    precedence: Precedence = "catalogue"
    order = 70

    def recognises(self, file: SourceFile) -> bool:
        if _is_dsl(file):
            return file.named or _WORKSPACE.search(file.text_if_readable) is not None
        if file.path.suffix.lower() != ".json" or '"model"' not in file.text_if_readable:
            return False
        for document in file.readable:
            raw = document.raw
            model = raw.get("model") if isinstance(raw, dict) else None
            if model is not None and isinstance(model.raw, dict):
                return any(kind in model.raw for kind in _KINDS)
        return False

    def read(self, files: Sequence[SourceFile], choices: Choices) -> Iterable[Said]:
        written = {str(file.path.with_suffix(".json")): file for file in files if _is_dsl(file)}
        parts: dict[str, SourceFile] = {}
        found: list[tuple[SourceFile, Said]] = []
        for file in files:
            origin = written.get(str(file.path))
            if _is_dsl(file):
                found.append((file, self._of_dsl(file, parts)))
            elif origin is not None and not file.named:
                found.append((file, self._left_out(file, f"is {origin.name} beside it, exported")))
            else:
                found += ((file, self._of(document, file, [])) for document in file.documents)
        for file, said in found:
            whole = parts.get(str(file.path))
            if whole is None or file.named:
                yield said
            else:
                yield self._left_out(file, f"is read as a part of {whole.name}")

    def _of_dsl(self, file: SourceFile, parts: dict[str, SourceFile]) -> Said:
        """What a workspace in the DSL says; in a folder, one that is wrong is left out."""
        try:
            document, state = read_dsl(file)
        except ModelError as error:
            if file.named:
                raise
            return self._left_out(file, _reason(error, file))
        parts |= dict.fromkeys(state.used, file)
        return self._of(document, file, state.remarks)

    def _of(self, document: Value, file: SourceFile, remarks: Iterable[Statement]) -> Said:
        workspace = Workspace(elements_of(document), str(file.path), document)
        name = document.get("name")
        called = name.string("the workspace's name") if name is not None else None
        said = [*workspace.statements(), *remarks]
        if not said:
            said.append(Remark("the workspace has no elements", document.place))
        return Said(self.name, self.precedence, said, called)

    def _left_out(self, file: SourceFile, why: str) -> Said:
        return Said(self.name, self.precedence, [UnreadFile(str(file.path), why)])


def _is_dsl(file: SourceFile) -> bool:
    return file.path.suffix.lower() == ".dsl"


def _reason(error: ModelError, file: SourceFile) -> str:
    place = error.place or file.place
    where = "" if place.file == str(file.path) else f"{place.file}, "
    return f"{where}line {place.line}: {error.sentence}"


importer = StructurizrImporter()
