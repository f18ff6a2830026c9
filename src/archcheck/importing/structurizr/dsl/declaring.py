"""Declarations of elements of the model, and the groups around them."""

from __future__ import annotations

from dataclasses import dataclass

from archcheck.importing.structurizr.dsl.archetypes import archetype_of, is_kind
from archcheck.importing.structurizr.dsl.items import (
    COMPONENT,
    CONTAINER,
    CUSTOM,
    ENVIRONMENT,
    GROUP,
    NODE,
    PERSON,
    SYSTEM,
    DslElement,
    said,
)
from archcheck.importing.structurizr.dsl.lines import tags_of
from archcheck.importing.structurizr.dsl.state import OPEN, Context, ReaderState, Statement

SEPARATOR = "structurizr.groupSeparator"
"""The property of a model that says what stands between the names of groups in groups."""


@dataclass(frozen=True)
class Grammar:
    """Where an element is declared, and what its words are."""

    kind: str
    inside: str
    words: tuple[str, ...]

    def __str__(self) -> str:
        first, *others = self.words
        return f"{self.kind} <{first}> {' '.join(f'[{each}]' for each in others)}"


GRAMMARS = (
    Grammar(CUSTOM, "model", ("name", "metadata", "description", "tags")),
    Grammar(PERSON, "model", ("name", "description", "tags")),
    Grammar(SYSTEM, "model", ("name", "description", "tags")),
    Grammar(CONTAINER, SYSTEM, ("name", "description", "technology", "tags")),
    Grammar(COMPONENT, CONTAINER, ("name", "description", "technology", "tags")),
)
_GROUPED = frozenset({"model", SYSTEM, CONTAINER, ENVIRONMENT, NODE})


def declare(state: ReaderState, statement: Statement) -> bool:
    """The declaration of an element of the model; whether the statement is one."""
    context = state.context
    if context is None:
        return False
    for grammar in GRAMMARS:
        if grammar.inside == context.kind and is_kind(state, statement.keyword, grammar.kind):
            _declare(state, context, statement, grammar)
            return True
    return False


def _declare(state: ReaderState, context: Context, statement: Statement, grammar: Grammar) -> None:
    statement.check(str(grammar), 1, len(grammar.words))
    name, found = statement.word(1), None
    if state.extended and grammar.kind != CUSTOM:
        found = state.model.sibling(grammar.kind, name, context.element)
    element = found or state.model.add(
        DslElement(grammar.kind, statement.place, name=name, parent=context.element)
    )
    fill(state, statement, element, grammar.words)
    join_group(context, element, statement)
    enter(state, statement, element)
    state.identifiers.register(statement.name, element, statement.place)


def fill(
    state: ReaderState, statement: Statement, element: DslElement, words: tuple[str, ...]
) -> None:
    """What the words of a declaration and its archetype say about an element."""
    archetype = archetype_of(state, statement.keyword, element.kind)
    for at, key in enumerate(words[1:], start=2):
        if key == "tags":
            element.tag(archetype.tags, statement.place)
            if statement.has(at):
                element.tag(tags_of([statement.word(at)]), statement.place)
        elif statement.has(at):
            element.say(key, statement.word(at), statement.place)
        elif key in archetype.values:
            element.values[key] = archetype.values[key]
    if element.kind != CUSTOM:
        element.takes(archetype)


def enter(state: ReaderState, statement: Statement, element: DslElement) -> None:
    """Go into an element whose statement opens it."""
    if statement.opens:
        environment = element.environment
        state.open(Context(element.kind, element, items=[element], environment=environment))


def join_group(context: Context, element: DslElement, statement: Statement) -> None:
    """An element belongs to the group around it."""
    if context.group is None:
        return
    element.group = context.group.name
    element.values["group"] = said(element.group, statement.place)
    above: DslElement | None = context.group
    while above is not None:
        above.members.append(element)
        above = above.instance_of  # of a group: the group around it


def group(state: ReaderState, statement: Statement) -> bool:
    """``group <name> {``, or ``group <name>`` of a component."""
    context = state.context
    if context is None:
        return False
    if context.kind == COMPONENT and statement.keyword.lower() == GROUP:
        _group_of_component(state, context, statement)
        return True
    if context.kind not in _GROUPED or not is_kind(state, statement.keyword, GROUP):
        return False
    if len(statement.words) != 2 or not statement.opens:
        statement.refuse(f"a group must be: group <name> {OPEN}")
    name, outer = statement.word(1), context.group
    if outer is not None:
        name = f"{outer.name}{_separator(state, statement)}{name}"
    parent = context.element if context.kind in (SYSTEM, CONTAINER) else None
    found = DslElement(GROUP, statement.place, name=name, parent=parent, instance_of=outer)
    state.open(Context(context.kind, context.element, found, context.items, context.environment))
    state.identifiers.register(statement.name, found, statement.place)
    return True


def _group_of_component(state: ReaderState, context: Context, statement: Statement) -> None:
    element = context.element
    statement.check("group <name>", 1, 1)
    if element is None or statement.opens:
        statement.refuse("a group of a component must be: group <name>")
    name = statement.word(1)
    if element.group:
        name = f"{element.group}{_separator(state, statement)}{name}"
    element.group = name
    element.values["group"] = said(name, statement.place)


def _separator(state: ReaderState, statement: Statement) -> str:
    found = state.model.properties.get(SEPARATOR)
    if found is None:
        statement.refuse(f"groups in groups need a property {SEPARATOR!r} of the model")
    return found.text
