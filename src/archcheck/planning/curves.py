"""The capacity curve: what each load brings, and where the knee is."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

from archcheck.planning.changes import loaded
from archcheck.planning.flow import Flow, solve_plan
from archcheck.simulation import SimulationResult
from archcheck.simulation.plan import Plan


@dataclass(frozen=True)
class CurvePoint:
    """All journeys at a factor of the declared load; percentiles are the mean of the journeys',
    weighted by their rates.
    """

    factor: float
    """The factor of the declared load."""
    offered: float
    """Journeys a second."""
    throughput: float
    """Good answers a second."""
    p50: float
    """The median in seconds."""
    p95: float
    """The 95th percentile in seconds."""
    p99: float
    """The 99th percentile in seconds."""
    errors: float
    """The share of errors (of one)."""
    load: float
    """The share of the busiest resource that is busy (of one)."""
    simulated: bool
    """Whether it was simulated; else it is of the analytic solution."""
    half_width: float
    """The half width of the interval of p95 in seconds: 95% of simulations, what nine of ten
    analytic solutions are within; infinite where nobody knows how far they are off."""


@dataclass(frozen=True)
class Curve:
    """Analytic points from little load to beyond the limit, the simulated ones, and the knee.

    The knee is the factor with the highest power, throughput over mean time (Kleinrock, Power and
    Deterministic Rules of Thumb, 1979): before it more load brings more answers, after it more
    waiting.
    """

    points: tuple[CurvePoint, ...]
    """Analytic points, from little load to beyond the limit."""
    measured: tuple[CurvePoint, ...]
    """Simulated points."""
    knee: float | None
    """The factor of the knee; ``None``: there is none."""


_SHARES = (
    *(0.05, 0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.75, 0.8, 0.85, 0.9, 0.93, 0.96, 0.98, 1.0, 1.05),
)
"""Points of the curve, as shares of the limit: closer together near it, where the curve bends."""


def draw_curve(plan: Plan, limit: float, measured: Sequence[CurvePoint]) -> Curve:
    """The curve up to a little above ``limit``, the largest factor that is carried."""
    top = limit if 0 < limit < math.inf else 2.0
    points, powers = [], []
    for share in _SHARES:
        flow = solve_plan(loaded(plan, share * top))
        point = analytic_point(share * top, flow)
        points.append(point)
        mean = _mean(flow)
        powers.append(point.throughput / mean if 0 < mean < math.inf else 0.0)
    best = max(range(len(powers)), key=powers.__getitem__)
    knee = points[best].factor if 0 < best < len(powers) - 1 else None
    return Curve(tuple(points), tuple(sorted(measured, key=lambda each: each.factor)), knee)


def _mean(flow: Flow) -> float:
    total = sum(journey.rate for journey in flow.journeys)
    if not total:
        return 0.0
    return sum(j.rate * j.time.mean for j in flow.journeys if j.rate) / total


def analytic_point(factor: float, flow: Flow) -> CurvePoint:
    """A point of the analytic solution."""
    loaded_ones = [journey for journey in flow.journeys if journey.rate > 0]
    total = sum(journey.rate for journey in loaded_ones) or 1.0
    errors = sum(journey.rate * journey.failed for journey in loaded_ones) / total
    p50, p95, p99 = (
        sum(journey.rate * journey.quantile(share) for journey in loaded_ones) / total
        for share in (0.5, 0.95, 0.99)
    )
    load = flow.busiest.load if flow.busiest is not None else 0.0
    good = total * (1 - errors) / max(1.0, load)
    half = flow.accuracy.tail * p95 if flow.accuracy is not None else math.inf
    return CurvePoint(factor, total, good, p50, p95, p99, errors, load, False, half)


def simulated_point(factor: float, result: SimulationResult, load: float) -> CurvePoint:
    """A point of a simulation."""
    journeys = [journey for journey in result.journeys if journey.finished]
    total = sum(journey.started for journey in journeys) or 1
    span = (result.duration - result.warmup) * result.replications

    def mean(values: Sequence[float]) -> float:
        weights = [journey.started for journey in journeys]
        return sum(w * v for w, v in zip(weights, values, strict=True)) / total

    half = mean(
        [
            estimate.half_width if (estimate := result.estimate(j.name, "p95")) is not None else 0.0
            for j in journeys
        ]
    )
    return CurvePoint(
        factor,
        total / span,
        sum(journey.throughput for journey in journeys),
        mean([j.latency.p50 for j in journeys]),
        mean([j.latency.p95 for j in journeys]),
        mean([j.latency.p99 for j in journeys]),
        mean([j.error_rate for j in journeys]),
        load,
        True,
        half,
    )
