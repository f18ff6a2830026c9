"""Text that can be shown, numbers that there are: what every plain value of a model keeps to."""

from __future__ import annotations

import re
from typing import Any, get_args

HIDDEN = re.compile(
    r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f\u200e\u200f\u2028-\u202e\u2060-\u2069"
    r"\ud800-\udfff\ufeff\ufffe\uffff]"
)
"""Characters that no text of a model has: they steer terminals, turn the direction of writing, or
cannot be written in XML."""
_MOST = 1_000_000_000_000
"""The largest number without a unit: most fields have a bound of their own that is lower."""


def is_plain(annotation: object) -> bool:
    """Whether a field may hold text or a number without a unit."""
    return annotation in (str, int, float, Any) or any(map(is_plain, get_args(annotation)))


def complaint_about(value: object) -> str | None:
    """What is wrong with a plain value, to be said behind the name of its field."""
    if isinstance(value, str):
        found = HIDDEN.search(value)
        return found and f"has the character U+{ord(found[0]):04X}, which cannot be shown"
    if isinstance(value, int | float) and not abs(value) <= _MOST:
        return f"must be at most {_MOST:,}"
    return None
