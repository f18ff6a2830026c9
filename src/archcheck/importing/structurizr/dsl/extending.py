"""A workspace in JSON that one in the DSL extends: its elements, to be found and added to."""

from __future__ import annotations

from archcheck.importing.structurizr.dsl.items import (
    COMPONENT,
    CONTAINER,
    CUSTOM,
    PERSON,
    SYSTEM,
    DslElement,
    DslItem,
    said,
)
from archcheck.importing.structurizr.dsl.model import ArrowStatement
from archcheck.importing.structurizr.dsl.state import ReaderState
from archcheck.importing.structurizr.elements import elements_of
from archcheck.importing.values import Value

IDENTIFIER = "structurizr.dsl.identifier"
"""The property in which Structurizr keeps the identifier that an element has in the DSL."""
_KINDS = {"person": PERSON, "system": SYSTEM, "container": CONTAINER, "component": COMPONENT,
          "custom element": CUSTOM}  # fmt: skip
_TEXTS = ("description", "technology", "url", "group", "metadata", "location", "interactionStyle")


def take(state: ReaderState, document: Value) -> None:
    """Take all of a workspace in JSON. Refuses what is wrong in it, with its line."""
    for key in ("name", "description", "documentation", "views", "configuration"):
        found = document.get(key)
        if found is not None and found.raw:
            state.said[key] = found
    known: dict[str, DslElement] = {}
    for each in elements_of(document).values():
        element = DslElement(
            _KINDS[each.kind],
            each.place,
            name=each.name,
            parent=known[each.parent.id] if each.parent is not None else None,
        )
        element.group = each.text("group")
        _fill(element, each.value)
        known[each.id] = state.model.add(element)
        identifier = element.properties.get(IDENTIFIER)
        if identifier is not None:
            hierarchical, state.identifiers.hierarchical = state.identifiers.hierarchical, False
            state.identifiers.register(identifier.text, element, element.place)
            state.identifiers.hierarchical = hierarchical
    for id_, each in elements_of(document).items():
        for value in each.value.each("relationships"):
            _relate(state, known[id_], value, known)
    state.apart += document.need("model").each("deploymentNodes")
    state.model.properties |= dict(document.need("model").items("properties"))


def _fill(item: DslItem, value: Value) -> None:
    for key in _TEXTS:
        found = value.get(key)
        if found is not None and found.string(key):
            item.values[key] = found
    tags = value.get("tags")
    if tags is not None:
        item.tag(tags.string("tags").split(","), tags.place)
    item.properties |= {key: found for key, found in value.items("properties") if found.text}
    for each in value.each("perspectives"):
        name = each.need("name")
        item.perspectives[name.string("name")] = name.place


def _relate(
    state: ReaderState, source: DslElement, value: Value, known: dict[str, DslElement]
) -> None:
    target = known.get(value.need("destinationId").string("destinationId"))
    if target is None:
        value.need("destinationId").refuse("destinationId must be the id of an element")
    empty, place = said("", value.place), value.need("destinationId").place
    description = value.get("description") or empty
    implied, state.model.implied = state.model.implied, "none"
    arrow = ArrowStatement(description, value.get("technology") or empty, (), place)
    found = state.model.connect(source, target, arrow)
    state.model.implied = implied
    _fill(found, value)
    identifier = found.properties.get(IDENTIFIER)
    if identifier is not None:
        state.identifiers.register_relationship(identifier.text, found, place)
