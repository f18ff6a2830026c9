"""Expressions that select elements and relationships: ``element.tag==Database``, ``-> web``."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable

from archcheck.importing.structurizr.dsl.items import (
    COMPONENT,
    CONTAINER,
    CONTAINER_INSTANCE,
    CUSTOM,
    DEPLOYED,
    ENVIRONMENT,
    GROUP,
    INFRASTRUCTURE,
    NODE,
    PERSON,
    STATIC,
    SYSTEM,
    SYSTEM_INSTANCE,
    DslElement,
    DslItem,
    DslRelationship,
)
from archcheck.importing.structurizr.dsl.state import ReaderState, Statement

_ARROW = "->"
_TYPES = {
    kind.lower(): kind
    for kind in (PERSON, SYSTEM, CONTAINER, COMPONENT, NODE, INFRASTRUCTURE, SYSTEM_INSTANCE,
                 CONTAINER_INSTANCE)
} | {"custom": CUSTOM}  # fmt: skip
_STARTS = (
    "element==", "element!=", "element.type==", "element.tag==", "element.tag!=",
    "element.technology==", "element.technology!=", "element.group==", "element.parent==",
    "relationship.tag==", "relationship.tag!=", "relationship.source==",
    "relationship.destination==", "relationship==",
)  # fmt: skip
_PROPERTY = re.compile(r"(element|relationship)\.properties\[(.*?)](?:.*?)==(.*)", re.IGNORECASE)
MAX_DEPTH = 20
"""Expressions inside each other. A choice: people write two."""


def is_expression(text: str) -> bool:
    """Whether a word is an expression, and no identifier."""
    return (
        text.lower().startswith(_STARTS) or _ARROW in text or _PROPERTY.fullmatch(text) is not None
    )


def elements_in(state: ReaderState, statement: Statement) -> list[DslElement]:
    """The elements that the expression of a statement selects."""
    found = _Expressions(state, statement).parsed(statement.word(1))
    return [item for item in found if isinstance(item, DslElement)]


def relationships_in(state: ReaderState, statement: Statement) -> list[DslRelationship]:
    """The same of relationships."""
    found = _Expressions(state, statement).parsed(statement.word(1))
    return [item for item in found if isinstance(item, DslRelationship)]


class _Expressions:
    def __init__(self, state: ReaderState, statement: Statement) -> None:
        self._state = state
        self._statement = statement
        self._depth = 0

    def parsed(self, text: str) -> list[DslItem]:
        """What an expression selects; of several with *and* or *or*, the first two count."""
        for operator in (" && ", " || "):
            if operator in text:
                first, second, *_ = [*text.split(operator), ""]
                found, others = self._one(first), self._one(second)
                if operator == " && ":
                    return [item for item in found if item in set(others)]
                return [*dict.fromkeys([*found, *others])]
        return self._one(text)

    def _one(self, text: str) -> list[DslItem]:
        self._depth += 1
        if self._depth > MAX_DEPTH:
            self._statement.refuse(f"an expression has more than {MAX_DEPTH} inside each other")
        found = [*dict.fromkeys(self._evaluated(text))]
        self._depth -= 1
        return found

    def _evaluated(self, text: str) -> Iterable[DslItem]:
        lowered = text.lower()
        for start, evaluate in self._by_start().items():
            if lowered.startswith(start):
                return evaluate(text[len(start) :])
        if text == _ARROW:
            self._statement.refuse("an expression needs an identifier beside '->'")
        if text.startswith(_ARROW) or text.endswith(_ARROW):
            return self._around(text)
        if _ARROW in text:
            return self._between(text)
        property_ = _PROPERTY.fullmatch(text)
        if property_ is not None:
            return self._with_property(property_)
        found = self._state.find(text)
        return [] if found is None else _members(found)

    def _by_start(self) -> dict[str, Callable[[str], Iterable[DslItem]]]:
        model = self._state.model
        return {
            "element==": self._selected,
            "element!=": lambda rest: _without(model.elements, self._selected(rest)),
            "relationship==": lambda rest: self._selected("*->*" if rest == "*" else rest),
            "element.parent==": lambda rest: [
                each for each in model.elements if each.parent is self._named(rest)
            ],
            "element.type==": lambda rest: model.of_kind(_TYPES.get(rest.lower(), "")),
            "element.tag==": lambda rest: _tagged(model.elements, rest),
            "element.tag!=": lambda rest: _without(
                model.elements, _tagged(model.elements, rest)
            ),
            "element.technology==": lambda rest: self._technology(rest, equal=True),
            "element.technology!=": lambda rest: self._technology(rest, equal=False),
            "element.group==": lambda rest: [
                each for each in model.elements if each.group == rest and each.kind != GROUP
            ],
            "relationship.tag==": lambda rest: _tagged(model.relationships, rest),
            "relationship.tag!=": lambda rest: _without(
                model.relationships, _tagged(model.relationships, rest)
            ),
            "relationship.source==": lambda rest: self._of_end(rest, "source"),
            "relationship.destination==": lambda rest: self._of_end(rest, "target"),
        }  # fmt: skip

    def _selected(self, text: str) -> list[DslItem]:
        if is_expression(text):
            return self._one(text)
        element = self._state.find(text)
        found: list[DslItem] = [] if element is None else [*_members(element)]
        relationship = self._state.identifiers.relationship(text)
        if relationship is not None:
            every = self._state.model.relationships
            found += [relationship, *(each for each in every if each.linked is relationship)]
        if not found:
            self._statement.refuse(f"there is no element or relationship {text!r}")
        return found

    def _named(self, name: str) -> DslElement:
        return self._state.need(name, self._statement)

    def _technology(self, text: str, *, equal: bool) -> Iterable[DslItem]:
        for each in self._state.model.of_kind(
            CONTAINER, COMPONENT, NODE, INFRASTRUCTURE, CONTAINER_INSTANCE
        ):
            if ((each.instance_of or each).text("technology") == text) is equal:
                yield each

    def _of_end(self, text: str, end: str) -> Iterable[DslItem]:
        wanted: set[DslItem] = set()
        if is_expression(text):
            wanted |= set(self.parsed(text))
        else:
            element = self._named(text)
            wanted |= {*_members(element)}
            context = self._state.context
            if context is not None and context.kind == ENVIRONMENT and element.kind in STATIC:
                wanted |= {*self._state.model.instances(element, context.environment)}
        return [each for each in self._state.model.relationships if getattr(each, end) in wanted]

    def _around(self, text: str) -> Iterable[DslItem]:
        """``-> x ->``: the element with those that reach it and those that it reaches."""
        name = text.removeprefix(_ARROW).removesuffix(_ARROW).strip()
        elements = [e for e in self._elements(name) if isinstance(e, DslElement)]
        if not elements:
            self._statement.refuse(f"there is no element {name!r}")
        for element in elements:
            yield element
            for each in self._state.model.relationships:
                if text.startswith(_ARROW) and each.target is element:
                    yield each.source
                if text.endswith(_ARROW) and each.source is element:
                    yield each.target

    def _elements(self, name: str) -> Iterable[DslItem]:
        if is_expression(name):
            return self.parsed(name)
        found = self._state.find(name)
        return [] if found is None else _members(found)

    def _between(self, text: str) -> Iterable[DslItem]:
        source, _, rest = text.partition(_ARROW)
        target = rest.partition(_ARROW)[0]
        source, target = source.strip(), target.strip()
        found: list[DslItem] = [*self._state.model.relationships]
        for name, end in ((source, "source"), (target, "target")):
            if name != "*":
                wanted = {*self._of_end(name, end)}
                found = [each for each in found if each in wanted]
        return found

    def _with_property(self, match: re.Match[str]) -> Iterable[DslItem]:
        kind, name, value = match.groups()
        model = self._state.model
        items: Iterable[DslItem] = model.elements
        if kind.lower() == "relationship":
            items = model.relationships
        for each in items:
            for one in (each, _behind(each)):
                found = one.properties.get(name) if one is not None else None
                if found is not None and found.text == value:
                    yield each
                    break


def _behind(item: DslItem) -> DslItem | None:
    """What an instance is of, or a relationship is implied by."""
    if isinstance(item, DslElement):
        return item.instance_of if item.kind in DEPLOYED else None
    return item.linked if isinstance(item, DslRelationship) else None


def _members(element: DslElement) -> list[DslElement]:
    return list(element.members) if element.kind == GROUP else [element]


def _without(every: Iterable[DslItem], others: Iterable[DslItem]) -> list[DslItem]:
    left_out = set(others)
    return [each for each in every if each not in left_out]


def _tagged(items: Iterable[DslItem], tags: str) -> Iterable[DslItem]:
    """Those that have all of the tags, by themselves or by what is behind them."""
    wanted = [tag.strip() for tag in tags.split(",")]
    for each in items:
        behind = _behind(each)
        if all(each.has_tag(tag) or (behind is not None and behind.has_tag(tag)) for tag in wanted):
            yield each
