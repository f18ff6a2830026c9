"""Changes of a plan: other loads, sizes, times, and resources that never make anybody wait.

A plan is a value; each change gives another plan, which both the analytic solution and the
simulation take.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from dataclasses import replace

from archcheck.planning.flow.sources import open_rate
from archcheck.simulation.plan import ArrivalKind, Plan, StepSpec, Stream

_BURST, _TOKENS = 0.25, 20.0
"""Seconds of its rate, and tokens, that a bucket holds at most in the long run. A choice: enough to
smooth out random arrivals, too little to carry a run of some thousands of requests."""


def at_peak(plan: Plan) -> Plan:
    """The plan under the peak of its load, for good, without faults.

    Streams whose rate changes become Poisson streams at their highest rate. Autoscalers have
    scaled out as far as they may. Token buckets are empty: what they save up for bursts would let
    a run of some seconds pass that cannot go on.
    """
    return replace(
        plan,
        limits=tuple(
            replace(limit, burst=min(limit.burst, max(_TOKENS, _BURST * limit.rate)))
            for limit in plan.limits
        ),
        streams=tuple(_steady(stream) for stream in plan.streams),
        groups=tuple(
            replace(group, nodes=max(group.nodes, group.scaling.most), scaling=None)
            if group.scaling is not None
            else group
            for group in plan.groups
        ),
        faults=(),
        is_stationary=True,
        drains=False,
    )


def _steady(stream: Stream) -> Stream:
    if stream.kind in (ArrivalKind.POISSON, ArrivalKind.DETERMINISTIC, ArrivalKind.CLOSED):
        return stream
    return replace(
        stream,
        kind=ArrivalKind.POISSON,
        rate=open_rate(stream),
        high=0.0,
        period=0.0,
        points=(),
        times=(),
        factor=1.0,
    )


def loaded(plan: Plan, factor: float, journey: int | None = None) -> Plan:
    """``factor`` times the load of an :func:`at_peak` plan: of all journeys, or of one."""
    return replace(
        plan, streams=tuple(_loaded(plan, stream, factor, journey) for stream in plan.streams)
    )


def _loaded(plan: Plan, stream: Stream, factor: float, journey: int | None) -> Stream:
    if journey is not None:
        if plan.journeys[journey].is_job or stream.session is not None:
            return stream
        shares: dict[int, float] = {}
        before = 0.0
        for index, reached in stream.choices:
            shares[index] = shares.get(index, 0.0) + reached - before
            before = reached
        if journey not in shares:
            return stream
        shares[journey] *= factor
        total, factor = sum(shares.values()), sum(shares.values())
        reached, choices = 0.0, []
        for index, share in shares.items():
            reached += share / total
            choices.append((index, reached))
        stream = replace(stream, choices=tuple(choices))
    elif all(plan.journeys[index].is_job for index, _ in stream.choices):
        return stream  # a schedule does not grow with the load
    if stream.clients:  # more load is more clients, not busier ones
        stream = replace(stream, clients=max(1, round(stream.clients * factor)))
    if stream.kind == ArrivalKind.CLOSED:
        return replace(stream, users=max(1, round(stream.users * factor)))
    return replace(stream, rate=stream.rate * factor)


def sized(plan: Plan, nodes: Mapping[int, int]) -> Plan:
    """Groups with other numbers of nodes; the copies of a datastore's shards go with them."""
    groups = list(plan.groups)
    for index, count in nodes.items():
        before = groups[index].nodes
        groups[index] = replace(groups[index], nodes=count)
        for other, group in enumerate(groups):
            if group.name == f"{groups[index].name} replicas":
                groups[other] = replace(group, nodes=max(1, group.nodes * count // before))
            if group.host == index:
                groups[other] = replace(group, nodes=max(1, group.nodes * count // before))
    return replace(plan, groups=tuple(groups))


def zone_lost(plan: Plan) -> Plan:
    """What is left of groups that are spread over zones when the fullest zone is gone."""
    return replace(
        plan,
        groups=tuple(
            replace(
                group,
                nodes=max(1, group.nodes - math.ceil(group.nodes / len(set(group.zones)))),
            )
            if len(set(group.zones)) > 1
            else group
            for group in plan.groups
        ),
    )


Resource = tuple[str, str]
"""The name of a station, pool or bulkhead and what it has of them."""


def lifted(plan: Plan, resources: set[Resource]) -> Plan:
    """The plan with resources that never make anybody wait."""
    stations = tuple(
        replace(station, servers=None, queue=None, limit=None)
        if (station.name, station.what) in resources
        else station
        for station in plan.stations
    )
    pools = {
        index for index, pool in enumerate(plan.pools) if (pool.name, "connections") in resources
    }
    bulkheads = {
        index for index, each in enumerate(plan.bulkheads) if (each.name, "permits") in resources
    }
    calls = tuple(
        replace(
            call,
            pool=-1 if call.pool in pools else call.pool,
            policy=replace(call.policy, bulkhead=-1)
            if call.policy.bulkhead in bulkheads
            else call.policy,
        )
        for call in plan.calls
    )
    return replace(plan, stations=stations, calls=calls)


def slower(plan: Plan, group: int, factor: float) -> Plan:
    """All work at a group takes ``factor`` times as long."""
    touched: set[int] = set()
    for operation in plan.operations:
        if operation.group == group:
            _inside(plan, operation.block, touched)

    def change(step: StepSpec) -> StepSpec:
        return (
            replace(step, sampler=step.sampler.times(factor)) if step.sampler is not None else step
        )

    return _with_steps(plan, touched, change)


def missing_more(plan: Plan, factor: float) -> Plan:
    """Caches miss ``factor`` times as often, where a hit ratio is declared."""

    def change(step: StepSpec) -> StepSpec:
        is_declared = step.cache < 0 and step.call >= 0 and step.blocks
        return (
            replace(step, number=max(0.0, 1 - (1 - step.number) * factor)) if is_declared else step
        )

    return _with_steps(plan, set(range(len(plan.blocks))), change)


def farther(plan: Plan, factor: float) -> Plan:
    """The network takes ``factor`` times as long."""
    return replace(
        plan,
        calls=tuple(
            replace(
                call,
                there=call.there * factor,
                back=call.back * factor,
                across=call.across * factor,
            )
            for call in plan.calls
        ),
    )


def _with_steps(plan: Plan, blocks: set[int], change: Callable[[StepSpec], StepSpec]) -> Plan:
    return replace(
        plan,
        blocks=tuple(
            tuple(change(step) for step in steps) if index in blocks else steps
            for index, steps in enumerate(plan.blocks)
        ),
    )


def _inside(plan: Plan, block: int, found: set[int]) -> None:
    """A block and all blocks within it."""
    found.add(block)
    for step in plan.blocks[block]:
        for inner in step.blocks:
            _inside(plan, inner, found)
        if step.call >= 0 and plan.calls[step.call].policy.fallback >= 0:
            _inside(plan, plan.calls[step.call].policy.fallback, found)
