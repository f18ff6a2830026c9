"""Archetypes: keywords of one's own, each with what its elements have in common."""

from __future__ import annotations

from archcheck.importing.structurizr.dsl.items import (
    COMPONENT,
    CONTAINER,
    CUSTOM,
    GROUP,
    INFRASTRUCTURE,
    NODE,
    PERSON,
    RELATIONSHIP,
    SYSTEM,
    DslItem,
)
from archcheck.importing.structurizr.dsl.lines import tags_of
from archcheck.importing.structurizr.dsl.state import Archetype, Context, ReaderState, Statement
from archcheck.model import Place

KINDS = (
    GROUP, CUSTOM, PERSON, SYSTEM, CONTAINER, COMPONENT, NODE, INFRASTRUCTURE, RELATIONSHIP,
)  # fmt: skip
_WITH_TECHNOLOGY = frozenset({CONTAINER, COMPONENT, NODE, INFRASTRUCTURE, RELATIONSHIP})


def is_kind(state: ReaderState, word: str, kind: str) -> bool:
    """Whether a word declares an element of a kind: the keyword, or an archetype's name."""
    return word.lower() == kind.lower() or (kind, word.lower()) in state.archetypes


def is_arrow(state: ReaderState, word: str) -> bool:
    """Whether a word is an arrow: ``->``, or ``--name->`` of an archetype."""
    return word == RELATIONSHIP or (
        _is_named_arrow(word) and (RELATIONSHIP, _named(word)) in state.archetypes
    )


def _is_named_arrow(word: str) -> bool:
    return len(word) >= 4 and word.startswith("--") and word.endswith("->")


def _named(word: str) -> str:
    return word[2:-2].lower() if _is_named_arrow(word) else word.lower()


def archetype_of(state: ReaderState, word: str, kind: str) -> DslItem:
    """What an element that is declared with this word has by itself."""
    name = _named(word) if kind == RELATIONSHIP else word.lower()
    found = state.archetypes.get((kind, name))
    return found.item if found is not None else DslItem(kind, Place("", 1))


def declare(state: ReaderState, statement: Statement) -> bool:
    """``web = container {``: a new keyword; whether the statement is one."""
    kind = next((kind for kind in KINDS if _is_of_kind(state, statement.keyword, kind)), None)
    if kind is None:
        return False
    name = (statement.name or kind).lower()
    parent = archetype_of(state, statement.keyword, kind)
    item = DslItem(kind, statement.place, dict(parent.values), dict(parent.tags))
    state.archetypes[kind, name] = Archetype(kind, item)
    if statement.opens and kind != GROUP:
        state.open(Context("archetype", items=[item]))
    return True


def _is_of_kind(state: ReaderState, word: str, kind: str) -> bool:
    return is_arrow(state, word) if kind == RELATIONSHIP else is_kind(state, word, kind)


def describe(state: ReaderState, statement: Statement) -> bool:
    """A statement inside of an archetype; whether it is one that it can have."""
    context = state.context
    if context is None:
        return False
    (item,) = context.items
    keyword, statement = statement.keyword.lower(), statement.plain
    if keyword == "metadata" and item.kind != CUSTOM:
        return False
    if keyword == "technology" and item.kind not in _WITH_TECHNOLOGY:
        return False
    if keyword in ("description", "technology", "metadata"):
        statement.check(f"{keyword} <{keyword}>", 1, 1)
        item.say(keyword, statement.word(1), statement.place)
    elif keyword in ("tag", "tags"):
        statement.check(f"{keyword} <tags>", 1, 1 if keyword == "tag" else 1_000)
        words = [statement.word(at) for at in range(1, len(statement.words))]
        item.tag(words if keyword == "tag" else tags_of(words), statement.place)
    elif keyword in ("properties", "perspectives"):
        state.open(Context(keyword, items=[item]))
    else:
        return False
    return True
