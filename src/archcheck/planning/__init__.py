"""Capacity planning: how much a system takes, what breaks first, what more load needs and costs.

:func:`plan_capacity` goes through all of it. ``flow`` is the analytic solution of a plan,
``changes`` gives it other loads and sizes, ``readings`` say what it comes to, ``probing`` asks the
simulator; ``sustaining``, ``bottlenecks``, ``curves``, ``sizing`` (with ``cheapest`` and
``obstacles``), ``sensitivity`` and ``costs`` are the answers.
"""

from archcheck.planning.bottlenecks import Bottleneck
from archcheck.planning.changes import at_peak, loaded, sized
from archcheck.planning.costs import CPUS, Costs, ElementCost, JourneyCost, cost_of
from archcheck.planning.curves import Curve, CurvePoint
from archcheck.planning.flow import Accuracy, Flow, JourneyFlow, StationFlow, solve_plan
from archcheck.planning.limits import JourneyLimit, journey_limits
from archcheck.planning.planning import (
    AnalyticComparison,
    CapacityPlan,
    Headroom,
    busiest_scenario,
    plan_capacity,
)
from archcheck.planning.second_states import SecondState, second_states
from archcheck.planning.sensitivity import Influence
from archcheck.planning.sizing import Resized, Sizing
from archcheck.planning.sustaining import Sustained

__all__ = [
    "CPUS",
    "Accuracy",
    "AnalyticComparison",
    "Bottleneck",
    "CapacityPlan",
    "Costs",
    "Curve",
    "CurvePoint",
    "ElementCost",
    "Flow",
    "Headroom",
    "Influence",
    "JourneyCost",
    "JourneyFlow",
    "JourneyLimit",
    "Resized",
    "SecondState",
    "Sizing",
    "StationFlow",
    "Sustained",
    "at_peak",
    "busiest_scenario",
    "cost_of",
    "journey_limits",
    "loaded",
    "plan_capacity",
    "second_states",
    "sized",
    "solve_plan",
]
