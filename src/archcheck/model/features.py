"""Feature flags: one model stands for every configuration that its flags allow."""

from __future__ import annotations

from archcheck.model.element import Many, element
from archcheck.model.named import Described, FlagRef


@element
class Flag(Described):
    """A switch that decides which steps of endpoints run: see :class:`Feature`.

    ``Flag("new-pricing", on=False, requires=["new-checkout"])``.
    """

    referred_as = "flag"

    on: bool | None = None
    """How it stands today, which is what load and simulation count; ``None``: taken as on."""
    requires: Many[FlagRef] = ()
    """Flags without which it is never on."""
    excludes: Many[FlagRef] = ()
    """Flags beside which it is never on."""
