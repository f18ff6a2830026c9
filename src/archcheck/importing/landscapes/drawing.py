"""Parts and arrows of a landscape, as the document that a workspace of Structurizr would be."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Literal

from archcheck.importing.facts import ElementPlace, Remark, Statement, Toward
from archcheck.importing.structurizr.elements import elements_of
from archcheck.importing.structurizr.statements import Workspace
from archcheck.importing.values import Value
from archcheck.model import Place

Kind = Literal["person", "service", "external", "component"]
DATABASE = "Database"
"""The tag of a store whose product may not be known."""


def text(value: str, place: Place) -> Value:
    """A text with its line."""
    return Value(value, place, value)


@dataclass
class LandscapeNode:
    """Somebody or something of a landscape."""

    id: str
    name: Value
    kind: Kind
    texts: dict[str, Value] = field(default_factory=dict)
    """Description, technology, url."""
    tags: dict[str, Place] = field(default_factory=dict)
    properties: dict[str, Value] = field(default_factory=dict)
    boundary: str = ""
    holder: str = ""
    """Of a component: the node that it is a part of."""
    trust_zone: Value | None = None
    at_rest: tuple[bool, Place] | None = None
    """Of a store: whether its files are encrypted."""

    def say(self, key: str, value: Value | None) -> None:
        """Set a text, if there is one."""
        if value is not None and value.string(key).strip():
            self.texts[key] = value

    def value(self, location: str = "") -> Value:
        """The node as an element of a workspace."""
        place = self.name.place
        found: dict[str, Value] = {"id": text(self.id, place), "name": self.name, **self.texts}
        if self.tags:
            found["tags"] = text(",".join(self.tags), next(iter(self.tags.values())))
        if self.properties:
            found["properties"] = Value({**self.properties}, place)
        if location:
            found["location"] = text(location, place)
        return Value(found, place)


@dataclass(frozen=True)
class LandscapeArrow:
    """One node asks another."""

    source: str
    target: str
    place: Place
    description: Value | None = None
    technology: Value | None = None
    encrypted: bool | None = None
    authenticated: bool | None = None


@dataclass
class Drawing:
    """A landscape."""

    file: str
    place: Place
    nodes: dict[str, LandscapeNode] = field(default_factory=dict)
    arrows: list[LandscapeArrow] = field(default_factory=list)
    remarks: list[Remark] = field(default_factory=list)

    def add(self, node: LandscapeNode) -> None:
        """Add a node. Refuses an id that another one has, and an empty name."""
        if not node.name.string("a name").strip():
            node.name.refuse("a name must not be empty")
        if node.id in self.nodes:
            known = self.nodes[node.id].name.place.line
            node.name.refuse(f"the id {node.id!r} is taken (line {known})")
        self.nodes[node.id] = node

    def remark(self, sentence: str, place: Place) -> None:
        """Note what is left out."""
        self.remarks.append(Remark(sentence, place))

    def statements(self) -> Iterator[Statement]:
        """All that the landscape says."""
        document = self._document()
        workspace = Workspace(elements_of(document), self.file, document)
        yield from workspace.statements()
        for node in self.nodes.values():
            name = workspace.name_of(node.id)
            if name and node.at_rest is not None:
                yield ElementPlace(name).says("encrypted_at_rest", *node.at_rest)
            if name and node.trust_zone is not None and workspace.is_service(node.id):
                zone = node.trust_zone
                yield ElementPlace(name).says("trust_zone", zone.text.strip(), zone.place)
        for arrow in self.arrows:
            source, target = (self._held(end) for end in (arrow.source, arrow.target))
            if workspace.is_service(source) and workspace.name_of(target):
                for attribute in ("encrypted", "authenticated"):
                    value = getattr(arrow, attribute)
                    if value is not None:
                        yield Toward(target, workspace.scope, (attribute,), value, arrow.place,
                                     workspace.name_of(source))  # fmt: skip
        yield from self.remarks

    def _held(self, id_: str) -> str:
        node = self.nodes[id_]
        return node.holder or id_

    def _document(self) -> Value:
        values = {
            id_: node.value(_LOCATIONS.get(node.kind, "")) for id_, node in self.nodes.items()
        }
        self._draw(values)
        people: list[Value] = []
        systems: list[Value] = []
        inside: dict[str, list[Value]] = {}
        for id_, node in self.nodes.items():
            if node.kind == "component":
                _into(values[node.holder], "components", values[id_])
        for id_, node in self.nodes.items():
            if node.kind == "person":
                people.append(values[id_])
            elif node.kind == "component":
                continue
            elif node.kind == "external":
                systems.append(values[id_])
            else:
                inside.setdefault(node.boundary, []).append(values[id_])
        for boundary, members in inside.items():
            if not boundary:
                systems += self._alone(members)
                continue
            place = members[0].place
            systems.append(Value({"id": text(f"\0{boundary}", place), "name": text(boundary, place),
                                  "containers": Value(members, place)}, place))  # fmt: skip
        model = {"people": Value(people, self.place), "softwareSystems": Value(systems, self.place)}
        return Value({"model": Value(model, self.place)}, self.place)

    def _alone(self, members: list[Value]) -> list[Value]:
        """Services in no boundary; those with components as the only container of themselves."""
        return [
            each if not each.has("components") else Value(
                {"id": text(f"\0{each.need('id').text}", each.place), "name": each.need("name"),
                 "containers": Value([each], each.place)}, each.place)
            for each in members
        ]  # fmt: skip

    def _draw(self, values: dict[str, Value]) -> None:
        for number, arrow in enumerate(self.arrows):
            found = {"id": text(f"\0{number}", arrow.place),
                     "destinationId": text(arrow.target, arrow.place)}  # fmt: skip
            for key in ("description", "technology"):
                said = getattr(arrow, key)
                if said is not None and said.text.strip():
                    found[key] = said
            _into(values[arrow.source], "relationships", Value(found, arrow.place))


_LOCATIONS = {"service": "Internal", "external": "External"}


def _into(value: Value, key: str, member: Value) -> None:
    """Add a member to a list of a value that is being made."""
    if not isinstance(value.raw, dict):
        raise TypeError(f"{key} of no mapping")
    held = value.raw.setdefault(key, Value([], member.place))
    if isinstance(held.raw, list):
        held.raw.append(member)
