"""The grammar of LikeC4: specifications and models; all other blocks are passed over."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from typing import TypeVar

from archcheck.importing.landscapes.c4.words import Word, words_of
from archcheck.importing.sources import SourceFile
from archcheck.importing.values import Value
from archcheck.importing.yaml_files import MAX_DEPTH
from archcheck.model import ModelError, Place

T = TypeVar("T")
_TEXTS = ("title", "description", "technology", "summary", "notation", "notes")
_SIMPLE = (
    "icon", "color", "shape", "border", "opacity", "multiple", "size", "padding", "textSize",
    "iconSize", "iconColor", "iconPosition", "line", "head", "tail", "navigateTo",
)  # fmt: skip
_SHAPES = ("rectangle", "component", "person", "browser", "mobile", "cylinder", "storage", "queue",
           "bucket", "document")  # fmt: skip
_LINES = ("solid", "dashed", "dotted", "none")
_ONE_OF = {
    "shape": _SHAPES, "line": _LINES[:3], "border": _LINES, "multiple": ("true", "false"),
}  # fmt: skip
"""Values of which a property has one."""
_PROPERTIES = frozenset({*_TEXTS, *_SIMPLE, "style", "link", "metadata"})
_PASSED_OVER = ("views", "deployment", "global", "likec4lib")
_RESERVED = frozenset({"this", "it", "self", "super", "likec4lib", "global"})


@dataclass
class Properties:
    """What a block says about its element, relation or kind."""

    values: dict[str, Value] = field(default_factory=dict)
    """Texts, ``links``, ``metadata``, ``shape`` and ``icon``, as LikeC4 exports them."""
    tags: list[Word] = field(default_factory=list)
    first: set[str] = field(default_factory=set)
    """What stands behind the name, and counts."""


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
class Text:
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


def text_of(file: SourceFile) -> Text:
    """What a file says. Raises :class:`ModelError` with the line of what is wrong."""
    return _Reader(file).text()


def once(held: dict[str, T], name: Word, value: T, what: str) -> None:
    """Add what has a name of its own."""
    if name.text in held:
        raise ModelError(f"{what} {name.text!r} is there already", name.place)
    held[name.text] = value


def described(text: str, place: Place) -> Value:
    """A text as a value."""
    return Value(text, place, text)


class _Reader:
    def __init__(self, file: SourceFile) -> None:
        self._words = words_of(file.text, str(file.path))
        self._at = 0
        self._text = Text(file)

    # -- words ---------------------------------------------------------------------------------

    @property
    def _next(self) -> Word:
        return self._words[self._at]

    def _take(self) -> Word:
        word = self._next
        self._at = min(self._at + 1, len(self._words) - 1)
        return word

    def _is(self, *texts: str) -> bool:
        return self._next.kind in ("name", "sign") and self._next.text in texts

    def _took(self, *texts: str) -> bool:
        """Take the next word if it is one of these."""
        found = self._is(*texts)
        if found:
            self._take()
        return found

    def _need(self, text: str) -> None:
        if not self._took(text):
            raise ModelError(f"there must be {text!r}, got {self._next}", self._next.place)

    def _name(self, what: str) -> Word:
        if self._next.kind != "name":
            raise ModelError(f"there must be {what}, got {self._next}", self._next.place)
        return self._take()

    def _new(self, what: str) -> Word:
        name = self._name(what)
        if name.text in _RESERVED:
            raise ModelError(f"{name.text!r} is a word of the language, and no name", name.place)
        return name

    def _pass_over(self) -> None:
        """A block in braces, whatever is in it."""
        start, depth = self._next.place, 0
        self._need("{")
        while depth >= 0:
            word = self._take()
            if word.kind == "end":
                raise ModelError("a block has no end", start)
            if word.kind == "sign":
                depth += {"{": 1, "}": -1}.get(word.text, 0)

    def _block(self, each: Callable[[], None], tagged: Properties | None = None) -> None:
        """What is between braces, one by one; ``tagged``: what may begin with tags."""
        start = self._next.place
        self._need("{")
        if tagged is not None and self._is("#"):
            self._tags(tagged)
        while not self._took("}"):
            if self._next.kind == "end":
                raise ModelError("a block has no end", start)
            each()

    # -- the file ------------------------------------------------------------------------------

    def text(self) -> Text:
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
        if name.text in _RESERVED:
            raise ModelError(f"{name.text!r} is a word of the language, and no name", name.place)
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

    # -- properties ----------------------------------------------------------------------------

    def _texts(self, said: Properties, keys: Iterable[str]) -> None:
        """Texts behind a name."""
        for key in keys:
            if self._next.kind != "text":
                return
            word = self._take()
            value = described(word.text, word.place)
            if key in ("summary", "description"):
                value = Value({"txt": value}, word.place)
            said.values[key] = value
            said.first.add(key)

    def _said(self, said: Properties | None = None) -> Properties:
        """A block of properties."""
        found = said if said is not None else Properties()
        self._block(lambda: self._property(found), found)
        return found

    def _is_property(self) -> bool:
        """Whether a property begins; elements may be called like one: ``line = node``."""
        after = self._words[min(self._at + 1, len(self._words) - 1)]
        begins = after.text not in ("=", "->", "-[", ".") or after.kind != "sign"
        return self._is(*_PROPERTIES) and begins

    def _property(self, said: Properties) -> None:
        word = self._name("a property")
        key = word.text
        if key not in _PROPERTIES:
            raise ModelError(f"{key!r} is no property", word.place)
        if key == "style":
            self._block(lambda: self._simple(said))
        elif key == "metadata":
            self._block(lambda: self._metadata(said))
        elif key == "link":
            self._link(said)
        elif key in _TEXTS:
            self._took(":")
            self._text_of(said, word)
        else:
            self._at -= 1
            self._simple(said)
        self._took(";")

    def _text_of(self, said: Properties, word: Word) -> None:
        text = self._take()
        if text.kind not in ("text", "markdown"):
            raise ModelError(f"{word.text} must be a text in quotes, got {text}", text.place)
        value = described(text.text, text.place)
        if word.text in ("description", "summary"):
            value = Value({"md" if text.kind == "markdown" else "txt": value}, text.place)
        if word.text not in said.first:
            said.values[word.text] = value

    def _simple(self, said: Properties) -> None:
        """A property of one word; of those a model has a shape and an icon."""
        key = self._name("a property")
        if key.text not in _SIMPLE:
            raise ModelError(f"{key.text!r} is no property of a style", key.place)
        self._took(":")
        value = self._take()
        values = _ONE_OF.get(key.text)
        if values is not None and value.text not in values:
            raise ModelError(f"{key.text} must be one of {', '.join(values)}, got {value}",
                             value.place)  # fmt: skip
        is_icon = value.kind == "uri" or value.text == "none"
        if value.kind not in ("name", "number", "uri") or (key.text == "icon" and not is_icon):
            raise ModelError(f"{key.text} must have a value, got {value}", value.place)
        if key.text in ("shape", "icon"):
            said.values[key.text] = described(value.text, value.place)
        self._took(";")

    def _link(self, said: Properties) -> None:
        self._took(":")
        url = self._take()
        if url.kind != "uri":
            raise ModelError(f"link must be an address, got {url}", url.place)
        link = Value({"url": described(url.text, url.place)}, url.place)
        if self._next.kind == "text":
            self._take()
        held = said.values.setdefault("links", Value([], url.place)).raw
        if isinstance(held, list):
            held.append(link)

    def _metadata(self, said: Properties) -> None:
        key = self._name("the name of a value")
        self._took(":")
        values = [self._take()]
        if values[0].text == "[" and values[0].kind == "sign":
            values = [self._take()]
            while self._took(","):
                values.append(self._take())
            self._need("]")
        self._took(";")
        held = said.values.setdefault("metadata", Value({}, key.place)).raw
        for word in values:
            if word.kind not in ("text", "markdown") and word.text not in ("true", "false"):
                raise ModelError(f"{key.text} must be text, true or false, got {word}", word.place)
            if word.text and isinstance(held, dict):
                known = [held[key.text].text] if key.text in held else []
                held[key.text] = described(", ".join([*known, word.text]), key.place)

    def _tags(self, said: Properties) -> None:
        """``#a #b, #c``; LikeC4 exports what stands behind a comma first."""
        groups: list[list[Word]] = [[]]
        while self._is("#", ","):
            if self._took(","):
                groups.append([])
            else:
                self._take()
                groups[-1].append(self._name("the name of a tag"))
        self._took(";")
        said.tags += [tag for group in reversed(groups) for tag in group]
