"""Structurizr workspaces in JSON, as Structurizr and its DSL's command write them."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from archcheck.importing.facts import Precedence, Said
from archcheck.importing.sources import Choices, SourceFile
from archcheck.importing.structurizr.elements import elements_of
from archcheck.importing.structurizr.statements import Workspace

_KINDS = ("people", "softwareSystems", "customElements")


class StructurizrImporter:
    """Reads the model of a workspace: people, systems, containers and their relationships."""

    name = "structurizr"
    title = "Structurizr"
    precedence: Precedence = "catalogue"
    order = 70

    def recognises(self, file: SourceFile) -> bool:
        if file.path.suffix.lower() != ".json" or '"model"' not in file.text_if_readable:
            return False
        for document in file.readable:
            raw = document.raw
            model = raw.get("model") if isinstance(raw, dict) else None
            if model is not None and isinstance(model.raw, dict):
                return any(kind in model.raw for kind in _KINDS)
        return False

    def read(self, files: Sequence[SourceFile], choices: Choices) -> Iterable[Said]:
        for file in files:
            for document in file.documents:
                workspace = Workspace(elements_of(document), str(file.path), document)
                name = document.get("name")
                called = name.string("the workspace's name") if name is not None else None
                yield Said(self.name, self.precedence, list(workspace.statements()), called)


importer = StructurizrImporter()
