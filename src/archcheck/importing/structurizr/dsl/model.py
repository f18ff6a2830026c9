"""The model of a workspace while it is read: elements, relationships, and those they imply."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import Literal

from archcheck.importing.structurizr.dsl.items import (
    CUSTOM,
    DEPLOYED,
    INFRASTRUCTURE,
    INSTANCES,
    NODE,
    RELATIONSHIP,
    STATIC,
    DslElement,
    DslRelationship,
)
from archcheck.importing.values import Value
from archcheck.model import ModelError, Place

Implied = Literal["none", "unless any", "unless same"]
MAX_ITEMS = 50_000
"""Elements and relationships of a workspace. A choice: large ones have about 5,000."""


@dataclass(frozen=True)
class ArrowStatement:
    """What the statement of a relationship says."""

    description: Value
    technology: Value
    tags: Sequence[str]
    place: Place


@dataclass
class Model:
    """All elements and relationships, in the order in which they are declared."""

    elements: list[DslElement] = field(default_factory=list)
    relationships: list[DslRelationship] = field(default_factory=list)
    properties: dict[str, Value] = field(default_factory=dict)
    implied: Implied = "unless any"
    """Structurizr's default since version 1.29 of the DSL."""

    def __post_init__(self) -> None:
        self._named: dict[tuple[object, ...], DslElement] = {}
        self._instances: dict[int, list[DslElement]] = defaultdict(list)
        self._arriving: dict[int, list[DslRelationship]] = defaultdict(list)
        self._count = 0

    def add(self, element: DslElement) -> DslElement:
        """Add an element. Refuses a name that a sibling has."""
        if not element.name.strip():
            raise ModelError("an element's name must not be empty", element.place)
        known = self.sibling(element.kind, element.name, element.parent, element.environment)
        if known is not None and element.kind not in INSTANCES:
            raise ModelError(
                f"there is a {known.kind} {element.name!r} here already (line {known.place.line})",
                element.place,
            )
        self._number(element)
        self.elements.append(element)
        key = _sibling_key(element.kind, element.name, element.parent, element.environment)
        self._named[key] = element
        if element.parent is not None:
            element.parent.children.append(element)
        if element.instance_of is not None:
            beside = self.instances(element.instance_of, element.environment)
            element.number = 1 + sum(each.parent is element.parent for each in beside)
            self._replicate(element)
            self._instances[id(element.instance_of)].append(element)
        return element

    def _number(self, item: DslElement | DslRelationship) -> None:
        self._count += 1
        if self._count > MAX_ITEMS:
            raise ModelError(f"has more than {MAX_ITEMS:,} elements and relationships", item.place)
        item.id = str(self._count)

    def sibling(
        self, kind: str, name: str, parent: DslElement | None, environment: str = ""
    ) -> DslElement | None:
        """The element of a kind and name in the same place."""
        return self._named.get(_sibling_key(kind, name, parent, environment))

    def of_kind(self, *kinds: str) -> Iterator[DslElement]:
        """The elements of the kinds."""
        return (each for each in self.elements if each.kind in kinds)

    # -- relationships ------------------------------------------------------------------------

    def connect(
        self, source: DslElement, target: DslElement, arrow: ArrowStatement
    ) -> DslRelationship:
        """Add a relationship and those that it implies; refuse what cannot be."""
        shown = f"a relationship from {source.canonical!r} to {target.canonical!r}"
        if not _may_connect(source, target):
            raise ModelError(f"{shown} is not possible", arrow.place)
        if source.is_below(target) or target.is_below(source):
            raise ModelError(f"{shown} is not possible: one holds the other", arrow.place)
        found = self._add(source, target, arrow)
        if found is None:
            raise ModelError(f"{shown} with this description is there already", arrow.place)
        if {source.kind, target.kind} <= {*STATIC, CUSTOM}:
            self._imply(found, arrow)
        return found

    def _add(
        self, source: DslElement, target: DslElement, arrow: ArrowStatement
    ) -> DslRelationship | None:
        if source.toward(target, arrow.description.text) is not None:
            return None
        found = DslRelationship(RELATIONSHIP, arrow.place, source=source, target=target)
        if arrow.description.text:
            found.values["description"] = arrow.description
        if arrow.technology.text:
            found.values["technology"] = arrow.technology
        found.tag(arrow.tags, arrow.place)
        self._number(found)
        source.arrows.setdefault(id(target), []).append(found)
        self._arriving[id(target)].append(found)
        self.relationships.append(found)
        return found

    def _imply(self, said: DslRelationship, arrow: ArrowStatement) -> None:
        """Whoever holds an end of the arrow has it as well, if nothing says more about them."""
        if self.implied == "none":
            return
        alike = arrow.description.text if self.implied == "unless same" else None
        plain = ArrowStatement(arrow.description, arrow.technology, (), arrow.place)
        for source in _with_holders(said.source):
            for target in _with_holders(said.target):
                if source is target or source.is_below(target) or target.is_below(source):
                    continue
                if source.toward(target, alike) is None:
                    implied = self._add(source, target, plain)
                    if implied is not None:
                        implied.linked = said

    def remove(self, relationship: DslRelationship) -> None:
        """Take a relationship out again."""
        relationship.source.arrows[id(relationship.target)].remove(relationship)
        self._arriving[id(relationship.target)].remove(relationship)
        self.relationships.remove(relationship)

    # -- instances ----------------------------------------------------------------------------

    def instances(self, element: DslElement, environment: str) -> list[DslElement]:
        """The instances of an element in an environment."""
        return [each for each in self._instances[id(element)] if each.environment == environment]

    def _replicate(self, instance: DslElement) -> None:
        """Instances have the relationships of their elements, within their deployment groups."""
        own, element = _all_groups(instance), instance.instance_of
        if element is None:
            return
        for each in element.relationships:
            for other in self.instances(each.target, instance.environment):
                if _are_together(own, _all_groups(other)):
                    self._replicated(each, instance, other)
        for each in [*self._arriving[id(element)]]:
            for other in self.instances(each.source, instance.environment):
                if _are_together(own, _all_groups(other)):
                    self._replicated(each, other, instance)

    def _replicated(self, each: DslRelationship, source: DslElement, target: DslElement) -> None:
        empty = Value("", each.place)
        description, technology = (each.values.get(k, empty) for k in ("description", "technology"))
        found = self._add(source, target, ArrowStatement(description, technology, (), each.place))
        if found is not None:
            found.linked = each


def _are_together(groups: frozenset[str], others: frozenset[str]) -> bool:
    return not (groups or others) or bool(groups & others)


def _sibling_key(
    kind: str, name: str, parent: DslElement | None, environment: str
) -> tuple[object, ...]:
    alike = NODE if kind == INFRASTRUCTURE else kind
    return alike, name, id(parent), environment


def _all_groups(instance: DslElement) -> frozenset[str]:
    """Its deployment groups, and those of the nodes around it."""
    found, above = instance.deployment_groups, instance.parent
    while above is not None:
        found, above = found | above.deployment_groups, above.parent
    return found


def _with_holders(element: DslElement) -> Iterator[DslElement]:
    above: DslElement | None = element
    while above is not None:
        yield above
        above = above.parent


def _may_connect(source: DslElement, target: DslElement) -> bool:
    """Which kinds may have a relationship (structurizr.com, DSL, *relationship*)."""
    if CUSTOM in (source.kind, target.kind):
        return {source.kind, target.kind} <= {CUSTOM, *STATIC, *DEPLOYED}
    if source.kind in STATIC:
        return target.kind in STATIC
    if source.kind == NODE:
        return target.kind in (NODE, INFRASTRUCTURE)
    if source.kind == INFRASTRUCTURE:
        return target.kind in DEPLOYED
    return source.kind in INSTANCES and target.kind == INFRASTRUCTURE
