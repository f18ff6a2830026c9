"""Deployment environments: nodes, and the instances of systems and containers on them."""

from __future__ import annotations

from archcheck.importing.structurizr.dsl.archetypes import is_kind
from archcheck.importing.structurizr.dsl.attributes import set_instances
from archcheck.importing.structurizr.dsl.declaring import enter, fill, join_group
from archcheck.importing.structurizr.dsl.items import (
    CONTAINER,
    CONTAINER_INSTANCE,
    DEPLOYMENT_GROUP,
    ENVIRONMENT,
    INFRASTRUCTURE,
    INSTANCES,
    NODE,
    SYSTEM,
    SYSTEM_INSTANCE,
    DslElement,
)
from archcheck.importing.structurizr.dsl.lines import tags_of
from archcheck.importing.structurizr.dsl.state import Context, ReaderState, Statement

_NODE_WORDS = ("name", "description", "technology", "tags")
_INSTANCE_OF = {
    "instanceof": (SYSTEM, CONTAINER),
    "softwaresysteminstance": (SYSTEM,),
    "containerinstance": (CONTAINER,),
}


def deploy(state: ReaderState, statement: Statement) -> bool:
    """A statement about deployments; whether it is one."""
    context, keyword = state.context, statement.keyword.lower()
    if context is None:
        return False
    if context.kind == "model" and keyword == ENVIRONMENT.lower():
        _environment(state, statement)
    elif context.kind not in (ENVIRONMENT, NODE):
        return context.kind in INSTANCES and keyword == "healthcheck" and _health(statement)
    elif keyword == DEPLOYMENT_GROUP.lower():
        _group(state, context, statement)
    elif is_kind(state, statement.keyword, NODE):
        _node(state, context, statement)
    elif context.kind == NODE and is_kind(state, statement.keyword, INFRASTRUCTURE):
        _infrastructure(state, context, statement)
    elif context.kind == NODE and keyword in _INSTANCE_OF:
        _instance(state, context, statement)
    else:
        return False
    return True


def _environment(state: ReaderState, statement: Statement) -> None:
    statement.check("deploymentEnvironment <name> {", 1, 1)
    name = statement.word(1)
    if statement.opens:
        state.open(Context(ENVIRONMENT, environment=name))
    found = DslElement(ENVIRONMENT, statement.place, name=name)
    state.identifiers.register(statement.name, found, statement.place)


def _group(state: ReaderState, context: Context, statement: Statement) -> None:
    statement.check("deploymentGroup <name>", 1, 1)
    if context.kind == NODE and context.element is not None:
        context.element.deployment_groups |= _groups(state, context, statement.word(1))
        return
    parent = DslElement(ENVIRONMENT, statement.place, name=context.environment)
    found = DslElement(DEPLOYMENT_GROUP, statement.place, name=statement.word(1), parent=parent)
    state.identifiers.register(statement.name, found, statement.place)


def _groups(state: ReaderState, context: Context, text: str) -> frozenset[str]:
    """The names of the groups that identifiers mean."""
    found = set()
    for name in text.split(","):
        group = state.find(name)
        if group is None or group.kind != DEPLOYMENT_GROUP:
            above = state.identifiers.environment_name(context.environment)
            group = state.find(f"{above}.{name}")
        if group is not None and group.kind == DEPLOYMENT_GROUP:
            found.add(group.name)
    return frozenset(found)


def _node(state: ReaderState, context: Context, statement: Statement) -> None:
    grammar = "deploymentNode <name> [description] [technology] [tags] [instances] {"
    statement.check(grammar, 1, 5)
    node = DslElement(
        NODE,
        statement.place,
        name=statement.word(1),
        parent=context.element if context.kind == NODE else None,
        environment=context.environment,
    )
    _add(state, context, statement, node)
    if statement.has(5):
        set_instances(node, statement.word(5), statement)
    enter(state, statement, node)
    state.identifiers.register(statement.name, node, statement.place)


def _add(state: ReaderState, context: Context, statement: Statement, element: DslElement) -> None:
    state.model.add(element)
    fill(state, statement, element, _NODE_WORDS)
    join_group(context, element, statement)


def _infrastructure(state: ReaderState, context: Context, statement: Statement) -> None:
    statement.check("infrastructureNode <name> [description] [technology] [tags]", 1, 4)
    element = DslElement(
        INFRASTRUCTURE,
        statement.place,
        name=statement.word(1),
        parent=context.element,
        environment=context.environment,
    )
    _add(state, context, statement, element)
    enter(state, statement, element)
    state.identifiers.register(statement.name, element, statement.place)


def _instance(state: ReaderState, context: Context, statement: Statement) -> None:
    keyword = statement.keyword
    statement.check(f"{keyword} <identifier> [deploymentGroups] [tags]", 1, 3)
    kinds = _INSTANCE_OF[keyword.lower()]
    of = state.find_of_kind(statement.word(1), kinds)
    if of is None:
        what = " or ".join("system" if kind == SYSTEM else kind for kind in kinds)
        statement.refuse(f"there is no {what} {statement.word(1)!r}{state.hint(statement.word(1))}")
    groups = _groups(state, context, statement.word(2)) if statement.has(2) else frozenset[str]()
    instance = DslElement(
        SYSTEM_INSTANCE if of.kind == SYSTEM else CONTAINER_INSTANCE,
        statement.place,
        name=of.name,
        parent=context.element,
        environment=context.environment,
        instance_of=of,
        deployment_groups=groups,
    )
    state.model.add(instance)
    if statement.has(3):
        instance.tag(tags_of([statement.word(3)]), statement.place)
    join_group(context, instance, statement)
    enter(state, statement, instance)
    state.identifiers.register(statement.name, instance, statement.place)


def _health(statement: Statement) -> bool:
    statement.check("healthCheck <name> <url> [interval] [timeout]", 2, 4)
    for at, what, least in ((3, "interval", 1), (4, "timeout", 0)):
        if statement.has(at):
            text = statement.word(at)
            if not text.isascii() or not text.isdigit() or int(text[:10]) < least:
                statement.refuse(f"the {what} must be a whole number of at least {least}")
    return True
