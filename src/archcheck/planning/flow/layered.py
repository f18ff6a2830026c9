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
from dataclasses import dataclass

from archcheck.capacity.networks import (
    LayeredSolution,
    Processor,
    Task,
    TaskEntry,
    solve_layered,
)
from archcheck.model import ModelError
from archcheck.planning.flow.contention import Contention, as_slower_cores
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
"""Relative change of the users' rounds that counts as none."""
_SATURATED = 0.98
"""Busy threads from which the line before them hardly changes its length. A choice."""
_PAUSE = "pause"
_ANYWHERE = "anywhere"


class _Beyond(Exception):  # noqa: N818  # says no more than that
    """The plan has what layers cannot say."""


def by_layers(state: FlowState) -> bool:
    """Give a state of closed streams its rates, waits and times; ``False``: layers cannot.

    They know no timeouts that end an attempt, branches beside each other, messages, hedges, full
    queues or limits.
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
    except (_Beyond, ModelError):
        return False
    return not any(each.timed_out > _RARELY for each in state.outcomes.values())


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
            or sum(group.nodes for group in plan.groups) + len(plan.pools) > _MANY
        ):
            raise _Beyond

    def solved(self) -> LayeredSolution:
        """The layers at the rates of the state, which are set to what follows from them."""
        state, plan = self.state, self._plan
        for _ in range(3):  # contents of caches follow from rates, and rates from contents
            Downward(state).go(1.0)
        solution = solve_layered([*self._processors()], [*self._tasks()])
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
                servers, _ = as_slower_cores(station)
                if servers is not None:
                    for node in range(group.nodes):
                        yield Processor(
                            f"cores {number}#{node}",
                            servers,
                            station.discipline == Discipline.SHARING,
                        )

    def _tasks(self) -> Iterator[Task]:
        plan = self._plan
        yield Task(_PAUSE, _ANYWHERE, [TaskEntry(_PAUSE, 1.0)], math.inf)
        for number, group in enumerate(plan.groups):
            operations = [
                index
                for index, row in enumerate(plan.operations)
                if row.group == number and self.state.rates.get(index, 0.0) > 0
            ]
            station = plan.stations[group.slots] if group.slots >= 0 else None
            threads = station.servers if station is not None else None
            room = station.queue if station is not None else None
            if (
                threads is not None
                and room is not None
                and self.state.shape.populations.of(number) > threads + room
            ):
                raise _Beyond
            for node in range(group.nodes if operations else 0):
                entries = [self._entry(index, number, node) for index in operations]
                count = min(threads or math.inf, self.state.shape.populations.of(number))
                yield Task(f"{number}#{node}", self._runs_on(number, node), entries, count)
        for number, pool in enumerate(plan.pools):
            sites = [n for n, call in enumerate(plan.calls) if call.pool == number]
            used = [site for site in sites if self.state.calls.get(site, 0.0) > 0]
            for node in range(plan.groups[pool.group].nodes if used else 0):
                within = self.state.shape.populations.within(pool.group)
                if math.isfinite(pool.max_wait) and within > pool.size:
                    raise _Beyond
                entries = [
                    TaskEntry(f"pool {number}#{node} {site}", 0.0, self._answer(site))
                    for site in used
                ]
                yield Task(f"pool {number}#{node}", _ANYWHERE, entries, float(pool.size))
        yield from self._users()

    def _users(self) -> Iterator[Task]:
        for number, stream in enumerate(self._plan.streams):
            calls: dict[str, float] = defaultdict(float)
            count = len(self._plan.journeys)
            for index, visits in visits_of(stream, count).items():
                for site in self._plan.journeys[index].entries:
                    self._ask(calls, site, visits, -1, 0)
            if stream.kind == ArrivalKind.CLOSED:
                think = think_of(stream, count)
                entry = TaskEntry(f"user {number}", 0.0, calls)
                yield Task(f"users {number}", _ANYWHERE, [entry], float(stream.users), True, think)
            elif stream.session is None or leaves(stream.session, count):
                entry = TaskEntry(f"user {number}", 0.0, calls, rate=open_rate(stream))
                yield Task(f"users {number}", _ANYWHERE, [entry], math.inf)

    def _runs_on(self, group: int, node: int) -> str:
        host = self.state.shape.host(group)
        row = self._plan.groups[host]
        if row.cores < 0 or self._plan.stations[row.cores].servers is None:
            return _ANYWHERE
        return f"cores {host}#{node % row.nodes}"

    def _entry(self, operation: int, group: int, node: int) -> TaskEntry:
        calls: dict[str, float] = defaultdict(float)
        block = self._plan.operations[operation].block
        work = self._add(calls, block, self.state.begun(operation), group, node)
        host = self._plan.groups[self.state.shape.host(group)]
        if host.cores >= 0:
            work *= as_slower_cores(self._plan.stations[host.cores])[1]
        return TaskEntry(f"{operation}#{node}", work, calls)

    def _add(
        self, calls: dict[str, float], block: int, count: float, group: int, node: int
    ) -> float:
        """Add what a block asks of others, and say for how long it computes."""
        work = 0.0
        for step, often in self.state.taken(block, count) if count else ():
            if step.sampler is not None and step.kind == StepKind.WORK:
                work += often * moments_of(step.sampler).mean
            elif step.sampler is not None:
                calls[_PAUSE] += often * moments_of(step.sampler).mean
            elif step.kind == StepKind.PUBLISH:
                calls[_PAUSE] += often * 2 * self._plan.channels[step.channel].delay
            if step.call >= 0:
                work += self._ask(calls, step.call, often, group, node)
                fallback = self._plan.calls[step.call].policy.fallback
                if fallback >= 0:
                    times = often * self.state.falls_back(step.call)
                    work += self._add(calls, fallback, times, group, node)
            for inner in step.blocks:
                work += self._add(calls, inner, often * self.state.inner(step), group, node)
        return work

    def _ask(
        self, calls: dict[str, float], site: int, often: float, group: int, node: int
    ) -> float:
        """Add a call with its attempts; what belongs to no group is done by who asks it."""
        call = self._plan.calls[site]
        times = often * self.state.attempts(site)
        target = self._plan.operations[call.operation]
        if call.pool >= 0:
            calls[f"pool {call.pool}#{node} {site}"] += times
            return 0.0
        calls[_PAUSE] += times * self._network(site)
        if target.group < 0:
            begun = times * self.state.begun(call.operation)
            return self._add(calls, target.block, begun, group, node)
        for name, share in self._nodes(site).items():
            calls[name] += times * share
        return 0.0

    def _answer(self, site: int) -> dict[str, float]:
        return {**self._nodes(site), _PAUSE: self._network(site)}

    def _network(self, site: int) -> float:
        call = self._plan.calls[site]
        return call.there + call.back + 2 * call.across * self.state.shape.apart(call)

    def _nodes(self, site: int) -> dict[str, float]:
        """The entries that a call site asks, with the chance of each."""
        call = self._plan.calls[site]
        group = self._plan.operations[call.operation].group
        nodes = self._plan.groups[group].nodes if group >= 0 else 0
        if not nodes or (nodes > 1 and (call.keys or call.balance not in _EVEN)):
            raise _Beyond
        return {f"{call.operation}#{node}": 1 / nodes for node in range(nodes)}

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

    def _queues(self, found: LayeredSolution) -> dict[Kept, QueueFlow]:
        tasks = {task.name: task for task in self._tasks()}
        of_entry = {entry.name: task.name for task in tasks.values() for entry in task.entries}
        waited: dict[str, list[float]] = defaultdict(lambda: [0.0, 0.0])
        for task in tasks.values():
            for entry in task.entries:
                for name, mean in entry.calls.items():
                    often = found.throughputs.get(entry.name, 0.0) * mean
                    row = waited[of_entry[name]]
                    row[0] += often
                    row[1] += often * found.waits[task.name, name]
        queues: dict[Kept, QueueFlow] = {}
        for number, group in enumerate(self._plan.groups):
            names = [name for node in range(group.nodes) if (name := f"{number}#{node}") in tasks]
            if names and group.slots >= 0:
                queues["slots", number] = _queue(found, tasks, names, waited)
            if names and group.cores >= 0:
                queues["cores", number] = self._cores(found, tasks, number)
        for number, pool in enumerate(self._plan.pools):
            nodes = range(self._plan.groups[pool.group].nodes)
            names = [name for node in nodes if (name := f"pool {number}#{node}") in tasks]
            if names:
                queues["pool", number] = _queue(found, tasks, names, waited)
        return queues

    def _cores(self, found: LayeredSolution, tasks: dict[str, Task], host: int) -> QueueFlow:
        """The wait of each burst for a core, from what answers take beyond their work."""
        station = self._plan.stations[self._plan.groups[host].cores]
        servers, _ = as_slower_cores(station)
        queue = self.state.queues.get(("cores", host), QueueFlow())
        extra = busy = 0.0
        for task in tasks.values():
            if not task.processor.startswith(f"cores {host}#"):
                continue
            for entry in task.entries:
                rate = found.throughputs.get(entry.name, 0.0)
                below = sum(
                    mean * (found.waits[task.name, name] + found.answers[name])
                    for name, mean in entry.calls.items()
                )
                extra += rate * max(0.0, found.answers[entry.name] - below - entry.work)
                busy += rate * entry.work
        mean = self.state.core_work[host].mean if host in self.state.core_work else 0.0
        bursts = busy / mean if mean else 0.0
        if not servers or not bursts:
            return queue
        load = busy / servers / self._plan.groups[host].nodes
        return QueueFlow(_spread(extra / bursts, mean / servers, load), load)


_EVEN = (Balance.ROUND_ROBIN, Balance.RANDOM)


def _queue(
    found: LayeredSolution,
    tasks: dict[str, Task],
    names: list[str],
    waited: dict[str, list[float]],
) -> QueueFlow:
    """Of tasks that are alike: the mean wait, and how busy they are."""
    threads = tasks[names[0]].threads
    often = math.fsum(waited[name][0] for name in names)
    if not often:
        return QueueFlow()
    wait = math.fsum(waited[name][1] for name in names) / often
    held = math.fsum(found.utilisations[name] for name in names)
    if math.isinf(threads):
        return QueueFlow()
    load = held / threads / len(names)
    return QueueFlow(_spread(wait, held / often / threads, load), load)


def _spread(mean: float, step: float, load: float) -> Moments:
    """A wait in a line that moves on every ``step`` seconds.

    Of a line that hardly changes, as many steps as it is long; else none, or an exponential time.
    """
    if mean <= 0 or step <= 0:
        return Moments()
    if load >= _SATURATED:
        return Moments(mean, mean * step)
    return Moments(mean, 2 * mean**2 / max(load, 0.1) - mean**2)
