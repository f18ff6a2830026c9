"""From records of numbers to results with names."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence, Set
from dataclasses import replace

from archcheck.findings import PERCENTILES
from archcheck.model import Scenario, System
from archcheck.simulation.causes import TimeBook, failed_journeys
from archcheck.simulation.declared_loads import served_loads
from archcheck.simulation.engines import EngineChoice
from archcheck.simulation.estimates import (
    Estimate,
    index_of_dispersion,
    of_batches,
    of_positive_sections,
    of_replications,
    of_sections,
    of_share,
)
from archcheck.simulation.histogram import RELATIVE_ERROR, Histogram
from archcheck.simulation.overloads import journeys_through, overloads
from archcheck.simulation.plan import Outcome, Plan
from archcheck.simulation.queues import TOKENS, Place
from archcheck.simulation.record import BUCKETS, CallRecord, Record, StationRecord, Tally
from archcheck.simulation.replications import mean_latency
from archcheck.simulation.results import (
    CallResult,
    Latencies,
    RequestResult,
    ResourceResult,
    SeriesPoint,
    SimulationResult,
)
from archcheck.simulation.steady_state import Unsettled, not_settled

SECTIONS = 10
"""Parts of a single run for intervals of percentiles and shares: each is still long, and ten values
tell their spread to a quarter. A choice."""
_IN_TAIL = 5
"""Requests beyond a percentile that each part needs. A choice: with fewer it is the largest one."""
_FEW = 10
"""Times at which failures came that say how many come at a time. A choice."""
_HIGHEST = 0.95
"""The highest load that says how many failures come at a time: beyond, nobody asks for so few."""
_ONE = "sections"


def build_result(
    system: System,
    scenario: Scenario,
    plan: Plan,
    records: Sequence[Record],
    *,
    engine: EngineChoice,
    is_complete: bool,
    seed: int,
    warmup_is_found: bool,
    precision: float | None,
    precision_is_reached: bool,
) -> SimulationResult:
    """Merge the records of one plan's replications, and give their numbers names."""
    estimates = _estimates(plan, records)
    record = Record(plan, records[0].duration, records[0].warmup)
    record.end = records[0].end
    record.runs = 0
    for each in records:
        record.merge(each)
    span = record.span
    served = served_loads(system, scenario, record) if plan.is_stationary else {}
    overloaded = overloads(plan, record, served)
    endless = journeys_through(plan, {(each.name, each.what) for each in overloaded})
    held_up = tuple(plan.journeys[index].name for index in sorted(endless))
    slow = _slow(plan, not_settled(plan, records, record, served), endless)
    early = journeys_through(plan, slow.keys()) - endless
    book = TimeBook(plan, record)
    journeys = [
        _requests(planned.name, tally, span, is_endless=index in endless)
        for index, (planned, tally) in enumerate(zip(plan.journeys, record.journeys, strict=True))
    ]
    are_jobs = [planned.is_job for planned in plan.journeys]
    return SimulationResult(
        system=system,
        scenario=scenario,
        engine=engine.name,
        engine_reason=engine.why,
        is_complete=is_complete,
        simulated=record.end,
        seed=seed,
        replications=record.runs,
        duration=record.duration,
        warmup=record.warmup,
        warmup_is_found=warmup_is_found,
        precision=precision,
        precision_is_reached=precision_is_reached,
        events=record.events,
        overloads=overloaded,
        held_up=held_up,
        unsettled=tuple(slow.values()),
        early=tuple(plan.journeys[index].name for index in sorted(early)),
        journeys=tuple(j for j, job in zip(journeys, are_jobs, strict=True) if not job),
        jobs=tuple(j for j, job in zip(journeys, are_jobs, strict=True) if job),
        operations=_operations(plan, record, span, {each.name for each in overloaded}),
        calls=_calls(plan, record, book),
        resources=_resources(plan, record, span, book),
        times=book.journeys(),
        failures=failed_journeys(plan, record),
        estimates=_that_say(estimates, plan, endless, slow),
        counts=dict(sorted(record.counts.values.items())),
        series=_series(plan, record),
        utilisation_series=_ratio_series(plan, record.busy_series, record.capacity_series),
        waiting_series=_mean_series(plan, record, record.waiting_series),
        servers_series=_mean_series(plan, record, record.capacity_series),
        assumptions=book.by_influence(plan.assumptions),
        not_simulated=plan.not_simulated,
    )


def _requests(name: str, tally: Tally, span: float, *, is_endless: bool) -> RequestResult:
    ok, degraded, timed_out, rejected, broken, failed = tally.outcomes
    latency = Latencies.none() if is_endless else Latencies.of(Histogram.merged(tally.latency))
    return RequestResult(
        name,
        tally.started,
        ok,
        degraded,
        timed_out,
        rejected,
        broken,
        failed,
        tally.in_flight,
        tally.answered / span,
        latency,
    )


def _operations(
    plan: Plan, record: Record, span: float, overloaded: set[str]
) -> tuple[RequestResult, ...]:
    """Reported operations that were asked; those that wait in an endless queue have no latency."""
    results = []
    for operation, tally in zip(plan.operations, record.operations, strict=True):
        if operation.reported and tally.started:
            group = operation.group
            slots = plan.groups[group].slots if group >= 0 else -1
            endless = slots >= 0 and plan.stations[slots].name in overloaded
            results.append(_requests(operation.name, tally, span, is_endless=endless))
    return tuple(results)


def _calls(plan: Plan, record: Record, book: TimeBook) -> tuple[CallResult, ...]:
    """Call sites with the same name (the same two operations) are one."""
    merged: dict[str, tuple[CallRecord, float]] = {}
    for index, (site, measured) in enumerate(zip(plan.calls, record.calls, strict=True)):
        if not measured.calls:
            continue
        total, share = merged.get(site.name, (CallRecord(), 0.0))
        total.merge(measured)
        merged[site.name] = (total, share + book.critical_share(index))
    results = [_call(name, total, share) for name, (total, share) in merged.items()]
    return tuple(sorted(results, key=lambda call: -call.critical_share))


def _call(name: str, record: CallRecord, share: float) -> CallResult:
    ok, degraded, timed_out, rejected, broken, failed = record.outcomes
    return CallResult(
        name=name,
        calls=record.calls,
        retries=record.retries,
        hedges=record.hedges,
        ok=ok,
        degraded=degraded,
        timed_out=timed_out,
        rejected=rejected,
        broken=broken,
        failed=failed,
        critical_share=share,
    )


def _resources(
    plan: Plan, record: Record, span: float, book: TimeBook
) -> tuple[ResourceResult, ...]:
    results = []
    for index, (station, measured) in enumerate(zip(plan.stations, record.stations, strict=True)):
        nodes = plan.groups[station.group].nodes
        share = book.waiting_share_of_station(index)
        found = _resource(station.name, station.what, nodes, measured, span, share)
        if measured.throttled and station.lasting is not None:
            nodes_seconds = measured.capacity / station.lasting
            found = replace(found, throttled=measured.throttled / nodes_seconds)
        results.append(found)
    for index, (pool, measured) in enumerate(zip(plan.pools, record.pools, strict=True)):
        nodes = plan.groups[pool.group].nodes
        share = book.waiting_share_of_pool(index)
        results.append(_resource(pool.name, "connections", nodes, measured, span, share))
    for index, (bulkhead, measured) in enumerate(
        zip(plan.bulkheads, record.bulkheads, strict=True)
    ):
        share = book.waiting_share_of_bulkhead(index)
        results.append(_resource(bulkhead.name, "permits", 1, measured, span, share))
    return tuple(results)


def _resource(
    name: str, what: str, nodes: int, record: StationRecord, span: float, share: float
) -> ResourceResult:
    population = record.busy + record.waiting
    gap = abs(population - record.residence) / max(population, record.residence, 1e-9)
    limited = record.capacity > 0
    return ResourceResult(
        name=name,
        what=what,
        nodes=nodes,
        servers=_plain(record.capacity / span) if limited else None,
        utilisation=record.busy / record.capacity if limited else math.nan,
        busiest=record.busiest if limited else math.nan,
        busy=record.busy / span,
        waiting=record.waiting / span,
        mean_wait=record.waited / record.visits if record.visits else 0.0,
        visits=record.visits,
        rejected=record.rejected,
        waiting_share=share,
        littles_law_gap=gap,
    )


def _plain(servers: float) -> float:
    """A whole number of servers is shown as one."""
    nearest = round(servers)
    return nearest if abs(servers - nearest) < 1e-6 * max(1, nearest) else servers


def _estimates(plan: Plan, records: Sequence[Record]) -> dict[str, dict[str, Estimate]]:
    found: dict[str, dict[str, Estimate]] = {}
    for index, journey in enumerate(plan.journeys):
        if len(records) == 1:
            estimates = _of_single(plan, records[0], index)
        else:
            estimates = _of_journey(plan, list(records), index)
        known = {name: each for name, each in estimates.items() if each is not None}
        if known:
            found[journey.name] = known
    return found


def _slow(plan: Plan, found: Sequence[Unsettled], endless: Set[int]) -> dict[Place, Unsettled]:
    """What is not settled; who waits for ever in one queue has nothing to learn of another."""
    slow = {(each.name, each.what): each for each in found}
    if not endless:
        return slow
    through = {place: journeys_through(plan, {place}) for place in slow}
    return {p: each for p, each in slow.items() if not through[p] or through[p] - endless}


def _that_say(
    estimates: dict[str, dict[str, Estimate]],
    plan: Plan,
    endless: Set[int],
    slow: Mapping[Place, Unsettled],
) -> dict[str, dict[str, Estimate]]:
    """Without figures that may be too large as well as too small: all of what is still scaled; all
    but the errors behind a queue without an end, and where a bucket will be empty, as who is turned
    away has an answer at once.
    """
    scaled = journeys_through(plan, {place for place, each in slow.items() if each.is_scaling})
    emptied = journeys_through(plan, {place for place in slow if place[1] == TOKENS})
    kept: dict[str, dict[str, Estimate]] = {}
    for index, journey in enumerate(plan.journeys):
        found = {} if index in scaled else estimates.get(journey.name, {})
        if index in endless or index in emptied:
            found = {name: each for name, each in found.items() if name == "error_rate"}
        if found:
            kept[journey.name] = found
    return kept


def _of_single(plan: Plan, record: Record, index: int) -> dict[str, Estimate | None]:
    """From ten sections of a run, each as long as the others; the warm-up is in none of them."""
    means = record.batches[index].means()
    kept = [mean for start, mean in means if start >= record.warmup]
    estimates = {"mean": of_batches(kept)}
    width = record.duration / BUCKETS
    first = math.ceil(record.warmup / width - 1e-9)
    each = (BUCKETS - first) // SECTIONS
    if not each or not record.is_complete:
        return estimates
    series, tally = record.series[index], record.journeys[index]
    spans = [range(i, i + each) for i in range(BUCKETS - SECTIONS * each, BUCKETS, each)]
    parts = [Histogram.merged(series.latency[i] for i in span) for span in spans]
    fewest = min(part.count for part in parts)
    for name, share in PERCENTILES.items():
        if fewest * (1 - share) >= _IN_TAIL:
            values = [part.quantile(share) for part in parts]
            estimates[name] = _of_percentile(Histogram.merged(tally.latency), share, values, _ONE)
    bad = [sum(series.failed[i] for i in span) for span in spans]
    if fewest:
        shares = [count / part.count for count, part in zip(bad, parts, strict=True)]
        together = _together(plan, [record], index)
        estimates["error_rate"] = of_share(_errors(tally), tally.finished, shares, _ONE, together)
    good = [(part.count - count) / (each * width) for count, part in zip(bad, parts, strict=True)]
    estimates["throughput"] = of_sections(tally.answered / record.span, good, _ONE)
    return estimates


def _of_percentile(
    whole: Histogram, share: float, parts: Sequence[float], method: str
) -> Estimate | None:
    """Percentiles are known to the width of a bucket at best."""
    found = of_positive_sections(whole.quantile(share), parts, method)
    if found is None:
        return None
    return replace(found, half_width=found.half_width + RELATIVE_ERROR * found.value)


def _errors(tally: Tally) -> float:
    """The share of finished requests without a good answer."""
    answered = tally.outcomes[Outcome.OK] + tally.outcomes[Outcome.DEGRADED]
    return 1 - answered / tally.finished if tally.finished else math.nan


def _of_journey(plan: Plan, records: list[Record], index: int) -> dict[str, Estimate | None]:
    tallies = [record.journeys[index] for record in records]
    merged = [Histogram.merged(tally.latency) for tally in tallies]
    whole = Histogram.merged(merged)
    method = "replications"
    estimates = {"mean": mean_latency(records, index)}
    fewest = min(each.count for each in merged)
    for name, share in PERCENTILES.items():
        if fewest * (1 - share) >= _IN_TAIL:
            values = [each.quantile(share) for each in merged]
            estimates[name] = _of_percentile(whole, share, values, method)
    good = [tally.answered / record.span for tally, record in zip(tallies, records, strict=True)]
    estimates["throughput"] = of_replications(good)
    shares = [_errors(tally) for tally in tallies]
    finished = sum(tally.finished for tally in tallies)
    if finished:
        failed = sum(share * tally.finished for share, tally in zip(shares, tallies, strict=True))
        together = _together(plan, records, index)
        estimates["error_rate"] = of_share(failed / finished, finished, shares, method, together)
    return estimates


def _together(plan: Plan, records: Sequence[Record], index: int) -> float:
    """How many failures of a journey come at a time: by those of the same sixtieth of all runs; of
    a single run by all of its sixtieths, where the load does not change.

    Where too few came to tell: as many as find a server full while it is, which is 1/(1 - load) of
    those who come to the M/M/1.
    """
    first = math.ceil(records[0].warmup / records[0].duration * BUCKETS - 1e-9)
    runs = [record.series[index].failed[first:] for record in records]
    if len(runs) > 1:
        found = index_of_dispersion([*zip(*runs, strict=True)])
    else:
        found = index_of_dispersion(runs) if plan.is_stationary else 1.0
    if sum(map(sum, runs)) >= _FEW * found:
        return found
    loads = (
        measured.busy / measured.capacity
        for record in records
        for measured in record.stations
        if measured.capacity
    )
    return max(found, 1 / (1 - min(_HIGHEST, max(loads, default=0.0))))


def _series(plan: Plan, record: Record) -> dict[str, tuple[SeriesPoint, ...]]:
    width = record.duration / BUCKETS
    weight = width * record.runs
    return {
        journey.name: tuple(
            SeriesPoint(
                (i + 1) * width,
                (series.finished[i] - series.failed[i]) / weight,
                series.failed[i] / weight,
                series.latency[i].quantile(0.95),
            )
            for i in range(BUCKETS)
        )
        for journey, series in zip(plan.journeys, record.series, strict=True)
    }


def _ratio_series(
    plan: Plan, busy: list[list[float]], capacity: list[list[float]]
) -> dict[str, tuple[float, ...]]:
    return {
        station.name: tuple(
            part / whole if whole else 0.0
            for part, whole in zip(busy[index], capacity[index], strict=True)
        )
        for index, station in enumerate(plan.stations)
        if station.lasting is not None
    }


def _mean_series(
    plan: Plan, record: Record, integrals: list[list[float]]
) -> dict[str, tuple[float, ...]]:
    weight = record.duration / BUCKETS * record.runs
    return {
        station.name: tuple(integral / weight for integral in integrals[index])
        for index, station in enumerate(plan.stations)
        if station.lasting is not None
    }
