"""Findings that the authors of a model have seen and accept, each with its reason."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import field

from archcheck.model.delivery import Date
from archcheck.model.element import Element, element

_noted: ContextVar[list[Suppression] | None] = ContextVar("noted", default=None)


@contextmanager
def noting() -> Iterator[list[Suppression]]:
    """The suppressions that are written meanwhile, also those that no name holds."""
    found: list[Suppression] = []
    token = _noted.set(found)
    try:
        yield found
    finally:
        _noted.reset(token)


@element
class Suppression(Element):
    """Accept what a rule finds: ``Suppression("RES001", "audit.*", reason="...")``.

    It stands at the top level of a module, best beside the element that it is about; it needs no
    name. One that is past its date no longer suppresses, and one that suppresses nothing is itself
    a finding.
    """

    rule: str = field(kw_only=False)
    """Id of the rule, or a glob over ids such as ``RES*``."""
    subject: str = field(default="*", kw_only=False)
    """Name of what the finding is about, as the report shows it, or a glob."""
    reason: str | None = None
    """Why this is acceptable."""
    until: Date | None = None
    """The last day on which it counts."""
    approved_by: str | None = None
    """Who decided."""

    def __post_init__(self) -> None:
        noted = _noted.get()
        if noted is not None:
            noted.append(self)

    def title(self) -> str:
        """How reports name it."""
        return f"suppression of {self.rule} for {self.subject}"
