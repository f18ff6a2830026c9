"""The elements of a workspace: people, software systems, containers, components."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Literal

from archcheck.importing.values import Value
from archcheck.model import Place

Kind = Literal["person", "system", "container", "component", "custom element"]

_DEFAULT_TAGS = frozenset(
    {"Element", "Person", "Software System", "Container", "Component", "Custom Element"}
)
"""Tags that Structurizr gives by kind (structurizr.com, JSON schema)."""


@dataclass(frozen=True, eq=False)
class C4Element:
    """An element with its place in the tree."""

    id: str
    kind: Kind
    name: str
    value: Value
    parent: C4Element | None = None

    @property
    def place(self) -> Place:
        """The line of its name."""
        return self.value.need("name").place

    @property
    def path(self) -> str:
        """Its name with those above it."""
        return f"{self.parent.path}/{self.name}" if self.parent else self.name

    def text(self, key: str) -> str:
        """A text of it; empty where there is none."""
        found = self.value.get(key)
        return " ".join(found.string(key).split()) if found is not None else ""

    def tags(self) -> list[tuple[str, Place]]:
        """Its own tags, and its group."""
        found: dict[str, Place] = {}
        for key in ("tags", "group"):
            value = self.value.get(key)
            if value is not None:
                words = value.string(key).split(",") if key == "tags" else [value.string(key)]
                for word in words:
                    if word.strip() and word.strip() not in _DEFAULT_TAGS:
                        found.setdefault(word.strip(), value.place)
        return list(found.items())

    def properties(self) -> list[tuple[str, Value]]:
        """Its properties, without those that Structurizr's own tools keep there."""
        pairs = self.value.items("properties")
        return [(key, value) for key, value in pairs if not key.startswith("structurizr.")]


def elements_of(document: Value) -> dict[str, C4Element]:
    """All elements by their ids, parents first.

    Raises :class:`~archcheck.model.ModelError` with the line of an element without an id or a name,
    or with an id that another one has.
    """
    found: dict[str, C4Element] = {}
    model = document.need("model")
    for each in _all(model):
        if each.id in found:
            each.value.need("id").refuse(f"{found[each.id].path} has the same id")
        found[each.id] = each
    return found


def _all(model: Value) -> Iterator[C4Element]:
    for value in model.each("people"):
        yield _element("person", value)
    for value in model.each("softwareSystems"):
        system = _element("system", value)
        yield system
        for inner in value.each("containers"):
            container = _element("container", inner, system)
            yield container
            for innermost in inner.each("components"):
                yield _element("component", innermost, container)
    for value in model.each("customElements"):
        yield _element("custom element", value)


def _element(kind: Kind, value: Value, parent: C4Element | None = None) -> C4Element:
    name = value.need("name").string("name").strip()
    if not name:
        value.need("name").refuse("an element's name must not be empty")
    return C4Element(value.need("id").string("id"), kind, name, value, parent)
