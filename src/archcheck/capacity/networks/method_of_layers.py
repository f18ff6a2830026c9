"""Layered queueing networks: servers that are held while they wait for other servers.

The method of layers (Rolia and Sevcik, The Method of Layers, 1995; Franks, Al-Omari, Woodside,
Das and Derisavi, Enhanced Modeling and Solution of Layered Queueing Networks, 2009): the tasks and
processors of one depth are the stations of a closed network whose customers are the threads of
the tasks that call them; all layers are solved in turn until nothing moves. What a thread waits
below is part of its time of service above.

A customer of a reference task is at one place at a time. So an arrival cannot meet, at a server
that it reaches on two ways, what it causes itself on the other one (interlocking): the customers
of other chains count less by the chance that they belong to the same user.

A server that works on after its answer holds a thread for both phases, while its customer has
gone on. Of the second phase, S, the customer's time until it comes back, Z, covers
Z S / (Z + S) on average where both are exponential; for the rest it waits for itself.
"""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import TypeVar

import numpy as np

from archcheck.capacity.networks.approximate import (
    ClosedChains,
    Learned,
    ahead_with,
    from_learned,
)
from archcheck.capacity.networks.layers import LayeredNetwork, LayeredSolution, Processor, Task
from archcheck.capacity.networks.parts import Floats
from archcheck.model import ModelError

K = TypeVar("K")

_ROUNDS = 300
"""Rounds over the layers after which the last one counts. A choice; usual models need fewer."""
_UNDAMPED = 20
"""Rounds after which new values are averaged with the old ones, so that swings settle. A choice."""
_FIRST = 3
"""Rounds over the layers in which each is solved for itself to the end. Afterwards it goes on from
where it was, and few rounds within it are enough. A choice."""
_OF_A_LAYER = 4
_PRECISION = 1e-6
"""Relative change that counts as none unless the caller says: far below the method's error."""
_TRUST = (
    "approximate: method of layers, mostly within 5% of exact solutions of small models, within "
    "15% where servers work on after their answer"
)


def solve_layered(
    processors: Sequence[Processor],
    tasks: Sequence[Task],
    *,
    precision: float = _PRECISION,
    at_each_round: Callable[[], None] = lambda: None,
) -> LayeredSolution:
    """Solve a layered queueing network, until throughputs and times change by less than
    ``precision``, relative to what they are.

    ``at_each_round`` is called between two rounds, and may raise to end them.

    Raises :class:`~archcheck.model.ModelError` for names that do not exist or exist twice, for
    calls in a circle, and where the requests from outside are more than a task can serve.
    """
    return _Solver(LayeredNetwork(tuple(processors), tuple(tasks))).solved(precision, at_each_round)


class _Layer:
    """Servers of one depth and what is asked of them: rows are servers, columns are clients.

    In a round of a thread: ``demands`` in seconds, both phases; ``after``: of them, the second
    phase; ``awaited``: of them, what the thread's own customer waits for; ``visits``.
    ``background``: servers that callers without a limit of threads keep busy, and their
    ``arrivals`` a second.
    """

    def __init__(self, places: Mapping[str, int], asking: list[Task]) -> None:
        self.places = places
        self.asking = asking
        self.clients = [task for task in asking if not math.isinf(task.threads)]
        shape = len(places), len(self.clients)
        self.demands, self.after = np.zeros(shape), np.zeros(shape)
        self.awaited, self.visits = np.zeros(shape), np.zeros(shape)
        self.background, self.arrivals = np.zeros(len(places)), np.zeros(len(places))


class _Solver:
    def __init__(self, model: LayeredNetwork) -> None:
        self._model = model
        self._stretch: dict[str, float] = defaultdict(lambda: 1.0)
        """Task: seconds on its processor over seconds of work."""
        self._waits: dict[tuple[str, str], float] = defaultdict(float)
        """(Task, task): seconds until a thread is free."""
        self._inside: dict[tuple[str, int], float] = defaultdict(float)
        """(Task, layer): seconds of a round of a thread in a layer."""
        self._spent: dict[tuple[str, str], float] = defaultdict(float)
        """(Task, server): seconds of a round of a thread until the answers of a server."""
        self._learned: dict[int, Learned] = {}
        """Layer: what its last solution is for the next."""
        self._answers: dict[str, float] = {}
        self._after: dict[str, float] = {}
        self._rates: dict[str, float] = {}
        self._origins: dict[str, dict[str, float]] = {}

    def solved(self, precision: float, at_each_round: Callable[[], None]) -> LayeredSolution:
        before: list[float] = []
        converged = False
        for step in range(1, _ROUNDS + 1):
            at_each_round()
            self._times()
            self._flows()
            now = [*self._rates.values(), *self._answers.values()]
            converged = bool(before) and all(
                abs(a - b) <= precision * max(abs(a), 1e-12)
                for a, b in zip(now, before, strict=True)
            )
            if converged:
                break
            before = now
            for layer, servers in enumerate(self._model.layers):
                self._solve_layer(layer, servers, step)
                self._times()
                self._flows()
        return self._result(step, converged)

    # -- what follows from the waits --------------------------------------------------------

    def _times(self) -> None:
        """Times of service, from below."""
        for task in reversed(self._model.order):
            for entry in task.entries:
                self._answers[entry.name] = self._phase(task, entry.work, entry.calls)
                self._after[entry.name] = self._phase(task, entry.work_after, entry.calls_after)

    def _phase(self, task: Task, work: float, calls: Mapping[str, float]) -> float:
        return work * self._stretch[task.name] + sum(
            mean * (self._waits[task.name, self._model.task_of[name].name] + self._answers[name])
            for name, mean in calls.items()
        )

    def _flows(self) -> None:
        """Throughputs, from above, and from which users they come."""
        rates: dict[str, float] = defaultdict(float)
        origins: dict[str, dict[str, float]] = defaultdict(lambda: defaultdict(float))
        for task in self._model.order:
            cycle = task.think + sum(
                self._answers[e.name] + self._after[e.name] for e in task.entries
            )
            for entry in task.entries:
                if task.is_reference:
                    if cycle <= 0:
                        raise ModelError(f"the users of {task.name!r} take no time in a round")
                    rates[entry.name] = task.threads / cycle
                    origins[task.name][task.name] = 1.0
                rates[entry.name] += entry.rate
                for name, mean in (*entry.calls.items(), *entry.calls_after.items()):
                    rates[name] += rates[entry.name] * mean
                    target = self._model.task_of[name].name
                    if name in entry.calls_after and not task.is_reference:
                        continue  # the user has gone on: it may meet what it has caused
                    whole = self._rate(task, rates) or 1.0
                    for user, share in origins[task.name].items():
                        weight = share / whole if not task.is_reference else 1.0
                        origins[target][user] += weight * rates[entry.name] * mean
        self._rates = dict(rates)
        self._origins = {
            task.name: (
                {task.name: 1.0}
                if task.is_reference
                else {
                    user: flow / (self._rate(task, rates) or 1.0)
                    for user, flow in origins[task.name].items()
                }
            )
            for task in self._model.tasks
        }

    @staticmethod
    def _rate(task: Task, rates: Mapping[str, float]) -> float:
        """Rounds of the threads of a task in a second; a user does all entries in one."""
        found = [rates.get(entry.name, 0.0) for entry in task.entries]
        return found[0] if task.is_reference else sum(found)

    # -- one layer ----------------------------------------------------------------------------

    def _solve_layer(self, number: int, servers: list[str], step: int) -> None:
        layer = self._asked_of(servers)
        parts = [self._part(name) for name in servers]
        copies = np.array([each[2] for each in parts])
        background = layer.background / copies
        self._refuse_saturated(servers, parts, background)
        covered = self._covered(layer, servers)
        think = np.array([self._away(task, number) for task in layer.clients])
        demands, shape = layer.demands, layer.demands.shape
        awaited = np.divide(layer.awaited, demands, out=np.zeros(shape), where=demands > 0)
        closed = ClosedChains(
            demands=demands,
            services=np.divide(demands, layer.visits, out=np.zeros(shape), where=layer.visits > 0),
            population=np.array([task.everywhere for task in layer.clients], dtype=float),
            think=think - covered.sum(axis=0),
            servers=np.array([each[0] for each in parts]),
            in_order=np.array([each[1] for each in parts]),
            variability=np.ones(len(servers)),
            copies=copies,
            own=self._own(servers, copies, layer.clients),
            background=background,
            strangers=np.divide(
                layer.background,
                layer.arrivals,
                out=np.zeros(len(servers)),
                where=layer.arrivals > 0,
            ),
            overlap=self._overlap(layer.clients, awaited),
        )
        rounds = _ROUNDS if step <= _FIRST else _OF_A_LAYER
        rates, learned, _ = from_learned(closed, self._learned.get(number), 1, rounds)
        self._learned[number], queues = learned, learned.queues
        damping = 1.0 if step < _UNDAMPED else 0.5
        for column, task in enumerate(layer.clients):
            residence = queues[:, column] / rates[column] if rates[column] else demands[:, column]
            self._note_client(layer, column, residence - covered[:, column], damping)
            inside = float((residence - covered[:, column]).sum())
            self._inside[task.name, number] += damping * (inside - self._inside[task.name, number])
        self._note_strangers(layer, closed, queues)

    def _own(self, servers: list[str], copies: Floats, clients: list[Task]) -> Floats:
        """Copies of a server that belong to the copies of a client: its processors, for one."""
        private = [
            [name == task.processor or name in task.own for task in clients] for name in servers
        ]
        return np.where(np.array(private).reshape(len(servers), -1), copies[:, None], 1.0)

    def _asked_of(self, servers: list[str]) -> _Layer:
        """What the callers of some servers ask of them in a round of a thread."""
        places = {name: row for row, name in enumerate(servers)}
        asking = [
            task
            for task in self._model.tasks
            if self._rate(task, self._rates) > 0
            and any(server in places for server, *_ in self._demands_of(task))
        ]
        layer = _Layer(places, asking)
        for task in asking:
            for server, seconds, count, longer, is_awaited in self._demands_of(task):
                if server not in places:
                    continue
                row = places[server]
                if math.isinf(task.threads):
                    layer.background[row] += self._rate(task, self._rates) * (seconds + longer)
                    layer.arrivals[row] += self._rate(task, self._rates) * count
                    continue
                column = layer.clients.index(task)
                layer.demands[row, column] += seconds + longer
                layer.awaited[row, column] += (seconds + longer) * is_awaited
                layer.visits[row, column] += count
                layer.after[row, column] += longer
        return layer

    def _covered(self, layer: _Layer, servers: list[str]) -> Floats:
        """Seconds of second phases that pass while the customer is away."""
        covered = np.zeros(layer.demands.shape)
        for row, column in zip(*np.nonzero(layer.after), strict=True):
            task, after = layer.clients[column], layer.after[row, column]
            spent = self._spent[task.name, servers[row]] or layer.demands[row, column]
            away = max(task.everywhere / self._rate(task, self._rates) - spent, 1e-12)
            covered[row, column] = away * after / (away + after)
        return covered

    def _away(self, task: Task, number: int) -> float:
        """Seconds of a round of a thread that it spends outside a layer."""
        cycle = task.everywhere / self._rate(task, self._rates)
        return max(0.0, cycle - self._inside[task.name, number])

    def _note_client(self, layer: _Layer, column: int, residence: Floats, damping: float) -> None:
        task = layer.clients[column]
        for name, row in layer.places.items():
            own = layer.demands[row, column] - layer.after[row, column]
            if own <= 0:
                continue
            self._spent[task.name, name] = float(residence[row])
            wait = max(0.0, float(residence[row]) - own)
            unit = own if name == task.processor else layer.visits[row, column]
            self._note(task, name, wait / unit, damping)

    def _note(self, task: Task, server: str, wait: float, damping: float) -> None:
        """Wait for each second of work on a processor, or for each visit of a task."""
        if server == task.processor:
            self._stretch[task.name] += damping * (1 + wait - self._stretch[task.name])
        else:
            self._waits[task.name, server] += damping * (wait - self._waits[task.name, server])

    def _note_strangers(self, layer: _Layer, closed: ClosedChains, queues: Floats) -> None:
        """What tasks without a limit of threads wait: they come like customers from outside."""
        for task in layer.asking:
            if not math.isinf(task.threads):
                continue
            for server, seconds, count, longer, _ in self._demands_of(task):
                if server not in layer.places or not seconds:
                    continue
                row = layer.places[server]
                servers = float(closed.servers[row])
                if math.isinf(servers):
                    continue
                endless = np.full(queues.shape[1], math.inf)
                found = queues[row] / closed.copies[row]
                ahead = ahead_with(float(closed.background[row]), servers, found, endless)
                wait = (seconds + longer) * ahead / servers
                unit = seconds if server == task.processor else count
                self._note(task, server, wait / unit, 1.0)

    def _demands_of(self, task: Task) -> Iterator[tuple[str, float, float, float, bool]]:
        """What a round of a thread asks of servers.

        Server, seconds until the answers, visits, seconds after the answers, and whether the
        customer of the thread waits for it.
        """
        whole = self._rate(task, self._rates)
        for entry in task.entries:
            share = self._rates.get(entry.name, 0.0) / whole if whole else 0.0
            for work, calls, is_awaited in (
                (entry.work, entry.calls, True),
                (entry.work_after, entry.calls_after, task.is_reference),
            ):
                if share and work:
                    slices = 1 + sum(calls.values())
                    yield task.processor, share * work, share * slices, 0.0, is_awaited
                for name, mean in calls.items() if share else ():
                    count = share * mean
                    seconds = count * max(self._answers[name], 1e-12)
                    longer = count * self._after[name]
                    yield self._model.task_of[name].name, seconds, count, longer, is_awaited

    def _part(self, name: str) -> tuple[float, bool, float]:
        """Servers of a task or processor, whether they serve in order, and how many copies."""
        for task in self._model.tasks:
            if task.name == name:
                return task.threads, True, task.copies
        processor = next(each for each in self._model.processors if each.name == name)
        return processor.servers, not processor.sharing, processor.copies

    def _refuse_saturated(
        self, servers: list[str], parts: list[tuple[float, bool, float]], background: Floats
    ) -> None:
        for name, (count, _, _), load in zip(servers, parts, background, strict=True):
            if load >= count:
                raise ModelError(
                    f"{name!r} has {count:g} servers, and the requests from outside keep "
                    f"{load:.3g} of them busy: they would wait for ever"
                )

    def _overlap(self, clients: list[Task], awaited: Floats) -> Floats:
        """For each server, the chance that the customer of one task is there for the user who also
        waits for another one: ``awaited`` is the share that users wait for.
        """
        users = {task.name: task.threads for task in self._model.tasks if task.is_reference}
        table = np.zeros((len(clients), len(clients)))
        for row, one in enumerate(clients):
            for column, other in enumerate(clients):
                if row != column:
                    table[row, column] = sum(
                        share * self._origins[other.name].get(user, 0.0) / users[user]
                        for user, share in self._origins[one.name].items()
                    )
        overlap: Floats = np.clip(table, 0.0, 1.0) * awaited[:, :, None] * awaited[:, None, :]
        return overlap

    def _result(self, step: int, converged: bool) -> LayeredSolution:
        busy: dict[str, float] = defaultdict(float)
        services = {name: self._answers[name] + self._after[name] for name in self._answers}
        for task in self._model.tasks:
            for entry in task.entries:
                rate = self._rates.get(entry.name, 0.0)
                busy[task.name] += rate * services[entry.name]
                busy[task.processor] += rate * (entry.work + entry.work_after)
        waits = {
            (task.name, name): self._waits[task.name, self._model.task_of[name].name]
            for task in self._model.tasks
            for entry in task.entries
            for name in (*entry.calls, *entry.calls_after)
        }
        return LayeredSolution(
            _plain(self._rates),
            _plain(self._answers),
            _plain(services),
            _plain(waits),
            _plain(busy),
            step,
            converged,
            _TRUST,
        )


def _plain(numbers: Mapping[K, float]) -> dict[K, float]:
    return {name: float(number) for name, number in numbers.items()}
