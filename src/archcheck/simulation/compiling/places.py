"""Where in the model something that cannot be simulated was declared."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from archcheck.model import ScenarioError
from archcheck.model.element import Element


@contextmanager
def declared_at(part: Element) -> Iterator[None]:
    """Errors inside are those of ``part``: they get its file and line, if nothing said better."""
    try:
        yield
    except ScenarioError as error:
        if error.place is not None or part.site is None:
            raise
        raise ScenarioError(error.sentence, part.site.place) from None
