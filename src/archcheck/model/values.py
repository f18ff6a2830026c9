"""Four kinds of value that are never mixed up: declared, default, absent and unknown.

An attribute that a model leaves out is ``None``: unknown. Technologies add what their own
documentation promises when nobody sets the attribute (``documented``); :func:`effective` puts
the two together, and always says which of the four it found.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, ClassVar, Literal

from archcheck.model.element import Absent, Element

Origin = Literal["declared", "default", "absent", "unknown"]


@dataclass(frozen=True)
class Default:
    """The documented value of a technology when nobody sets it, and where that is written.

    ``less``: another attribute that is subtracted, where the documentation gives the sum of both.
    """

    value: Any
    source: str
    less: str | None = None


@dataclass(frozen=True)
class Effective:
    """The value that counts, and how it came about.

    ``value`` is ``None`` when the origin is ``absent`` or ``unknown``; ``source`` is the
    documentation for a default, and the author's reason for an absence.
    """

    value: Any
    origin: Origin
    source: str = ""

    @property
    def is_known(self) -> bool:
        """Whether there is a value to compute with."""
        return self.origin in ("declared", "default")


class Documented:
    """Mixin of technologies whose documentation states defaults."""

    documented: ClassVar[Mapping[str, Default]] = {}
    """Attribute name to its documented default."""


def effective(part: Element | None, attribute: str) -> Effective:
    """The value of ``part.attribute``: as declared, else as documented, else unknown."""
    if part is None:
        return Effective(None, "unknown")
    declared = getattr(part, attribute)
    if isinstance(declared, Absent):
        return Effective(None, "absent", declared.reason)
    if declared is not None:
        return Effective(declared, "declared")
    default = part.documented.get(attribute) if isinstance(part, Documented) else None
    if default is None:
        return Effective(None, "unknown")
    value = default.value
    if default.less is not None:
        value = max(0, value - (effective(part, default.less).value or 0))
    return Effective(value, "default", default.source)
