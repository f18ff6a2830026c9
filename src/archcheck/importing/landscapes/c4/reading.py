"""The grammar of LikeC4: specifications and models; all other blocks are passed over."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TypeVar

from archcheck.importing.landscapes.c4.properties import Properties, PropertyReader
from archcheck.importing.landscapes.c4.words import Word
from archcheck.importing.sources import SourceFile
from archcheck.importing.yaml_files import MAX_DEPTH
from archcheck.model import ModelError, Place

T = TypeVar("T")
_PASSED_OVER = ("views", "deployment", "global", "likec4lib")


@dataclass
class Relation:
    """A relation, its ends as they are written."""

    source: list[Word] | None
    """``None``: the element that it is written in."""
    target: list[Word]
    kind: Word | None
    said: Properties
    place: Place
    is_extended: bool = False
    """Whether it only adds to one that is said elsewhere."""


@dataclass
class Node:
    """An element, or a block that extends one."""

    name: Word
    kind: Word | None
    """``None`` of an extension."""
    said: Properties = field(default_factory=Properties)
    nodes: list[Node] = field(default_factory=list)
    relations: list[Relation] = field(default_factory=list)
    extended: list[Word] = field(default_factory=list)


@dataclass
class C4Text:
    """What a file says."""

    file: SourceFile
    elements: dict[str, Properties] = field(default_factory=dict)
    """Kinds of elements."""
    relationships: dict[str, Properties] = field(default_factory=dict)
    names: dict[str, Word] = field(default_factory=dict)
    """Where the kinds are."""
    tags: dict[str, Word] = field(default_factory=dict)
    nodes: dict[str, Word] = field(default_factory=dict)
    """Kinds of nodes of deployments."""
    models: list[Node] = field(default_factory=list)
    imported: set[str] = field(default_factory=set)
    """Names of elements of other projects."""
    passed_over: dict[str, Place] = field(default_factory=dict)


def text_of(file: SourceFile) -> C4Text:
    """What a file says. Raises :class:`ModelError` with the line of what is wrong."""
    return _Reader(file).text()


def once(held: dict[str, T], name: Word, value: T, what: str) -> None:
    """Add what has a name of its own."""
    if name.text in held:
        raise ModelError(f"{what} {name.text!r} is there already", name.place)
    held[name.text] = value


class _Reader(PropertyReader):
    def __init__(self, file: SourceFile) -> None:
        super().__init__(file)
        self._text = C4Text(file)

    # -- the file ------------------------------------------------------------------------------

    def text(self) -> C4Text:
        """The whole file."""
        while self._next.kind != "end":
            word = self._name("a block such as model or specification")
            match word.text:
                case "specification":
                    self._block(self._specified)
                case "model":
                    model = Node(word, None)
                    self._block(lambda model=model: self._in_model(model))  # type: ignore[misc]
                    self._text.models.append(model)
                case "import":
                    self._import()
                case text if text in _PASSED_OVER:
                    self._text.passed_over.setdefault(text, word.place)
                    if self._next.kind == "text":
                        self._take()
                    self._pass_over()
                case _:
                    raise ModelError(f"{word.text!r} is no block of LikeC4", word.place)
        return self._text

    def _import(self) -> None:
        braces = self._took("{")
        while True:
            self._text.imported.add(self._name("the name of an element").text)
            if not self._took(","):
                break
        if braces:
            self._need("}")
        self._need("from")
        if self._next.kind != "text":
            raise ModelError(f"there must be the name of a project, got {self._next}",
                             self._next.place)  # fmt: skip
        self._take()
        self._took(";")

    def _specified(self) -> None:
        word = self._name("a part of a specification")
        match word.text:
            case "element" | "relationship":
                name = self._new("the name of a kind")
                held = self._text.elements if word.text == "element" else self._text.relationships
                said = self._said() if self._is("{") else Properties()
                once(held, name, said, "the kind")
                self._text.names[name.text] = name
            case "tag":
                name = self._name("the name of a tag")
                once(self._text.tags, name, name, "the tag")
                if self._is("{"):
                    self._pass_over()
            case "deploymentNode":
                name = self._name("the name of a kind")
                once(self._text.nodes, name, name, "the kind")
                if self._is("{"):
                    self._pass_over()
            case "color":
                self._name("the name of a colour")
                self._colour()
            case _:
                raise ModelError(f"{word.text!r} is no part of a specification", word.place)

    def _colour(self) -> None:
        """``#0a1b2c``, ``rgba(10, 20, 30, 50%)``."""
        if not self._took("#"):
            if not self._took("rgb", "rgba"):
                raise ModelError(f"there must be a colour, got {self._next}", self._next.place)
            self._need("(")
            while not self._took(")"):
                if not self._took(","):
                    self._number()
        elif self._take().kind not in ("name", "number"):
            raise ModelError("a colour must be written as #0a1b2c", self._next.place)

    def _number(self) -> None:
        word = self._take()
        if word.kind != "number":
            raise ModelError(f"there must be a number, got {word}", word.place)

    # -- models --------------------------------------------------------------------------------

    def _in_model(self, model: Node) -> None:
        if self._took("extend"):
            self._extension(model)
        else:
            self._member(model, 1)

    def _extension(self, model: Node) -> None:
        target = self._reference("the name of an element")
        if self._starts_relation():
            self._relation(model, target)
            model.relations[-1].is_extended = True
            return
        node = Node(target[-1], None, extended=target)
        self._body(node, 1)
        model.nodes.append(node)

    def _member(self, parent: Node, depth: int) -> None:
        """An element or a relation."""
        if self._starts_relation():
            if parent.kind is None and not parent.extended:
                raise ModelError("a relation must name where it starts", self._next.place)
            self._relation(parent, None)
            return
        first = self._reference("an element or a relation")
        if self._starts_relation():
            self._relation(parent, first)
        elif len(first) == 1 and self._took("="):
            self._element(parent, first[0], self._name("the kind of an element"), depth)
        elif len(first) == 1 and self._next.kind == "name":
            self._element(parent, self._take(), first[0], depth)
        else:
            raise ModelError(f"there must be a relation or an element, got {self._next}",
                             self._next.place)  # fmt: skip

    def _element(self, parent: Node, name: Word, kind: Word, depth: int) -> None:
        self._check_new(name)
        node = Node(name, kind)
        self._texts(node.said, ("title", "summary", "technology", "tags"))
        if self._is("{"):
            self._body(node, depth + 1)
        parent.nodes.append(node)

    def _body(self, node: Node, depth: int) -> None:
        if depth > MAX_DEPTH:
            raise ModelError(f"is nested deeper than {MAX_DEPTH}", self._next.place)

        def each() -> None:
            if self._is_property():
                if node.nodes or node.relations:
                    raise ModelError("properties of an element stand before what is in it",
                                     self._next.place)  # fmt: skip
                self._property(node.said)
            else:
                self._member(node, depth)

        self._block(each, node.said)

    def _reference(self, what: str) -> list[Word]:
        names = [self._name(what)]
        while self._next.text == "." and self._next.sticks:
            self._take()
            names.append(self._name("the name of an element"))
        return names

    def _starts_relation(self) -> bool:
        return self._is("->", "-[") or (self._next.text == "." and not self._next.sticks)

    def _relation(self, parent: Node, source: list[Word] | None) -> None:
        start = self._take()
        kind = None if start.text == "->" else self._name("the kind of a relation")
        if start.text == "-[":
            self._need("]->")
        target = self._reference("the element that is reached")
        said = Properties()
        self._texts(said, ("title", "description", "technology"))
        if self._is("#"):
            self._tags(said)
        if self._is("{"):
            self._said(said)
        place = source[0].place if source else start.place
        parent.relations.append(Relation(source, target, kind, said, place))
