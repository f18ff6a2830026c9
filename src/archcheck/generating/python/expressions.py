"""Elements as expressions: the call that makes an element, with what differs from its defaults."""

from __future__ import annotations

import datetime
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import fields
from typing import Any

from archcheck import model
from archcheck.editing.spelling import names_in, plain_source
from archcheck.generating.python.layout import Atom, BracketEntry, Brackets, Node, Text, call, items
from archcheck.generating.python.shorthands import Helper, NamedConstant, Shorthand
from archcheck.model import Element, ModelError
from archcheck.model.codec import declared
from archcheck.model.linking import place_of
from archcheck.units import Quantity

Comment = Callable[[Element], str | None]
"""What to write above an element: where its values come from."""


def no_comment(_: Element) -> None:
    """Nothing to say."""


class Expressions:
    """Writes elements for one file, and notes what the file has to import for them."""

    def __init__(
        self,
        shorthands: Mapping[Element, Shorthand] | None = None,
        names: Mapping[Shorthand, str] | None = None,
        comment: Comment = no_comment,
    ) -> None:
        self._shorthands = shorthands or {}
        self._names = names or {}
        self._comment = comment
        self._is_quiet = False
        self.vocabulary: set[str] = set()
        self.units: set[str] = set()
        self.shorthands: set[Shorthand] = set()
        self.has_dates = False
        self.has_odd_text = False
        """Whether a text has letters that look like others, which linters point at."""
        self.has_odd_paths = False
        """Whether a text is what linters take for a careless default: all addresses, ``/tmp``."""

    def of(self, value: Any, under: str | None = None) -> Node:
        """A value of a field. ``under``: the comment that it stands under already."""
        match value:
            case Element():
                return self._short(value, under) or self.made(value, under)
            case tuple():
                return items([self._entry(item, None, under) for item in value])
            case str():
                self.has_odd_text |= not _is_plain(value)
                self.has_odd_paths |= _is_odd_path(value)
                return Text(value)
            case _:
                return self._plain(value)

    def made(
        self, part: Element, under: str | None = None, parameters: Mapping[str, str] | None = None
    ) -> Brackets:
        """The call that makes ``part``, even if there is a short name for it.

        ``parameters``: names that stand for the values of these fields.
        """
        kind = type(part).__name__
        self.vocabulary.add(_checked(part))
        entries = []
        for name, value, field in arguments_of(part):
            if parameters and field in parameters:
                entries.append(BracketEntry(Atom(parameters[field]), name))
            else:
                entries.append(self._entry(value, name, under))
        return call(kind, entries)

    def comment_of(self, part: Element) -> str | None:
        """The comment above an element, made safe: one line that anyone can read."""
        text = None if self._is_quiet else self._comment(part)
        return None if text is None else _one_line(text)

    @contextmanager
    def without_comments(self) -> Iterator[None]:
        """For what stands for values of several places: each use has its own comment."""
        self._is_quiet = True
        try:
            yield
        finally:
            self._is_quiet = False

    def annotation(self, kind: type) -> str:
        """The name of a type, imported."""
        if issubclass(kind, Quantity):
            self.units.add(kind.__name__)
        elif issubclass(kind, Element):
            self.vocabulary.add(kind.__name__)
        elif issubclass(kind, datetime.date):
            self.has_dates = True
        return kind.__name__

    def _entry(self, value: Any, name: str | None, under: str | None) -> BracketEntry:
        own = self.comment_of(value) if isinstance(value, Element) else None
        if own is None or (under is not None and _source(own) == _source(under)):
            return BracketEntry(self.of(value, under), name)
        return BracketEntry(self.of(value, own), name, own)

    def _short(self, part: Element, under: str | None) -> Node | None:
        short = self._shorthands.get(part)
        match short:
            case None:
                return None
            case NamedConstant():
                self.shorthands.add(short)
                return Atom(self._names[short])
            case Helper():
                self.shorthands.add(short)
                first, *rest = short.parameters
                entries = [BracketEntry(self.of(getattr(part, first), under))]
                entries += [
                    BracketEntry(self.of(getattr(part, each), under), each) for each in rest
                ]
                return call(self._names[short], entries)

    def _plain(self, value: Any) -> Atom:
        source = plain_source(value)
        if isinstance(value, Quantity):
            self.units.update(names_in(source))
        self.has_dates |= isinstance(value, datetime.date)
        return Atom(source)


def arguments_of(part: Element) -> Iterator[tuple[str | None, Any, str]]:
    """The arguments of the call that makes ``part``: keyword, or none, and value and field.

    The vocabulary's order, those without a keyword first.
    """
    given = {each.name: value for each, value in declared(part)}
    gathered = type(part)._gathers
    if gathered in given:
        yield from ((None, item, gathered) for item in given.pop(gathered))
    positional = _positional(type(part), given)
    yield from ((None, given[name], name) for name in positional)
    yield from ((name, value, name) for name, value in given.items() if name not in positional)


def _positional(kind: type[Element], given: Mapping[str, Any]) -> list[str]:
    """The fields that are passed without their names: up to the first that is left out."""
    found: list[str] = []
    for each in fields(kind):  # type: ignore[arg-type]  # every element is a dataclass
        if not each.kw_only:
            if each.name not in given:
                break
            found.append(each.name)
    return found


def _checked(part: Element) -> str:
    """The name of the class of ``part``, if a model can import it."""
    kind = type(part)
    name = str(kind.__name__)
    if getattr(model, name, None) is not kind:
        raise ModelError(
            f"a {name} cannot be written: it is no kind of element of archcheck but a "
            f"class of {kind.__module__}; say it in words of the vocabulary",
            place_of(part),
        )
    return name


_SAFE_LETTERS = frozenset(map(chr, range(0xC0, 0x100))) - {"\u00d7", "\u00f7"}
"""Letters of Western Europe, which no linter takes for others."""


def _is_plain(text: str) -> bool:
    return text.isascii() or all(sign.isascii() or sign in _SAFE_LETTERS for sign in text)


def _is_odd_path(text: str) -> bool:
    return text in ("0.0.0.0", "::") or text.startswith(("/tmp", "/var/tmp", "/dev/shm"))  # noqa: S104, S108


def _one_line(text: str) -> str:
    """``text`` as a comment: no character of it ends the line or hides."""
    shown = "".join(sign if 32 <= ord(sign) < 127 else "?" for sign in " ".join(text.split()))
    return shown[:80].rstrip()


def _source(comment: str) -> str:
    """The file of a comment such as ``compose.yaml:12``."""
    return comment.rpartition(":")[0] or comment
