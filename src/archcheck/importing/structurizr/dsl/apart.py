"""Statements that lead out of the text: scripts, plugins, documentation. Never followed."""

from __future__ import annotations

from archcheck.importing.structurizr.dsl.items import COMPONENT, CONTAINER, SYSTEM, said
from archcheck.importing.structurizr.dsl.state import Context, ReaderState, Statement

_LANGUAGES = frozenset({"groovy", "kotlin", "ruby"})
"""Languages of scripts inside of a workspace (structurizr.com, DSL, scripts)."""
_DOCUMENTED = frozenset({"workspace", SYSTEM, CONTAINER, COMPONENT})
_IMPLIED = {
    "true": "unless any",
    "false": "none",
    "com.structurizr.model.defaultimpliedrelationshipsstrategy": "none",
    "com.structurizr.model.createimpliedrelationshipsunlessanyrelationshipexistsstrategy":
        "unless any",
    "com.structurizr.model.createimpliedrelationshipsunlesssamerelationshipexistsstrategy":
        "unless same",
}  # fmt: skip


def run(state: ReaderState, statement: Statement) -> bool:
    """A script or plugin; whether the statement is one."""
    keyword = statement.keyword.lower()
    if keyword not in ("!script", "!plugin"):
        return False
    statement.check(f"{keyword} <name>", 1, 1)
    name = statement.word(1)
    what = "the script" if keyword == "!script" else "the plugin"
    state.leave_out(
        f"{what} {name!r}", "is not run: what it would change is not known", statement.place
    )
    if statement.opens:
        inline = keyword == "!script" and name.lower() in _LANGUAGES
        state.open(Context("script" if inline else "parameters"))
    return True


def parameter(statement: Statement) -> None:
    """``<name> <value>`` of a script or plugin."""
    if len(statement.words) != 2 or statement.opens:
        statement.refuse("a parameter must be: <name> <value>")


def document(state: ReaderState, statement: Statement) -> bool:
    """Documentation, decisions and found components; whether the statement is about them."""
    context, keyword = state.context, statement.keyword.lower()
    if context is None:
        return False
    if keyword == "!components" and context.kind == CONTAINER:
        state.leave_out(
            "components that are found in code",
            "are not looked for: no class is loaded",
            statement.place,
        )
        if statement.opens:
            state.open(Context("finder"))
        return True
    if keyword not in ("!docs", "!adrs", "!decisions") or context.kind not in _DOCUMENTED:
        return False
    statement.check(f"{keyword} <path> [type]", 1, 2)
    state.said.setdefault("documentation", said(statement.word(1), statement.place))
    if statement.opens:
        state.open(Context("documentation"))
    return True


def implied(state: ReaderState, statement: Statement) -> bool:
    """``!impliedRelationships``; whether the statement is it."""
    if statement.keyword.lower() not in ("!impliedrelationships", "impliedrelationships"):
        return False
    statement.check("!impliedRelationships <true|false|class>", 1, 1)
    if not state.stack:
        return False
    option = _IMPLIED.get(statement.word(1).lower())
    if option == "none":
        state.model.implied = "none"
    elif option == "unless same":
        state.model.implied = "unless same"
    elif option == "unless any":
        state.model.implied = "unless any"
    else:
        what = f"the strategy {statement.word(1)!r} for implied relationships"
        state.leave_out(what, "is not loaded: none are implied", statement.place)
        state.model.implied = "none"
    return True
