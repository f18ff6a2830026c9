"""A request that a rate limit turns away is not carried, whether or not somebody promised it."""

from __future__ import annotations

from archcheck.findings import Objective
from archcheck.planning.changes import loaded
from archcheck.planning.flow import solve_plan
from archcheck.planning.readings import FULL
from archcheck.simulation.plan import Plan

_CALM = 1e-3
"""A part of the load at which nobody is turned away for being too many."""


def not_refused(plan: Plan, promised: tuple[Objective, ...]) -> tuple[Objective, ...]:
    """What a plan keeps where there are rate limits: good answers, nearly as many as when calm.

    Else a limit would let any load look carried, as what it turns away keeps nobody busy. Journeys
    that promise an availability have theirs; a plan without limits needs none.
    """
    if not plan.limits:
        return ()
    known = {each.subject for each in promised if each.name == "availability"}
    return tuple(
        Objective(journey.name, "availability", FULL * (1 - journey.failed))
        for journey in solve_plan(loaded(plan, _CALM)).journeys
        if journey.name not in known and journey.rate > 0 and journey.failed < 1
    )
