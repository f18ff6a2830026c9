"""One simulation from beginning to end: plan, warm-up, replications, result."""

from __future__ import annotations

from dataclasses import replace

from archcheck.model import Scenario, ScenarioError, System
from archcheck.simulation.compiling import compile_plan
from archcheck.simulation.engines import EngineName, choose
from archcheck.simulation.plan import Plan
from archcheck.simulation.replications import (
    PILOTS,
    Progress,
    Replicator,
    Stop,
    checked,
    until_precise,
)
from archcheck.simulation.results import SimulationResult
from archcheck.simulation.steady_state import found_warm_up
from archcheck.simulation.summarising import build_result
from archcheck.simulation.trace import Tracer
from archcheck.units import Duration

DURATION = Duration(60.0)
"""How long is simulated when neither the scenario nor the caller says.

A choice: long against latencies, short for the person who waits.
"""


def simulate(
    system: System,
    scenario: Scenario,
    *,
    duration: Duration | None = None,
    warmup: Duration | None = None,
    plan: Plan | None = None,
    seed: int = 1,
    replications: int = 1,
    precision: float | None = None,
    jobs: int = 1,
    engine: EngineName = "auto",
    backend: str | None = None,
    progress: Progress | None = None,
    stop: Stop | None = None,
    tracer: Tracer | None = None,
) -> SimulationResult:
    """Simulate ``scenario`` on ``system``.

    ``warmup`` is left out of the statistics. Without one, a steady load is run three times before,
    to find when it has warmed up (MSER-5); where the load changes or something goes wrong, all
    of the run counts. ``replications`` independent runs are merged; with a ``precision``, as many
    are made as the mean latencies need. ``jobs`` cores work on them (-1: all), or the machines of
    a ``backend``, such as ``dask://HOST:PORT``. ``engine``: ``fast`` is compiled, ``simpy`` the
    reference; ``auto`` takes the fast one where it is installed. ``progress`` is told how many
    runs are done; when ``stop`` says so, what is there is returned, marked incomplete. ``tracer``
    gets every journey, request and attempt of a single run when it has ended. ``plan``: the
    scenario's, where it has been compiled before.

    The same seed gives the same result, to the last digit, in every process, on any number of
    cores and on both engines. Raises :class:`ScenarioError` when the scenario cannot be simulated.
    """
    checked(replications, precision)
    if tracer is not None and (replications > 1 or precision is not None):
        raise ScenarioError("a trace is of a single run; leave out replications and precision")
    ran = choose(engine)
    length = float(duration or scenario.duration or DURATION)
    plan = plan or compile_plan(system, scenario)
    chosen = warmup if warmup is not None else scenario.warmup
    start = float(chosen) if chosen is not None else 0.0
    if not 0 <= start < length:
        raise ScenarioError(
            f"the warm-up of {Duration(start)} must be shorter than the duration of "
            f"{Duration(length)}"
        )
    pilot = Replicator(plan, ran.name, seed, length, 0.0, stop=stop)
    if chosen is None and plan.is_stationary:
        start = found_warm_up(plan, replace(pilot, jobs=jobs).records(PILOTS))
    if tracer is not None:
        tracer.begin(plan)
    replicator = replace(
        pilot, warmup=start, jobs=jobs, backend=backend, progress=progress, tracer=tracer
    )
    reached = True
    if precision is None:
        records = replicator.records(range(replications))
    else:
        records, reached = until_precise(replicator, precision)
    if records[0].end <= start:
        raise ScenarioError(
            f"stopped after {Duration(records[0].end)}, before the warm-up of {Duration(start)} "
            "was over: there is nothing to report"
        )
    asked = replications if precision is None else len(records)
    return build_result(
        system,
        scenario,
        plan,
        records,
        engine=ran,
        is_complete=records[0].is_complete and len(records) >= asked and not replicator.is_stopped,
        seed=seed,
        warmup_is_found=chosen is None,
        precision=precision,
        precision_is_reached=reached,
    )
