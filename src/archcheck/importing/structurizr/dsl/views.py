"""Views: read as far as they refer to the model, and left out."""

from __future__ import annotations

from archcheck.importing.structurizr.dsl.expressions import is_expression
from archcheck.importing.structurizr.dsl.items import CONTAINER, ENVIRONMENT, GROUP, SYSTEM
from archcheck.importing.structurizr.dsl.state import Context, ReaderState, Statement
from archcheck.model.element import nearest

_VIEW = "title description default autolayout properties"
_ELEMENT_STYLE = (
    "shape background stroke strokewidth colour color icon iconposition opacity border fontsize "
    "width height metadata description properties"
)
_RELATIONSHIP_STYLE = (
    "thickness colour color dashed opacity width fontsize position style routing jump metadata "
    "description properties"
)
_STYLES = "element relationship light dark theme themes"
_WORDS = {
    "views": (
        "systemlandscape systemcontext container component dynamic deployment filtered image "
        "custom styles theme themes terminology properties"
    ),
    **dict.fromkeys(
        ("systemlandscape", "systemcontext", "container", "component", "deployment", "custom"),
        f"{_VIEW} include exclude animation animationstep",
    ),
    "filtered": "title description default properties",
    "image": "title description default properties plantuml mermaid kroki image light dark",
    **dict.fromkeys(("styles", "light", "dark"), _STYLES),
    "image in a color scheme": "plantuml mermaid kroki image",
    "element": _ELEMENT_STYLE,
    "relationship": _RELATIONSHIP_STYLE,
    "terminology": (
        "person softwaresystem container component deploymentnode infrastructurenode relationship "
        "metadata"
    ),
}
"""Contexts of views to the words that may stand in them (structurizr.com, DSL, language)."""
_SCOPES = {
    "systemcontext": (SYSTEM,),
    "container": (SYSTEM,),
    "component": (CONTAINER,),
}
_OPENING = frozenset({"views", "styles", "light", "dark"})
"""Contexts whose words open a context, whether or not a brace follows."""
_CLOSED = frozenset({"theme", "themes", "filtered"})
PREFIX = "views "
"""Before the kind of a context of views, so that it is none of the model."""


def open_views(state: ReaderState) -> None:
    """Go into the views."""
    state.open(Context(f"{PREFIX}views"))


def view(state: ReaderState, statement: Statement) -> bool:
    """A statement inside of the views; whether it may stand there."""
    context, keyword = state.context, statement.keyword.lower()
    if context is None or not context.kind.startswith(PREFIX):
        return False
    kind = context.kind.removeprefix(PREFIX)
    known = _WORDS[kind].split() if kind in _WORDS else None
    if known is not None and keyword not in known:
        statement.refuse(
            f"{statement.keyword!r} is nothing that may stand in {kind!r} of views"
            f"{nearest(keyword, known)}"
        )
    if kind == "views":
        _check_scope(state, statement, keyword)
    elif keyword in ("include", "exclude") and kind in _WORDS:
        _check_included(state, statement)
    if statement.opens or (kind in _OPENING and keyword not in _CLOSED):
        state.open(
            Context(keyword if keyword == "properties" else f"{PREFIX}{_inner(kind, keyword)}")
        )
    return True


def _inner(kind: str, keyword: str) -> str:
    if kind == "image" and keyword in ("light", "dark"):
        return "image in a color scheme"
    return keyword if keyword in _WORDS or keyword == "dynamic" else "block"


def _check_scope(state: ReaderState, statement: Statement, keyword: str) -> None:
    """A view of an element that there is not is refused."""
    scope = _SCOPES.get(keyword)
    if scope is None:
        return
    statement.check(f"{keyword} <identifier> [key] [description] {{", 1, 3)
    name = statement.word(1)
    if state.need(name, statement).kind not in scope:
        what = "software system" if scope == (SYSTEM,) else "container"
        statement.refuse(f"the view needs a {what}, and {name!r} is none")


def _check_included(state: ReaderState, statement: Statement) -> None:
    for at in range(1, len(statement.words)):
        name = statement.word(at)
        if name.startswith("*") or is_expression(name):
            continue
        element = state.find(name)
        known = element is not None and element.kind not in (GROUP, ENVIRONMENT)
        if element is None and state.identifiers.relationship(name) is None and not known:
            statement.refuse(f"there is no element or relationship {name!r}{state.hint(name)}")
