"""Statements about what is there: descriptions, technologies, tags, properties, perspectives."""

from __future__ import annotations

import re
from collections.abc import Callable

from archcheck.importing.structurizr.dsl.items import (
    COMPONENT,
    CONTAINER,
    INFRASTRUCTURE,
    INSTANCES,
    NODE,
    DslItem,
    DslRelationship,
    said,
)
from archcheck.importing.structurizr.dsl.lines import tags_of
from archcheck.importing.structurizr.dsl.state import Context, ReaderState, Statement

TECHNICAL = frozenset({CONTAINER, COMPONENT, NODE, INFRASTRUCTURE})
"""Kinds of elements that have a technology."""
_URL = re.compile(r"\{workspace(?::\d+)?\}.*|(?:https?|ftp|file|jar|mailto):\S*", re.IGNORECASE)
_INSTANCES = re.compile(r"[1-9]\d{0,8}|\d*\.\.(?:\d+|N|\*)|0+[1-9]\d{0,8}")


def describe(state: ReaderState, statement: Statement) -> bool:
    """A statement inside of an element or a relationship, or of several of them."""
    handle = _HANDLERS.get(statement.keyword.lower())
    context = state.context
    if handle is None or context is None:
        return False
    return handle(state, context, statement.plain)


def _description(state: ReaderState, context: Context, statement: Statement) -> bool:
    if context.kind in ("relationship", "relationships"):
        return False
    return _text(context, statement, "description")


def _technology(state: ReaderState, context: Context, statement: Statement) -> bool:
    if context.kind == "relationship" or (
        context.element is not None and context.element.kind not in TECHNICAL
    ):
        return False
    items: list[DslItem] = []
    for each in context.items:
        if isinstance(each, DslRelationship):
            if each.source.kind in INSTANCES and each.target.kind in INSTANCES:
                items.append(each)
        elif each.kind in TECHNICAL:
            items.append(each)
    statement.check("technology <technology>", 1, 1)
    for item in items:
        item.say("technology", statement.word(1), statement.place)
    return True


def _text(context: Context, statement: Statement, key: str) -> bool:
    statement.check(f"{key} <{key}>", 1, 1)
    for item in context.items:
        item.say(key, statement.word(1), statement.place)
    return True


def _tags(state: ReaderState, context: Context, statement: Statement) -> bool:
    statement.check("tags <tags> [tags]", 1, 1_000)
    words = [statement.word(at) for at in range(1, len(statement.words))]
    for item in context.items:
        item.tag(tags_of(words), statement.place)
    return True


def _url(state: ReaderState, context: Context, statement: Statement) -> bool:
    if statement.word(1) and _URL.fullmatch(statement.word(1)) is None:
        statement.refuse(f"{statement.word(1)!r} is no URL")
    return _text(context, statement, "url")


def _instances(state: ReaderState, context: Context, statement: Statement) -> bool:
    if context.element is None or context.element.kind != NODE:
        return False
    statement.check("instances <number|range>", 1, 1)
    set_instances(context.element, statement.word(1), statement)
    return True


def set_instances(node: DslItem, text: str, statement: Statement) -> None:
    """How many there are of a node."""
    low, dots, high = text.partition("..")
    backward = bool(dots) and low.isdigit() and high.isdigit() and int(low) > int(high)
    if _INSTANCES.fullmatch(text) is None or backward or text in ("..", "0"):
        statement.refuse(f"instances must be a positive number or a range, got {text!r}")
    node.say("instances", text, statement.place)


def _block(state: ReaderState, context: Context, statement: Statement) -> bool:
    state.open(Context(statement.keyword.lower(), items=context.items))
    return True


_HANDLERS: dict[str, Callable[[ReaderState, Context, Statement], bool]] = {
    "description": _description,
    "technology": _technology,
    "tags": _tags,
    "tag": _tags,
    "url": _url,
    "instances": _instances,
    "properties": _block,
    "perspectives": _block,
}


def add_property(state: ReaderState, statement: Statement) -> None:
    """``<name> <value>`` inside of ``properties``."""
    statement = statement.plain
    if len(statement.words) != 2:
        statement.refuse("a property must be: <name> <value>")
    name, value = statement.word(0), statement.word(1)
    if not name.strip() or not value.strip():
        statement.refuse("a property must have a name and a value")
    context = state.context
    for item in context.items if context is not None else ():
        item.properties[name] = said(value, statement.place)


def add_perspective(state: ReaderState, statement: Statement) -> None:
    """``<name> <description> [value]`` or ``perspective <name> {`` inside of ``perspectives``."""
    context = state.context
    if context is None:
        return
    if statement.keyword.lower() == "perspective" and statement.opens and len(statement.words) == 2:
        name = statement.word(1)
        state.open(Context("perspective", items=context.items))
    else:
        grammar = "a perspective must be: <name> <description> [value]"
        statement = statement.plain
        if not 2 <= len(statement.words) <= 3:
            statement.refuse(grammar)
        name = statement.word(0)
    if not name.strip():
        statement.refuse("a perspective must have a name")
    for item in context.items:
        if name in item.perspectives:
            statement.refuse(f"there is a perspective {name!r} already")
        item.perspectives[name] = statement.place


def describe_perspective(state: ReaderState, statement: Statement) -> bool:
    """A statement inside of ``perspective``."""
    keyword = statement.keyword.lower()
    if keyword not in ("value", "description", "url"):
        return False
    statement = statement.plain
    statement.check(f"{keyword} <{keyword}>", 1, 1)
    return True
