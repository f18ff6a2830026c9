"""Why a run cannot go on: the same sentences from every engine."""

from __future__ import annotations

from collections.abc import Iterable

from archcheck.model import ScenarioError
from archcheck.simulation.plan import Plan
from archcheck.units import Duration


def deadlock(plan: Plan, time: float, stations: Iterable[int]) -> ScenarioError:
    """Requests wait for each other for ever."""
    names = sorted({plan.stations[station].name for station in stations})
    return ScenarioError(
        f"deadlock after {Duration(time)}: every thread of {' and '.join(names)} waits for a "
        "call that needs another one of them; break the circle of calls, give the calls a "
        "timeout, or add threads"
    )


def standstill(time: float) -> ScenarioError:
    """Things go on happening at the same time."""
    return ScenarioError(
        f"after {Duration(time)} time stands still: a hundred million things have happened at "
        "once; give users a time to think, or work a duration"
    )


def too_deep(time: float) -> ScenarioError:
    """A request causes another one without any time passing, and so on."""
    return ScenarioError(
        f"after {Duration(time)} a request made calls within calls too deep to follow, without "
        "any time passing; give the network between the services a delay"
    )
