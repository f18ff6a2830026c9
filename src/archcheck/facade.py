"""What can be asked of a system, a function each; ``import archcheck`` offers all of them.

::

    import archcheck
    run = archcheck.simulate(shop, "peak")
    run.journey("checkout").latency.p99

Each gives the result itself, plain data of the package that answers, which has more to set. That
package is imported when it is asked, so that a script pays only for what it asks.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from archcheck.extras import require
from archcheck.files import check_writable, write_file
from archcheck.model import ModelError, Scenario, System
from archcheck.model.unloaded import no_scenario

if TYPE_CHECKING:
    from archcheck.configuration import Settings
    from archcheck.diagrams import Picture
    from archcheck.findings import Rule
    from archcheck.planning import CapacityPlan
    from archcheck.proof import Proofs
    from archcheck.proof.repair import Repair
    from archcheck.resilience import AvailabilityResult, ChaosResult, PhaseMap
    from archcheck.simulation import Comparison, EngineName, SimulationResult
    from archcheck.units import Duration, Fraction
    from archcheck.verification import Verification

__all__ = [
    "availability",
    "chaos",
    "compare",
    "diagram",
    "fix",
    "phase_map",
    "plan",
    "prove",
    "report",
    "simulate",
    "verify",
    "with_",
]

_SECONDS = 10.0
"""The proof budget of ``archcheck verify`` and ``prove``, in seconds: as on the command line."""
_SEARCH_SECONDS = 30.0
"""The same of ``archcheck fix``: 1,000 services need so much."""


def with_(system: System, settings: Mapping[str, Any]) -> System:
    """The system with other values: ``with_(shop, {"payments.replicas": 6})``.

    Also ``"orders->payments.timeout": 150 * ms`` for calls and ``"load": "x2"``; values are
    objects or texts. Raises :class:`ModelError` for what the system does not have.
    """
    from archcheck.editing import with_settings

    return with_settings(system, settings)


def verify(
    system: System,
    rules: Iterable[Rule] | None = None,
    *,
    settings: Settings | None = None,
    proof_budget: float = _SECONDS,
) -> Verification:
    """Check a system against ``rules`` (default: the installed ones of the recommended profile).

    ``settings`` choose among the rules; ``proof_budget``: seconds for all rules that prove.
    """
    from archcheck import verification

    return verification.verify(system, rules, settings=settings, proof_budget=proof_budget)


def prove(
    system: System,
    questions: Sequence[str] = (),
    *,
    failures: int = 1,
    proof_budget: float = _SECONDS,
) -> Proofs:
    """Ask what holds in every case: the questions of these names, or all.

    ``failures``: so many at once that critical journeys must survive; ``proof_budget``: seconds
    after which the rest is undecided. Raises :class:`ModelError` for an unknown question.
    """
    from archcheck import proof
    from archcheck.graph import Graph

    budget = proof.ProofBudget(proof_budget)
    return proof.prove(Graph(system), questions, failures=failures, budget=budget)


def fix(
    system: System,
    rules: Iterable[Rule] | None = None,
    *,
    settings: Settings | None = None,
    costs: Mapping[str, float] | None = None,
    only: Sequence[str] = (),
    proof_budget: float = _SEARCH_SECONDS,
) -> Repair:
    """Find the cheapest edits that make the rules hold and cost no answers under the declared
    loads; ``.patch`` has them as a diff.

    ``costs``: the kinds of edits that are allowed, with their costs (default: the settings'
    ``edits``, or all). ``only``: rules (ids, groups, globs) whose findings are mended, while all
    others guard. When the time is up, what is found by then is offered. Raises
    :class:`ModelError` for an unknown kind.
    """
    from archcheck.editing import unshared
    from archcheck.mending import mend

    return mend(
        unshared(system),
        rules,
        settings=settings,
        costs=costs,
        only=only,
        proof_budget=proof_budget,
    )


def simulate(
    system: System,
    scenario: Scenario | str | None = None,
    *,
    duration: Duration | None = None,
    warmup: Duration | None = None,
    seed: int = 1,
    replications: int | None = None,
    precision: Fraction | None = None,
    jobs: int = 1,
    engine: EngineName = "auto",
) -> SimulationResult:
    """Simulate a scenario: a value, the name of a declared one, or the first declared.

    A steady load is simulated for as long as the objectives of its journeys need, unless a
    ``duration``, ``replications`` or a ``precision`` (of the mean latencies) say how long.
    :func:`archcheck.simulation.simulate` explains the rest. Raises :class:`ScenarioError` when the
    scenario cannot be simulated.
    """
    from archcheck import simulation

    chosen = chosen_scenario(system, scenario)
    if duration is None and replications is None and precision is None:
        return simulation.simulate_until_decided(
            system, chosen, warmup=warmup, seed=seed, jobs=jobs, engine=engine
        )
    return simulation.simulate(
        system,
        chosen,
        duration=duration,
        warmup=warmup,
        seed=seed,
        replications=replications or 1,
        precision=float(precision) if precision is not None else None,
        jobs=jobs,
        engine=engine,
    )


def compare(
    system: System,
    changes: Sequence[Mapping[str, Any]],
    scenario: Scenario | str | None = None,
    *,
    duration: Duration | None = None,
    warmup: Duration | None = None,
    seed: int = 1,
    replications: int | None = None,
    jobs: int = 1,
    engine: EngineName = "auto",
) -> Comparison:
    """Simulate a system beside variants of it, with the same random numbers.

    Each of ``changes`` makes a variant, as in :func:`with_`: ``compare(shop, [{"payments.replicas":
    6}, {"payments.replicas": 8}])``. Raises :class:`ModelError` for what the system does not have,
    and :class:`ScenarioError` when a variant cannot be simulated.
    """
    from archcheck import simulation
    from archcheck.simulation.comparing import REPLICATIONS

    return simulation.compare(
        variants_of(system, chosen_scenario(system, scenario), changes),
        duration=duration,
        warmup=warmup,
        seed=seed,
        replications=REPLICATIONS if replications is None else replications,
        jobs=jobs,
        engine=engine,
    )


def chaos(
    system: System, scenario: Scenario | str | None = None, *, jobs: int = -1, seed: int = 1
) -> ChaosResult:
    """Try the standard triggers on a system at the peak of a scenario: does it come back?

    :func:`archcheck.resilience.run_chaos` takes triggers of one's own. Raises
    :class:`ScenarioError` when the scenario cannot be simulated.
    """
    from archcheck.resilience import run_chaos

    require("numpy")
    return run_chaos(system, chosen_scenario(system, scenario), jobs=jobs, seed=seed)


def phase_map(
    system: System,
    trigger: str = "load",
    scenario: Scenario | str | None = None,
    *,
    jobs: int = -1,
    seed: int = 1,
) -> PhaseMap:
    """Map over load and the size of a trigger where a system comes back.

    ``trigger``: ``"load"``, ``"payments slow"`` or ``"payments fails"``. Raises
    :class:`ScenarioError` for another one, or when the scenario cannot be simulated.
    """
    from archcheck import resilience

    require("numpy")
    chosen = chosen_scenario(system, scenario)
    return resilience.phase_map(system, chosen, trigger, jobs=jobs, seed=seed)


def plan(
    system: System,
    scenario: Scenario | str | None = None,
    *,
    target: float = 2.0,
    growth: Fraction | None = None,
    lose_zone: bool = False,
    jobs: int = -1,
    seed: int = 1,
) -> CapacityPlan:
    """Plan the capacity under a scenario: a value, a declared one's name, or the busiest one.

    ``target``: the factor of its load for which the cheapest sizes are sought. ``growth``: of the
    load in a month. ``lose_zone``: the sizes carry the load with a zone gone.
    """
    from archcheck.planning import plan_capacity

    require("numpy")
    return plan_capacity(
        system,
        None if scenario is None else chosen_scenario(system, scenario),
        target=target,
        growth=growth,
        loses_zone=lose_zone,
        jobs=jobs,
        seed=seed,
    )


def availability(
    system: System,
    *,
    zone_availability: Fraction | None = None,
    samples: int = 200_000,
    seed: int = 1,
) -> AvailabilityResult:
    """Estimate how available journeys and endpoints are, exactly and by Monte Carlo.

    ``zone_availability``: the share of the time that each zone is up; without it zones do not
    fail. Raises :class:`ModelError` for numbers that mean nothing.
    """
    from archcheck.graph import Graph
    from archcheck.resilience import estimate_availability

    return estimate_availability(
        Graph(system),
        zone_availability=float(zone_availability) if zone_availability is not None else None,
        samples=samples,
        seed=seed,
    )


def diagram(
    subject: System | Verification | Proofs | SimulationResult,
    view: str = "containers",
    of: str | None = None,
    *,
    overlay: str | None = None,
) -> Picture:
    """Draw a view of a system, or of the system of a result with that result laid over it.

    ``of``: the service, journey or element that the view is of, where it needs one. ``overlay``:
    which measure of a simulation, such as ``"flow"`` (default: ``"utilisation"``). A large view is
    collapsed. Raises :class:`~archcheck.model.ArchcheckError` for what there is not.
    """
    from archcheck.diagrams import (
        Diagram,
        Picture,
        canvas_of,
        laid_over,
        overlays,
        readable,
        view_of,
    )

    is_bare = isinstance(subject, System)
    canvas = canvas_of(subject if isinstance(subject, System) else subject.system)
    drawing = view_of(canvas, view, of)
    if isinstance(drawing, Diagram):
        drawing = readable(drawing)
        if not isinstance(subject, System):
            drawing = laid_over(drawing, overlays.overlay_of(subject, overlay))
    if is_bare and overlay is not None:
        raise ModelError(f"the overlay {overlay!r} is of a simulation; draw the result of one")
    return Picture(drawing, canvas.look)


def report(
    system: System, path: str | Path | None = None, *, scenario: Scenario | str | None = None
) -> Path:
    """Write the report of a design review, one HTML file (default: ``NAME.html``).

    ``scenario`` is simulated and planned for (default: the first; the busiest). Returns the path.
    """
    from archcheck.reporting.report import PACKAGES, carry_out, report_page

    require(*PACKAGES)
    chosen = None if scenario is None else chosen_scenario(system, scenario)
    target = Path(path or f"{system.name}.html")
    check_writable(target)
    write_file(target, report_page(carry_out(system, chosen)))
    return target


def variants_of(
    system: System,
    scenario: Scenario,
    changes: Iterable[Mapping[str, Any]],
    *,
    keep_faults: bool = False,
) -> list[tuple[str, System, Scenario]]:
    """The system as it is, and a variant for each of ``changes``: name, system, scenario.

    A declared scenario is the variant's own, since changes may be of its load; ``keep_faults``:
    with the faults of ``scenario`` all the same.
    """
    cases = [("as declared", system, scenario)]
    declared = scenario.name in {each.name for each in system.scenarios}
    for values in changes:
        changed = with_(system, values)
        under = changed.scenario(scenario.name) if declared else scenario
        if keep_faults:
            under = replace(under, faults=scenario.faults)
        name = ", ".join(f"{path}={value}" for path, value in values.items())
        cases.append((name, changed, under))
    return cases


def chosen_scenario(system: System, scenario: Scenario | str | None) -> Scenario:
    """A scenario itself, the declared one of a name, or the first that the system declares."""
    if isinstance(scenario, Scenario):
        return scenario
    if scenario is not None:
        return system.scenario(scenario)
    if not system.scenarios:
        raise no_scenario(system)
    return system.scenarios[0]
