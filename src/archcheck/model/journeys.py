"""Journeys: what users do with the system, from an entry point to the answer."""

from __future__ import annotations

from dataclasses import field
from typing import Annotated

from pydantic import Field

from archcheck.model.delivery import LoadTest
from archcheck.model.element import Absent, Many, element
from archcheck.model.named import CallableRef, Described, Ref
from archcheck.model.services import Slo
from archcheck.units import Duration


@element
class Journey(Described):
    """A use of the system: one request to ``entry``, or several, one after the other.

    ``Journey("checkout", "frontend.place_order", critical=True, slo=Slo(p95=600 * ms))``.
    """

    referred_as = "journey"

    entry: CallableRef | None = field(default=None, kw_only=False)
    """The endpoint that is called."""
    entries: Many[CallableRef] = ()
    """Several endpoints that are called one after the other, instead of ``entry``."""
    critical: bool | None = None
    """Whether the business stops without it; ``None``: unknown."""
    public: bool | None = None
    """Whether it starts outside."""
    slo: Slo | None = None
    """What users are promised."""
    timeout: Duration | Absent | None = None
    """When users give up."""
    users: Ref | None = None
    """Who starts it."""
    priority: str | None = None
    """Its class of requests, one of the ``priorities`` of services that shed load."""
    load_test: LoadTest | Absent | None = None
    """How it was measured."""
    max_remote_calls: Annotated[int, Field(ge=1)] | None = None
    """A budget of remote calls for one request."""

    def __post_init__(self) -> None:
        if (self.entry is None) == (not self.entries):
            raise ValueError(
                "needs either an entry or entries, such as Journey('checkout', 'frontend.order')"
            )

    def all_entries(self) -> tuple[str, ...]:
        """The endpoints that one journey calls, in order, by name."""
        return tuple(str(entry) for entry in ([self.entry] if self.entry else self.entries))
