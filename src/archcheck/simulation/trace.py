"""Single requests: what an engine notes of each that ends, when it is asked to."""

from __future__ import annotations

from collections.abc import Sequence
from enum import IntEnum
from typing import NamedTuple, Protocol

from archcheck.simulation.plan import Outcome, Plan


class SpanKind(IntEnum):
    """What has ended: a journey, a request at an operation, an attempt of a call."""

    JOURNEY = 0
    REQUEST = 1
    ATTEMPT = 2


class Span(NamedTuple):
    """Something that began and has ended.

    ``place``: the journey, operation or call site in the plan. ``root``: 64 bits that identify the
    journey that it belongs to (a message belongs to the journey that sent it). ``key`` identifies
    it itself; an attempt and the request that it makes have the same. ``start`` and ``end`` in
    seconds.
    """

    kind: SpanKind
    place: int
    root: int
    key: int
    start: float
    end: float
    outcome: Outcome


class Tracer(Protocol):
    """Who gets the spans of a run; ``share`` of the journeys, chosen by their keys."""

    share: float

    def begin(self, plan: Plan) -> None:
        """A run of this plan follows."""

    def write(self, spans: Sequence[Span]) -> None:
        """Take spans, in the order of their ends."""
