"""Values of a file with their lines, and the sentences for those that are not as they must be."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from decimal import Decimal
from typing import NoReturn, TypeAlias

from archcheck.model import ModelError, Place
from archcheck.units import Cpu, millicores

Scalar: TypeAlias = str | int | float | bool | None


@dataclass(frozen=True, eq=False)
class Value:
    """A mapping, a list or a scalar, and the line at which a reader would look for it."""

    raw: dict[str, Value] | list[Value] | Scalar
    place: Place
    text: str = ""
    """A scalar as it is written: ``3.10`` is a version, not 3.1."""
    tag: str = ""
    """A tag of the file's own, such as Compose's ``!reset``."""
    shared: Place | None = None
    """The block that it is merged from, where several mappings share one (``<<: *anchor``)."""
    doubled: tuple[str, ...] = field(default=(), repr=False)
    """Keys that a mapping has more than once; the last one counts."""

    # -- mappings -----------------------------------------------------------------------------

    @property
    def is_mapping(self) -> bool:
        """Whether it has keys."""
        return isinstance(self.raw, dict)

    @property
    def is_list(self) -> bool:
        """Whether it has items."""
        return isinstance(self.raw, list)

    @property
    def is_null(self) -> bool:
        """Whether it is written and empty."""
        return self.raw is None

    def get(self, *keys: str) -> Value | None:
        """What lies under the keys, one inside the other; ``None``: not written, or empty."""
        found: Value = self
        for key in keys:
            if found.raw is None:
                return None
            if not isinstance(found.raw, dict):
                found.refuse(f"must be a mapping with the key {key!r}")
            inner = found.raw.get(key)
            if inner is None or inner.raw is None:
                return None
            found = inner
        return found

    def need(self, *keys: str) -> Value:
        """The same of what must be there."""
        found = self.get(*keys)
        if found is None:
            self.refuse(f"{'.'.join(keys)} is missing")
        return found

    def items(self, *keys: str) -> list[tuple[str, Value]]:
        """The keys and values under ``keys``; none where nothing is written."""
        found = self.get(*keys)
        if found is None or found.raw is None:
            return []
        if not isinstance(found.raw, dict):
            found.refuse(f"{_said(keys)}must be a mapping")
        return list(found.raw.items())

    def each(self, *keys: str) -> list[Value]:
        """The items of the list under ``keys``; none where nothing is written."""
        found = self.get(*keys)
        if found is None or found.raw is None:
            return []
        if not isinstance(found.raw, list):
            found.refuse(f"{_said(keys)}must be a list")
        return list(found.raw)

    def has(self, key: str) -> bool:
        """Whether a key is written, be it empty."""
        return isinstance(self.raw, dict) and key in self.raw

    # -- scalars ------------------------------------------------------------------------------

    def string(self, what: str = "a value") -> str:
        """The text as it is written."""
        if isinstance(self.raw, dict | list):
            self.refuse(f"{what} must be text")
        return self.text

    def whole(self, what: str) -> int:
        """A whole number, also when it is quoted."""
        if isinstance(self.raw, bool | dict | list):
            self.refuse(f"{what} must be a whole number")
        if re.fullmatch(r"[-+]?[0-9]{1,18}", self.text.strip()):
            return int(self.text)
        if isinstance(self.raw, float) and self.raw.is_integer():
            return int(self.raw)
        return self.refuse(f"{what} must be a whole number")

    def flag(self, what: str) -> bool:
        """True or false, also in the spellings of YAML 1.1."""
        word = self.text.lower()
        if word in ("true", "yes", "on", "y"):
            return True
        if word in ("false", "no", "off", "n"):
            return False
        return self.refuse(f"{what} must be true or false")

    def refuse(self, sentence: str) -> NoReturn:
        """Raise the sentence, with what is written and where."""
        raise ModelError(f"{sentence}, got {self.shown()}", self.place)

    def shown(self) -> str:
        """The value in a sentence."""
        if isinstance(self.raw, dict):
            return "a mapping"
        if isinstance(self.raw, list):
            return "a list"
        if self.raw is None:
            return "nothing"
        return repr(self.text if len(self.text) <= 60 else self.text[:57] + "...")


def cores(number: Decimal) -> Cpu:
    """Cores as ``102 * millicores`` makes them: 0.102 is another number in binary, and would be
    written as 101.99999999999999."""
    milli = number * 1_000
    whole = milli == milli.to_integral_value() and number != number.to_integral_value()
    return int(milli) * millicores if whole else Cpu(float(number))


def mappings(value: Value) -> Iterator[Value]:
    """``value`` and all mappings below it, each once however often aliases repeat it."""
    waiting, seen = [value], set[int]()
    while waiting:
        current = waiting.pop()
        if id(current.raw) in seen or not isinstance(current.raw, dict | list):
            continue
        seen.add(id(current.raw))
        if isinstance(current.raw, dict):
            yield current
            waiting += current.raw.values()
        else:
            waiting += current.raw


def _said(keys: tuple[str, ...]) -> str:
    return f"{'.'.join(keys)} " if keys else ""
