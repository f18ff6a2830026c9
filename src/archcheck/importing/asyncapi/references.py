"""``$ref``: a value that stands elsewhere in the document, or in another file beside it."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from pathlib import Path

from archcheck.importing.facts import Remark
from archcheck.importing.sources import SourceFile
from archcheck.importing.values import Value
from archcheck.model import ModelError

_LONGEST = 50
"""References one after the other. A choice: documents have two or three."""


@dataclass(frozen=True)
class LocatedValue:
    """A value, and the file that it is in: its references are relative to it."""

    value: Value
    file: SourceFile
    document: Value

    def at(self, value: Value) -> LocatedValue:
        """Another value of the same file."""
        return replace(self, value=value)


@dataclass
class References:
    """Follows references; each file is read once."""

    remarks: list[Remark] = field(default_factory=list)
    _files: dict[Path, SourceFile] = field(default_factory=dict)

    def followed(self, node: LocatedValue) -> LocatedValue | None:
        """The value that is meant; ``None`` and a remark for one that lies on the network.

        Raises :class:`ModelError` with the line of a reference that leads to nothing, in a circle,
        or out of the repository.
        """
        start = node.value
        for _ in range(_LONGEST):
            raw = node.value.raw
            target = raw.get("$ref") if isinstance(raw, dict) else None
            if target is None:
                return node
            text = target.string("$ref")
            if "://" in text:
                self.remarks.append(Remark(f"{text} is on the network and not read", target.place))
                return None
            node = self._target(node, target, text)
        return start.refuse("$ref leads in a circle")

    def _target(self, node: LocatedValue, target: Value, text: str) -> LocatedValue:
        path, _, pointer = text.partition("#")
        if path:
            node = self._document(node, target, path)
        else:
            node = node.at(node.document)
        found = node.value
        for step in pointer.strip("/").split("/") if pointer.strip("/") else ():
            key = step.replace("~1", "/").replace("~0", "~").replace("%7B", "{").replace("%7D", "}")
            inner = found.raw.get(key) if isinstance(found.raw, dict) else None
            if inner is None:
                target.refuse(f"$ref must lead to something: there is no {key!r}")
            found = inner
        return node.at(found)

    def _document(self, node: LocatedValue, target: Value, path: str) -> LocatedValue:
        file = node.file.beside(path, target.place)
        file = self._files.setdefault(file.path, file)
        try:
            documents = file.documents
        except ModelError as error:  # the reader looks for it where he wrote the reference
            line = f", line {error.place.line}" if error.place else ""
            raise ModelError(f"{path}{line}: {error.sentence}", target.place) from None
        if not documents:
            target.refuse("$ref must lead to a file that is not empty")
        return LocatedValue(documents[0], file, documents[0])
