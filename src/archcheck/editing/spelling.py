"""Values as a person would write them in Python.

What is written is exact: evaluated, it gives the value to the last bit.
"""

from __future__ import annotations

import datetime
import re
from collections.abc import Iterator
from typing import Any

from archcheck.model.codec import declared
from archcheck.model.element import Element
from archcheck.units import Duration, Quantity, Rate

_WORDS = {"min": "minutes", "h": "hours", "d": "days", "m": "millicores"}
"""Units that text has other words for than Python: ``m`` stands for millicores there."""
_PERIODS = (("s", 1.0), ("minutes", 60.0), ("hours", 3600.0), ("days", 86400.0))
_TIMES = (("us", 1e-6), ("ms", 1e-3), ("s", 1.0))
_LEGIBLE = 6
"""Signs of a rate that people read at a glance, as in ``archcheck.units``."""
_GLANCE = 4
"""Signs of a time below which nobody looks for a shorter one: ``1500``. A choice."""


def source_of(value: Any) -> str:
    """The Python that makes a value of a field, as a person would write it."""
    match value:
        case tuple() | list():
            return f"[{', '.join(map(source_of, value))}]"
        case Element():
            return f"{type(value).__name__}({', '.join(_arguments(value))})"
        case _:
            return plain_source(value)


def plain_source(value: object) -> str:
    """The Python of a value that is no element: text, a number, a quantity, a date."""
    match value:
        case Quantity():
            return _quantity_source(value)
        case str():
            return text_source(value)
        case bool() | None:
            return repr(value)
        case int() | float():
            return _number_source(value)
        case datetime.date():
            return f"date({value.year}, {value.month}, {value.day})"
        case _:
            raise TypeError(f"a {type(value).__name__} is no value of a model")


def text_source(text: str) -> str:
    """A literal as formatters write it; what cannot be shown stands there as an escape."""
    quote = "'" if text.count('"') > text.count("'") else '"'
    return f"{quote}{''.join(escaped(sign, quote) for sign in text)}{quote}"


_ESCAPES = {"\\": "\\\\", "\n": "\\n", "\r": "\\r", "\t": "\\t"}


def escaped(sign: str, quote: str) -> str:
    """A character inside a literal between such quotes."""
    if sign == quote:
        return f"\\{sign}"
    if sign in _ESCAPES:
        return _ESCAPES[sign]
    return sign if sign.isprintable() else sign.encode("unicode_escape").decode("ascii")


def _number_source(number: float) -> str:
    """Whole numbers without a fraction, from 10,000 on with the thousands apart."""
    if float(number).is_integer() and abs(number) < 2**53:
        return f"{int(number):_}" if abs(number) >= 10_000 else str(int(number))
    return repr(number)


def _quantity_source(quantity: Quantity) -> str:
    if isinstance(quantity, Rate):
        return _rate_source(quantity)
    found = _AMOUNT.fullmatch(str(quantity))
    if found is None:  # a share that no number of percent gives to the last bit
        return f"{type(quantity).__name__}({float(quantity)!r})"
    number, unit = _shorter(quantity, found[1], found[2])
    unit = unit.replace("%", "percent").replace("/", " / ")
    return f"{_number_source(_number(number))} * {_WORDS.get(unit, unit)}"


_AMOUNT = re.compile(r"(-?[\d.]+(?:e[+-]?\d+)?) ?([A-Za-z%/]+)")


def _shorter(quantity: Quantity, number: str, unit: str) -> tuple[str, str]:
    """0.1 ms is not 100 us to the last bit: rather ``0.1 * ms`` than ``100000 * ns``."""
    if not isinstance(quantity, Duration) or len(number) <= _GLANCE:
        return number, unit
    value = float(quantity)
    for symbol, worth in _TIMES:
        text = f"{value / worth:.12g}"
        if len(text) < len(number) and "e" not in text and float(text) * worth == value:
            number, unit = text, symbol
    return number, unit


def _number(text: str) -> float:
    return float(text) if re.search(r"[.e]", text) else int(text)


def _rate_source(rate: Rate) -> str:
    """``5 / minutes``: in the shortest time that leaves a number of at least one."""
    value = float(rate)
    for unit, seconds in _PERIODS:
        number = float(f"{value * seconds:.12g}")
        is_short = len(f"{number:.12g}") <= _LEGIBLE
        if number >= 1 and number / seconds == value and is_short:
            return f"{_number_source(number)} / {unit}"
    return f"{_number_source(value)} / s"


_NAMES = re.compile(r"\b[A-Za-z]\w*")


def names_in(quantity: str) -> Iterator[str]:
    """The names of ``archcheck.units`` in the Python of a quantity."""
    yield from _NAMES.findall(quantity)


def _arguments(part: Element) -> Iterator[str]:
    for each, value in declared(part):
        source = source_of(value)
        yield f"{each.name}={source}" if each.kw_only else source
