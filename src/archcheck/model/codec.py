"""The JSON form of a model, its reader, and its JSON Schema.

Each element is an object whose ``type`` is the name of its class; fields that have their
default value are left out; quantities are text (``"250 ms"``). Reading needs no Python to run,
so it is the way to check models that are not trusted: size and nesting are limited, unknown
types and arguments are refused with their line. Declaration sites are the lines of the JSON.
The outermost object says in which form it is written (:data:`FORMAT`).
"""

from __future__ import annotations

import datetime
import json
import re
from collections.abc import Iterator
from dataclasses import MISSING, Field, fields
from typing import Any

from pydantic.json_schema import GenerateJsonSchema

from archcheck.model.element import Element, Site, adapter_of, declared_at, element_types, nearest
from archcheck.model.errors import MistakesError, ModelError, Place, raise_all
from archcheck.model.renamed import renamed, renamed_kind
from archcheck.model.system import System
from archcheck.units import Quantity

FORMAT = "archcheck.model/2"
"""The form that is written and read. Form 1, which did not say so, had other words for some fields:
a file that uses one of them is refused, because converting counts of copies unseen is riskier than
exporting the model again; one that does not means the same in both forms."""
MAX_BYTES = 64 * 1024 * 1024
"""The largest JSON model that is read, in bytes. A choice, for models that nobody trusts."""
MAX_DEPTH = 64
"""The deepest nesting that is read: steps within steps are hardly ever ten deep, and Python's own
limit of recursion (1,000) is far away."""

_LONG = re.compile(r"\d{4000,}")
_TOKENS = re.compile(r'(?:[^"{}\[\]\n]|"(?:[^"\\]|\\.)*+"?)*+([{}\[\]\n]|\Z)', re.DOTALL)
"""The next bracket or end of a line outside of texts. Nothing is read twice, whatever is wrong."""


def to_json(system: System) -> str:
    """``system`` as JSON text; reading it back gives an equal system."""
    return json.dumps({"format": FORMAT, **to_data(system)}, indent=2, ensure_ascii=False) + "\n"


def to_data(part: Element) -> dict[str, Any]:
    """``part`` as plain data."""
    return {
        "type": type(part).__name__,
        **{field.name: _plain(value) for field, value in declared(part)},
    }


def declared(part: Element) -> Iterator[tuple[Field[Any], Any]]:
    """The fields of ``part`` that do not have their default value, in the vocabulary's order."""
    for field in fields(part):  # type: ignore[arg-type]  # every element is a dataclass
        value = getattr(part, field.name)
        if value != _default(field):
            yield field, value


def _default(field: Field[Any]) -> Any:
    if field.default_factory is not MISSING:
        return field.default_factory()
    return field.default


def _plain(value: Any) -> Any:
    match value:
        case Element():
            return to_data(value)
        case Quantity():
            return str(value)
        case datetime.date():
            return value.isoformat()
        case tuple():
            return [_plain(item) for item in value]
        case _:
            return value


def from_json(text: str, file: str = "<json>") -> System:
    """Read a system. Raises :class:`ModelError` with the line of what is wrong."""
    text = text.removeprefix("\ufeff")  # the mark that some editors begin a file with
    if len(text) > MAX_BYTES:
        raise ModelError(f"is larger than {MAX_BYTES // 1024**2} MiB", Place(file, 1))
    lines = _object_lines(text, file)
    builder = _Builder(file, lines)
    built = builder.read(text)
    raise_all(builder.mistakes)
    if not isinstance(built, System):
        raise ModelError(
            'is not a model: the outermost object must have "type": "System"', Place(file, 1)
        )
    return built


def _object_lines(text: str, file: str) -> Iterator[int]:
    """The line on which each object starts, in the order in which the objects end."""
    line, starts, ended = 1, [], []
    for token in _TOKENS.finditer(text):
        match token[1]:
            case "\n":
                line += 1
            case "{" | "[":
                starts.append(line)
                if len(starts) > MAX_DEPTH:
                    raise ModelError(f"is nested deeper than {MAX_DEPTH}", Place(file, line))
            case "}":
                ended.append(starts.pop() if starts else line)
            case "]":
                starts = starts[:-1]
    return iter(ended)


_WRONG = object()
"""Stands for an element that is wrong, so that the rest of the file is read too."""


def _is_wrong(value: Any) -> bool:
    return value is _WRONG or (isinstance(value, list) and any(item is _WRONG for item in value))


class _Builder:
    """Turns JSON objects into elements, innermost first."""

    def __init__(self, file: str, lines: Iterator[int]) -> None:
        self._file = file
        self._kinds = element_types()
        self._lines = lines
        self.mistakes: list[ModelError] = []

    def read(self, text: str) -> Any:
        try:
            return json.loads(text, object_pairs_hook=self._element)
        except json.JSONDecodeError as error:
            raise ModelError(f"is not JSON: {error.msg}", Place(self._file, error.lineno)) from None
        except ValueError as error:  # Python reads no number of thousands of digits
            found = _LONG.search(text)
            if found is None:
                raise
            line = text.count("\n", 0, found.start()) + 1
            raise ModelError("a number has too many digits", Place(self._file, line)) from error

    def _element(self, pairs: list[tuple[str, Any]]) -> object:
        """The element; :data:`_WRONG` where it, or one in it, is wrong: ``mistakes`` says why."""
        place = Place(self._file, next(self._lines, 1))
        try:
            if any(_is_wrong(value) for _, value in pairs):
                return _WRONG
            return self._right_element(pairs, place)
        except ModelError as error:
            self.mistakes.append(error)
            return _WRONG

    def _right_element(self, pairs: list[tuple[str, Any]], place: Place) -> Element:
        values = dict(pairs)
        if len(values) != len(pairs):
            keys = [key for key, _ in pairs]
            twice = next(key for key in keys if keys.count(key) > 1)
            raise ModelError(f"the key {twice!r} appears twice", place)
        name = values.pop("type", None)
        kind = self._kinds.get(name) if isinstance(name, str) else None
        if kind is None:
            known = list(self._kinds)
            hint = ""
            if isinstance(name, str):
                old = renamed_kind(name)
                hint = f": {old}" if old else nearest(name, known)
            if name is None:
                raise ModelError('an object says with "type" which kind of element it is', place)
            raise ModelError(f'"type" must be a kind of element, got {name!r}{hint}', place)
        self._check_form(kind, values, place)
        try:
            part = kind(**values)
        except MistakesError as error:
            inner = [self._within(each, place) for each in error.mistakes]
            raise MistakesError(inner) from None
        except ModelError as error:
            raise self._within(error, place) from None
        declared_at(part, Site((place,)))
        return part

    def _within(self, error: ModelError, place: Place) -> ModelError:
        """The mistake, at its own line of this file or at that of the object."""
        inside = error.place if error.place and error.place.file == self._file else place
        return ModelError(error.sentence, inside)

    @staticmethod
    def _check_form(kind: type[Element], values: dict[str, Any], place: Place) -> None:
        form = values.pop("format", FORMAT) if issubclass(kind, System) else FORMAT
        if form != FORMAT:
            raise ModelError(
                f"is of the form {form!r}, and this version reads {FORMAT!r}: export the model "
                "again",
                place,
            )
        for field in values:
            if sentence := renamed(kind, field):
                raise ModelError(
                    f"{kind.__name__} {values.get('name')!r}: {sentence}; the file is of the form "
                    f"archcheck.model/1, and this version reads {FORMAT}: export the model again, "
                    "or write the new words",
                    place,
                )


# -- schema ---------------------------------------------------------------------------------------


def json_schema() -> dict[str, Any]:
    """The JSON Schema (draft 2020-12) of the JSON form of a system."""
    kinds = element_types()
    definitions = {name: _definition(kind) for name, kind in sorted(kinds.items())}
    definitions["System"]["properties"]["format"] = {"const": FORMAT}
    return {
        "$schema": GenerateJsonSchema.schema_dialect,
        "$id": f"urn:{FORMAT.replace('.', ':')}",
        "title": "archcheck model",
        "$ref": "#/$defs/System",
        "$defs": definitions,
    }


def _definition(kind: type[Element]) -> dict[str, Any]:
    from archcheck.model.words import words_of  # reads source files: only schemas need it

    schema = adapter_of(kind).json_schema(mode="validation")
    schema = _resolved(schema, schema.pop("$defs", {}))
    words = words_of(kind)
    meanings = {field.name: " ".join(field.text.split()) for field in words.fields}
    properties = {
        name: _described(what, meanings[name]) if name in meanings else what
        for name, what in schema.get("properties", {}).items()
    }
    return {
        "title": kind.__name__,
        "description": " ".join(words.text.partition("\n\n")[0].split()),
        "type": "object",
        "properties": {"type": {"const": kind.__name__}, **properties},
        "required": ["type", *schema.get("required", [])],
        "additionalProperties": False,
    }


def _described(schema: dict[str, Any], meaning: str) -> dict[str, Any]:
    """With what a field means, before what its type says of itself."""
    text = f"{meaning} {schema.get('description', '')}".strip()
    return {**schema, "description": text}


def _resolved(schema: Any, inline: dict[str, Any]) -> Any:
    """Element placeholders become references; pydantic's own definitions are put in place."""
    if isinstance(schema, list):
        return [_resolved(item, inline) for item in schema]
    if not isinstance(schema, dict):
        return schema
    if "x-element" in schema:
        names = [n for n, kind in element_types().items() if _is_a(kind, schema["x-element"])]
        options = [{"$ref": f"#/$defs/{name}"} for name in sorted(names)]
        return options[0] if len(options) == 1 else {"anyOf": options}
    if "$ref" in schema:
        return _resolved(inline[schema["$ref"].rpartition("/")[2]], inline)
    return {key: _resolved(value, inline) for key, value in schema.items() if key != "default"}


def _is_a(kind: type[Element], base: str) -> bool:
    return any(ancestor.__name__ == base for ancestor in kind.__mro__)
