"""A review: the answers to all questions about one system, and how they are asked."""

from __future__ import annotations

import time
from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass
from typing import TypeVar

from archcheck.configuration import Settings
from archcheck.diagrams import Canvas, TeamLook, canvas_of
from archcheck.editing import unshared
from archcheck.findings import Rule
from archcheck.graph import Graph
from archcheck.mending import mend
from archcheck.model import Scenario, ScenarioError, System
from archcheck.planning import (
    CapacityPlan,
    JourneyLimit,
    busiest_scenario,
    journey_limits,
    plan_capacity,
)
from archcheck.proof import Proofs, prove
from archcheck.proof.budget import DEFAULT_SECONDS, ProofBudget
from archcheck.proof.repair import Repair
from archcheck.simulation import SimulationResult, simulate_until_decided
from archcheck.simulation.comparing import Comparison, compare
from archcheck.units import Duration
from archcheck.verification import Verification, verify

PACKAGES = ("jinja2", "altair", "diagrams", "vl_convert", "numpy")
"""What a report needs beside the core."""
PARTS = ("proofs", "simulation", "plan")
"""What a review can do without; the rules are always asked."""

BUDGET = 60.0
"""Seconds for all questions unless told otherwise. A choice: people wait so long for a review."""
_MOST_FOR_PLAN = 30.0
"""What ``archcheck plan`` takes."""
MOST_PLANNED = 60
"""A larger system is not planned for by a report: that takes minutes, and has its own command."""

Progress = Callable[[str], None]
T = TypeVar("T")


@dataclass(frozen=True)
class Review:
    """A system and what was found out about it; ``None`` is what was not asked."""

    canvas: Canvas
    verification: Verification
    proofs: Proofs | None = None
    run: SimulationResult | None = None
    plan: CapacityPlan | None = None
    variants: Comparison | None = None
    repair: Repair | None = None
    limits: tuple[JourneyLimit, ...] = ()
    """What limits each journey under ``loaded``; without a load, or where both were left out that
    look at it, nothing."""
    loaded: Scenario | None = None
    left_out: tuple[str, ...] = ()
    """What was not asked, and why where nobody wanted it so."""

    @property
    def system(self) -> System:
        """What is reviewed."""
        return self.canvas.graph.system


def carry_out(
    system: System,
    scenario: Scenario | None = None,
    *,
    rules: Sequence[Rule] | None = None,
    settings: Settings | None = None,
    without: Collection[str] = (),
    cases: Sequence[tuple[str, System, Scenario]] = (),
    repair: bool = False,
    seed: int = 1,
    budget: float = BUDGET,
    progress: Progress = lambda _: None,
) -> Review:
    """Ask all questions that the system can answer.

    ``scenario`` is simulated and planned for; by default the first one that the system declares is
    simulated, and the busiest one is planned for; without any, neither is done. ``without`` names
    :data:`PARTS` to leave out; ``cases`` are variants that are compared, the first one the system
    as it is. ``repair``: whether edits are looked for that make the rules hold. ``budget``: seconds
    for all of it; what takes longer is left out and named.
    """
    end = time.monotonic() + budget
    settings = settings or Settings()
    chosen = scenario or next(iter(system.scenarios), None)
    left_out = [*without]
    wanted = [part for part in PARTS if part not in without]
    progress("rules")
    verification = verify(
        system, rules, settings=settings, proof_budget=min(DEFAULT_SECONDS, budget / 4)
    )
    clock = _Clock(end, budget, left_out)
    proofs = run = plan = variants = None
    if "proofs" in wanted:
        progress("proofs")
        proofs = prove(Graph(system), budget=ProofBudget(min(DEFAULT_SECONDS, clock.left() / 2)))
    if chosen is not None and "simulation" in wanted:
        progress(f"simulation of {chosen.name}")
        run = clock.asked("simulation", 0.4, _simulation(system, chosen, seed))
    loaded = _loaded(system, scenario) if {"plan", "simulation"}.intersection(wanted) else None
    limits = journey_limits(system, loaded) if loaded is not None else ()
    if chosen is not None and "plan" in wanted:
        progress("capacity")
        if len(system.services) > MOST_PLANNED:
            left_out.append(f"plan, which takes minutes for more than {MOST_PLANNED} services")
        else:
            plan = clock.asked("plan", 0.8, _plan(system, scenario, seed))
    if len(cases) > 1:
        progress("variants")
        variants = clock.asked("variants", 1.0, _variants(cases, seed))
    mended = None
    if repair:
        progress("repair")
        mended = clock.asked("repair", 0.8, _repair(system, rules, settings))
    progress("pictures")
    canvas = canvas_of(system, TeamLook(settings.icons, settings.colours))
    return Review(
        canvas,
        verification,
        proofs,
        run,
        plan,
        variants,
        mended,
        limits,
        loaded,
        tuple(left_out),
    )


def _loaded(system: System, scenario: Scenario | None) -> Scenario | None:
    """The scenario whose load is looked at, as a plan does: the wanted one, or the busiest."""
    if scenario is not None:
        return scenario if scenario.load else None
    return busiest_scenario(system) if any(each.load for each in system.scenarios) else None


@dataclass
class _Clock:
    """The time that is left for the questions of a review; ``left_out`` collects what is late."""

    end: float
    budget: float
    left_out: list[str]

    def left(self) -> float:
        """Seconds, or nothing."""
        return max(0.0, self.end - time.monotonic())

    def asked(self, part: str, share: float, question: Callable[[float], T]) -> T | None:
        """The answer, given a share of the time that is left; nothing where that is too short."""
        until = time.monotonic() + share * self.left()
        try:
            found = question(until)
        except ScenarioError:
            if time.monotonic() < until:
                raise
            found = None
        if time.monotonic() >= until:
            much = "" if found is None else "part of the "
            self.left_out.append(
                f"{much}{part}, for which the budget of {Duration(self.budget)} was too short"
            )
        return found


def _simulation(
    system: System, scenario: Scenario, seed: int
) -> Callable[[float], SimulationResult]:
    return lambda until: simulate_until_decided(
        system, scenario, seed=seed, jobs=-1, stop=lambda: time.monotonic() > until
    )


def _plan(system: System, scenario: Scenario | None, seed: int) -> Callable[[float], CapacityPlan]:
    return lambda until: plan_capacity(
        system, scenario, seed=seed, budget=min(_MOST_FOR_PLAN, until - time.monotonic())
    )


def _repair(
    system: System, rules: Sequence[Rule] | None, settings: Settings
) -> Callable[[float], Repair]:
    """Edits are searched in half of the time; trying them takes the other one."""

    def asked(until: float) -> Repair:
        seconds = max(0.0, until - time.monotonic()) / 2
        return mend(unshared(system), rules, settings=settings, proof_budget=seconds)

    return asked


def _variants(
    cases: Sequence[tuple[str, System, Scenario]], seed: int
) -> Callable[[float], Comparison]:
    return lambda until: compare(
        cases, replications=3, seed=seed, stop=lambda: time.monotonic() > until
    )
