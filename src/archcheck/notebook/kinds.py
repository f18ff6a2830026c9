"""What can be shown of each kind of result: its text, its data frames, its charts."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass, field
from typing import Any, TypeAlias

from archcheck.findings import subject_name
from archcheck.planning import CapacityPlan
from archcheck.proof import Proofs
from archcheck.proof.repair import Repair
from archcheck.reporting.charts import (
    Chart,
    capacity_chart,
    chaos_chart,
    percentile_chart,
    phase_chart,
    simulation_chart,
)
from archcheck.reporting.planning import print_plan
from archcheck.reporting.proofs import print_proofs
from archcheck.reporting.repairs import print_repair
from archcheck.reporting.resilience import print_availability, print_chaos, print_phases
from archcheck.reporting.simulation import print_comparison, print_simulation
from archcheck.reporting.verification import print_verification
from archcheck.resilience import AvailabilityResult, ChaosResult, PhaseMap
from archcheck.simulation import Comparison, SimulationResult
from archcheck.verification import Verification

Rows: TypeAlias = list[dict[str, Any]]


@dataclass(frozen=True)
class Kind:
    """A kind of result: ``frames`` and ``charts`` by name, the default first."""

    show: Callable[..., None]
    """Takes a console and the result."""
    frames: Mapping[str, Callable[[Any], Rows]] = field(default_factory=dict)
    charts: Mapping[str, Callable[[Any], Chart]] = field(default_factory=dict)


def _findings(result: Verification) -> Rows:
    return [
        {
            "rule": finding.rule.id,
            "name": finding.rule.name,
            "severity": finding.severity,
            "element": occurrence.subject,
            "file": occurrence.place.shown_file() if occurrence.place else None,
            "line": occurrence.place.line if occurrence.place else None,
            "message": occurrence.message,
            "fix": occurrence.fix,
        }
        for finding in result.findings
        for occurrence in finding.occurrences
    ]


def _answers(result: Proofs) -> Rows:
    return [
        {
            "question": part.question.name,
            "verdict": type(answer).__name__.lower(),
            "subject": subject_name(answer.subject),
            "claim": answer.claim,
            "why": str(answer),
        }
        for part in result.answered
        for answer in part.answers
    ]


def _journeys(result: SimulationResult) -> Rows:
    rows = [asdict(journey) for journey in result.journeys]
    return [{**row, **row.pop("latency")} for row in rows]


def _resources(result: SimulationResult) -> Rows:
    return [asdict(resource) for resource in result.resources]


def _times(result: SimulationResult) -> Rows:
    return [
        {"journey": times.journey, "band": band.name, **asdict(share)}
        for times in result.times
        for band in times.bands
        for share in band.shares
    ]


def _failures(result: SimulationResult) -> Rows:
    return [
        {"journey": each.journey, **{k: v for k, v in asdict(cause).items() if k != "series"}}
        for each in result.failures
        for cause in each.causes
    ]


def _curve(result: CapacityPlan) -> Rows:
    curve = result.curve
    points = [*curve.points, *curve.measured] if curve is not None else []
    return [asdict(point) for point in points]


def _availability(result: AvailabilityResult) -> Rows:
    return [
        {
            "name": each.name,
            "is_journey": each.is_journey,
            "low": float(each.exact.low),
            "high": float(each.exact.high),
            "sampled": each.sampled,
            "promised": each.promised,
        }
        for each in result.found
    ]


KINDS: Mapping[type, Kind] = {
    AvailabilityResult: Kind(print_availability, {"availability": _availability}),
    CapacityPlan: Kind(print_plan, {"curve": _curve}, {"capacity": capacity_chart}),
    ChaosResult: Kind(print_chaos, charts={"chaos": chaos_chart}),
    Comparison: Kind(print_comparison),
    PhaseMap: Kind(print_phases, charts={"phases": phase_chart}),
    Proofs: Kind(print_proofs, {"answers": _answers}),
    Repair: Kind(print_repair),
    SimulationResult: Kind(
        print_simulation,
        {
            "journeys": _journeys,
            "resources": _resources,
            "times": _times,
            "failures": _failures,
        },
        {"run": simulation_chart, "percentiles": percentile_chart},
    ),
    Verification: Kind(print_verification, {"findings": _findings}),
}
