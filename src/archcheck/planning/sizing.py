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

import heapq
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace

from archcheck.model import System
from archcheck.planning.changes import Resource, lifted, sized, zone_lost
from archcheck.planning.costs import CPUS, priced
from archcheck.planning.flow import Flow, solve_plan
from archcheck.planning.probing import Probe, StoppedError
from archcheck.planning.targets import Reading, Target, read_flow, read_result, tightest
from archcheck.simulation.plan import Plan

MOST_BUSY = 0.8
"""How busy a resource may be, as in rule PRF001."""
_MOST_NODES = 4096
_TRIES = 400
_MOST_STEPS = 2_000
_TIGHTENINGS = 4
_MORE = 1.5
_CALMER = 0.85
_POOL_ROUNDS = 12


@dataclass(frozen=True)
class Resized:
    """One change: ``what`` (replicas, shards, partitions, connections) of ``name``."""

    name: str
    what: str
    before: int
    after: int
    cost_before: float = 0.0
    cost_after: float = 0.0


@dataclass(frozen=True)
class Sizing:
    """Sizes for a factor of the declared load.

    ``cost``: of all groups an hour; no sizes that carry the load by the analytic solution cost less
    than ``bound``. ``confirmed``: a simulation agrees. ``unreachable``: what no size can help.
    """

    factor: float
    changes: tuple[Resized, ...]
    nodes: Mapping[str, int]
    cost: float
    bound: float
    currency: str
    readings: tuple[Reading, ...]
    confirmed: bool
    unreachable: str = ""

    @property
    def is_least(self) -> bool:
        """Whether nothing cheaper carries the load, by the analytic solution."""
        return self.cost <= self.bound * (1 + 1e-9)


@dataclass(frozen=True)
class _Question:
    """Whether sizes carry a load."""

    plan: Plan
    targets: tuple[Target, ...]
    loses_zone: bool
    most_busy: float
    tighter: Mapping[Target, float] = field(default_factory=dict)
    """Target to the part of its bound that may be used."""

    def tightened(self, readings: Sequence[Reading]) -> _Question:
        """With more room for the latencies that the simulation has missed, or less busy servers."""
        missed = {each.target: each.strain for each in readings if each.strain > 1}
        tighter = dict(self.tighter)
        for target, strain in missed.items():
            if target.what not in ("errors", "load"):
                tighter[target] = tighter.get(target, 1.0) / min(strain, 2.0)
        full = any(target.what == "load" for target in missed)
        return replace(self, tighter=tighter, most_busy=self.most_busy * (_CALMER if full else 1))

    def flow(self, nodes: Mapping[int, int], free: set[Resource] | None = None) -> Flow:
        changed = sized(self.plan, nodes)
        if self.loses_zone:
            changed = zone_lost(changed)
        return solve_plan(lifted(changed, free) if free else changed)

    def worst(self, nodes: Mapping[int, int], free: set[Resource] | None = None) -> Reading | None:
        flow = self.flow(nodes, free)
        readings = read_flow(self.targets, flow, self.most_busy, self.tighter)
        return tightest(readings) if readings else None

    def holds(self, nodes: Mapping[int, int], free: set[Resource] | None = None) -> bool:
        found = self.worst(nodes, free)
        return found is None or found.strain <= 1


def size(
    system: System,
    plan: Plan,
    factor: float,
    targets: tuple[Target, ...],
    probe: Probe | None,
    *,
    floors: Mapping[int, int] | None = None,
    loses_zone: bool = False,
    most_busy: float = MOST_BUSY,
) -> Sizing:
    """The cheapest sizes for a plan that already has the load; ``factor`` is for the record.

    ``floors``: group to the fewest nodes that it may have (see :func:`fewest`). ``loses_zone``:
    with the fullest zone of each group gone. Without a ``probe`` nothing is simulated.
    """
    question = _Question(_with_pools_open(plan), targets, loses_zone, most_busy)
    floors = dict(floors or {})
    currency = system.prices.currency if system.prices is not None else CPUS
    prices = _prices(system, plan)
    obstacle = _obstacle(question)
    if obstacle:
        return Sizing(factor, (), {}, math.nan, math.nan, currency, (), False, obstacle)
    found: Sizing | None = None
    for _ in range(_TIGHTENINGS + 1):
        least = {
            index: max(count, floors.get(index, 1))
            for index, count in _least_sizes(question, prices).items()
        }
        search = _Cheapest(question, prices, least)
        nodes, bound = search.found()
        if nodes is None:
            if found is None:
                obstacle = f"{search.worst}: growing every element together does not help either"
                return Sizing(factor, (), {}, math.nan, math.nan, currency, (), False, obstacle)
            break
        grown = _pools(question, plan, nodes)
        readings, refusing = _simulated(probe, question, grown)
        confirmed = bool(readings) and all(reading.strain <= 1 for reading in readings)
        found = Sizing(
            factor,
            (
                *_changes(plan, nodes, prices, {store.name for store in system.datastores}),
                *_partitions(plan, nodes),
                *_pool_changes(plan, grown),
            ),
            {plan.groups[index].name: count for index, count in nodes.items()},
            _cost(prices, nodes),
            found.bound if found is not None else bound,
            currency,
            readings,
            confirmed,
        )
        if confirmed or not readings:
            break
        question = question.tightened(readings)
        if refusing in nodes:
            floors[refusing] = max(nodes[refusing] + 1, math.ceil(_MORE * nodes[refusing]))
    assert found is not None  # noqa: S101  # the first round ends or returns
    return found


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


def _stations(plan: Plan, index: int) -> set[Resource]:
    """The resources that more nodes of a group bring more of."""
    hosted = [group for group in plan.groups if group.host == index]
    copies = [group for group in plan.groups if group.name == f"{plan.groups[index].name} replicas"]
    found: set[Resource] = set()
    for group in (plan.groups[index], *hosted, *copies):
        for station in (group.slots, group.cores):
            if station >= 0:
                found.add((plan.stations[station].name, plan.stations[station].what))
    for bulkhead in {call.policy.bulkhead for call in plan.calls if call.source == index} - {-1}:
        found.add((plan.bulkheads[bulkhead].name, "permits"))
    return found


def _obstacle(question: _Question) -> str:
    """What keeps every size from carrying the load, and the element that makes it so."""
    plan = question.plan
    everything = set().union(*(_stations(plan, index) for index in range(len(plan.groups))), set())
    found = question.worst({}, everything)
    if found is not None and found.strain > 1:
        return f"{found.target}: no size helps; {_culprit(question, found, everything)}"
    for index, group in enumerate(plan.groups):
        free = everything - _stations(plan, index)
        found = question.worst({index: _MOST_NODES}, free)
        if found is not None and found.strain > 1:
            return (
                f"{found.target}: no size of {group.name} helps; one node of it gets too much, "
                "because its requests do not spread (a popular key, too few partitions)"
            )
    return ""


def _culprit(question: _Question, found: Reading, everything: set[Resource]) -> str:
    flow = question.flow({}, everything)
    if found.target.what == "errors":
        why = flow.why_fails(found.target.subject)
        if why is None:
            return f"{found.value:.3%} fail without any queue"
        return (
            f"{found.value:.3%} fail without any queue; most by {why.reason}, which loses "
            f"{why.share:.1%} of those who ask there"
        )
    name, seconds = _slowest(question.plan, flow, found.target.subject)
    return (
        f"without any queue it is {1000 * found.value:.4g} ms; most of it, "
        f"{1000 * seconds:.4g} ms on average, is spent at {name}"
    )


def _slowest(plan: Plan, flow: Flow, journey: str) -> tuple[str, float]:
    """The element at which a journey spends the most time without queues, and how much."""
    rate = flow.journey(journey).rate or 1.0
    spent = {name: shares.get(journey, 0.0) / rate for name, shares in flow.shares.items()}
    outside = flow.journey(journey).time.mean - sum(spent.values())
    spent["externals and the network"] = outside
    name = max(spent, key=lambda each: spent[each])
    return name, spent[name]


def _least_sizes(question: _Question, prices: Mapping[int, float]) -> dict[int, int]:
    """For each group the least size that can be enough, all others endless."""
    plan, least = question.plan, {}
    stations = {index: _stations(plan, index) for index in prices}
    for index in prices:
        free = set().union(*(stations[other] for other in prices if other != index), set())
        low, high = 0, 1
        while not question.holds({index: high}, free):
            low, high = high, high * 2
            if high > 2 * _MOST_NODES:
                break
        while high - low > 1:
            middle = (low + high) // 2
            low, high = (low, middle) if question.holds({index: middle}, free) else (middle, high)
        least[index] = high
    return least


class _Cheapest:
    """The search through vectors of sizes in the order of their cost."""

    def __init__(
        self, question: _Question, prices: Mapping[int, float], least: Mapping[int, int]
    ) -> None:
        self._question = question
        self._order = sorted(prices)
        self._costs = [prices[index] for index in self._order]
        self._start = tuple(least[index] for index in self._order)
        self._known: dict[tuple[int, ...], tuple[Flow, Reading | None]] = {}
        self.worst: Target | None = None
        """What was missed by the last vector that was tried."""

    def found(self) -> tuple[dict[int, int] | None, float]:
        """Sizes that carry the load, and the cost below which none do."""
        heap = [(self._cost(self._start), self._start)]
        seen = {self._start}
        for _ in range(_TRIES):
            if not heap:
                break
            cost, sizes = heapq.heappop(heap)
            if self._holds(sizes):
                return dict(zip(self._order, sizes, strict=True)), cost
            for place in self._helpful(sizes):
                bigger = (*sizes[:place], sizes[place] + 1, *sizes[place + 1 :])
                if bigger not in seen:
                    seen.add(bigger)
                    heapq.heappush(heap, (self._cost(bigger), bigger))
        bound = heap[0][0] if heap else self._cost(self._start)
        return self._greedy(), bound

    def _cost(self, sizes: Sequence[int]) -> float:
        return math.fsum(c * count for c, count in zip(self._costs, sizes, strict=True))

    def _tried(self, sizes: tuple[int, ...]) -> tuple[Flow, Reading | None]:
        if sizes not in self._known:
            question = self._question
            flow = question.flow(dict(zip(self._order, sizes, strict=True)))
            readings = read_flow(question.targets, flow, question.most_busy, question.tighter)
            self._known[sizes] = flow, tightest(readings) if readings else None
        return self._known[sizes]

    def _holds(self, sizes: tuple[int, ...]) -> bool:
        worst = self._tried(sizes)[1]
        self.worst = worst.target if worst is not None else None
        return worst is None or worst.strain <= 1

    def _strain(self, sizes: tuple[int, ...]) -> float:
        worst = self._tried(sizes)[1]
        return min(worst.strain, 1e9) if worst is not None else 0.0

    def _helpful(self, sizes: tuple[int, ...]) -> list[int]:
        """Places whose growth can matter: of the resource that is too busy, else of all waits.

        How busy cores and connections are depends on the size of their own group alone.
        """
        flow, worst = self._tried(sizes)
        plan = self._question.plan
        if worst is not None and worst.target.what == "load":
            full = worst.target.subject
            own = [
                place
                for place, index in enumerate(self._order)
                if full in {f"{name} {what}" for name, what in _stations(plan, index)}
            ]
            if own and not full.endswith(" threads"):
                return own
        waits = {(each.name, each.what) for each in flow.stations if each.wait or each.load > 0.05}
        return [place for place, index in enumerate(self._order) if _stations(plan, index) & waits]

    def _greedy(self) -> dict[int, int] | None:
        """Grow where it helps most for its price until the load is carried, then shrink again."""
        sizes = self._start
        for _ in range(_MOST_STEPS):
            if self._holds(sizes):
                break
            before = self._strain(sizes)
            best, chosen = 1e-9, None
            for place in self._helpful(sizes):
                grown = (*sizes[:place], sizes[place] + 1, *sizes[place + 1 :])
                gain = (before - self._strain(grown)) / max(self._costs[place], 1e-9)
                if gain > best:
                    best, chosen = gain, grown
            if chosen is None:
                return None
            sizes = chosen
        else:
            return None
        for place in sorted(range(len(sizes)), key=lambda each: -self._costs[each]):
            while sizes[place] > self._start[place]:
                fewer = (*sizes[:place], sizes[place] - 1, *sizes[place + 1 :])
                if not self._holds(fewer):
                    break
                sizes = fewer
        return dict(zip(self._order, sizes, strict=True))


def _cost(prices: Mapping[int, float], nodes: Mapping[int, int]) -> float:
    return math.fsum(prices[index] * count for index, count in nodes.items())


def _simulated(
    probe: Probe | None, question: _Question, plan: Plan
) -> tuple[tuple[Reading, ...], int]:
    """What a simulation of the sized plan says, and the group that turns most requests away.

    Nothing, and -1, where there is no time for it, or nobody is turned away.
    """
    if probe is None:
        return (), -1
    left = zone_lost(plan) if question.loses_zone else plan
    try:
        result = probe.simulated(left, solve_plan(left), question.targets)
    except StoppedError:
        return (), -1
    refused = {
        call.name.partition(" -> ")[2].partition(".")[0]: call.rejected
        for call in sorted(result.calls, key=lambda each: each.rejected)
        if call.rejected
    }
    name = max(refused, key=lambda each: refused[each], default="")
    names = [group.name for group in plan.groups]
    return read_result(question.targets, result), names.index(name) if name in names else -1


def _pools(question: _Question, plan: Plan, nodes: Mapping[int, int]) -> Plan:
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
