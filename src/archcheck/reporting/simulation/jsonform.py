"""The result of a simulation as plain data, for ``--format json``."""

from __future__ import annotations

import math
from dataclasses import asdict
from typing import Any

from archcheck.reporting.objectives import readings_data
from archcheck.simulation import (
    CallResult,
    KnifeEdges,
    RequestResult,
    ResourceResult,
    SimulationResult,
)

FORMAT = "archcheck.simulate/3"


def simulation_data(result: SimulationResult) -> dict[str, Any]:
    """Seconds, rates a second and shares of one; what does not exist (NaN) is null."""
    found = result.bottleneck
    data = {
        "format": FORMAT,
        "system": result.system.name,
        "scenario": result.scenario.name,
        "engine": result.engine,
        "engine_reason": result.engine_reason,
        "complete": result.is_complete,
        "simulated": result.simulated,
        "seed": result.seed,
        "replications": result.replications,
        "duration": result.duration,
        "warmup": result.warmup,
        "warmup_is_found": result.warmup_is_found,
        "precision": result.precision,
        "precision_is_reached": result.precision_is_reached,
        "events": result.events,
        "steady_state": not result.overloads,
        "held_up": list(result.held_up),
        "unsettled": [
            {**asdict(each), "needed": each.needed, "text": str(each)} for each in result.unsettled
        ],
        "early": list(result.early),
        "overloads": [{**asdict(each), "text": str(each)} for each in result.overloads],
        "journeys": [_request_data(request) for request in result.journeys],
        "jobs": [_request_data(request) for request in result.jobs],
        "endpoints": [_request_data(request) for request in result.operations],
        "calls": [_call_data(call) for call in result.calls],
        "resources": [asdict(resource) for resource in result.resources],
        "bottleneck": _bottleneck_data(found) if found else None,
        "bottlenecks": [_bottleneck_data(resource) for resource in result.bottlenecks],
        "where_time_went": [asdict(times) for times in result.times],
        "estimates": {
            name: {metric: asdict(estimate) for metric, estimate in estimates.items()}
            for name, estimates in result.estimates.items()
        },
        "counts": result.counts,
        "objectives": readings_data(result.objectives),
        "knife_edges": _edges_data(result.knife_edges),
        "series": {
            name: [asdict(point) for point in points] for name, points in result.series.items()
        },
        "utilisation_series": {n: list(v) for n, v in result.utilisation_series.items()},
        "waiting_series": {n: list(v) for n, v in result.waiting_series.items()},
        "servers_series": {n: list(v) for n, v in result.servers_series.items()},
        "assumptions": [asdict(assumption) for assumption in result.assumptions],
        "not_simulated": list(result.not_simulated),
    }
    return {key: _without_nan(value) for key, value in data.items()}


def _edges_data(edges: KnifeEdges | None) -> dict[str, Any] | None:
    if edges is None:
        return None
    found = [{**asdict(edge), "moved": edge.moved, "text": str(edge)} for edge in edges.found]
    return {"found": found, "left_out": edges.left_out}


def _request_data(request: RequestResult) -> dict[str, Any]:
    return {**asdict(request), "finished": request.finished, "error_rate": request.error_rate}


def _call_data(call: CallResult) -> dict[str, Any]:
    return {**asdict(call), "attempts": call.attempts, "amplification": call.amplification}


def _bottleneck_data(resource: ResourceResult) -> dict[str, Any]:
    return {
        "name": resource.name,
        "what": resource.what,
        "utilisation": resource.utilisation,
        "evidence": resource.evidence,
    }


def _without_nan(value: Any) -> Any:
    match value:
        case float() if math.isnan(value) or math.isinf(value):
            return None
        case dict():
            return {key: _without_nan(item) for key, item in value.items()}
        case list() | tuple():
            return [_without_nan(item) for item in value]
        case _:
            return value
