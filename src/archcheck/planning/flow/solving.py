"""A plan solved without simulating: rates from above, times from below, until both agree.

Rates follow from the streams through calls and their retries (traffic equations); times follow
from the waits at stations through the steps of operations, and the other way round: a slot is
held until the answers from below are there (layered contention), a timeout makes retries, retries
make waits. The fixed point is found by going through both in turn. Where a plan has two, which of
them is found depends on the start: ``calm`` begins with empty queues, ``congested`` with every
attempt failing.
"""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from archcheck.planning.budget import check
from archcheck.planning.flow.accuracy import Accuracy, accuracy
from archcheck.planning.flow.contention import Contention
from archcheck.planning.flow.downward import Downward, cycle
from archcheck.planning.flow.moments import Moments
from archcheck.planning.flow.state import CallOrder, FlowState, Start
from archcheck.planning.flow.upward import Upward
from archcheck.simulation.plan import ArrivalKind, Discipline, Plan, label_of

_ROUNDS = 200
"""Rounds down and up after which a solution that still moves counts as not converged."""
_UNDAMPED = 10
"""Rounds in which new rates replace the old ones; afterwards they are averaged with them, so that
a solution that swings between two values settles."""
_RELIEVED = 50
"""Rounds in which what fails asks for less behind it. Near overload that makes rounds swing for
ever: queues are full, so requests fail, so queues are empty. Then failures relieve nobody."""
_CONGESTED = 5
"""Rounds in which every attempt is taken to fail, so that queues can build."""
_PRECISION = 1e-5
"""Relative change of rates and times that counts as none: far below the error of the method."""
_MOST = 1e12
"""Seconds that stand for an infinite time, which could not be compared."""
_SWEEPS = 20
"""Rounds over several closed streams, each of which changes the times of the others."""
_WORTH = 1e-6
"""The least share of failed requests that is given as a reason."""
_NEARLY_IDLE = 1e-3
"""Rounds a second from which the layers start: whom users ask shows at any rate."""
_CLOSED_PRECISION = 1e-3
"""The share of closed users whose time may be unaccounted for: below what percentiles are good for.
"""
_UNACCOUNTED = 0.02
"""The share of closed users whose time may be unaccounted for in what counts as a solution."""
_NARROWEST = 1e-4
"""Relative width of rounds a second below which more rounds find nothing: the times jump there."""


@dataclass(frozen=True)
class StationFlow:
    """A resource: ``load`` is offered busy servers over servers at its busiest node."""

    name: str
    what: str
    nodes: int
    servers: float
    load: float
    wait: float

    @property
    def label(self) -> str:
        """Its name with what it has, for people."""
        return label_of(self.name, self.what)


@dataclass(frozen=True)
class JourneyFlow:
    """A journey: starts a second, the moments of its duration, the chance that it fails."""

    name: str
    rate: float
    time: Moments
    failed: float

    def quantile(self, share: float) -> float:
        """Seconds that ``share`` of the journeys do not exceed."""
        return self.time.quantile(share)


@dataclass(frozen=True)
class Failure:
    """Why a ``share`` of those who ask somewhere fail, and which journeys ask there."""

    reason: str
    share: float
    journeys: frozenset[str]


@dataclass(frozen=True)
class Flow:
    """The solution of a plan.

    ``shares``: group to the busy servers that each journey causes at its nodes.
    ``failures``: why requests fail, the largest share first.
    ``amplification``: attempts for each call, of the calls that may retry. ``requests``: requests
    at all operations in a second. ``converged``: rates and times agree; ``left_out``: what the
    solution does not follow. ``accuracy``: how far it is off; ``None``: nobody knows.
    """

    journeys: tuple[JourneyFlow, ...]
    stations: tuple[StationFlow, ...]
    shares: Mapping[str, Mapping[str, float]]
    failures: tuple[Failure, ...]
    amplification: float
    requests: float
    converged: bool
    left_out: tuple[str, ...]
    accuracy: Accuracy | None

    def journey(self, name: str) -> JourneyFlow:
        """The journey called ``name``. Raises ``KeyError``."""
        for each in self.journeys:
            if each.name == name:
                return each
        raise KeyError(name)

    def why_fails(self, journey: str) -> Failure | None:
        """What makes most requests of a journey fail; ``None`` where nothing does."""
        return next((each for each in self.failures if journey in each.journeys), None)

    @property
    def busiest(self) -> StationFlow | None:
        """The resource with the highest load; ``None`` without one."""
        return self.stations[0] if self.stations else None


def solve_plan(plan: Plan, *, start: Start = "calm") -> Flow:
    """Solve a plan at the peak of its load; faults are left out.

    Raises :class:`StoppedError` when the time is up of the plan that it is a part of.
    """
    closed = [n for n, stream in enumerate(plan.streams) if stream.kind == ArrivalKind.CLOSED]
    shape = CallOrder(plan)
    state, converged = _open(FlowState(shape, start))
    if not closed:
        return _named(state, converged)
    from archcheck.planning.flow.layered import by_layers  # NumPy, all over

    state.rounds = dict.fromkeys(closed, _NEARLY_IDLE)
    settled = by_layers(state)
    if settled is not None:
        return _named(state, settled)
    rounds = dict.fromkeys(closed, 0.0)
    for _ in range(_SWEEPS if len(closed) > 1 else 1):
        before = dict(rounds)
        for number in closed:
            state, converged = _settled(shape, start, rounds, number)
        if all(abs(rounds[n] - before[n]) <= 1e-4 * rounds[n] for n in closed):
            break
    return _named(state, converged)


def _settled(
    shape: CallOrder, start: Start, rounds: dict[int, float], number: int
) -> tuple[FlowState, bool]:
    """Set the rounds of one stream of users to those that its times allow.

    The more rounds, the longer they take: users = rounds x seconds of a round has one solution,
    which lies below users over the seconds of an empty system.
    """
    stream = shape.plan.streams[number]

    def solved(rate: float) -> tuple[FlowState, bool, float]:
        state, converged = _open(FlowState(shape, start, rounds={**rounds, number: rate}))
        return state, converged, rate * cycle(state, stream) / stream.users

    empty = cycle(_open(FlowState(shape, start, rounds={**rounds, number: 0.0}))[0], stream)
    low, high = 0.0, stream.users / max(empty, 1e-9)
    state, converged, share = solved(high)
    reached = share
    while abs(reached - 1) > _CLOSED_PRECISION and high - low > _NARROWEST * high:
        middle = (low + high) / 2
        if low and 0 < share < 2:
            middle = min(max(high / share, low + 0.1 * (high - low)), high - 0.1 * (high - low))
        found, is_settled, there = solved(middle)
        if there > 1:
            high, share = middle, there
        else:
            low, state, converged, reached = middle, found, is_settled, there
    rounds[number] = low or high
    return state, converged and abs(reached - 1) <= _UNACCOUNTED


def _open(state: FlowState) -> tuple[FlowState, bool]:
    """Go down and up until rates and times agree; says whether they do."""
    contention = Contention(state)
    before: list[float] = []
    for step in range(_ROUNDS):
        check()
        if step == _RELIEVED:
            state.relieves = False
            state.failing.clear()
        Downward(state).go(1.0 if step < _UNDAMPED else 0.5)
        contention.cores()
        upward = Upward(state)
        upward.go()
        contention.held()
        if state.start == "calm" or step >= _CONGESTED:
            upward.calls()
        now = [*state.rates.values(), *(min(time.mean, _MOST) for time in state.answers.values())]
        if _agree(before, now) and (state.start == "calm" or step > _CONGESTED):
            return state, True
        before = now
    return state, False


def _agree(before: list[float], now: list[float]) -> bool:
    return len(before) == len(now) and all(
        abs(a - b) <= _PRECISION * max(abs(a), abs(b), 1e-9)
        for a, b in zip(before, now, strict=True)
    )


def _named(state: FlowState, converged: bool) -> Flow:
    plan = state.shape.plan
    journeys = []
    for index, planned in enumerate(plan.journeys):
        if not planned.is_job:
            rate = state.journey_rates.get(index, 0.0)
            journeys.append(JourneyFlow(planned.name, rate, *state.journey(index)))
    retrying = [site for site in state.calls if plan.calls[site].policy.attempts > 1]
    first = sum(state.calls[site] for site in retrying)
    attempts = sum(state.calls[site] * state.attempts(site) for site in retrying)
    stations = sorted(_stations(state), key=lambda each: (-each.load, each.name))
    load = stations[0].load if stations else 0.0
    return Flow(
        tuple(journeys),
        tuple(stations),
        _shares(state),
        tuple(sorted(_failures(state), key=lambda each: -each.share)),
        attempts / first if first else 1.0,
        sum(state.rates.values()),
        converged,
        _left_out(plan),
        accuracy(state, load) if converged else None,
    )


def _shares(state: FlowState) -> dict[str, dict[str, float]]:
    plan, contention = state.shape.plan, Contention(state)
    found: dict[str, dict[str, float]] = defaultdict(dict)
    for index, journey in enumerate(plan.journeys):
        for operation, rate in Downward(state).of_journey(index).items():
            group = plan.operations[operation].group
            if group < 0 or not rate:
                continue
            name = plan.groups[state.shape.host(group)].name.removesuffix(" replicas")
            busy = rate * contention.work_of(operation)
            found[name][journey.name] = found[name].get(journey.name, 0.0) + busy
    return dict(found)


def _failures(state: FlowState) -> Iterator[Failure]:
    plan = state.shape.plan
    asking: dict[int, set[str]] = defaultdict(set)
    for index, journey in enumerate(plan.journeys):
        for operation, rate in Downward(state).of_journey(index).items():
            if rate:
                asking[operation].add(journey.name)
    for reason, share, operation in _reasons(state):
        if share > _WORTH:
            yield Failure(reason, share, frozenset(asking[operation]))


def _reasons(state: FlowState) -> Iterator[tuple[str, float, int]]:
    """What turns requests away or lets them fail, how many of those who ask, and where."""
    plan = state.shape.plan
    for site, rate in state.calls.items():
        call, operation = plan.calls[site], plan.calls[site].operation
        yield f"the timeout of {call.name}", state.outcomes[site].timed_out, operation
        for kind, number in (("pool", call.pool), ("bulkhead", call.policy.bulkhead)):
            queue = state.queues.get((kind, number))
            if queue is not None:
                yield f"the {kind} of {call.name}", queue.rejected, operation
        limit = call.policy.limit
        if limit >= 0 and rate:
            most = state.shape.limit(limit, call.source)
            yield f"the rate limit of {call.name} ({most:g}/s)", 1 - most / rate, operation
    for index, rate in state.rates.items():
        row = plan.operations[index]
        yield f"the error rate of {row.name}", row.error_rate, index
        if row.limit >= 0 and rate:
            most = state.shape.limit(row.limit, row.group, index)
            yield f"the rate limit of {row.name} ({most:g}/s)", 1 - most / rate, index
        for kind in ("slots", "cores"):
            queue = state.queues.get((kind, row.group))
            if queue is not None:
                yield f"the full queue of {plan.groups[row.group].name}", queue.rejected, index


def _stations(state: FlowState) -> Iterator[StationFlow]:
    plan = state.shape.plan
    for (kind, index), queue in state.queues.items():
        servers: float | None
        if kind in ("slots", "cores"):
            group = plan.groups[index]
            station = plan.stations[group.slots if kind == "slots" else group.cores]
            name, what, servers, nodes = station.name, station.what, station.lasting, group.nodes
        elif kind == "pool":
            pool = plan.pools[index]
            name, what, servers = pool.name, "connections", float(pool.size)
            nodes = plan.groups[pool.group].nodes
        else:
            spec = plan.bulkheads[index]
            name, what, servers = spec.name, "permits", float(spec.size)
            nodes = state.shape.callers(index)
        if servers is not None:
            yield StationFlow(name, what, nodes, servers, queue.load, queue.wait.mean)


def _left_out(plan: Plan) -> tuple[str, ...]:
    """What the solution does not follow."""
    found = []
    if plan.breakers:
        found.append("circuit breakers: taken as closed")
    if any(call.policy.hedges > 1 for call in plan.calls):
        found.append("hedging: its load counts, its gain does not")
    if any(call.policy.drops for call in plan.calls):
        found.append("deadline propagation: abandoned work counts in full")
    if any(station.discipline == Discipline.PRIORITY for station in plan.stations):
        found.append("priorities: all classes wait alike")
    if any(math.isfinite(group.shed) for group in plan.groups):
        found.append("load shedding")
    return tuple(found)
