"""The most that is carried: searched on the analytic solution, then confirmed by simulation.

The load grows by a factor. The analytic solution is a bisection away; around its answer a few
simulations narrow down the factor at which the tightest objective is missed, to within 3%.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass

from archcheck.findings import Objective, Reading, tightest
from archcheck.planning.changes import loaded
from archcheck.planning.flow import solve_plan
from archcheck.planning.probing import PlanSimulator
from archcheck.planning.readings import FULL, read_flow, read_result
from archcheck.simulation import SimulationResult
from archcheck.simulation.plan import Plan
from archcheck.simulation.replications import StoppedError

WIDTH = 0.03
"""How wide the interval of a confirmed factor is, over the factor, at most.

A choice: declared loads are seldom known better, and half of it takes four times the requests.
"""
_LARGEST = 1e6
"""A factor above which nothing is taken to end the growth."""
_SMALLEST = 1e-4
_EXACT = 1.002
"""How far apart the analytic factors that are carried and not are at last: far less than WIDTH."""
_BEFORE = 0.9
"""Where the accuracy at a limit is asked for, as a share of it."""
_STEPS = (1.04, 1.08, 1.15, 1.3, 1.6, 2.0, 3.0)
"""Steps away from the analytic factor until a load that is carried and one that is not are known.

Small at first, because the analytic factor is usually close, then ever larger. A choice.
"""


Seen = Callable[[float, SimulationResult, tuple[Reading, ...]], None]
"""Told what each simulation of a factor says."""


@dataclass(frozen=True)
class Sustained:
    """A factor of the declared load with an interval, and the objective that ends it."""

    factor: float
    """The factor of the declared load; infinite: nothing ends it."""
    low: float
    """The least factor of the interval."""
    high: float
    """The greatest factor of the interval."""
    analytic: float
    """What the analytic solution says."""
    limit: Reading | None
    """The objective that ends it; ``None``: nothing does."""
    confirmed: bool
    """Whether the interval comes from simulations; else it is what nine of ten analytic factors are
    within, from nothing to infinite where nobody knows."""


def analytic_limit(
    plan: Plan, objectives: tuple[Objective, ...], journey: int | None = None, most: float = FULL
) -> tuple[float, Reading | None]:
    """The largest factor that keeps all objectives, and the one that it would miss next.

    Infinite when nothing ends it, zero when even a tiny load misses an objective.
    """

    def asked(factor: float) -> _Known | None:
        readings = read_flow(objectives, solve_plan(loaded(plan, factor, journey)), most)
        loads = [each.strain for each in readings if each.objective.name == "load"]
        return _Known(factor, tightest(readings), max(loads, default=0.0)) if readings else None

    declared = asked(1.0)
    if declared is None:
        return math.inf, None
    low, high = (declared, None) if declared.is_carried else (None, declared)
    halving = False
    while low is None or high is None or high.factor / low.factor > _EXACT:
        if low is not None and low.factor > _LARGEST:
            return math.inf, None
        if high is not None and high.factor < _SMALLEST:
            return 0.0, high.tightest
        before = high.factor / low.factor if low and high else math.inf
        found = asked(_following(low, high, halving))
        assert found is not None  # noqa: S101  # what is read does not depend on the factor
        low, high = (found, high) if found.is_carried else (low, found)
        after = high.factor / low.factor if low and high else math.inf
        halving = math.isfinite(before) and after > math.sqrt(before)
    return math.sqrt(low.factor * high.factor), high.tightest


@dataclass(frozen=True)
class _Known:
    """What the analytic solution says at a factor; ``load``: the strain of the busiest resource."""

    factor: float
    tightest: Reading
    load: float

    @property
    def is_carried(self) -> bool:
        return self.tightest.strain <= 1


def _following(low: _Known | None, high: _Known | None, halving: bool) -> float:
    """The next factor to try.

    How busy a resource is grows almost in proportion to the load, so the factor at which the
    busiest one is full is known at once: it is tried, then a little above and below. Where
    something else is the limit, or this has not helped (``halving``), the middle is taken.
    Factors far above the limit, whose solutions take longest, are seldom tried so.
    """
    if low is None:
        return high.factor / 2 if high is not None else 1.0
    full = low.factor / low.load if low.load else 0.0
    if high is None:
        return min(full, _LARGEST) * _EXACT**0.4 if full > low.factor else 2 * low.factor
    if halving or high.tightest.objective.name != "load" or not 0 < low.load < 1 < high.load:
        return math.sqrt(low.factor * high.factor)
    if math.isfinite(high.load):
        share = math.log(1 / low.load) / math.log(high.load / low.load)
        full = low.factor * (high.factor / low.factor) ** share
    side = -0.4 if low.factor < full / _EXACT else 0.4
    inside = full * _EXACT**side
    return inside if low.factor < inside < high.factor else math.sqrt(low.factor * high.factor)


def analytic_only(
    plan: Plan, factor: float, limit: Reading | None, journey: int | None = None
) -> Sustained:
    """A factor that has not been simulated, with what nine of ten such solutions are within.

    A little before the limit, where a resource is not yet full: an objective that rises steeply
    there is reached by a load that is known better than its value. Where nobody knows how far a
    solution is off, the interval has no end.
    """
    if not 0 < factor < math.inf:
        return Sustained(factor, factor, factor, factor, limit, False)
    flow = solve_plan(loaded(plan, _BEFORE * factor, journey))
    off, trust = flow.accuracy, 1.0
    if off is not None and (limit is None or limit.objective.name == "load"):
        trust = off.load
    elif off is not None and limit is not None:
        before = read_flow((limit.objective,), flow)[0].strain
        slope = math.log(limit.strain / before) / -math.log(_BEFORE) if before else math.inf
        trust = max(off.load, off.tail / max(slope, off.tail))
    high = factor * (1 + trust) if trust < 1 else math.inf
    return Sustained(factor, factor * (1 - trust), high, factor, limit, False)


def confirmed(
    probe: PlanSimulator,
    plan: Plan,
    objectives: tuple[Objective, ...],
    start: float,
    limit: Reading | None,
    *,
    journey: int | None = None,
    most_probes: int = 12,
    seen: Seen | None = None,
) -> Sustained:
    """Narrow a factor down by simulations, beginning at the analytic one.

    ``seen`` is told what each simulation says.
    """
    if math.isinf(start) or start == 0.0:
        return Sustained(start, start, start, start, limit, False)
    search = _Search()
    factor, last = start, limit
    for number in range(most_probes):
        changed = loaded(plan, factor, journey)
        try:
            result = probe.simulated(changed, solve_plan(changed), objectives)
        except StoppedError:
            if math.isinf(search.width):
                raise
            break  # the interval is wider than it could be, and says how wide
        readings = read_result(objectives, result)
        if seen is not None:
            seen(factor, result, readings)
        found = tightest(readings)
        search.note(factor, found)
        if found.strain > 1 or last is None:
            last = found
        if search.width <= WIDTH:
            break
        factor = search.following(factor, found, number)
    return search.result(start, last)


class _Search:
    """The largest factor that was carried and the smallest that was not."""

    def __init__(self) -> None:
        self.low: tuple[float, Reading] | None = None
        self.high: tuple[float, Reading] | None = None

    def note(self, factor: float, found: Reading) -> None:
        if found.strain <= 1:
            if self.low is None or factor > self.low[0]:
                self.low = factor, found
        elif self.high is None or factor < self.high[0]:
            self.high = factor, found
        if self.low and self.high and self.low[0] >= self.high[0]:  # chance: trust the miss
            self.low = None

    @property
    def width(self) -> float:
        if self.low is None or self.high is None:
            return math.inf
        return self.high[0] / self.low[0] - 1

    def following(self, factor: float, found: Reading, number: int) -> float:
        step = _STEPS[min(number, len(_STEPS) - 1)]
        if self.high is None:
            return factor * step
        if self.low is None:
            return self.high[0] / step
        low, high = self.low[0], self.high[0]
        guess = self.crossing()
        margin: float = (high / low) ** 0.25
        return min(max(guess, low * margin), high / margin)

    def crossing(self) -> float:
        """Where the tightest objective is just kept, on a line through logarithms."""
        if self.low is None or self.high is None:
            known = self.low or self.high
            return known[0] if known is not None else math.nan
        (low, below), (high, above) = self.low, self.high
        before, after = max(below.strain, 1e-9), above.strain
        if not math.isfinite(after) or after <= before or before < 0.3:
            return math.sqrt(low * high)
        share = math.log(1 / before) / math.log(after / before)
        return float(low * (high / low) ** min(max(share, 0.0), 1.0))

    def result(self, analytic: float, limit: Reading | None) -> Sustained:
        factor = self.crossing()
        if self.low is None or self.high is None:
            low = self.low[0] if self.low is not None else 0.0
            high = self.high[0] if self.high is not None else math.inf
            return Sustained(factor, low, high, analytic, limit, True)
        (low, below), (high, above) = self.low, self.high
        slope = math.log(max(above.strain, 1.0001) / max(below.strain, 1e-9)) / math.log(high / low)
        doubt = max(below.slack, above.slack if math.isfinite(above.slack) else 0.0)
        spread = min(0.2, doubt / max(slope, 0.5)) if math.isfinite(slope) else 0.0
        return Sustained(
            factor, min(low, factor * (1 - spread)), max(high, factor * (1 + spread)),
            analytic, limit, True,
        )  # fmt: skip
