"""Which line to show for an element, when helper functions declare several on the same line.

An element's site is a chain of lines from its constructor outwards. A helper's line is shared
by everything that the helper makes, so it does not tell two elements apart: the line shown is
the innermost one at which an element differs from the others that its constructor's line made.
Elements made in a loop share all lines; then the constructor's line is shown.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable

from archcheck.model.element import Element
from archcheck.model.errors import Place


class Places:
    """The distinguishing line of each of a system's elements."""

    def __init__(self, parts: Iterable[Element]) -> None:
        seen: set[int] = set()
        self._uses: Counter[tuple[type[Element], Place, Place]] = Counter()
        for part in parts:
            if id(part) not in seen and part.site:
                seen.add(id(part))
                innermost = part.site.place
                self._uses.update({(type(part), innermost, line) for line in part.site.places})

    def of(self, part: Element) -> Place | None:
        """The innermost line that tells ``part`` from others that the same line constructs."""
        if part.site is None:
            return None
        innermost = part.site.place
        for line in part.site.places:
            if self._uses[type(part), innermost, line] <= 1:
                return line
        return innermost
