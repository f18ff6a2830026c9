"""The cheapest sizes that carry a load: replicas, shards, consumers' partitions, pools.

Adding a node never makes a wait longer, so the sizes that carry a load are closed upwards. Each
group has a least size, with all others endless; no service gets fewer replicas than one for each
of its zones, or two, where it has as many today, and no datastore fewer shards than today. From
the least sizes on, vectors of sizes are taken in the order of their cost, by the analytic
solution; the first that carries the load is the cheapest. Where that takes more tries than there
is time for, the search ends with a vector that carries it and the cost below which none does.

What the analytic solution says is then simulated. Where the simulation disagrees, the search goes
on with what it has learned: a latency objective gets a tighter bound, elements that turn requests
away for reasons that the analytic solution does not follow get a larger least size.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, replace

from archcheck.findings import Objective, Reading, State, gravest
from archcheck.model import System
from archcheck.planning.changes import sized, zone_lost
from archcheck.planning.cheapest import Cheapest, SizingQuestion, least_sizes
from archcheck.planning.costs import CPUS, priced
from archcheck.planning.flow import solve_plan
from archcheck.planning.obstacles import obstacle_to
from archcheck.planning.probing import PlanSimulator
from archcheck.planning.readings import FULL, read_result
from archcheck.simulation.plan import Plan
from archcheck.simulation.replications import StoppedError

MOST_BUSY = 0.8
"""How busy a resource may be, as in rule PRF001."""
_TIGHTENINGS = 4
"""How often sizes that a simulation refuses are sought anew. A choice: each takes simulations."""
_MORE = 1.5
"""The least growth of a group that turns requests away in a simulation. A choice: the analytic
solution has missed a burst there, and says nothing about its size."""
_POOL_ROUNDS = 12
"""Rounds in which pools grow: doubled so often, a pool is 4,096 times as large."""


@dataclass(frozen=True)
class Resized:
    """One change of a size."""

    name: str
    """The element."""
    what: str
    """What is changed: replicas, shards, partitions or connections."""
    before: int
    """How many there are."""
    after: int
    """How many there should be."""
    cost_before: float = 0.0
    """Their price an hour."""
    cost_after: float = 0.0
    """Their price an hour afterwards."""


@dataclass(frozen=True)
class Sizing:
    """Sizes for a factor of the declared load.

    ``cost``: of all groups an hour; no sizes that carry the load by the analytic solution cost less
    than ``bound``. ``readings``: what a simulation of them says. ``unreachable``: what no size can
    help.
    """

    factor: float
    changes: tuple[Resized, ...]
    nodes: Mapping[str, int]
    cost: float
    bound: float
    currency: str
    readings: tuple[Reading, ...]
    unreachable: str = ""

    @property
    def state(self) -> State | None:
        """Whether the sizes carry the load by a simulation; ``None``: there was none."""
        return gravest(self.readings) if self.readings else None

    @property
    def is_least(self) -> bool:
        """Whether nothing cheaper carries the load, by the analytic solution."""
        return self.cost <= self.bound * (1 + 1e-9)


def size(
    system: System,
    plan: Plan,
    factor: float,
    objectives: tuple[Objective, ...],
    probe: PlanSimulator | None,
    *,
    floors: Mapping[int, int] | None = None,
    loses_zone: bool = False,
    most_busy: float = MOST_BUSY,
) -> Sizing:
    """The cheapest sizes for a plan that already has the load; ``factor`` is for the record.

    ``floors``: group to the fewest nodes that it may have (see :func:`fewest`). ``loses_zone``:
    with the fullest zone of each group gone. Without a ``probe`` nothing is simulated.
    Raises :class:`StoppedError` where the time is up before any sizes are found.
    """
    question = SizingQuestion(_with_pools_open(plan), objectives, loses_zone, most_busy)
    task = _Task(system, plan, factor, _prices(system, plan), dict(floors or {}))
    obstacle = obstacle_to(question)
    if obstacle:
        return task.impossible(obstacle)
    found: Sizing | None = None
    for _ in range(_TIGHTENINGS + 1):
        try:
            search = Cheapest(question, task.prices, task.least(question))
            nodes, bound = search.found()
        except StoppedError:
            if found is None:
                raise
            return found  # with what the simulation says against it
        if nodes is None:
            break
        grown = _pools(question, plan, nodes)
        readings, refusing = _simulated(probe, question, grown)
        found = task.sizing(nodes, grown, found.bound if found is not None else bound, readings)
        if all(reading.strain <= 1 for reading in readings):
            break
        question = question.tightened(readings)
        if refusing in nodes:
            more = math.ceil(_MORE * nodes[refusing])
            task.floors[refusing] = max(nodes[refusing] + 1, more)
    if found is None:
        return task.impossible(f"{search.worst}: growing every element together does not help")
    return found


@dataclass
class _Task:
    """What stays the same while sizes are sought, but for the floors, which rise."""

    system: System
    plan: Plan
    factor: float
    prices: Mapping[int, float]
    floors: dict[int, int]

    @property
    def currency(self) -> str:
        """What prices are in."""
        return self.system.prices.currency if self.system.prices is not None else CPUS

    def least(self, question: SizingQuestion) -> dict[int, int]:
        """The least size of each group that can be enough, and that it may have."""
        return {
            index: max(count, self.floors.get(index, 1))
            for index, count in least_sizes(question, self.prices).items()
        }

    def impossible(self, why: str) -> Sizing:
        """No sizes."""
        nothing = math.nan
        return Sizing(self.factor, (), {}, nothing, nothing, self.currency, (), why)

    def sizing(
        self, nodes: Mapping[int, int], grown: Plan, bound: float, readings: tuple[Reading, ...]
    ) -> Sizing:
        """Sizes with what a simulation says about them."""
        stores = {store.name for store in self.system.datastores}
        return Sizing(
            self.factor,
            (
                *_changes(self.plan, nodes, self.prices, stores),
                *_partitions(self.plan, nodes),
                *_pool_changes(self.plan, grown),
            ),
            {self.plan.groups[index].name: count for index, count in nodes.items()},
            math.fsum(self.prices[index] * count for index, count in nodes.items()),
            bound,
            self.currency,
            readings,
        )


def fewest(system: System, declared: Plan) -> dict[int, int]:
    """The fewest nodes that each group of a plan may have, whatever the load."""
    stores = {store.name for store in system.datastores}
    return {
        index: group.nodes
        if group.name in stores
        else min(group.nodes, max(2, len(set(group.zones))))
        for index, group in enumerate(declared.groups)
    }


def _with_pools_open(plan: Plan) -> Plan:
    """Pools are sized last: they cost nothing, and each can be as large as its store accepts."""
    return replace(plan, calls=tuple(replace(call, pool=-1) for call in plan.calls))


def _prices(system: System, plan: Plan) -> dict[int, float]:
    """Group to the price of a node with all its copies, of those groups that can be resized."""
    known = priced(system)
    return {
        index: known[group.name][0] * known[group.name][1]
        for index, group in enumerate(plan.groups)
        if group.name in known and (group.slots >= 0 or group.cores >= 0)
    }


def _simulated(
    probe: PlanSimulator | None, question: SizingQuestion, plan: Plan
) -> tuple[tuple[Reading, ...], int]:
    """What a simulation of the sized plan says, and the group that turns most requests away; where
    nobody does, the one that has more to do than it can.

    Nothing, and -1, where there is no time for it, or all have room.
    """
    if probe is None:
        return (), -1
    left = zone_lost(plan) if question.loses_zone else plan
    try:
        result = probe.decided(left, solve_plan(left), question.objectives)
    except StoppedError:
        return (), -1
    refused = {
        call.name.partition(" -> ")[2].partition(".")[0]: call.rejected
        for call in sorted(result.calls, key=lambda each: each.rejected)
        if call.rejected
    }
    full = [each.name for each in result.bottlenecks if each.busiest > FULL]
    name = max(refused, key=lambda each: refused[each], default=next(iter(full), ""))
    names = [group.name for group in plan.groups]
    return read_result(question.objectives, result), names.index(name) if name in names else -1


def _pools(question: SizingQuestion, plan: Plan, nodes: Mapping[int, int]) -> Plan:
    """The sized plan, with pools that their queries fill to the limit at most, none smaller."""
    grown = sized(plan, nodes)
    for _ in range(_POOL_ROUNDS):
        flow = solve_plan(zone_lost(grown) if question.loses_zone else grown)
        loads = {each.name: each.load for each in flow.stations if each.what == "connections"}
        pools = tuple(
            replace(
                pool,
                size=max(pool.size, math.ceil(pool.size * load / question.most_busy)),
            )
            if math.isfinite(load := loads.get(pool.name, 0.0))
            else replace(pool, size=2 * pool.size)
            for pool in grown.pools
        )
        if pools == grown.pools:
            break
        grown = replace(grown, pools=pools)
    return grown


# -- what comes of it -----------------------------------------------------------------------------


def _changes(
    plan: Plan, nodes: Mapping[int, int], prices: Mapping[int, float], stores: set[str]
) -> list[Resized]:
    found = []
    for index, count in nodes.items():
        group, price = plan.groups[index], prices[index]
        what = "shards" if group.name in stores else "replicas"
        before = group.nodes
        found.append(Resized(group.name, what, before, count, price * before, price * count))
    return found


def _partitions(plan: Plan, nodes: Mapping[int, int]) -> list[Resized]:
    """A topic needs a partition for each consumer that works beside others."""
    found = []
    for channel in plan.channels:
        for each in channel.subscriptions:
            group = plan.groups[plan.operations[each.operation].group]
            if group.host in nodes and each.ordered:
                before = plan.groups[group.host].nodes
                members = math.ceil(group.nodes * nodes[group.host] / before)
                if members > each.partitions:
                    found.append(Resized(channel.name, "partitions", each.partitions, members))
    return list({change.name: change for change in found}.values())


def _pool_changes(before: Plan, after: Plan) -> list[Resized]:
    return [
        Resized(old.name, "connections", old.size, new.size)
        for old, new in zip(before.pools, after.pools, strict=True)
        if old.size != new.size
    ]
