"""JSON that commands print, and its JSON Schemas: both are made from the same dataclasses.

A form is a dataclass whose fields are the keys of an object, each with a string below it that says
what it means. :func:`plain` makes JSON of it, :func:`schema_of` the schema. Values that JSON does
not have, infinite ones and NaN, are written as null.
"""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, fields, is_dataclass
from functools import cache
from typing import Annotated, Any, TypeVar, get_type_hints

from pydantic import ConfigDict, Field, TypeAdapter
from pydantic.json_schema import GenerateJsonSchema
from pydantic_core import core_schema

from archcheck.model import Place

Make = TypeVar("Make", bound=Callable[[Any], Any])

Count = Annotated[int, Field(ge=0)]
"""How many."""
Seconds = Annotated[float, Field(allow_inf_nan=False)]
"""Seconds that are always known."""

_TOO: dict[type, tuple[str, ...]] = {}
_INSTEAD: dict[type, Callable[[Any], Any]] = {}


def printed_with(kind: type, *names: str) -> None:
    """The JSON of a dataclass also has these properties; ``text``: it as a sentence."""
    _TOO[kind] = names


def printed_as(make: Make) -> Make:
    """``make`` gives the form of what it takes, wherever that stands in another form."""
    hints = get_type_hints(make)
    (taken,) = (hint for name, hint in hints.items() if name != "return")
    _INSTEAD[taken] = make
    return make


# -- forms of every room -------------------------------------------------------------------------


@dataclass(frozen=True)
class PlaceForm:
    """A line of a file."""

    # Described in annotations: other forms extend this one, and pydantic inherits no docstrings.

    file: Annotated[str, Field(description="The file, relative to the working folder if inside.")]
    line: Annotated[int, Field(ge=1, description="The line, counted from 1.")]


@printed_as
def place_form(place: Place) -> PlaceForm:
    """A place, with its file as people see it."""
    return PlaceForm(place.shown_file(), place.line)


# -- data -----------------------------------------------------------------------------------------


def plain(value: Any) -> Any:
    """``value`` as JSON has it."""
    kind: Any = type(value)  # most values are texts and forms: a result may have a million of them
    if kind in _AS_IT_IS:
        return value
    if kind in _INSTEAD:
        return plain(_INSTEAD[kind](value))
    if is_dataclass(value):
        return {name: plain(_read(value, name)) for name in _names(kind)}
    if isinstance(value, list | tuple):
        return [plain(item) for item in value]
    if isinstance(value, float):
        return value if math.isfinite(value) else None
    if isinstance(value, Mapping):
        return {key: plain(item) for key, item in value.items()}
    return value


_AS_IT_IS = frozenset({str, int, bool, type(None)})


@cache
def _names(kind: Any) -> tuple[str, ...]:
    """The keys of an object that is made of a dataclass."""
    return (*(field.name for field in fields(kind)), *_TOO.get(kind, ()))


def _read(value: object, name: str) -> object:
    return str(value) if name == "text" and type(value) in _TOO else getattr(value, name)


# -- schemas --------------------------------------------------------------------------------------

_CONFIG = ConfigDict(use_attribute_docstrings=True, extra="forbid")


def schema_of(form: Any) -> dict[str, Any]:
    """The JSON Schema of a form, or of lists of it; nothing else may be in its objects."""
    adapter: TypeAdapter[Any] = TypeAdapter(list[form], config=_CONFIG)
    schema = adapter.json_schema(mode="serialization", schema_generator=_Generator)
    definitions = schema.get("$defs", {})
    inner = schema["items"]
    if "$ref" in inner:
        inner = definitions.pop(inner["$ref"].rpartition("/")[2])
    return {**inner, **({"$defs": definitions} if definitions else {})}


class _Generator(GenerateJsonSchema):
    """Schemas of what :func:`plain` makes: every field is there, numbers may be null."""

    def float_schema(self, schema: core_schema.FloatSchema) -> dict[str, Any]:
        return {"type": "number" if schema.get("allow_inf_nan") is False else ["number", "null"]}

    def default_schema(self, schema: core_schema.WithDefaultSchema) -> dict[str, Any]:
        return self.generate_inner(schema["schema"])

    def field_is_required(self, field: Any, total: bool) -> bool:
        return True

    def field_title_should_be_set(self, schema: Any) -> bool:
        return False

    def dataclass_schema(self, schema: core_schema.DataclassSchema) -> dict[str, Any]:
        kind = schema["cls"]
        if kind in _INSTEAD:
            return self._inner(get_type_hints(_INSTEAD[kind])["return"])
        found = super().dataclass_schema(schema)
        found["description"] = _said(kind.__doc__ or "").partition("\n\n")[0]
        for name in _TOO.get(kind, ()):
            found["properties"][name] = self._property(kind, name)
            found["required"].append(name)
        for each in found["properties"].values():
            if "description" in each:
                each["description"] = _said(each["description"])
        return found

    def _property(self, kind: type, name: str) -> dict[str, Any]:
        if name == "text":
            return {"type": "string", "description": "The same as a sentence."}
        getter = getattr(kind, name).fget
        made = self._inner(get_type_hints(getter)["return"])
        return {**made, "description": getter.__doc__ or ""}

    def _inner(self, kind: Any) -> dict[str, Any]:
        """The schema of another type; in a list, as a type may have a configuration of its own."""
        adapter: TypeAdapter[Any] = TypeAdapter(list[kind], config=_CONFIG)
        listed: dict[str, Any] = self.generate_inner(adapter.core_schema)
        inner: dict[str, Any] = listed["items"]
        return inner


def _said(text: str) -> str:
    """A docstring for people who read JSON."""
    text = re.sub(r":\w+:`~?(?:[\w.]+\.)?(\w+)`", r"\1", text).replace("``None``", "null")
    paragraphs = text.replace("``", "").replace("NaN", "null").split("\n\n")
    return "\n\n".join(" ".join(paragraph.split()) for paragraph in paragraphs)
