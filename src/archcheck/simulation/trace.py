"""Single requests: what an engine notes of each that ends, when it is asked to."""

from __future__ import annotations

from enum import IntEnum
from typing import NamedTuple

from archcheck.simulation.plan import Outcome


class SpanKind(IntEnum):
    """What has ended: a journey, a request at an operation, an attempt of a call."""

    JOURNEY = 0
    REQUEST = 1
    ATTEMPT = 2


class Span(NamedTuple):
    """Something that began and has ended.

    ``place``: the journey, operation or call site in the plan. ``key``: 64 bits that identify it;
    an attempt and the request that it makes have the same. ``start`` and ``end`` in seconds.
    """

    kind: SpanKind
    place: int
    key: int
    start: float
    end: float
    outcome: Outcome
