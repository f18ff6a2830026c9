"""A capacity plan as plain data, for ``--format json``."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal

import archcheck.reporting.simulation.jsonform  # noqa: F401  # how knife edges are printed
from archcheck.findings import Reading, State
from archcheck.planning import (
    Accuracy,
    AnalyticComparison,
    Bottleneck,
    CapacityPlan,
    Costs,
    Curve,
    ElementCost,
    Headroom,
    Influence,
    JourneyCost,
    Resized,
    SecondState,
    Sizing,
    Sustained,
)
from archcheck.planning.planning import MissingPart
from archcheck.reporting.forms import Count, plain, printed_as, printed_with
from archcheck.simulation import KnifeEdge
from archcheck.simulation.plan import Assumption
from archcheck.simulation.results import LostMessages

printed_with(SecondState, "text")
printed_with(AnalyticComparison, "gap")
printed_with(ElementCost, "per_hour", "wasted")


@dataclass(frozen=True)
class JourneyForm:
    """A journey at the declared load, by the analytic solution."""

    name: str
    """Its name."""
    rate: float
    """Journeys a second."""
    mean: float
    """Its mean time in seconds."""
    p95: float
    """The 95th percentile of its time in seconds."""
    errors: float
    """The share that fails (of one)."""
    alone: Sustained | None
    """How far it can grow while the others stay; null: not worked out."""


@dataclass(frozen=True)
class SizingForm:
    """Sizes for a factor of the declared load."""

    factor: float
    """The factor of the declared load that they carry."""
    changes: tuple[Resized, ...]
    """What has to be changed."""
    nodes: Mapping[str, Count]
    """Element to the number of its replicas, shards, partitions or connections."""
    cost: float
    """The price of all elements an hour, in the currency."""
    bound: float
    """No sizes that carry the load by the analytic solution cost less than this an hour."""
    currency: str
    """What prices are in; CPU where none is declared."""
    unreachable: str
    """What no size can help; empty: nothing."""
    objectives: tuple[Reading, ...]
    """What a simulation of these sizes reads."""
    state: State | None
    """Whether they carry the load by a simulation; null: there was none."""
    is_least: bool
    """Whether nothing cheaper carries the load, by the analytic solution."""


@printed_as
def sizing_form(found: Sizing) -> SizingForm:
    """Sizes with what was read of them."""
    return SizingForm(
        found.factor,
        found.changes,
        found.nodes,
        found.cost,
        found.bound,
        found.currency,
        found.unreachable,
        found.readings,
        found.state,
        found.is_least,
    )


@dataclass(frozen=True)
class CostsForm:
    """What the system costs."""

    currency: str
    """What prices are in; CPU where none is declared."""
    per_hour: float
    """The whole system an hour."""
    wasted: float
    """What is paid an hour for idle servers."""
    elements: tuple[ElementCost, ...]
    """The price of each element."""
    journeys: tuple[JourneyCost, ...]
    """The price of each journey."""


@printed_as
def costs_form(found: Costs) -> CostsForm:
    """Costs with their sums."""
    return CostsForm(found.currency, found.per_hour, found.wasted, found.elements, found.journeys)


@dataclass(frozen=True, kw_only=True)
class PlanForm:
    """The result of archcheck plan."""

    format: Literal["archcheck.plan/2"] = "archcheck.plan/2"
    """The name and version of this form."""
    system: str
    """The name of the system."""
    scenario: str
    """The scenario whose load grows."""
    complete: bool
    """Whether all parts were worked out."""
    missing: tuple[MissingPart, ...]
    """The parts that were not."""
    fine: bool
    """Whether the declared load is carried, and the wanted one can be."""
    simulations: Count
    """Simulations that were run."""
    carried: State
    """Whether the declared load is carried."""
    objectives: tuple[Reading, ...]
    """What is promised at the declared load, and what was read."""
    sustained: Sustained | None
    """How far all journeys can grow together; null: not worked out."""
    journeys: tuple[JourneyForm, ...]
    """Each journey at the declared load."""
    bottlenecks: tuple[Bottleneck, ...]
    """What breaks one after the other when the load grows and each is lifted."""
    curve: Curve | None
    """Throughput and latency by load; null: not worked out."""
    sizing: Sizing | None
    """The cheapest sizes for the wanted load; null: not worked out."""
    second_states: tuple[SecondState, ...]
    """States in which journeys fail at the same load, by the analytic solution."""
    knife_edges: tuple[KnifeEdge, ...]
    """Outcomes that move far where times are a little off."""
    lost_messages: tuple[LostMessages, ...]
    """Messages that consumers do not do in the end."""
    headroom: Headroom | None
    """How long the sustainable load lasts; null: nobody says how fast the load grows."""
    influences: tuple[Influence, ...]
    """The numbers that move the sustainable load most: what to measure."""
    costs: Costs | None
    """What the system costs; null: not worked out."""
    analytic_and_simulated: tuple[AnalyticComparison, ...]
    """Both methods side by side, at the declared load."""
    analytic_leaves_out: tuple[str, ...]
    """What the analytic solution leaves out."""
    analytic_accuracy: Accuracy | None
    """How far nine of ten such solutions are off at most; null: nobody knows, or simulations
    contradict it."""
    assumptions: tuple[Assumption, ...]
    """Values that the model does not declare."""


def plan_data(plan: CapacityPlan) -> dict[str, Any]:
    """Seconds, rates a second, shares of one, factors of the declared load; infinite is null."""
    form = PlanForm(
        system=plan.system.name,
        scenario=plan.scenario.name,
        complete=plan.is_complete,
        missing=tuple(plan.missing),
        fine=plan.is_fine,
        simulations=plan.runs,
        carried=plan.carried,
        objectives=plan.today,
        sustained=plan.sustained,
        journeys=tuple(_journeys(plan)),
        bottlenecks=plan.bottlenecks,
        curve=plan.curve,
        sizing=plan.sizing,
        second_states=plan.second_states,
        knife_edges=plan.knife_edges,
        lost_messages=plan.lost,
        headroom=plan.headroom,
        influences=plan.influences,
        costs=plan.costs,
        analytic_and_simulated=plan.compared,
        analytic_leaves_out=tuple(plan.flow.left_out),
        analytic_accuracy=None if plan.is_contradicted else plan.flow.accuracy,
        assumptions=plan.assumptions,
    )
    data: dict[str, Any] = plain(form)
    return data


def _journeys(plan: CapacityPlan) -> list[JourneyForm]:
    return [
        JourneyForm(
            journey.name,
            journey.rate,
            journey.time.mean,
            journey.quantile(0.95),
            journey.failed,
            plan.alone.get(journey.name),
        )
        for journey in plan.flow.journeys
        if journey.rate > 0
    ]
