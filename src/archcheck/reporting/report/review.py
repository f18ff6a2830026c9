"""A review: the answers to all questions about one system, and how they are asked."""

from __future__ import annotations

from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass

from archcheck.configuration import Settings
from archcheck.diagrams import Canvas, Look, canvas_of
from archcheck.findings import Rule
from archcheck.graph import Graph
from archcheck.model import Scenario, System
from archcheck.planning import CapacityPlan, plan_capacity
from archcheck.proof import Proofs, prove
from archcheck.simulation import SimulationResult, simulate_until_decided
from archcheck.simulation.comparing import Comparison, compare
from archcheck.verification import Verification, verify

PARTS = ("proofs", "simulation", "plan")
"""What a review can do without; the rules are always asked."""

MOST_PLANNED = 60
"""A larger system is not planned for by a report: that takes minutes, and has its own command."""

Progress = Callable[[str], None]


@dataclass(frozen=True)
class Review:
    """A system and what was found out about it; ``None`` is what was not asked."""

    canvas: Canvas
    verification: Verification
    proofs: Proofs | None = None
    run: SimulationResult | None = None
    plan: CapacityPlan | None = None
    variants: Comparison | None = None
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
    seed: int = 1,
    progress: Progress = lambda _: None,
) -> Review:
    """Ask all questions that the system can answer.

    ``scenario`` is simulated and planned for; by default the first one that the system declares is
    simulated, and the busiest one is planned for; without any, neither is done. ``without`` names
    :data:`PARTS` to leave out; ``cases`` are variants that are compared, the first one the system
    as it is.
    """
    settings = settings or Settings()
    chosen = scenario or next(iter(system.scenarios), None)
    progress("rules")
    verification = verify(system, rules, settings=settings)
    proofs = run = plan = variants = None
    if "proofs" not in without:
        progress("proofs")
        proofs = prove(Graph(system))
    if chosen is not None and "simulation" not in without:
        progress(f"simulation of {chosen.name}")
        run = simulate_until_decided(system, chosen, seed=seed, jobs=-1)
    is_large = len(system.services) > MOST_PLANNED
    if chosen is not None and "plan" not in without and not is_large:
        progress("capacity")
        plan = plan_capacity(system, scenario, seed=seed)
    if len(cases) > 1:
        progress("variants")
        variants = compare(cases, replications=3, seed=seed)
    canvas = canvas_of(system, Look(settings.icons, settings.colours))
    left_out = [*without]
    if is_large and "plan" not in without:
        left_out.append(f"plan, which takes minutes for more than {MOST_PLANNED} services")
    return Review(canvas, verification, proofs, run, plan, variants, tuple(left_out))
