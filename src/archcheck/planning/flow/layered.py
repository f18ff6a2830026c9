"""Users who wait for an answer before they ask again, by the method of layers.

Where the same users wait on every level, the waits follow from how many they are, and not from
how often they ask: at full load, a little more of the one is any amount of the other. So plans of
closed streams are translated into the tasks and processors of
:mod:`archcheck.capacity.networks`, whose waits become those of the plan's queues.

A node of a group is a task that runs on its cores; a pool of connections is a task between its
caller and what that asks; the network, waits and externals are time that nobody queues for. Means
only: the spread of a wait is that of its own queue.
"""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass, replace

from archcheck.capacity.networks import (
    LayeredSolution,
    Processor,
    Task,
    TaskEntry,
    solve_layered,
)
from archcheck.model import ModelError
from archcheck.planning.budget import check
from archcheck.planning.flow.contention import Contention, is_limited
from archcheck.planning.flow.downward import Downward, think_of
from archcheck.planning.flow.moments import Moments
from archcheck.planning.flow.queues import QueueFlow
from archcheck.planning.flow.sources import leaves, moments_of, open_rate, visits_of
from archcheck.planning.flow.state import FlowState, Kept
from archcheck.planning.flow.upward import Upward
from archcheck.simulation.plan import ArrivalKind, Balance, Discipline, Plan, StepKind

_MANY = 300
"""Tasks above which the layers take longer than a simulation. A choice."""
_RARELY = 1e-3
"""The share of attempts given up above which their callers may have several requests each."""
_SWEEPS = 6
"""Rounds in which the users' rates, and so the contents of caches, follow from the layers."""
_SETTLED = 1e-4
"""Relative change of rates and times that counts as none: below the error of the method."""
_SATURATED = 0.98
"""Busy threads from which the line before them hardly changes its length. A choice."""
_PAUSE = "pause"
_ANYWHERE = "anywhere"


class _BeyondLayersError(Exception):
    """The plan has what layers cannot say."""


def by_layers(state: FlowState) -> bool | None:
    """Give a state of closed streams its rates, waits and times, and say whether they have settled.

    ``None``: layers cannot. They know no timeouts that end an attempt, branches beside each other,
    messages, hedges, full queues or limits.
    """
    try:
        network = _Translation(state)
        is_kept = any(step.keys is not None for block in state.shape.plan.blocks for step in block)
        for _ in range(_SWEEPS if is_kept else 1):
            before = dict(state.rounds)
            solution = network.solved()
            if all(
                abs(rate - before[number]) <= _SETTLED * rate
                for number, rate in state.rounds.items()
            ):
                break
        network.note(solution)
    except (_BeyondLayersError, ModelError):
        return None
    gives_up = any(each.timed_out > _RARELY for each in state.outcomes.values())
    return None if gives_up else solution.converged


@dataclass
class _Translation:
    state: FlowState

    @property
    def _plan(self) -> Plan:
        return self.state.shape.plan

    def __post_init__(self) -> None:
        plan = self._plan
        asked = [plan.operations[call.operation] for call in plan.calls]
        if (
            any(channel.subscriptions for channel in plan.channels)
            or any(step.kind == StepKind.PARALLEL for block in plan.blocks for step in block)
            or any(call.policy.hedges > 1 or call.policy.bulkhead >= 0 for call in plan.calls)
            or any(call.policy.limit >= 0 for call in plan.calls)
            or any(row.limit >= 0 for row in asked)
            or any(math.isfinite(group.shed) for group in plan.groups)
            or any(is_limited(station) for station in plan.stations)
            or len(plan.groups) + len(plan.pools) > _MANY
        ):
            raise _BeyondLayersError

    def solved(self) -> LayeredSolution:
        """The layers at the rates of the state, which are set to what follows from them."""
        state, plan = self.state, self._plan
        for _ in range(3):  # contents of caches follow from rates, and rates from contents
            Downward(state).go(1.0)
        solution = solve_layered(
            [*self._processors()], [*self._tasks()], precision=_SETTLED, at_each_round=check
        )
        for number, stream in enumerate(plan.streams):
            if stream.kind == ArrivalKind.CLOSED:
                state.rounds[number] = solution.throughputs[f"user {number}"]
        return solution

    # -- to layers ------------------------------------------------------------------------------

    def _processors(self) -> Iterator[Processor]:
        yield Processor(_ANYWHERE)
        for number, group in enumerate(self._plan.groups):
            if group.cores >= 0:
                station = self._plan.stations[group.cores]
                servers = station.servers
                if servers is not None:
                    shared = station.discipline == Discipline.SHARING
                    yield Processor(f"cores {number}", servers, shared, group.nodes)

    def _tasks(self) -> Iterator[Task]:
        yield Task(_PAUSE, _ANYWHERE, [TaskEntry(_PAUSE, 1.0)], math.inf)
        for number, group in enumerate(self._plan.groups):
            entries = [
                self._entry(index)
                for index, row in enumerate(self._plan.operations)
                if row.group == number and self.state.rates.get(index, 0.0) > 0
            ]
            if entries:
                pools = [f"pool {n}" for n, p in enumerate(self._plan.pools) if p.group == number]
                yield Task(
                    f"group {number}",
                    self._runs_on(number),
                    entries,
                    self._threads(number),
                    copies=group.nodes,
                    own=pools,
                )
        yield from self._pools()
        yield from self._users()

    def _threads(self, group: int) -> float:
        """Of a node: no more than can be used at once."""
        row, most = self._plan.groups[group], self.state.shape.populations.of(group)
        station = self._plan.stations[row.slots] if row.slots >= 0 else None
        threads = station.servers if station is not None else None
        room = station.queue if station is not None else None
        if threads is not None and room is not None and most > threads + room:
            raise _BeyondLayersError
        return min(threads or math.inf, most)

    def _pools(self) -> Iterator[Task]:
        for number, pool in enumerate(self._plan.pools):
            used = [
                site
                for site, call in enumerate(self._plan.calls)
                if call.pool == number and self.state.calls.get(site, 0.0) > 0
            ]
            if not used:
                continue
            nodes = self._plan.groups[pool.group].nodes
            within = self.state.shape.populations.within(pool.group) / nodes
            if math.isfinite(pool.max_wait) and within > pool.size:
                raise _BeyondLayersError
            entries = [
                TaskEntry(
                    f"pool {number} of {site}",
                    0.0,
                    {self._entry_of(site): 1.0, _PAUSE: self._network(site)},
                )
                for site in used
            ]
            yield Task(f"pool {number}", _ANYWHERE, entries, float(pool.size), copies=nodes)

    def _users(self) -> Iterator[Task]:
        for number, stream in enumerate(self._plan.streams):
            calls: dict[str, float] = defaultdict(float)
            count = len(self._plan.journeys)
            for index, visits in visits_of(stream, count).items():
                for site in self._plan.journeys[index].entries:
                    self._ask(calls, site, visits)
            name, entry = f"users {number}", f"user {number}"
            if stream.kind == ArrivalKind.CLOSED:
                rounds = [TaskEntry(entry, 0.0, calls)]
                think = think_of(stream, count)
                yield Task(name, _ANYWHERE, rounds, float(stream.users), True, think)
            elif stream.session is None or leaves(stream.session, count):
                rounds = [TaskEntry(entry, 0.0, calls, rate=open_rate(stream))]
                yield Task(name, _ANYWHERE, rounds, math.inf)

    def _runs_on(self, group: int) -> str:
        host = self.state.shape.host(group)
        row = self._plan.groups[host]
        if row.cores < 0 or self._plan.stations[row.cores].servers is None:
            return _ANYWHERE
        return f"cores {host}"

    def _entry(self, operation: int) -> TaskEntry:
        calls: dict[str, float] = defaultdict(float)
        row = self._plan.operations[operation]
        work = self._add(calls, row.block, self.state.begun(operation))
        return TaskEntry(f"operation {operation}", work, calls)

    def _add(self, calls: dict[str, float], block: int, count: float) -> float:
        """Add what a block asks of others, and say for how long it computes."""
        work = 0.0
        for step, often in self.state.taken(block, count):
            if step.sampler is not None and step.kind == StepKind.WORK:
                work += often * moments_of(step.sampler).mean
            elif step.sampler is not None:
                calls[_PAUSE] += often * moments_of(step.sampler).mean
            elif step.kind == StepKind.PUBLISH:
                calls[_PAUSE] += often * step.number
            if step.call >= 0:
                work += self._ask(calls, step.call, often)
                fallback = self._plan.calls[step.call].policy.fallback
                if fallback >= 0:
                    work += self._add(calls, fallback, often * self.state.falls_back(step.call))
            for inner in step.blocks:
                work += self._add(calls, inner, often * self.state.inner(step))
        return work

    def _ask(self, calls: dict[str, float], site: int, often: float) -> float:
        """Add a call with its attempts; what belongs to no group is done by who asks it."""
        call = self._plan.calls[site]
        times = often * self.state.attempts(site)
        target = self._plan.operations[call.operation]
        if call.pool >= 0:
            calls[f"pool {call.pool} of {site}"] += times
            return 0.0
        calls[_PAUSE] += times * self._network(site)
        if target.group < 0:
            return self._add(calls, target.block, times * self.state.begun(call.operation))
        calls[self._entry_of(site)] += times
        return 0.0

    def _network(self, site: int) -> float:
        call = self._plan.calls[site]
        return call.there + call.back + 2 * call.across * self.state.shape.apart(call)

    def _entry_of(self, site: int) -> str:
        """What a call site asks, if it chooses evenly."""
        call = self._plan.calls[site]
        group = self._plan.operations[call.operation].group
        nodes = self._plan.groups[group].nodes if group >= 0 else 0
        if not nodes or (nodes > 1 and (call.keys or call.balance not in _EVEN)):
            raise _BeyondLayersError
        return f"operation {call.operation}"

    # -- from layers ----------------------------------------------------------------------------

    def note(self, found: LayeredSolution) -> None:
        """Set the waits of the state's queues, and all times that follow from them."""
        state = self.state
        Downward(state).go(1.0)
        Contention(state).cores()  # for what work there is; the waits follow here
        state.queues.clear()
        state.queues.update(self._queues(found))
        before: list[float] = []
        for _ in range(len(self._plan.operations) + 2):
            upward = Upward(state)
            upward.go()
            upward.calls()
            now = [time.mean for time in state.answers.values()]
            if now == before:
                break
            before = now

    def _queues(self, found: LayeredSolution) -> Iterator[tuple[Kept, QueueFlow]]:
        tasks = {task.name: task for task in self._tasks()}
        queues = dict(_for_threads(found, tasks))
        for number, group in enumerate(self._plan.groups):
            name = f"group {number}"
            if name in tasks and group.slots >= 0:
                servers = self._plan.stations[group.slots].servers
                used = tasks[name].threads / servers if servers else 1.0  # of all threads
                yield ("slots", number), replace(queues[name], load=used * queues[name].load)
            if number in self.state.core_work:
                yield ("cores", number), self._cores(found, tasks, number)
        for number in range(len(self._plan.pools)):
            if f"pool {number}" in tasks:
                yield ("pool", number), queues[f"pool {number}"]

    def _cores(self, found: LayeredSolution, tasks: dict[str, Task], host: int) -> QueueFlow:
        """The wait of each burst for a core, from what answers take beyond their work."""
        group = self._plan.groups[host]
        servers = self._plan.stations[group.cores].servers
        extra = busy = 0.0
        for task in tasks.values():
            if task.processor != f"cores {host}":
                continue
            for entry in task.entries:
                rate = found.throughputs.get(entry.name, 0.0)
                below = math.fsum(
                    mean * (found.waits[task.name, name] + found.answers[name])
                    for name, mean in entry.calls.items()
                )
                extra += rate * max(0.0, found.answers[entry.name] - below - entry.work)
                busy += rate * entry.work
        mean = self.state.core_work[host].mean
        bursts = busy / mean if mean else 0.0
        if not servers or not bursts:
            return QueueFlow()
        load = busy / servers / group.nodes
        return QueueFlow(_spread(extra / bursts, mean / servers, load), load)


_EVEN = (Balance.ROUND_ROBIN, Balance.RANDOM)


def _for_threads(found: LayeredSolution, tasks: dict[str, Task]) -> Iterator[tuple[str, QueueFlow]]:
    """Task to the wait for a thread of it, on average over all who ask."""
    of_entry = {entry.name: task.name for task in tasks.values() for entry in task.entries}
    asked: dict[str, float] = defaultdict(float)
    waited: dict[str, float] = defaultdict(float)
    for task in tasks.values():
        for entry in task.entries:
            for name, mean in entry.calls.items():
                often = found.throughputs.get(entry.name, 0.0) * mean
                asked[of_entry[name]] += often
                waited[of_entry[name]] += often * found.waits[task.name, name]
    for name, task in tasks.items():
        often, held = asked[name], found.utilisations[name]
        if not often or math.isinf(task.threads):
            yield name, QueueFlow()
            continue
        load = held / task.everywhere
        step = held / often / task.everywhere
        yield name, QueueFlow(_spread(waited[name] / often, step * task.copies, load), load)


def _spread(mean: float, step: float, load: float) -> Moments:
    """A wait in a line that moves on every ``step`` seconds.

    Of a line that hardly changes, as many steps as it is long; else none, or an exponential time.
    """
    if mean <= 0 or step <= 0:
        return Moments()
    if load >= _SATURATED:
        return Moments(mean, mean * step)
    return Moments(mean, 2 * mean**2 / max(load, 0.1) - mean**2)
