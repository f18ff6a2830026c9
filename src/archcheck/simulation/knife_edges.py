"""Outcomes on a knife edge: those that inputs a little off move far.

Times of work are known to some percent at best, and so is what a machine is capable of; to a
queue, 3% less capacity is as 3% more work. Declared limits (rates, pools, permits) are known, and
stay. A few short runs with all times of work 3% longer and 3% shorter, with the random numbers of
runs as declared, show what that does. An outcome is on a knife edge where it moves, beyond chance,
by more than its interval, and

- more than in proportion: a percentile by more than 6%, a share of good answers by a point; or
- across its objective, which is met or missed no more.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import replace

from archcheck.findings import PERCENTILES, Objective, Reading
from archcheck.simulation.compiling import compile_plan
from archcheck.simulation.engines import choose
from archcheck.simulation.estimates import Estimate, of_replications
from archcheck.simulation.histogram import RELATIVE_ERROR, Histogram
from archcheck.simulation.plan import Outcome, Plan
from archcheck.simulation.record import Record
from archcheck.simulation.replications import Replicator, Stop
from archcheck.simulation.results import KnifeEdge, KnifeEdges, SimulationResult

OFF = 0.03
"""How far times are off. A choice: measured times are seldom known better."""
_MORE_THAN = 2 * OFF
"""How far a percentile moves at least: twice as far as the times. A choice."""
_POINT = 0.01
"""How far a share of good answers moves at least. A choice."""
_RUNS = 3
"""Runs with each of the three times. A choice: with common random numbers they differ little."""
_EVENTS = 3_000_000
"""Events of all these runs: about a second and a half on the compiled engine."""
_LONGEST = 2.0
"""A course cannot be shortened: its runs may take so many times as many. A choice."""
_LEAST_RUN = 1.5
"""A run is at least so many times as long as its warm-up. A choice: a third of it counts."""


def with_knife_edges(
    result: SimulationResult,
    *,
    plan: Plan | None = None,
    jobs: int = 1,
    stop: Stop | None = None,
) -> SimulationResult:
    """The result with its knife edges.

    Nobody looks for those of a result that is incomplete or has no steady state, as it says so
    itself, nor where the runs would be too long. ``plan``: what was simulated, where it is not the
    scenario as it is declared. ``jobs``: cores (-1: all).
    """
    return replace(result, knife_edges=_edges(result, plan, jobs, stop))


def _edges(result: SimulationResult, plan: Plan | None, jobs: int, stop: Stop | None) -> KnifeEdges:
    if not result.is_complete:
        return KnifeEdges(left_out="the simulation was stopped")
    if result.overloads:
        return KnifeEdges(left_out="there is no steady state")
    plan = plan or compile_plan(result.system, result.scenario)
    length = _length(result, plan)
    if length is None:
        return KnifeEdges(left_out="runs with other times would be too long")
    engine = choose("fast" if result.engine == "fast" else "simpy").name
    declared = Replicator(plan, engine, result.seed, length, result.warmup, jobs=jobs, stop=stop)
    factors = (1 + OFF, 1 / (1 + OFF))
    sets = [
        each.records(range(_RUNS))
        for each in (declared, *(replace(declared, plan=_longer(plan, f)) for f in factors))
    ]
    if any(len(records) < _RUNS or not records[0].is_complete for records in sets):
        return KnifeEdges(left_out="stopped before the end")
    found: dict[tuple[str, str], KnifeEdge] = {}
    for factor, records in zip(factors, sets[1:], strict=True):
        for edge in _compared(result, plan, factor, sets[0], records):
            key = edge.journey, edge.metric
            if key not in found or abs(edge.shift) > abs(found[key].shift):
                found[key] = edge
    ordered = sorted(found.values(), key=lambda e: (e.before == e.after, -abs(e.shift), e.journey))
    return KnifeEdges(tuple(ordered))


def _length(result: SimulationResult, plan: Plan) -> float | None:
    """Seconds of each run; ``None`` where they would take too many events."""
    whole = result.duration
    events = result.events / result.replications / whole
    affordable = _EVENTS / (3 * _RUNS * events) if events else math.inf
    if affordable >= whole:
        return whole
    if not plan.is_stationary:
        return whole if affordable * _LONGEST >= whole else None
    return affordable if affordable >= _LEAST_RUN * result.warmup else None


def _longer(plan: Plan, factor: float) -> Plan:
    """All work of services, stores and externals takes ``factor`` times as long."""
    return replace(
        plan,
        blocks=tuple(
            tuple(
                step if step.sampler is None else replace(step, sampler=step.sampler.times(factor))
                for step in block
            )
            for block in plan.blocks
        ),
    )


def _compared(
    result: SimulationResult,
    plan: Plan,
    factor: float,
    before: Sequence[Record],
    after: Sequence[Record],
) -> Iterator[KnifeEdge]:
    promised = {(each.objective.subject, each.objective.name): each for each in result.objectives}
    for index, journey in enumerate(plan.journeys):
        if journey.is_job or not any(record.journeys[index].finished for record in before):
            continue
        metrics = [metric for subject, metric in promised if subject == journey.name] or ["p95"]
        for metric in dict.fromkeys([*metrics, "availability"]):
            reading = promised.get((journey.name, metric))
            known = reading or result.reading(Objective(journey.name, metric, math.nan))
            shift = _shift(metric, index, before, after)
            if shift is not None and known.half_width is not None:
                edge = _edge(known, factor, shift, is_promised=reading is not None)
                if edge is not None:
                    yield edge


def _edge(
    reading: Reading, factor: float, shift: Estimate, *, is_promised: bool
) -> KnifeEdge | None:
    journey, metric = reading.objective.subject, reading.objective.name
    is_share = metric == "availability"
    half = reading.half_width or 0.0
    width = half if is_share else half / reading.value if reading.value else math.inf
    moves = abs(shift.value) - shift.half_width  # for certain
    edge = KnifeEdge(
        journey, metric, factor, reading.value, shift.value, shift.half_width, None, None
    )
    if not math.isfinite(moves) or moves <= width:
        return None
    if is_promised:
        scaled = half if is_share else half * (1 + shift.value)
        later = replace(reading, value=edge.moved, half_width=scaled)
        edge = replace(edge, before=reading.state, after=later.state)
    is_far = moves > (_POINT if is_share else _MORE_THAN)
    return edge if is_far or (edge.before != edge.after and edge.before != "open") else None


def _shift(
    metric: str, journey: int, before: Sequence[Record], after: Sequence[Record]
) -> Estimate | None:
    """How far a metric moves, with its interval: run by run, with the same random numbers."""
    pairs = [(_value(metric, one, journey), _value(metric, other, journey))
             for one, other in zip(before, after, strict=True)]  # fmt: skip
    if metric == "availability":
        return of_replications([other - one for one, other in pairs])
    if any(one <= 0 for one, _ in pairs):
        return None
    found = of_replications([other / one - 1 for one, other in pairs])
    if found is None:
        return None
    return replace(found, half_width=found.half_width + RELATIVE_ERROR)  # of a bucket


def _value(metric: str, record: Record, journey: int) -> float:
    tally = record.journeys[journey]
    if metric == "availability":
        good = tally.outcomes[Outcome.OK] + tally.outcomes[Outcome.DEGRADED]
        return good / tally.finished if tally.finished else math.nan
    return Histogram.merged(tally.latency).quantile(PERCENTILES[metric])
