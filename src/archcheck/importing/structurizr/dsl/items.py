"""What a workspace in the DSL holds: elements and relationships, as they come to be."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field

from archcheck.importing.values import Value
from archcheck.model import Place

PERSON, SYSTEM, CONTAINER, COMPONENT = "person", "softwareSystem", "container", "component"
CUSTOM = "element"
NODE, INFRASTRUCTURE = "deploymentNode", "infrastructureNode"
SYSTEM_INSTANCE, CONTAINER_INSTANCE = "softwareSystemInstance", "containerInstance"
GROUP, ENVIRONMENT, DEPLOYMENT_GROUP = "group", "deploymentEnvironment", "deploymentGroup"
RELATIONSHIP = "->"

STATIC = frozenset({PERSON, SYSTEM, CONTAINER, COMPONENT})
INSTANCES = frozenset({SYSTEM_INSTANCE, CONTAINER_INSTANCE})
DEPLOYED = frozenset({NODE, INFRASTRUCTURE, *INSTANCES})
"""Kinds of elements, as the DSL's keywords call them."""

_DEFAULT_TAGS = {
    PERSON: ("DslElement", "Person"),
    SYSTEM: ("DslElement", "Software System"),
    CONTAINER: ("DslElement", "Container"),
    COMPONENT: ("DslElement", "Component"),
    CUSTOM: ("DslElement",),
    NODE: ("DslElement", "Deployment Node"),
    INFRASTRUCTURE: ("DslElement", "Infrastructure Node"),
    SYSTEM_INSTANCE: ("Software System Instance",),
    CONTAINER_INSTANCE: ("Container Instance",),
    RELATIONSHIP: ("DslRelationship",),
}
"""Tags that every element of a kind has (structurizr.com, DSL, *tags*)."""


def said(text: str, place: Place) -> Value:
    """A text with its line."""
    return Value(text, place, text)


@dataclass(eq=False)
class DslItem:
    """An element, a relationship or an archetype: whatever has tags and properties."""

    kind: str
    place: Place
    values: dict[str, Value] = field(default_factory=dict)
    """Description, technology, url and the like."""
    tags: dict[str, Place] = field(default_factory=dict)
    properties: dict[str, Value] = field(default_factory=dict)
    perspectives: dict[str, Place] = field(default_factory=dict)
    id: str = ""

    def say(self, key: str, text: str, place: Place) -> None:
        """Set a text of it."""
        self.values[key] = said(text, place)

    def text(self, key: str) -> str:
        """A text of it; empty where there is none."""
        found = self.values.get(key)
        return found.text if found is not None else ""

    def tag(self, tags: Iterable[str], place: Place) -> None:
        """Add tags."""
        for each in tags:
            self.tags.setdefault(each.strip(), place)

    def has_tag(self, tag: str) -> bool:
        """Whether it has a tag, also of its kind."""
        return tag in self.tags or tag in _DEFAULT_TAGS.get(self.kind, ())

    def takes(self, other: DslItem) -> None:
        """Take the properties and perspectives of an archetype."""
        self.properties |= other.properties
        self.perspectives |= other.perspectives


@dataclass(eq=False)
class DslElement(DslItem):
    """An element; groups and environments are some that identifiers can name."""

    name: str = ""
    parent: DslElement | None = None
    group: str = ""
    environment: str = ""
    arrows: dict[int, list[DslRelationship]] = field(default_factory=dict)
    """Its relationships, by whom they lead to."""
    children: list[DslElement] = field(default_factory=list)
    instance_of: DslElement | None = None
    number: int = 1
    """Of an instance: which one of its node."""
    deployment_groups: frozenset[str] = frozenset()
    members: list[DslElement] = field(default_factory=list)
    """Of a group: its elements, also those of the groups inside."""

    @property
    def relationships(self) -> list[DslRelationship]:
        """Its relationships."""
        return [each for group in self.arrows.values() for each in group]

    @property
    def key(self) -> object:
        """Who it is: an environment is known by its name."""
        return (self.kind, self.name) if self.kind == ENVIRONMENT else id(self)

    @property
    def canonical(self) -> str:
        """Its name with its kind and all above it, as Structurizr writes it."""
        kind = "Custom" if self.kind == CUSTOM else self.kind[0].upper() + self.kind[1:]
        if self.kind not in DEPLOYED:
            return f"{kind}://{'.'.join(self._path())}"
        return f"{kind}://{'/'.join([_plain(self.environment), *self._path()])}"

    def _path(self) -> list[str]:
        above = self.parent._path() if self.parent is not None else []
        if self.instance_of is None:
            return [*above, _plain(self.name)]
        return [*above, f"{'.'.join(self.instance_of._path())}[{self.number}]"]

    def is_below(self, other: DslElement) -> bool:
        """Whether the other one holds it."""
        above = self.parent
        while above is not None:
            if above is other:
                return True
            above = above.parent
        return False

    def toward(self, target: DslElement, description: str | None = None) -> DslRelationship | None:
        """Its relationship with another one; of this description, if there is one."""
        for each in self.arrows.get(id(target), ()):
            if description in (None, each.text("description")):
                return each
        return None


def _plain(name: str) -> str:
    return name.replace(".", "").replace("/", "")


@dataclass(eq=False)
class DslRelationship(DslItem):
    """An arrow between two elements."""

    source: DslElement = field(kw_only=True)
    target: DslElement = field(kw_only=True)
    linked: DslRelationship | None = None
    """What it is implied by, or replicated from."""
