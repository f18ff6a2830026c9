"""Durations and sizes as Compose writes them: ``1m30s``, ``512M``."""

from __future__ import annotations

import re
from decimal import Decimal

from archcheck.importing.values import Value, cores
from archcheck.units import Cpu, Duration, Size

_PARTS = re.compile(r"(\d{1,12}(?:\.\d{1,9})?)(us|ms|s|m|h|d)")
_DURATION = re.compile(rf"(?:{_PARTS.pattern})+")
_SECONDS = {"us": 1e-6, "ms": 1e-3, "s": 1.0, "m": 60.0, "h": 3_600.0, "d": 86_400.0}
_SIZE = re.compile(r"(\d{1,15}(?:\.\d{1,9})?)\s*([kmgtp]?)i?b?", re.IGNORECASE)
_BYTES = {"": 1, "k": 2**10, "m": 2**20, "g": 2**30, "t": 2**40, "p": 2**50}
"""Compose file specification, Specifying byte values: units are powers of 1024."""


def duration(value: Value, what: str) -> Duration:
    """A length of time."""
    text = value.string(what).strip()
    if text == "0":
        return Duration(0.0)
    if not _DURATION.fullmatch(text):
        value.refuse(f"{what} must be a duration such as 10s or 1m30s")
    parts = _PARTS.findall(text)
    return Duration(sum(float(number) * _SECONDS[unit] for number, unit in parts))


def size(value: Value, what: str) -> Size:
    """An amount of memory."""
    match = _SIZE.fullmatch(value.string(what).strip())
    if match is None:
        value.refuse(f"{what} must be a size such as 512M")
    return Size(float(match[1]) * _BYTES[match[2].lower()])


def cpus(value: Value, what: str) -> Cpu:
    """A number of cores."""
    text = value.string(what).strip()
    if not re.fullmatch(r"\d{1,6}(?:\.\d{0,9})?|\.\d{1,9}", text):
        value.refuse(f"{what} must be a number of CPUs such as 0.5")
    return cores(Decimal(text))
