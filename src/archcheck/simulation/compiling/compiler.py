"""From a system and a scenario to a plan.

Every element is compiled once, into one or a few rows of the plan's tables. What the model does
not declare is assumed, and what the engines do not do is left out; :class:`Assumed` lists both.
"""

from __future__ import annotations

from collections import defaultdict

from archcheck.graph import Graph
from archcheck.graph.transfer import entry_trip
from archcheck.graph.walks import is_acyclic
from archcheck.model import Journey, Scenario, ScenarioError, Schedule, System
from archcheck.simulation import plan as p
from archcheck.simulation.compiling.clients import note_clients
from archcheck.simulation.compiling.faults import compile_faults
from archcheck.simulation.compiling.groups import add_datastore, add_service
from archcheck.simulation.compiling.left_out import left_out
from archcheck.simulation.compiling.load import compile_streams, is_stationary, job_stream
from archcheck.simulation.compiling.places import declared_at
from archcheck.simulation.compiling.steps import StepCompiler
from archcheck.simulation.compiling.tables import PlanRows
from archcheck.simulation.randomness import place_hash
from archcheck.units import Duration


def compile_plan(system: System, scenario: Scenario) -> p.Plan:
    """The plan of ``scenario`` on ``system``.

    Raises :class:`ScenarioError` when the scenario does not fit the system, and
    :class:`ModelError` when operations call each other without end.
    """
    if not scenario.load:
        with declared_at(scenario):
            raise ScenarioError(f"scenario {scenario.name!r} declares no load")
    graph = Graph(system)
    for journey in system.journeys:
        graph.visits(journey)  # refuses operations that call each other without end
    tables = PlanRows(graph, scenario)
    steps = StepCompiler(tables)
    _compile_elements(tables, steps)
    journeys = [_journey(tables, steps, journey) for journey in system.journeys]
    streams = list(compile_streams(scenario, [journey.name for journey in journeys]))
    for schedule in system.schedules:
        _add_job(tables, steps, schedule, journeys, streams)
    note_clients(tables, streams, journeys)
    for what in left_out(system, scenario):
        tables.assumed.leave_out(what)
    return p.Plan(
        stations=tuple(tables.stations),
        groups=tuple(tables.groups),
        operations=tuple(tables.operations),
        blocks=tuple(tables.blocks),
        calls=tuple(tables.calls),
        pools=tuple(tables.pools),
        bulkheads=tuple(tables.bulkheads),
        breakers=tuple(tables.breakers),
        limits=tuple(tables.limits),
        budgets=tuple(tables.budgets),
        caches=tuple(tables.caches),
        channels=tuple(tables.channels),
        zones=tables.zones,
        streams=tuple(streams),
        journeys=tuple(journeys),
        faults=compile_faults(tables),
        may_deadlock=_may_deadlock(tables),
        is_stationary=is_stationary(scenario),
        drains=bool(scenario.drain),
        assumptions=tables.assumed.values(),
        not_simulated=tables.assumed.not_simulated(),
    )


def _compile_elements(tables: PlanRows, steps: StepCompiler) -> None:
    for service in tables.system.services:
        add_service(tables, service)
    for store in tables.system.datastores:
        add_datastore(tables, store)
    operations = tables.graph.operations
    for name, operation in operations.items():
        steps.reserve(name, operation.owner.name)
    for name in operations:
        steps.fill(name)
    steps.channels.subscribe()


def _journey(tables: PlanRows, steps: StepCompiler, journey: Journey) -> p.PlannedJourney:
    """Users call an entry, and give up after the journey's timeout."""
    timeout = journey.timeout
    seconds = float(timeout) if isinstance(timeout, Duration) else p.FOREVER
    way = float(entry_trip(tables.system)) / 2
    entries = tuple(
        _entry(tables, steps, f"{journey.name}/{i}", reference, seconds, way)
        for i, reference in enumerate(journey.all_entries())
    )
    known = journey.priority if journey.priority in tables.classes else ""
    return p.PlannedJourney(journey.name, entries, tables.classes.index(known or ""))


def _entry(
    tables: PlanRows,
    steps: StepCompiler,
    name: str,
    reference: str,
    timeout: float,
    way: float = 0.0,
) -> int:
    operation = steps.callee(reference)
    row = tables.operations[operation]
    return tables.add_call(
        p.CallSite(
            f"{name.partition('/')[0]} -> {row.name}",
            place_hash(f"journey {name}"),
            operation,
            p.PolicySpec(timeout=timeout),
            p.Balance.ROUND_ROBIN,
            -1,
            way,
            way,
            0.0,
            -1,
            tables.group_of.get(row.name.partition(".")[0], -1),
        )
    )


def _add_job(
    tables: PlanRows,
    steps: StepCompiler,
    schedule: Schedule,
    journeys: list[p.PlannedJourney],
    streams: list[p.Stream],
) -> None:
    """A schedule is a metronome that runs one call."""
    rate = schedule.rate()
    if rate is None:
        tables.assumed.leave_out("schedules without a period")
        return
    entry = _entry(tables, steps, f"{schedule.name}/0", str(schedule.calls), p.FOREVER)
    streams.append(job_stream(schedule.name, float(rate), len(journeys)))
    last = len(tables.classes) - 1
    journeys.append(p.PlannedJourney(schedule.name, (entry,), last, is_job=True))


def _may_deadlock(tables: PlanRows) -> bool:
    """Whether groups that hold servers while they wait call each other in a circle."""
    calls = defaultdict[int, set[int]](set)
    for call in tables.calls:
        if min(call.source, call.target) < 0 or call.policy.timeout < p.FOREVER:
            continue
        if tables.groups[call.source].slots >= 0 and tables.groups[call.target].slots >= 0:
            calls[call.source].add(call.target)
    return not is_acyclic(calls)
