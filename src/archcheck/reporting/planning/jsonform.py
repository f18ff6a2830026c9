"""A capacity plan as plain data, for ``--format json``."""

from __future__ import annotations

import math
from dataclasses import asdict
from typing import Any

from archcheck.planning import CapacityPlan, Sustained
from archcheck.reporting.objectives import reading_data, readings_data

FORMAT = "archcheck.plan/2"


def plan_data(plan: CapacityPlan) -> dict[str, Any]:
    """Seconds, rates a second, shares of one, factors of the declared load; infinite is null."""
    data = {
        "format": FORMAT,
        "system": plan.system.name,
        "scenario": plan.scenario.name,
        "complete": plan.is_complete,
        "missing": [asdict(each) for each in plan.missing],
        "fine": plan.is_fine,
        "simulations": plan.runs,
        "carried": plan.carried,
        "objectives": readings_data(plan.today),
        "sustained": _sustained(plan.sustained),
        "journeys": [
            {
                "name": journey.name,
                "rate": journey.rate,
                "mean": journey.time.mean,
                "p95": journey.quantile(0.95),
                "errors": journey.failed,
                "alone": _sustained(plan.alone.get(journey.name)),
            }
            for journey in plan.flow.journeys
            if journey.rate > 0
        ],
        "bottlenecks": [
            {
                "factor": bottleneck.factor,
                "resource": bottleneck.resource,
                "load": bottleneck.load,
                "reason": bottleneck.reason,
                "limit": reading_data(bottleneck.limit),
            }
            for bottleneck in plan.bottlenecks
        ],
        "curve": asdict(plan.curve) if plan.curve is not None else None,
        "sizing": _sizing(plan),
        "second_states": [{**asdict(each), "text": str(each)} for each in plan.second_states],
        "knife_edges": [
            {**asdict(each), "moved": each.moved, "text": str(each)} for each in plan.knife_edges
        ],
        "lost_messages": [asdict(each) for each in plan.lost],
        "headroom": asdict(plan.headroom) if plan.headroom is not None else None,
        "influences": [asdict(each) for each in plan.influences],
        "costs": _costs(plan),
        "analytic_and_simulated": [{**asdict(each), "gap": each.gap} for each in plan.compared],
        "analytic_leaves_out": list(plan.flow.left_out),
        "assumptions": [asdict(assumption) for assumption in plan.assumptions],
    }
    return {key: _finite(value) for key, value in data.items()}


def _sustained(found: Sustained | None) -> dict[str, Any] | None:
    if found is None:
        return None
    limit = reading_data(found.limit) if found.limit is not None else None
    return {**asdict(found), "limit": limit}


def _sizing(plan: CapacityPlan) -> dict[str, Any] | None:
    if plan.sizing is None:
        return None
    found = asdict(plan.sizing)
    found["objectives"] = readings_data(plan.sizing.readings)
    del found["readings"]
    return {**found, "state": plan.sizing.state, "is_least": plan.sizing.is_least}


def _costs(plan: CapacityPlan) -> dict[str, Any] | None:
    costs = plan.costs
    if costs is None:
        return None
    return {
        "currency": costs.currency,
        "per_hour": costs.per_hour,
        "wasted": costs.wasted,
        "elements": [
            {**asdict(each), "per_hour": each.per_hour, "wasted": each.wasted}
            for each in costs.elements
        ],
        "journeys": [asdict(each) for each in costs.journeys],
    }


def _finite(value: Any) -> Any:
    if isinstance(value, float):
        return value if math.isfinite(value) else None
    if isinstance(value, dict):
        return {key: _finite(each) for key, each in value.items()}
    if isinstance(value, list | tuple):
        return [_finite(each) for each in value]
    return value
