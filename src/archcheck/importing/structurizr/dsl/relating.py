"""Relationships, and the finding of elements and relationships that are declared elsewhere."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from archcheck.importing.structurizr.dsl.archetypes import archetype_of, is_arrow
from archcheck.importing.structurizr.dsl.declaring import enter, join_group
from archcheck.importing.structurizr.dsl.expressions import elements_in, relationships_in
from archcheck.importing.structurizr.dsl.items import (
    CONTAINER,
    CUSTOM,
    DEPLOYED,
    ENVIRONMENT,
    INFRASTRUCTURE,
    INSTANCES,
    NODE,
    RELATIONSHIP,
    STATIC,
    SYSTEM,
    DslElement,
    DslItem,
    DslRelationship,
    said,
)
from archcheck.importing.structurizr.dsl.lines import tags_of
from archcheck.importing.structurizr.dsl.model import ArrowStatement
from archcheck.importing.structurizr.dsl.state import Context, ReaderState, Statement
from archcheck.importing.values import Value

ELEMENTS = frozenset({*STATIC, *DEPLOYED, CUSTOM})
_NO_ARROW = "-/>"
_GRAMMAR = "<identifier> -> <identifier> [description] [technology] [tags]"


def relate(state: ReaderState, statement: Statement) -> bool:
    """A relationship in either form; whether the statement is one."""
    context = state.context
    if context is None:
        return False
    first, second = statement.word(0), statement.word(1)
    long = len(statement.words) + statement.opens > 2
    if context.kind == ENVIRONMENT and second == _NO_ARROW and statement.opens:
        _remove(state, context, statement)
    elif long and is_arrow(state, second) and context.kind in {"model", ENVIRONMENT, *ELEMENTS}:
        _explicit(state, context, statement)
    elif is_arrow(state, first) and context.kind in {*ELEMENTS, "elements"}:
        _implicit(state, context, statement)
    elif long and is_arrow(state, second) and context.kind == "elements":
        _explicit(state, context, statement)
    else:
        return False
    return True


def _explicit(state: ReaderState, context: Context, statement: Statement) -> None:
    if not 3 <= len(statement.words) <= 6:
        statement.refuse(f"a relationship must be: {_GRAMMAR}")
    sources = _ends(state, context, statement, statement.word(0), "source")
    targets = _ends(state, context, statement, statement.word(2), "destination")
    if context.kind in (ENVIRONMENT, NODE):
        environment = context.environment
        sources = [s for each in sources for s in _instances(state, each, environment)]
        targets = [t for each in targets for t in _instances(state, each, environment)]
    archetype = archetype_of(state, statement.word(1), RELATIONSHIP)
    _relate(state, context, statement, (sources, targets), archetype, 3)


def _implicit(state: ReaderState, context: Context, statement: Statement) -> None:
    if not 2 <= len(statement.words) <= 5:
        statement.refuse(
            "a relationship must be: -> <identifier> [description] [technology] [tags]"
        )
    sources = [each for each in context.items if isinstance(each, DslElement)]
    target = state.need(statement.word(1), statement, "destination")
    targets = [target]
    if context.kind == INFRASTRUCTURE:
        targets = _instances(state, target, context.environment)
    archetype = archetype_of(state, statement.word(0), RELATIONSHIP)
    _relate(state, context, statement, (sources, targets), archetype, 2)


def _ends(
    state: ReaderState, context: Context, statement: Statement, name: str, what: str
) -> list[DslElement]:
    found = state.find(name)
    if found is not None:
        return [found]
    if name.lower() == "this" and context.kind in {*ELEMENTS, "elements"}:
        return [each for each in context.items if isinstance(each, DslElement)]
    return [state.need(name, statement, what)]


def _instances(state: ReaderState, element: DslElement, environment: str) -> list[DslElement]:
    """In an environment, a system or container stands for its instances."""
    if element.kind in (SYSTEM, CONTAINER):
        return state.model.instances(element, environment)
    return [element]


def _relate(
    state: ReaderState,
    context: Context,
    statement: Statement,
    ends: tuple[Sequence[DslElement], Sequence[DslElement]],
    archetype: DslItem,
    at: int,
) -> None:
    arrow = _arrow(context, statement, archetype, at)
    found = []
    for source in ends[0]:
        for target in ends[1]:
            relationship = state.model.connect(source, target, arrow)
            relationship.takes(archetype)
            found.append(relationship)
    if len(found) == 1 and context.kind != "elements":
        state.identifiers.register_relationship(statement.name, found[0], statement.place)
    if statement.opens:
        kind = "relationship" if len(found) == 1 and context.kind != "elements" else "relationships"
        state.open(Context(kind, items=found, parent=context))


def _arrow(context: Context, statement: Statement, archetype: DslItem, at: int) -> ArrowStatement:
    found: dict[str, Value] = {}
    for key, index in (("description", at), ("technology", at + 1)):
        value = archetype.values.get(key)
        if statement.has(index):
            value = said(statement.word(index), statement.place)
        elif context.removed is not None:
            value = context.removed.values.get(key)
        found[key] = value or said("", statement.place)
    tags = [*archetype.tags]
    if statement.has(at + 2):
        own = tags_of([statement.word(at + 2)])
        tags = own if context.kind == "elements" else [*tags, *own]
    return ArrowStatement(found["description"], found["technology"], tags, statement.place)


def _remove(state: ReaderState, context: Context, statement: Statement) -> None:
    """``a -/> b {``: an environment has no such relationship, but those inside."""
    if not 3 <= len(statement.words) <= 4:
        statement.refuse("it must be: <identifier> -/> <identifier> [description] {")
    ends = []
    for name in (statement.word(0), statement.word(2)):
        element = state.need(name, statement)
        if element.kind not in {SYSTEM, CONTAINER, *INSTANCES}:
            statement.refuse(f"{name!r} must be a system, a container or an instance of one")
        ends.append(_instances(state, element, context.environment))
    description = statement.word(3) if statement.has(3) else None
    removed: list[DslRelationship] = []
    for source in ends[0]:
        for target in ends[1]:
            found = source.toward(target, description)
            while found is not None and found.linked is not None:
                state.model.remove(found)
                removed.append(found)
                found = source.toward(target, description)
    if not removed:
        statement.refuse(
            f"there is no such relationship from {statement.word(0)!r} to {statement.word(2)!r}"
        )
    state.open(
        Context(
            ENVIRONMENT, None, context.group, (), context.environment, removed=removed[0].linked
        )
    )


# -- what is declared elsewhere -------------------------------------------------------------------


def find(state: ReaderState, statement: Statement) -> bool:
    """``!element`` and the like; whether the statement is one."""
    context, keyword = state.context, statement.keyword.lower()
    if context is None or keyword not in _FINDING:
        return False
    many = keyword.endswith("s")
    places = {"model", *ELEMENTS} | ({ENVIRONMENT} if many else {"relationship"})
    if context.kind not in places:
        return False
    if keyword in ("!ref", "!extend"):
        statement.refuse(f"Structurizr has removed {keyword}: use !element or !relationship")
    statement.check(f"{keyword} <{'expression' if many else 'identifier'}>", 1, 1)
    if keyword == "!element":
        _element(state, context, statement)
    elif keyword == "!relationship":
        _relationship(state, context, statement)
    elif keyword == "!elements":
        elements = elements_in(state, statement)
        _several(state, context, statement, "elements", elements)
    else:
        _several(state, context, statement, "relationships", relationships_in(state, statement))
    return True


_FINDING = frozenset(
    {"!element", "!elements", "!relationship", "!relationships", "!ref", "!extend"}
)


def _element(state: ReaderState, context: Context, statement: Statement) -> None:
    name = statement.word(1)
    if "://" in name:
        named = (each for each in state.model.elements if each.canonical == name)
        found = next(named, None)
        if found is None:
            statement.refuse(f"there is no element {name!r}")
    else:
        found = state.need(name, statement)
    if found.kind in STATIC:
        join_group(context, found, statement)
    if statement.opens and found.kind == ENVIRONMENT:
        state.open(Context(ENVIRONMENT, environment=found.name))
    elif found.kind in ELEMENTS - {CUSTOM}:
        enter(state, statement, found)
    if statement.name:
        state.identifiers.register(statement.name, found, statement.place)


def _relationship(state: ReaderState, context: Context, statement: Statement) -> None:
    name = statement.word(1)
    found = state.identifiers.relationship(name)
    if name.startswith("Relationship://"):
        found = next((r for r in state.model.relationships if _canonical(r) == name), None)
    if found is None:
        statement.refuse(f"there is no relationship {name!r}{state.hint(name)}")
    if statement.opens:
        state.open(Context("relationship", items=[found], parent=context))
    if statement.name:
        state.identifiers.register_relationship(statement.name, found, statement.place)


def _canonical(item: DslRelationship) -> str:
    description = item.text("description")
    ends = f"Relationship://{item.source.canonical} -> {item.target.canonical}"
    return f"{ends} ({description})" if description else ends


def _several(
    state: ReaderState, context: Context, statement: Statement, kind: str, items: Iterable[DslItem]
) -> None:
    found = list(items)
    if not found:
        statement.refuse(f"there are no {kind} of the expression {statement.word(1)!r}")
    if statement.opens:
        state.open(Context(kind, items=found, parent=context, environment=context.environment))
