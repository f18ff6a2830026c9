"""The part of the plan about what comes from outside: streams of requests, and faults."""

from __future__ import annotations

from dataclasses import dataclass
from enum import IntEnum

from archcheck.simulation.plan.protection import FOREVER, Sampler


class ArrivalKind(IntEnum):
    """When the requests of a stream come."""

    POISSON = 0
    DETERMINISTIC = 1
    CLOSED = 2
    PIECEWISE = 3
    SINE = 4
    RECORDED = 5
    MMPP = 6


@dataclass(frozen=True, slots=True)
class PlannedSession:
    """A session: the journeys of one user, one after the other.

    ``rows[j]`` are the journeys that may follow journey j with cumulative probabilities; what is
    missing to one is the probability that the user leaves. ``pause``: between two journeys.
    """

    first: int
    rows: tuple[tuple[tuple[int, float], ...], ...]
    pause: Sampler


@dataclass(frozen=True, slots=True)
class Stream:
    """Requests that come from outside.

    ``choices``: journeys and cumulative probabilities, or a ``session`` instead. POISSON and
    DETERMINISTIC use ``rate``; CLOSED uses ``users`` and ``think``; PIECEWISE is Poisson with a
    rate that is linear between ``points`` (time, rate); SINE swings between ``rate`` (low) and
    ``high`` with ``period``; MMPP changes between ``rate`` (calm) and ``high`` (busy) after
    exponential times with the means ``points[0]``; RECORDED uses ``times``. Only what falls
    between ``start`` and ``end`` counts, ``factor`` times. ``clients``: how many clients of the
    limits for each client there are in all (0: each user, session or request is one).
    """

    name: str
    place: int
    kind: ArrivalKind
    choices: tuple[tuple[int, float], ...]
    rate: float = 0.0
    high: float = 0.0
    period: float = 0.0
    users: int = 0
    think: Sampler | None = None
    points: tuple[tuple[float, float], ...] = ()
    times: tuple[float, ...] = ()
    session: PlannedSession | None = None
    start: float = 0.0
    end: float = FOREVER
    factor: float = 1.0
    clients: int = 0


@dataclass(frozen=True, slots=True)
class PlannedJourney:
    """Entries (call sites) that a journey asks one after the other.

    ``rank``: index of its class of requests. ``is_job``: it is a scheduled job, not a journey.
    """

    name: str
    entries: tuple[int, ...]
    rank: int
    is_job: bool = False


class FaultKind(IntEnum):
    """What goes wrong."""

    SLOW = 0
    ERRORS = 1
    KILL = 2
    CUT = 3
    FLUSH = 4
    RELEASE = 5


@dataclass(frozen=True, slots=True)
class PlannedFault:
    """Something that goes wrong from ``start`` to ``end``.

    SLOW (``factor``) and ERRORS (``factor`` is the share): of ``operations``. KILL: ``count`` nodes
    of ``group``, or all of its nodes in ``zone``. CUT: calls from ``group`` to ``operations``.
    FLUSH: the ``caches``, and hits of the ``operations`` that look them up. RELEASE: ``group`` is
    replaced node by node; at most ``surge`` more and ``gone`` fewer than wanted at a time, each
    ready after ``start_up``, the old ones killed ``grace`` seconds after the signal to stop.
    """

    kind: FaultKind
    start: float
    end: float
    operations: tuple[int, ...] = ()
    factor: float = 1.0
    group: int = -1
    count: int = 0
    zone: int = -1
    caches: tuple[int, ...] = ()
    surge: int = 0
    gone: int = 0
    start_up: float = 0.0
    grace: float = 0.0
