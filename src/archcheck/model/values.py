"""Four kinds of value that are never mixed up: declared, default, absent and unknown.

An attribute that a model leaves out is ``None``: unknown. Technologies add what their own
documentation promises when nobody sets the attribute (``documented``); :func:`effective` puts
the two together, and always says which of the four it found.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, ClassVar, Literal

from archcheck.model.element import Absent, Element

Origin = Literal["declared", "default", "absent", "unknown"]
Version = tuple[int, ...]
"""A version as numbers: 3.13 is (3, 13)."""


@dataclass(frozen=True)
class Default:
    """The documented value of a technology when nobody sets it, and where that is written.

    A kind may stand for several products, and products change: :meth:`holds_for` says whether a
    part is one of those that the value is documented for.
    """

    value: Any
    source: str
    checked: str = ""
    """The day on which the value was last held against its documentation, ``YYYY-MM-DD``; empty:
    nobody did since it was written down."""
    less: str | None = None
    """Another attribute that is subtracted, where the documentation gives the sum of both."""
    since: Version = ()
    """The first version that does so."""
    before: Version = ()
    """The first version that no longer does so."""
    of: tuple[str, ...] = ()
    """The products that do so; empty: all that the kind stands for."""
    others: tuple[Default, ...] = ()
    """What other products and older versions do, the first that fits."""

    def for_part(self, part: Documented) -> Default | None:
        """This default, or that of the others which holds for ``part``; ``None``: none does."""
        return next((each for each in (self, *self.others) if each.holds_for(part)), None)

    def holds_for(self, part: Documented) -> bool:
        """Whether it is documented for the product and the version of ``part``.

        Where no version is declared, the newest counts; a version that leaves it open, such as 3
        of what changed with 3.4, is none of them.
        """
        if not (self.of or self.since or self.before):
            return True
        product = part.stands_for
        if self.of and (product or part.label).lower() not in map(str.lower, self.of):
            return False
        if product and product.lower() != part.label.lower():
            return True  # its versions count apart
        version = _numbers(part)
        if not version:
            return not self.before
        ended = self.before and version >= self.before[: len(version)]  # 3 may be 3.4
        return version >= self.since and not ended


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
    label: ClassVar[str] = ""
    """The product that the kind is named after."""

    @property
    def stands_for(self) -> str:
        """The product that this one is, where its kind stands for several; empty: the label's.

        Versions name it, as in ``MariaDB 10.11``.
        """
        named = re.match(r"(\D+) v?\d", getattr(self, "version", None) or "")
        return named[1] if named else ""


def effective(part: Element | None, attribute: str) -> Effective:
    """The value of ``part.attribute``: as declared, else as documented, else unknown."""
    if part is None:
        return Effective(None, "unknown")
    declared = getattr(part, attribute)
    if isinstance(declared, Absent):
        return Effective(None, "absent", declared.reason)
    if declared is not None:
        return Effective(declared, "declared")
    written = part.documented.get(attribute) if isinstance(part, Documented) else None
    default = written.for_part(part) if written and isinstance(part, Documented) else None
    if default is None:
        return Effective(None, "unknown")
    value = default.value
    if default.less is not None:
        value = max(0, value - (effective(part, default.less).value or 0))
    return Effective(value, "default", default.source)


def _numbers(part: Documented) -> Version:
    """The version of a part as numbers, such as 3.13 of ``v3.13.7-management``."""
    found = re.match(r"v?(\d+(?:\.\d+)*)", getattr(part, "version", None) or "")
    return tuple(map(int, found[1].split("."))) if found else ()
