"""A workspace that was read from the DSL, as the document that Structurizr would export."""

from __future__ import annotations

from collections.abc import Iterable

from archcheck.importing.structurizr.dsl.items import (
    COMPONENT,
    CONTAINER,
    CUSTOM,
    NODE,
    PERSON,
    SYSTEM,
    DslElement,
    DslItem,
    said,
)
from archcheck.importing.structurizr.dsl.state import ReaderState
from archcheck.importing.values import Value
from archcheck.model import Place

_TOP = {PERSON: "people", SYSTEM: "softwareSystems", CUSTOM: "customElements",
        NODE: "deploymentNodes"}  # fmt: skip
_INSIDE = {CONTAINER: "containers", COMPONENT: "components", NODE: "children",
           "infrastructureNode": "infrastructureNodes",
           "containerInstance": "containerInstances",
           "softwareSystemInstance": "softwareSystemInstances"}  # fmt: skip


def document_of(state: ReaderState, place: Place) -> Value:
    """The document of a workspace."""
    model: dict[str, Value] = {}
    for kind, key in _TOP.items():
        found = [_element(each) for each in state.model.of_kind(kind) if each.parent is None]
        if key == "deploymentNodes":
            found += state.apart
        if found:
            model[key] = Value(found, place)
    if state.model.properties:
        model["properties"] = Value({**state.model.properties}, place)
    if state.whole.properties:
        first = next(iter(state.whole.properties.values()))
        state.said["properties"] = Value({**state.whole.properties}, first.place)
    return Value({**state.said, "model": Value(model, place)}, place)


def _item(item: DslItem) -> dict[str, Value]:
    found = {"id": said(item.id, item.place), **item.values}
    if item.tags:
        first = next(iter(item.tags.values()))
        found["tags"] = said(",".join(tag for tag in item.tags if tag), first)
    if item.properties:
        found["properties"] = Value({**item.properties}, next(iter(item.properties.values())).place)
    if item.perspectives:
        found["perspectives"] = Value(
            [Value({"name": said(name, place)}, place)
             for name, place in item.perspectives.items()],
            item.place,
        )  # fmt: skip
    return found


def _element(element: DslElement) -> Value:
    found = {**_item(element), "name": said(element.name, element.place)}
    if element.environment:
        found["environment"] = said(element.environment, element.place)
    if element.instance_of is not None:
        found["instanceOf"] = said(element.instance_of.id, element.place)
    relationships = [
        Value(
            {**_item(each), "destinationId": said(each.target.id, each.place)}
            | ({"linkedRelationshipId": said(each.linked.id, each.place)} if each.linked else {}),
            each.place,
        )
        for each in element.relationships
    ]
    if relationships:
        found["relationships"] = Value(relationships, element.place)
    for kind, key in _INSIDE.items():
        inside = _elements(child for child in element.children if child.kind == kind)
        if inside:
            found[key] = Value(inside, element.place)
    return Value(found, element.place)


def _elements(elements: Iterable[DslElement]) -> list[Value]:
    return [_element(each) for each in elements]
