"""Whether an objective is met: the one judgement that every command asks.

An :class:`Objective` is what is promised, a :class:`Reading` what it came to. Its state is

- ``met`` when the whole interval of the reading keeps the bound,
- ``missed`` when the whole interval is beyond it,
- ``open`` when the interval contains the bound, when there is no interval, or when nothing was
  measured, as no request came.

What the interval stands for is the ``basis`` of the reading: the spread of independent replications
or of the sections of one run (95%), or the usual error of the analytic solution. Runs that are too
short for a queue on the way can show that an objective is missed, never that it is met.

``simulate``, ``compare``, rule PRF003, ``plan`` and ``report`` judge the objectives of journeys
under a load; ``availability`` those of journeys and endpoints by what can fail. Objectives for the
latency of an endpoint are compared with timeouts (``prove``), and the freshness of a consumer with
its backlog (rule PRF011): no run measures them. ``chaos`` and ``phase-map`` ask whether the system
comes back to what was usual before the trigger; what a trigger takes of a promised availability is
a reading as well.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Literal

from archcheck.model import System
from archcheck.units import Duration

State = Literal["met", "missed", "open"]
Basis = Literal["replications", "one run", "analytic"]

PERCENTILES: Mapping[str, float] = MappingProxyType(
    {"p50": 0.5, "p90": 0.9, "p95": 0.95, "p99": 0.99, "p999": 0.999}
)
"""The percentiles that are computed: those that an :class:`~archcheck.model.Slo` can promise, so
that whatever is promised is measured. Tables leave out p90, which lies close to p95."""

_DIGITS = 6
"""Digits of a percentage behind its point, at most: nobody promises more nines than these tell."""
_GRAVEST: tuple[State, ...] = ("missed", "open", "met")


@dataclass(frozen=True)
class Objective:
    """What is promised of a journey, or what a plan keeps of a resource.

    ``name``: one of :data:`PERCENTILES`, at most ``bound`` seconds; ``availability``, at least this
    share of good answers; ``load``, the share of a resource that is busy at most.
    """

    subject: str
    name: str
    bound: float

    @property
    def is_floor(self) -> bool:
        """Whether the bound is a least value."""
        return self.name == "availability"

    def judged(self, low: float, high: float) -> State:
        """The state when the value lies between ``low`` and ``high``."""
        bound = self.bound
        if self.is_floor:
            low, high, bound = -high, -low, -bound
        if low > bound:
            return "missed"
        return "met" if high <= bound else "open"

    def shown(self, value: float) -> str:
        """A value of this objective with its unit."""
        if self.name in PERCENTILES:
            return f"{Duration(value):.3}"
        return f"{100 * value:.6g}%" if self.is_floor else f"{100 * value:.3g}%"

    def __str__(self) -> str:
        limit = "at least" if self.is_floor else "at most"
        return f"{self.name} of {self.subject} {limit} {self.shown(self.bound)}"


@dataclass(frozen=True)
class Reading:
    """What an objective came to: a value, and the half width of its interval if there is one.

    The value is NaN when nothing was measured, and infinite when a queue grows without bound.
    ``requests``: how many came and counted; ``None`` where none are counted (analytic solutions).
    ``is_early``: the runs are too short for what changes slowly on the way, such as a queue that
    began empty: the value may be missed already, but not met yet.
    """

    objective: Objective
    value: float
    half_width: float | None
    basis: Basis = "replications"
    requests: int | None = None
    is_early: bool = False

    @property
    def state(self) -> State:
        """Whether the objective is met, missed or open."""
        if math.isnan(self.value) or self.requests == 0:
            return "open"
        if self.half_width is None:
            return "missed" if math.isinf(self.value) else "open"
        state = self.objective.judged(self.value - self.half_width, self.value + self.half_width)
        return "open" if state == "met" and self.is_early else state

    @property
    def strain(self) -> float:
        """The value over the bound, of availability the errors over those that are allowed.

        Searches go by it; above one the value itself, without its interval, is beyond the bound.
        """
        value, bound = self.value, self.objective.bound
        if self.objective.is_floor:
            value, bound = 1 - value, 1 - bound
        if math.isnan(value):
            return 0.0
        if not bound:
            return math.inf if value > 0 else 0.0
        return value / bound

    @property
    def slack(self) -> float:
        """The half width over the bound, as :attr:`strain` is the value over it."""
        bound = 1 - self.objective.bound if self.objective.is_floor else self.objective.bound
        return self.half_width / bound if bound and self.half_width is not None else 0.0

    @property
    def shown(self) -> str:
        """The value with its interval, or why there is none."""
        if self.requests == 0:
            return "no request came"
        if math.isnan(self.value):
            return "not measured"
        if math.isinf(self.value):
            return "grows without bound"
        value = self.objective.shown(self.value)
        if self.half_width is None:
            return f"{value}, with no interval"
        if self.objective.name == "load":
            return value
        if self.is_early:
            return self._so_far(self.half_width)
        if self.objective.is_floor and self.value == 1:  # nothing failed, which is no certainty
            return f"100%, at least {self.objective.shown(1 - self.half_width)}"
        if self.objective.is_floor and self.half_width:
            value = _share(self.value, self.half_width)
        if self.half_width > self.value:
            most = self.value + self.half_width
            return f"{value}, at most {self.objective.shown(most)}"
        return f"{value} ± {_half(self.half_width, self.objective)}"

    def _so_far(self, half_width: float) -> str:
        """What runs that began empty, and are too short, show: a bound on one side."""
        if self.objective.is_floor:
            most = self.value + half_width
            return f"at most {self.objective.shown(most)}" if most < 1 else "not known yet"
        least = self.value - half_width
        return f"at least {self.objective.shown(least)}" if least > 0 else "not known yet"

    def __str__(self) -> str:
        objective = self.objective
        if self.requests == 0:
            return (
                f"{objective.name} of {objective.subject} is open, as no request came; "
                f"promised {objective.shown(objective.bound)}"
            )
        verb = "" if math.isinf(self.value) else "was " if math.isnan(self.value) else "is "
        limit = "at most" if objective.name == "load" else "promised"
        return (
            f"{objective.name} of {objective.subject} {verb}{self.shown}, "
            f"{limit} {objective.shown(objective.bound)}"
        )


def _share(value: float, half_width: float) -> str:
    """A share in percent, to two digits of its half width."""
    digits = 1 - math.floor(math.log10(100 * half_width))
    text = f"{100 * value:.{min(max(digits, 0), _DIGITS)}f}"
    return f"{text.rstrip('0').rstrip('.') if '.' in text else text}%"


def _half(value: float, objective: Objective) -> str:
    return f"{Duration(value):.3}" if objective.name in PERCENTILES else f"{100 * value:.2g}%"


def objectives_of(system: System, journeys: Iterable[str]) -> tuple[Objective, ...]:
    """What those of these journeys promise that promise anything."""
    found = []
    wanted = set(journeys)
    for journey in system.journeys:
        if journey.slo is None or journey.name not in wanted:
            continue
        found += [
            Objective(journey.name, name, float(bound))
            for name, _, bound in journey.slo.latencies()
        ]
        if journey.slo.availability is not None:
            promised = float(journey.slo.availability)
            found.append(Objective(journey.name, "availability", promised))
    return tuple(found)


def gravest(readings: Iterable[Reading]) -> State:
    """The state of several objectives together: missed before open before met."""
    states = {reading.state for reading in readings}
    return next((state for state in _GRAVEST if state in states), "met")


def tightest(readings: Iterable[Reading]) -> Reading:
    """The reading that is nearest to its bound, or the farthest beyond it."""
    return max(readings, key=lambda reading: reading.strain)
