"""Values that are only known to lie between two others: what proofs hold for all of.

The declared value stays the one that is simulated. A proof answers for every value between, or
shows the worst one.
"""

from __future__ import annotations

from dataclasses import field
from typing import Literal

from archcheck.model.element import Element, Probability, element
from archcheck.model.named import JourneyRef, Named, Ref
from archcheck.units import Duration, Fraction, Quantity, Rate

Attribute = Literal["read", "write", "latency", "work", "hit_ratio"]
"""What of an element can be uncertain."""


@element
class Between(Element):
    """``Between("ledger", "write", 1 * ms, 4 * ms)``: an uncertain time or hit ratio.

    ``read`` and ``write`` of a datastore, ``latency`` of an external, ``work`` of an endpoint or
    consumer (all of its own computing) are mean times; ``hit_ratio`` of a cache is a share.
    """

    target: Ref = field(kw_only=False)
    """The element, endpoint or consumer."""
    attribute: Attribute = field(kw_only=False)
    """What is uncertain."""
    low: Duration | Probability = field(kw_only=False)
    """The smallest value."""
    high: Duration | Probability = field(kw_only=False)
    """The largest value."""

    def __post_init__(self) -> None:
        wanted: type[Quantity] = Fraction if self.attribute == "hit_ratio" else Duration
        for value in (self.low, self.high):
            if not isinstance(value, wanted):
                raise ValueError(f"needs a {wanted.dimension()} for {self.attribute}, got {value}")
        _ordered(float(self.low), float(self.high), f"{self.low} and {self.high}")


class LoadRange(Element):
    """What is uncertain about the load of a scenario."""

    journey: str | Named


@element
class RateBetween(LoadRange):
    """``RateBetween("checkout", 100 / s, 300 / s)``: how often a journey is started."""

    journey: JourneyRef = field(kw_only=False)
    """The journey."""
    low: Rate = field(kw_only=False)
    """The lowest rate."""
    high: Rate = field(kw_only=False)
    """The highest rate."""

    def __post_init__(self) -> None:
        _ordered(float(self.low), float(self.high), f"{self.low} and {self.high}")


@element
class ShareBetween(LoadRange):
    """``ShareBetween("checkout", 5 * percent, 20 * percent)``: its share of all journeys."""

    journey: JourneyRef = field(kw_only=False)
    """The journey."""
    low: Probability = field(kw_only=False)
    """The smallest share of the scenario's journeys."""
    high: Probability = field(kw_only=False)
    """The largest share."""

    def __post_init__(self) -> None:
        _ordered(float(self.low), float(self.high), f"{self.low} and {self.high}")


def _ordered(low: float, high: float, shown: str) -> None:
    if low > high:
        raise ValueError(f"needs a low value of at most the high one, got {shown}")
