"""Where the reader of a workspace is: its statement, what is open around it, what it knows."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from typing import NoReturn

from archcheck.importing.facts import Remark, UnreadFile
from archcheck.importing.sources import SourceFile
from archcheck.importing.structurizr.dsl.identifiers import Identifiers
from archcheck.importing.structurizr.dsl.items import (
    ENVIRONMENT,
    DslElement,
    DslItem,
    DslRelationship,
)
from archcheck.importing.structurizr.dsl.lines import Blocks, unescaped
from archcheck.importing.structurizr.dsl.model import Model
from archcheck.importing.values import Value
from archcheck.model import ModelError, Place

OPEN, CLOSE = "{", "}"


@dataclass(frozen=True)
class Statement:
    """A statement: its words, without the brace that opens it and the identifier before it."""

    words: Sequence[str]
    name: str | None
    opens: bool
    place: Place
    file: SourceFile

    @property
    def keyword(self) -> str:
        """Its first word."""
        return unescaped(self.words[0]) if self.words else OPEN

    @property
    def plain(self) -> Statement:
        """The same where nothing can be opened: a brace at its end is a word like others."""
        return replace(self, words=[*self.words, OPEN], opens=False) if self.opens else self

    def word(self, at: int, default: str = "") -> str:
        """One of its words."""
        return unescaped(self.words[at]) if at < len(self.words) else default

    def has(self, at: int) -> bool:
        """Whether it has a word there."""
        return at < len(self.words)

    def check(self, grammar: str, least: int, most: int) -> None:
        """Refuse a statement with fewer or more words behind its keyword."""
        count = len(self.words) - 1
        if not least <= count <= most:
            wrong = "too few words" if count < least else "too many words"
            self.refuse(f"{wrong}, it must be: {grammar}")

    def refuse(self, sentence: str) -> NoReturn:
        """Raise the sentence with its line."""
        raise ModelError(sentence, self.place)


@dataclass
class Context:
    """What a brace has opened."""

    kind: str
    element: DslElement | None = None
    """The element whose inside it is."""
    group: DslElement | None = None
    items: Sequence[DslItem] = ()
    """What attributes are said about."""
    environment: str = ""
    parent: Context | None = None
    removed: DslRelationship | None = None
    """The relationship of an environment that others replace here."""

    def around(self) -> DslElement | None:
        """The element from which identifiers are read."""
        if self.kind == "elements" and self.parent is not None:
            return self.parent.element
        return self.element


@dataclass
class Archetype:
    """What elements or relationships of a kind of one's own have in common."""

    kind: str
    item: DslItem


@dataclass
class ReaderState:
    """All that the reader of a workspace knows."""

    model: Model = field(default_factory=Model)
    identifiers: Identifiers = field(default_factory=Identifiers)
    stack: list[Context] = field(default_factory=list)
    opened: list[Place] = field(default_factory=list)
    """Where each context of the stack was opened."""
    now: Place = field(default_factory=lambda: Place("", 1))
    """The line that is read."""
    constants: dict[str, str] = field(default_factory=dict)
    fixed: set[str] = field(default_factory=set)
    """Those of the constants that must not change."""
    blocks: Blocks = field(default_factory=Blocks)
    archetypes: dict[tuple[str, str], Archetype] = field(default_factory=dict)
    whole: DslItem = field(default_factory=lambda: DslItem("workspace", Place("", 1)))
    """What has the properties of the workspace."""
    said: dict[str, Value] = field(default_factory=dict)
    """Name and description of the workspace, and the parts of it that are no model."""
    seen: set[str] = field(default_factory=set)
    """Parts that a workspace has once."""
    remarks: list[Remark | UnreadFile] = field(default_factory=list)
    not_fetched: list[tuple[str, Place]] = field(default_factory=list)
    """What may declare more and is neither fetched nor run."""
    unknown: set[str] = field(default_factory=set)
    """Constants that are named and nowhere declared."""
    extended: bool = False
    """Whether the workspace adds to another one."""
    used: dict[str, None] = field(default_factory=dict)
    """Files that it is made of, beside its own."""
    apart: list[Value] = field(default_factory=list)
    """Deployment nodes of a JSON workspace that it extends."""

    @property
    def context(self) -> Context | None:
        """The innermost one."""
        return self.stack[-1] if self.stack else None

    def open(self, context: Context) -> None:
        """Go into a context."""
        self.stack.append(context)
        self.opened.append(self.now)

    def close(self) -> None:
        """Leave the innermost context."""
        self.stack.pop()
        self.opened.pop()

    def find(self, name: str) -> DslElement | None:
        """The element that an identifier means here."""
        context = self.context
        if context is None:
            return None
        if context.kind == ENVIRONMENT and self.identifiers.hierarchical:
            above = self.identifiers.environment_name(context.environment)
            found = self.identifiers.plain(f"{above}.{name}")
            if found is not None:
                return found
        return self.identifiers.find(name, context.around())

    def find_of_kind(self, name: str, kinds: Sequence[str]) -> DslElement | None:
        """The same of certain kinds."""
        around = self.context.around() if self.context is not None else None
        return self.identifiers.find(name, around, kinds)

    def need(self, name: str, statement: Statement, what: str = "element") -> DslElement:
        """The same of one that must be there."""
        found = self.find(name)
        if found is None:
            statement.refuse(f"there is no {what} {name!r}{self.hint(name)}")
        return found

    def hint(self, name: str) -> str:
        """What may be meant, or where it may be declared."""
        near = self.identifiers.near(name)
        if near or not self.not_fetched:
            return near
        what, place = self.not_fetched[0]
        return f"; it may come from {what} (line {place.line}), which is neither fetched nor run"

    def leave_out(self, what: str, why: str, place: Place) -> None:
        """Note something that may declare more, and is neither fetched nor run."""
        self.remarks.append(UnreadFile(f"{place.file}:{place.line}", f"{what} {why}"))
        self.not_fetched.append((what, place))

    def remark(self, sentence: str, place: Place) -> None:
        """Note what is not taken."""
        self.remarks.append(Remark(sentence, place))
