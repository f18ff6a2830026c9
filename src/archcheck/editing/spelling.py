"""Values as a person would write them in Python."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import fields
from typing import Any

from archcheck.model.element import Element
from archcheck.units import Duration, Fraction, Rate, Size


def source_of(value: Any) -> str:
    """The Python that makes a value of a field, as a person would write it."""
    match value:
        case tuple() | list():
            return f"[{', '.join(map(source_of, value))}]"
        case Fraction():
            return str(value).replace("%", " * percent")
        case Rate():
            return str(value).replace("/", " / ")
        case Duration() | Size():
            return str(value).replace(" ", " * ")
        case Element():
            return f"{type(value).__name__}({', '.join(_arguments(value))})"
        case _:
            return repr(value)


def _arguments(part: Element) -> Iterator[str]:
    for each in fields(part):  # type: ignore[arg-type]  # every element is a dataclass
        value = getattr(part, each.name)
        if value != each.default:
            source = source_of(value)
            yield f"{each.name}={source}" if each.kw_only else source
