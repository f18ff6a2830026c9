"""Quantities as Kubernetes writes them: ``250m`` of a core, ``512Mi``, ``25%``."""

from __future__ import annotations

import re
from decimal import Decimal

from archcheck.importing.values import Value, cores
from archcheck.units import Cpu, Duration, Fraction, Size, percent

_NUMBER = re.compile(
    r"([+]?(?:\d{1,24}(?:\.\d{0,24})?|\.\d{1,24}))(?:[eE]([+-]?\d{1,2}))?([numkMGTPE]i?|Ki)?"
)
_SUFFIXES = {
    "n": Decimal("1e-9"), "u": Decimal("1e-6"), "m": Decimal("1e-3"), "": Decimal(1),
    "k": Decimal(10**3), "M": Decimal(10**6), "G": Decimal(10**9), "T": Decimal(10**12),
    "P": Decimal(10**15), "E": Decimal(10**18), "Ki": Decimal(2**10), "Mi": Decimal(2**20),
    "Gi": Decimal(2**30), "Ti": Decimal(2**40), "Pi": Decimal(2**50), "Ei": Decimal(2**60),
}  # fmt: skip
"""kubernetes.io, Reference, Quantity."""


def number(value: Value, what: str) -> Decimal:
    """A quantity in its base unit. Raises a sentence for what is none."""
    match = _NUMBER.fullmatch(value.string(what).strip())
    if match is None or (match[3] or "") not in _SUFFIXES:
        value.refuse(f"{what} must be a quantity such as 250m or 512Mi")
    return Decimal(match[1]) * Decimal(10) ** int(match[2] or 0) * _SUFFIXES[match[3] or ""]


def cpu(value: Value, what: str) -> Cpu:
    """Cores."""
    return cores(number(value, what))


def size(value: Value, what: str) -> Size:
    """Bytes."""
    return Size(float(number(value, what)))


def seconds(value: Value, what: str) -> Duration:
    """Seconds."""
    found = value.whole(what)
    if not 0 <= found <= 10**9:
        value.refuse(f"{what} must be 0 or more seconds")
    return Duration(float(found))


def count_or_share(value: Value, what: str) -> int | Fraction:
    """A whole number, or a share with a percent sign."""
    text = value.string(what).strip()
    if re.fullmatch(r"\d{1,6}%", text):
        return int(text[:-1]) * percent
    found = value.whole(what)
    if found < 0:
        value.refuse(f"{what} must be 0 or more")
    return found
