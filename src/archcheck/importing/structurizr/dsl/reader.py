"""The reader of the DSL: statement by statement, each understood by what is open around it.

Structurizr's DSL is a language of lines: the words of a line and the context decide what it means,
and a name is known only below its declaration. The reader follows the text in the same order, so
that it accepts and refuses what Structurizr does. It runs nothing and fetches nothing.
"""

from __future__ import annotations

import os
import re
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path

from archcheck.importing.sources import SourceFile, inside
from archcheck.importing.structurizr.dsl import (
    apart,
    archetypes,
    attributes,
    declaring,
    deploying,
    extending,
    relating,
    views,
)
from archcheck.importing.structurizr.dsl.identifiers import check_identifier
from archcheck.importing.structurizr.dsl.items import DEPLOYED, STATIC, DslItem, said
from archcheck.importing.structurizr.dsl.lines import (
    Line,
    is_said,
    statements,
    words_of,
)
from archcheck.importing.structurizr.dsl.state import CLOSE, OPEN, Context, ReaderState, Statement
from archcheck.importing.structurizr.dsl.words import MAY_STAND
from archcheck.model import ModelError
from archcheck.model.element import nearest

MAX_INCLUDES_DEEP = 20
"""Files that include each other. A choice: people nest two or three."""
MAX_LINES = 200_000
"""Lines of a workspace with all that it includes. A choice: large ones have 5,000."""
MAX_TEXT = 100_000
"""Letters of a word after its constants are put in, which may stand for one another. A choice."""
_SUBSTITUTION = re.compile(r"\$\{([a-zA-Z0-9\-_.]+?)\}")
_NAME = re.compile(r"[a-zA-Z0-9\-_.]+")
_REMOTE = re.compile(r"https?://", re.IGNORECASE)
_DESCRIBED = frozenset({*STATIC, *DEPLOYED, "element", "relationship", "elements", "relationships"})


class Reader:
    """Reads one workspace, with the files that it includes and extends."""

    def __init__(self, state: ReaderState | None = None, depth: int = 0) -> None:
        self.state = state or ReaderState()
        self._depth = depth
        self._lines = 0
        self._comment = False

    def read(self, file: SourceFile) -> ReaderState:
        """Read a workspace. Raises :class:`ModelError` with the line of what is wrong."""
        for line in statements(file.text, str(file.path), self.state.blocks):
            self._line(line, file)
        if self._comment:
            raise ModelError("the text ends inside of a comment", file.place)
        if self.state.opened:
            raise ModelError("the text ends, and this brace is not closed", self.state.opened[-1])
        return self.state

    def _line(self, line: Line, file: SourceFile) -> None:
        self._lines += 1
        if self._lines > MAX_LINES:
            raise ModelError(f"has more than {MAX_LINES:,} lines with its includes", line.place)
        text = line.text.removeprefix("\ufeff")
        self.state.now = line.place
        context = self.state.context
        if not is_said(text):
            return
        if context is not None and context.kind == "script":
            if text.strip() == CLOSE:
                self.state.close()
            return
        if not self._skips(text):
            self._statement(self._words(text, line), line, file)

    def _skips(self, text: str) -> bool:
        """Whether a line is (part of) a comment of several lines."""
        stripped = text.strip()
        if stripped.startswith("/*") and stripped.endswith("*/"):
            return True
        started = stripped.startswith(("/*", '"/*'))
        if self._comment or started:
            self._comment = started or not stripped.endswith("*/")
            return True
        return False

    def _words(self, text: str, line: Line) -> list[str]:
        found = [self._filled(word, line) for word in words_of(text)]
        if any(len(word) > MAX_TEXT for word in found):
            raise ModelError(f"a word stands for more than {MAX_TEXT:,} letters", line.place)
        return found

    def _filled(self, word: str, line: Line) -> str:
        """A word with its constants and text blocks put in."""

        def value(match: re.Match[str]) -> str:
            known = self.state.constants.get(match[1])
            if known is None:
                self._note_variable(match[1], line)
            return match[0] if known is None else known

        return _SUBSTITUTION.sub(value, self.state.blocks.inside(word))

    def _note_variable(self, name: str, line: Line) -> None:
        if name not in self.state.unknown:
            self.state.unknown.add(name)
            self.state.remark(
                f"${{{name}}} is no constant of the workspace, and stays as it is written; "
                "variables of the environment are not read",
                line.place,
            )

    # -- statements ---------------------------------------------------------------------------

    def _statement(self, words: list[str], line: Line, file: SourceFile) -> None:
        name = None
        if len(words) >= 3 and words[1] == "=":
            name = words[0]
            check_identifier(name, line.place)
            words = words[2:]
        opens = words[-1] == OPEN
        statement = Statement(words[:-1] if opens else words, name, opens, line.place, file)
        if words[0] == CLOSE:
            self._close(statement)
        elif not self._handled(statement):
            self._refuse(statement)

    def _close(self, statement: Statement) -> None:
        if not self.state.stack:
            statement.refuse("'}' closes nothing")
        self.state.close()

    def _handled(self, statement: Statement) -> bool:
        if statement.keyword.lower() == "!include":
            self._include(statement)
            return True
        if apart.run(self.state, statement):
            return True
        context = self.state.context
        kind = context.kind if context is not None else ""
        whole = _WHOLE.get(kind)
        if whole is not None:
            whole(self.state, statement)
            return True
        return any(handle(statement) for handle in self._handlers(kind))

    def _handlers(self, kind: str) -> Iterator[Callable[[Statement], bool]]:
        """What may understand a statement, in the order of Structurizr's own parser."""
        for handle in (relating.relate, relating.find, declaring.declare, self._components,
                       declaring.group):  # fmt: skip
            yield partial(handle, self.state)
        context = self.state.context
        if kind in _DESCRIBED and context is not None and context.group is None:
            yield lambda statement: attributes.describe(self.state, statement)
        if kind in _PARTS:
            yield lambda statement: _PARTS[kind](self.state, statement)
        yield lambda statement: apart.implied(self.state, statement)
        yield from (self._of_workspace, self._of_model, self._constant, self._identifiers)
        for handle in (deploying.deploy, apart.document, views.view):
            yield partial(handle, self.state)

    @staticmethod
    def _components(state: ReaderState, statement: Statement) -> bool:
        return statement.keyword.lower() == "!components" and apart.document(state, statement)

    def _refuse(self, statement: Statement) -> None:
        context = self.state.context
        if statement.keyword.lower() == "!constant":
            statement.refuse("Structurizr has removed !constant: use !const or !var")
        if context is None:
            what = "nothing may follow the workspace" if self.state.seen else (
                "a text in the DSL must begin with: workspace [name] [description] {"
            )  # fmt: skip
            statement.refuse(f"{what}; got {statement.keyword!r}")
        keyword, kind = statement.keyword, context.kind.removeprefix(views.PREFIX)
        may = MAY_STAND.get(kind, "").split()
        near = nearest(keyword.lower(), may) or (f"; there may be {', '.join(may)}" if may else "")
        inside = f"a group of {kind!r}" if context.group is not None else repr(kind)
        statement.refuse(f"{keyword[:60]!r} is nothing that may stand in {inside}{near}")

    # -- the workspace ------------------------------------------------------------------------

    def _of_workspace(self, statement: Statement) -> bool:
        context, keyword = self.state.context, statement.keyword.lower()
        if context is None:
            return keyword == "workspace" and self._workspace(statement)
        if context.kind != "workspace":
            return False
        if keyword in ("name", "description"):
            statement.check(f"{keyword} <{keyword}>", 1, 1)
            self.state.said[keyword] = said(statement.word(1), statement.place)
        elif keyword == "properties":
            self.state.open(Context("properties", items=[self.state.whole]))
        elif keyword in ("model", "views"):
            self._once(statement, keyword)
            views.open_views(self.state) if keyword == "views" else self.state.open(
                Context("model")
            )
        elif keyword == "configuration":
            self._note(statement, keyword)
            self.state.open(Context("configuration"))
        else:
            return False
        return True

    def _once(self, statement: Statement, what: str) -> None:
        if what in self.state.seen:
            statement.refuse(f"there is a second {what!r}; a workspace has one")
        self.state.seen.add(what)
        if what == "views":
            self._note(statement, what)

    def _note(self, statement: Statement, what: str) -> None:
        self.state.said[what] = said(what, statement.place)

    def _workspace(self, statement: Statement) -> bool:
        self._once(statement, "workspace")
        statement.check("workspace [name] [description] or workspace extends <file>", 0, 2)
        if statement.word(1) == "extends":
            self._extend(statement)
        elif statement.has(1):
            self.state.said["name"] = said(statement.word(1), statement.place)
            if statement.has(2):
                self.state.said["description"] = said(statement.word(2), statement.place)
        self.state.open(Context("workspace"))
        return True

    def _of_model(self, statement: Statement) -> bool:
        context, keyword = self.state.context, statement.keyword.lower()
        if context is None or context.kind != "model":
            return False
        if keyword == "enterprise":
            statement.refuse("Structurizr has removed enterprise: use group")
        if keyword == "archetypes":
            self.state.open(Context("archetypes"))
        elif keyword == "properties":
            item = DslItem("model", statement.place, properties=self.state.model.properties)
            self.state.open(Context("properties", items=[item]))
        else:
            return False
        return True

    # -- constants and identifiers ------------------------------------------------------------

    def _constant(self, statement: Statement) -> bool:
        statement = statement.plain
        keyword = statement.keyword.lower()
        if keyword not in ("!const", "!var"):
            return False
        statement.check(f"{keyword} <name> <value>", 2, 2)
        name = statement.word(1)
        if _NAME.fullmatch(name) is None:
            statement.refuse(f"a constant's name has letters, digits, -, _ and ., got {name!r}")
        taken = self.state.constants if keyword == "!const" else self.state.fixed
        if name in taken:
            statement.refuse(f"there is a constant {name!r} already")
        self.state.constants[name] = statement.word(2)
        if keyword == "!const":
            self.state.fixed.add(name)
        return True

    def _identifiers(self, statement: Statement) -> bool:
        context, statement = self.state.context, statement.plain
        if statement.keyword.lower() != "!identifiers" or context is None:
            return False
        if context.kind not in ("workspace", "model"):
            return False
        word = statement.word(1).lower()
        if len(statement.words) != 2 or word not in ("flat", "hierarchical"):
            statement.refuse("it must be: !identifiers <flat|hierarchical>")
        self.state.identifiers.hierarchical = word == "hierarchical"
        return True

    # -- other files --------------------------------------------------------------------------

    def _include(self, statement: Statement) -> None:
        statement.check("!include <file|directory|url>", 1, 1)
        source = statement.word(1)
        if _REMOTE.match(source):
            why = "is not fetched: what it declares is missing"
            self.state.leave_out(source, why, statement.place)
            return
        if self._depth >= MAX_INCLUDES_DEEP:
            statement.refuse(f"files include each other more than {MAX_INCLUDES_DEEP} deep")
        self._depth += 1
        for file in _files(statement, source):
            self.state.used[str(file.path)] = None
            for line in statements(file.text, str(file.path), self.state.blocks):
                self._line(line, file)
        self._depth -= 1

    def _extend(self, statement: Statement) -> None:
        source = statement.word(2)
        if not source:
            statement.refuse("it must be: workspace extends <file>")
        if _REMOTE.match(source):
            statement.refuse(
                f"it extends {source}, which is not fetched: save it beside this file, and "
                "extend that"
            )
        if self._depth >= MAX_INCLUDES_DEEP:
            statement.refuse(f"workspaces extend each other more than {MAX_INCLUDES_DEEP} deep")
        file = statement.file.beside(source, statement.place)
        self.state.used[str(file.path)] = None
        if file.path.suffix.lower() == ".json":
            for document in file.documents:
                extending.take(self.state, document)
        else:
            self.state.seen = set()
            Reader(self.state, self._depth + 1).read(file)
            self.state.seen = {"workspace"}
        self.state.extended = bool(self.state.model.elements)
        self.state.model.implied = "unless any"


def _files(statement: Statement, source: str) -> Iterator[SourceFile]:
    """The file of an include, or all of a folder, in order."""
    own = statement.file
    target = Path(os.path.normpath(own.path.parent / source))
    if not target.is_dir():
        if not target.name.startswith("."):
            yield own.beside(source, statement.place)
        return
    for current, folders, names in os.walk(target):
        folders[:] = sorted(folder for folder in folders if not folder.startswith("."))
        for name in sorted(name for name in names if not name.startswith(".")):
            path = Path(current, name)
            yield SourceFile(inside(path, own.root, str(path), statement.place), own.root)


def _configuration(state: ReaderState, statement: Statement) -> bool:
    keyword = statement.keyword.lower()
    if keyword in ("properties", "users"):
        state.open(Context(keyword))
        return True
    return keyword in ("scope", "visibility")


def _users(state: ReaderState, statement: Statement) -> None:
    if len(statement.words) != 2 or statement.word(1).lower() not in ("read", "write"):
        statement.refuse("a user must be: <name> <read|write>")


def _excluded(state: ReaderState, statement: Statement) -> bool:
    return statement.keyword.lower() == "exclude" and len(statement.words) > 1


def _found(state: ReaderState, statement: Statement) -> None:
    """Inside of ``!components``, which is left out whole."""
    if statement.opens:
        state.open(Context("finder"))


_WHOLE: dict[str, Callable[[ReaderState, Statement], None]] = {
    "properties": attributes.add_property,
    "perspectives": attributes.add_perspective,
    "parameters": lambda _, statement: apart.parameter(statement),
    "users": _users,
    "finder": _found,
}
"""Contexts in which every statement is of one kind."""
_PARTS: dict[str, Callable[[ReaderState, Statement], bool]] = {
    "perspective": attributes.describe_perspective,
    "archetypes": archetypes.declare,
    "archetype": archetypes.describe,
    "configuration": _configuration,
    "documentation": _excluded,
}
