"""What the vocabulary says of itself: the words of its kinds and fields, from their docstrings."""

from __future__ import annotations

import ast
import inspect
import textwrap
from collections.abc import Iterator
from dataclasses import MISSING, dataclass, fields
from functools import cache

from archcheck.model.element import Element, element_types, field_names
from archcheck.model.values import Default, Documented


@dataclass(frozen=True)
class FieldWords:
    """A field: what may be written, what counts when nothing is, and what it means."""

    name: str
    types: str
    """What may be written, as Python annotates it."""
    default: str
    """What counts when nothing is written; empty: it must be written."""
    source: str
    """Where a default of a technology is documented, and when somebody last looked."""
    others: tuple[str, ...]
    """What counts for other products and older versions instead."""
    text: str


@dataclass(frozen=True)
class KindWords:
    """A kind of element, such as ``Call``, with its fields in the order in which it takes them."""

    name: str
    text: str
    module: str
    """The module that declares it, such as ``steps``."""
    fields: tuple[FieldWords, ...]


def words_of(kind: type[Element]) -> KindWords:
    """The words of a kind."""
    notes = {name: note for base in reversed(kind.__mro__) for name, note in _notes(base)}
    defaults = {each.name: each for each in fields(kind)}  # type: ignore[arg-type]  # a dataclass
    documented = kind.documented if issubclass(kind, Documented) else {}
    found = []
    for name in field_names(kind):
        types, text = notes.get(name, ("", ""))  # somebody's own kind may say nothing
        default, source, others = _counts(defaults[name], documented.get(name))
        found.append(FieldWords(name, types, default, source, others, text))
    return KindWords(
        kind.__name__,
        inspect.cleandoc(kind.__doc__ or ""),
        kind.__module__.rpartition(".")[2],
        tuple(found),
    )


def all_words() -> Iterator[KindWords]:
    """The words of archcheck's own kinds, by name."""
    for _, kind in sorted(element_types().items()):
        if kind.__module__.startswith("archcheck."):
            yield words_of(kind)


@cache
def _notes(kind: type) -> tuple[tuple[str, tuple[str, str]], ...]:
    """The fields that a class declares itself: name, annotation and the string below it."""
    if not issubclass(kind, Element) or kind is Element:
        return ()
    try:
        (body,) = ast.parse(textwrap.dedent(inspect.getsource(kind))).body
    except (OSError, TypeError, SyntaxError, ValueError):  # made without a file
        return ()
    if not isinstance(body, ast.ClassDef):
        return ()
    found = []
    for line, following in zip(body.body, [*body.body[1:], None], strict=True):
        if isinstance(line, ast.AnnAssign) and isinstance(line.target, ast.Name):
            text = ""
            if isinstance(following, ast.Expr) and isinstance(following.value, ast.Constant):
                text = inspect.cleandoc(str(following.value.value))
            if text:
                found.append((line.target.id, (_shown(line.annotation), text)))
    return tuple(found)


def _shown(annotation: ast.expr) -> str:
    """An annotation without the bounds that only checks need."""
    return ast.unparse(_WithoutBounds().visit(annotation))


class _WithoutBounds(ast.NodeTransformer):
    def visit_Subscript(self, node: ast.Subscript) -> ast.AST:
        if isinstance(node.value, ast.Name) and node.value.id == "Annotated":
            assert isinstance(node.slice, ast.Tuple)  # noqa: S101  # a type and its bounds
            return ast.copy_location(node.slice.elts[0], node)
        return self.generic_visit(node)


def _counts(field: object, written: Default | None) -> tuple[str, str, tuple[str, ...]]:
    """What counts when nothing is written, where that is documented, and what others do."""
    if written is None:
        return _left_out(field), "", ()
    others = tuple(f"{_value(each)} ({_source(each)})" for each in written.others)
    if written.before:  # the newest version has none
        return _left_out(field), "", (f"{_value(written)} ({_source(written)})", *others)
    return _value(written), _source(written), others


def _value(written: Default) -> str:
    less = f" less {written.less}" if written.less else ""
    return f"{written.value}{less}"


def _source(written: Default) -> str:
    checked = f"checked {written.checked}" if written.checked else "not checked lately"
    return f"{written.source}, {checked}"


def _left_out(field: object) -> str:
    """What counts when nothing is written and no technology has a default of its own."""
    value = getattr(field, "default", MISSING)
    if value is MISSING:
        factory = getattr(field, "default_factory", MISSING)
        return "" if factory is MISSING else repr(factory())
    if value is None:
        return "unknown"
    return "none" if value == () else str(value)
