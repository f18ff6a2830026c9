"""Physical quantities that carry their dimension.

A model says ``timeout=250 * ms``, ``load=500 / s`` or ``payload=4 * KiB``. A quantity is an
immutable number of base units (seconds, events per second, bytes, a ratio, CPU cores). It
deliberately is *not* a ``float``: ``timeout + 1`` and a rate in the place of a duration are
errors in the editor as well as at run time. ``float(quantity)`` gives the base units to code
that computes.

Strings (``"250ms"``, ``"500/s"``) are read wherever a quantity is expected, for JSON and
configuration; a bare number is refused with a sentence that says what to write. ``str()``
prints a quantity the way a person would, and reading that text back gives the same number to
the last bit.
"""

from __future__ import annotations

import functools
import math
import re
from typing import TYPE_CHECKING, Any, ClassVar, Self, overload

if TYPE_CHECKING:
    from pydantic import GetCoreSchemaHandler, GetJsonSchemaHandler
    from pydantic_core import CoreSchema

_NUMBER = re.compile(r"\s*([+-]?(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d+)?)\s*(\S.*?)?\s*")


_LEGIBLE = 6
"""Signs of a number that people read at a glance; a longer one is tried in smaller units: 70 s, not
1.1666666666666667 min. A choice."""


class Quantity:
    """A non-negative-by-use, finite number of base units of one dimension.

    Subclasses name their base unit and the units that are read and printed, from small to
    large. Quantities of one dimension add, subtract, compare and divide (to a plain number);
    a number scales them. Everything else is a ``TypeError``.
    """

    __slots__ = ("_value",)
    _value: float

    _units: ClassVar[dict[str, float]] = {}
    """Unit symbol to its worth in base units; the first spelling of a worth is printed."""
    _example: ClassVar[str] = ""
    """What to write instead of a bare number."""
    _most: ClassVar[tuple[float, str]] = (math.inf, "")
    """The most that a model may say, in base units and in words: far above what there is, and far
    below where computing with it ends."""

    def __init__(self, value: float) -> None:
        if not math.isfinite(value):
            raise ValueError(f"a {self.dimension()} must be a finite number, got {value}")
        object.__setattr__(self, "_value", float(value))

    @classmethod
    def dimension(cls) -> str:
        """The dimension's name in sentences: ``duration``, ``rate`` ..."""
        return cls.__name__.lower()

    @classmethod
    def parse(cls, text: str) -> Self:
        """Read ``text`` such as ``"250 ms"``. Raises ``ValueError`` with what would be right."""
        match = _NUMBER.fullmatch(text)
        unit = (match[2] or "") if match else ""
        if match is None or unit not in cls._units:
            raise ValueError(
                f"{text!r} is not a {cls.dimension()}; write a number and one of the units "
                f"{', '.join(unit for unit in cls._units if unit)}, such as {cls._example_text()!r}"
            )
        return cls(float(match[1]) * cls._units[unit])

    @classmethod
    def _example_text(cls) -> str:
        return cls._example.replace(" * ", " ").replace(" / ", "/")

    # -- arithmetic -----------------------------------------------------------------------

    def __float__(self) -> float:
        return self._value

    def __bool__(self) -> bool:
        return self._value != 0

    def __setattr__(self, name: str, value: object) -> None:
        raise AttributeError(f"a {self.dimension()} is immutable")

    def __mul__(self, factor: float) -> Self:
        if isinstance(factor, int | float):
            return type(self)(self._value * factor)
        return NotImplemented

    __rmul__ = __mul__

    @overload
    def __truediv__(self, other: Self) -> float: ...
    @overload
    def __truediv__(self, other: float) -> Self: ...
    def __truediv__(self, other: Self | float) -> Self | float:
        if isinstance(other, type(self)):
            return self._value / other._value
        if isinstance(other, int | float):
            return type(self)(self._value / other)
        return NotImplemented

    def __add__(self, other: Self) -> Self:
        return type(self)(self._value + other._value) if self._same(other) else NotImplemented

    def __sub__(self, other: Self) -> Self:
        return type(self)(self._value - other._value) if self._same(other) else NotImplemented

    def __neg__(self) -> Self:
        return type(self)(-self._value)

    # -- comparison -----------------------------------------------------------------------

    def _same(self, other: object) -> bool:
        return type(other) is type(self)

    def __eq__(self, other: object) -> bool:
        return type(other) is type(self) and self._value == other._value

    def __hash__(self) -> int:
        return hash((type(self), self._value))

    def __lt__(self, other: Self) -> bool:
        return self._value < other._value if self._same(other) else NotImplemented

    def __le__(self, other: Self) -> bool:
        return self._value <= other._value if self._same(other) else NotImplemented

    def __gt__(self, other: Self) -> bool:
        return self._value > other._value if self._same(other) else NotImplemented

    def __ge__(self, other: Self) -> bool:
        return self._value >= other._value if self._same(other) else NotImplemented

    # -- text -----------------------------------------------------------------------------

    def __str__(self) -> str:
        return self._text(exact=True)

    def __format__(self, spec: str) -> str:
        """``f"{quantity}"`` is exact; ``f"{quantity:.3}"`` rounds to significant digits."""
        if not spec:
            return str(self)
        return self._text(exact=False, digits=int(spec.lstrip(".")))

    def __repr__(self) -> str:
        return f"{type(self).__name__}('{self}')"

    def __reduce__(self) -> tuple[type[Self], tuple[float]]:
        return type(self), (self._value,)

    @functools.lru_cache(maxsize=4096)  # noqa: B019  # small values; reports print few of them often
    def _text(self, *, exact: bool, digits: int = 3) -> str:
        found: list[tuple[str, str]] = []
        for symbol, worth in self._printed_units():
            number = _unscaled(self._value, worth)
            if not exact:
                return _joined(_rounded(number, digits), symbol)
            for text in (f"{number:.12g}", repr(number)):
                if float(text) * worth == self._value and "e" not in text:
                    found.append((text.removesuffix(".0"), symbol))
                    break
            if found and len(found[-1][0]) <= _LEGIBLE:
                return _joined(*found[-1])
        if found:  # 100000 s rather than 1.1574074074074074 d
            return _joined(*min(found, key=lambda pair: len(pair[0])))
        symbol = next(symbol for symbol, worth in self._units.items() if worth == 1)
        return _joined(repr(self._value).removesuffix(".0"), symbol)

    def _printed_units(self) -> list[tuple[str, float]]:
        """The units to try, best first: the largest that leaves a number of at least one."""
        first: dict[float, str] = {}
        for symbol, worth in self._units.items():
            first.setdefault(worth, symbol)
        ascending = sorted((worth, symbol) for worth, symbol in first.items())
        size = abs(self._value)
        if size == 0:
            return [(first[1], 1)]
        fitting = [pair for pair in ascending if pair[0] <= size * (1 + 1e-12)] or ascending[:1]
        return [(symbol, worth) for worth, symbol in reversed(fitting)]

    # -- pydantic -------------------------------------------------------------------------

    @classmethod
    def _validate(cls, value: object) -> Self:
        if isinstance(value, cls):
            quantity = value
        elif isinstance(value, str):
            quantity = cls.parse(value)
        elif isinstance(value, Quantity):
            raise ValueError(
                f"must be a {cls.dimension()} such as {cls._example}, "
                f"got the {value.dimension()} {value}"
            )
        elif isinstance(value, int | float) and not isinstance(value, bool):
            raise ValueError(
                f"must be a {cls.dimension()} with its unit, got the bare number {value!r}; "
                f"write {cls._instead_of(value)}"
            )
        else:
            raise ValueError(
                f"must be a {cls.dimension()} such as {cls._example}, got {_described(value)}"
            )
        if quantity._value < 0:
            raise ValueError(f"must not be negative, got {quantity}")
        most, in_words = cls._most
        if quantity._value > most:
            raise ValueError(f"must be at most {in_words}, got {quantity}")
        return quantity

    @classmethod
    def _instead_of(cls, number: float) -> str:
        unit = re.sub(r"^\S+ ", "", cls._example)
        return f"for example {number!r} {unit}"

    @classmethod
    def __get_pydantic_core_schema__(cls, source: Any, handler: GetCoreSchemaHandler) -> CoreSchema:
        from pydantic_core import core_schema

        return core_schema.no_info_plain_validator_function(
            cls._validate, serialization=core_schema.to_string_ser_schema()
        )

    @classmethod
    def __get_pydantic_json_schema__(
        cls, schema: CoreSchema, handler: GetJsonSchemaHandler
    ) -> dict[str, Any]:
        units = "|".join(re.escape(unit) for unit in cls._units)
        return {
            "type": "string",
            "title": cls.__name__,
            "description": f"A {cls.dimension()}, such as {cls._example_text()!r}.",
            "pattern": rf"^\s*\+?(\d+\.?\d*|\.\d+)([eE][+-]?\d+)?\s*({units})\s*$",
        }


class Duration(Quantity):
    """A length of time; base unit: second."""

    __slots__ = ()
    _units = {
        "ns": 1e-9,
        "us": 1e-6,
        "µs": 1e-6,
        "ms": 1e-3,
        "s": 1.0,
        "sec": 1.0,
        "min": 60.0,
        "minutes": 60.0,
        "m": 60.0,
        "h": 3600.0,
        "hours": 3600.0,
        "d": 86400.0,
        "days": 86400.0,
    }
    _example = "250 * ms"
    _most = (100 * 365.25 * 86400.0, "100 years")

    def __rtruediv__(self, count: float) -> Rate:
        if isinstance(count, int | float):
            return Rate(count / self._value)
        return NotImplemented


class Rate(Quantity):
    """Events in a length of time; base unit: events per second."""

    __slots__ = ()
    _units = {
        "/d": 1 / 86400.0,
        "/h": 1 / 3600.0,
        "/min": 1 / 60.0,
        "/s": 1.0,
        "rps": 1.0,
    }
    _example = "500 / s"
    _most = (1e9, "a thousand million a second")

    def _printed_units(self) -> list[tuple[str, float]]:
        units = super()._printed_units()
        return units if self._value < 1 else [("/s", 1.0)]


class Size(Quantity):
    """An amount of data; base unit: byte. ``KiB`` is 1024 bytes, ``KB`` is 1000."""

    __slots__ = ()
    _units = {
        "B": 1.0,
        "KB": 1e3,
        "MB": 1e6,
        "GB": 1e9,
        "TB": 1e12,
        "KiB": 1024.0,
        "MiB": 1024.0**2,
        "GiB": 1024.0**3,
        "TiB": 1024.0**4,
    }
    _example = "4 * KiB"
    _most = (1e21, "a zettabyte (1e21 bytes)")

    @overload  # type: ignore[override]  # a size over a duration is a further case
    def __truediv__(self, other: Self) -> float: ...
    @overload
    def __truediv__(self, other: Duration) -> Bandwidth: ...
    @overload
    def __truediv__(self, other: float) -> Self: ...
    def __truediv__(self, other: Self | Duration | float) -> Self | Bandwidth | float:
        if isinstance(other, Duration):
            return Bandwidth(self._value / float(other))
        return super().__truediv__(other)

    def _printed_units(self) -> list[tuple[str, float]]:
        """Prefer the unit that gives the shortest number: 4 KiB, not 4.096 KB."""
        units = super()._printed_units()
        return sorted(units, key=lambda unit: len(f"{_unscaled(self._value, unit[1]):.12g}"))


class Bandwidth(Quantity):
    """Data in a length of time; base unit: bytes per second."""

    __slots__ = ()
    _units = {"B/s": 1.0, "KB/s": 1e3, "MB/s": 1e6, "GB/s": 1e9}
    _example = "125 * MB / s"
    _most = (1e18, "an exabyte (1e18 bytes) a second")


class Fraction(Quantity):
    """A share of a whole; base unit: one. ``50 * percent`` is one half."""

    __slots__ = ()
    _units = {"%": 0.01, "": 1.0}
    _example = "50 * percent"
    _most = (1e6, "100,000,000%")

    def _printed_units(self) -> list[tuple[str, float]]:
        return [("%", 0.01)]

    @classmethod
    def _instead_of(cls, number: float) -> str:
        return f"for example {number * 100:g} * percent"


class Cpu(Quantity):
    """Processing power; base unit: one core. Kubernetes writes ``250m`` for a quarter core."""

    __slots__ = ()
    _units = {"m": 1e-3, "millicores": 1e-3, "cores": 1.0, "core": 1.0}
    _example = "500 * millicores"
    _most = (1e6, "a million cores")

    @classmethod
    def dimension(cls) -> str:
        return "CPU amount"

    @classmethod
    def _instead_of(cls, number: float) -> str:
        return f"for example {number!r} * cores"


def _unscaled(value: float, worth: float) -> float:
    """``value / worth``, rounded to what a person wrote when that gives the value back."""
    quotient = value / worth
    tidy = float(f"{quotient:.12g}")
    return tidy if tidy * worth == value else quotient


def _rounded(number: float, digits: int) -> str:
    if number == 0:
        return "0"
    decimals = max(0, digits - 1 - math.floor(math.log10(abs(number))))
    text = f"{number:,.{decimals}f}"
    return text.rstrip("0").rstrip(".") if "." in text else text


def _joined(number: str, symbol: str) -> str:
    glued = not symbol or not symbol[0].isalpha()
    return f"{number}{symbol}" if glued else f"{number} {symbol}"


def _described(value: object) -> str:
    return "nothing" if value is None else f"{type(value).__name__} {value!r}"


ns = Duration(1e-9)
us = Duration(1e-6)
ms = Duration(1e-3)
s = Duration(1.0)
minutes = Duration(60.0)
hours = Duration(3600.0)
days = Duration(86400.0)

B = Size(1.0)
KB = Size(1e3)
MB = Size(1e6)
GB = Size(1e9)
TB = Size(1e12)
KiB = Size(1024.0)
MiB = Size(1024.0**2)
GiB = Size(1024.0**3)
TiB = Size(1024.0**4)

percent = Fraction(0.01)

cores = Cpu(1.0)
millicores = Cpu(1e-3)


def spoken(seconds: float) -> str:
    """A length of time as people say it: ``1 h 44 min``, ``70 s`` as ``1 min 10 s``, ``250 ms``."""
    if not math.isfinite(seconds) or seconds < 60:
        return f"{Duration(seconds):.3}" if math.isfinite(seconds) else "for ever"
    whole = round(seconds)
    parts = [(whole // 3600, "h"), (whole // 60 % 60, "min"), (whole % 60, "s")]
    first = next(i for i, (number, _) in enumerate(parts) if number)
    return " ".join(f"{number} {unit}" for number, unit in parts[first : first + 2] if number)
