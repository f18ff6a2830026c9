"""Properties of elements, relations and kinds, and the cursor over the words of a file."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field

from archcheck.importing.landscapes.c4.words import Word, words_of
from archcheck.importing.sources import SourceFile
from archcheck.importing.values import Value
from archcheck.model import ModelError, Place

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
_RESERVED = frozenset({"this", "it", "self", "super", "likec4lib", "global"})


@dataclass
class Properties:
    """What a block says about its element, relation or kind."""

    values: dict[str, Value] = field(default_factory=dict)
    """Texts, ``links``, ``metadata``, ``shape`` and ``icon``, as LikeC4 exports them."""
    tags: list[Word] = field(default_factory=list)
    first: set[str] = field(default_factory=set)
    """What stands behind the name, and counts."""


def described(text: str, place: Place) -> Value:
    """A text as a value."""
    return Value(text, place, text)


class PropertyReader:
    """Follows the words of a file, and reads what blocks say about their element."""

    def __init__(self, file: SourceFile) -> None:
        self._words = words_of(file.text, str(file.path))
        self._at = 0

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
        self._check_new(name)
        return name

    @staticmethod
    def _check_new(name: Word) -> None:
        if name.text in _RESERVED:
            raise ModelError(f"{name.text!r} is a word of the language, and no name", name.place)

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
