"""Latency without any queueing: the sum of the service times along a request.

Sequential steps add, parallel branches count as the slowest branch's mean (a lower bound of
the mean of the maximum), probabilities and repeats weigh, a cache saves its hits. Retries do
not count. What is not declared counts as zero and is listed.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from archcheck.graph import Graph, Interaction, Operation
from archcheck.graph.interactions import question_instead
from archcheck.graph.protection import protection_of
from archcheck.graph.shapes import Shape, shape_of
from archcheck.graph.transfer import coding, entry_trip, on_the_wire, waits_for_broker
from archcheck.model import (
    Call,
    Endpoint,
    External,
    Fallback,
    Journey,
    LocalCache,
    ModelError,
    Named,
    Publish,
    Read,
    Step,
    Wait,
    Work,
    Write,
    effective,
)
from archcheck.model.clients import as_asked
from archcheck.model.distributions import Time, distribution_of
from archcheck.model.steps import Group
from archcheck.units import Duration


@dataclass(frozen=True)
class Missing:
    """An attribute that would be needed: ``ledger.read``."""

    holder: Named | Operation
    attribute: str


@dataclass(frozen=True)
class Latency:
    """Mean seconds without queueing, a lower bound when something is missing."""

    seconds: float
    missing: tuple[Missing, ...] = ()

    def __add__(self, other: Latency) -> Latency:
        return Latency(self.seconds + other.seconds, _merged(self.missing, other.missing))

    def scaled(self, factor: float) -> Latency:
        """The latency of ``factor`` executions."""
        return Latency(self.seconds * factor, self.missing)


def _merged(first: tuple[Missing, ...], second: tuple[Missing, ...]) -> tuple[Missing, ...]:
    return tuple(dict.fromkeys((*first, *second)))


_What = Literal["all", "own time", "own work", "computing"]


class OperationLatencies:
    """Latencies of the operations of one system, each computed once."""

    def __init__(self, graph: Graph) -> None:
        self._graph = graph
        self._known: dict[str, Latency] = {}
        self._open: list[str] = []
        network = graph.system.network
        self._delay = float(network.delay) if network and network.delay else 0.0

    def of(self, reference: str) -> Latency:
        """From the request's arrival at an operation (or external) until its answer leaves.

        Raises :class:`ModelError` when operations call each other without end.
        """
        if reference in self._graph.operations:  # an endpoint, or a consumer with its messages
            return self._operation(reference, self._graph.operations[reference].owner)
        owner, endpoint = self._graph.system.endpoint(reference)
        name = f"{owner.name}.{endpoint.name}" if endpoint else owner.name
        return self._operation(name, owner)

    def of_journey(self, journey: Journey) -> Latency:
        """Its entries one after the other, with the way of its user to each and back.

        Raises :class:`ModelError` when operations call each other without end.
        """
        entries = journey.all_entries()
        ways = Latency(len(entries) * float(entry_trip(self._graph.system)))
        return sum(map(self.of, entries), ways)

    def own_time(self, name: str) -> Latency:
        """What the operation itself takes, computing and waiting, and nobody else."""
        return self._own(name, "own time")

    def own_work(self, name: str) -> Latency:
        """Only the computing in the operation itself, the coding of payloads included."""
        return self._own(name, "own work")

    def on_cores(self, name: str) -> Latency:
        """Only what needs a core: a thread that sleeps does not."""
        runtime = getattr(self._graph.operations[name].owner, "runtime", None)
        sleeps = effective(runtime, "concurrency").value == "blocking"
        return self._own(name, "computing" if sleeps else "own work")

    def _own(self, name: str, what: _What) -> Latency:
        part = self._graph.operations[name].part
        return self._sum(part.steps, what) + Latency(float(coding(part)))

    def _operation(self, name: str, owner: Named) -> Latency:
        if name in self._open:
            chain = " -> ".join([*self._open[self._open.index(name) :], name])
            raise ModelError(f"operations call each other without end: {chain}")
        if name not in self._known:
            self._open.append(name)
            try:
                own = self._own(name, "all") if name in self._graph.operations else Latency(0.0)
            finally:
                self._open.pop()
            self._known[name] = own + self._answer(owner)
        return self._known[name]

    @staticmethod
    def _answer(owner: Named) -> Latency:
        if isinstance(owner, External):
            return _time(owner.latency, owner, "latency")
        return Latency(0.0)

    def _sum(self, steps: Sequence[Step], what: _What = "all") -> Latency:
        total, reached = Latency(0.0), 1.0
        for step in steps:
            taken = self._step(step, what)
            total += taken if reached == 1 else taken.scaled(reached)
            reached *= 1 - self._graph.surely_fails(step)
        return total

    def _step(self, step: Step, what: _What) -> Latency:
        if isinstance(step, Work):
            if what == "computing" and step.blocking:
                return Latency(0.0)
            return Latency(distribution_of(step.time).mean_seconds())
        if isinstance(step, Wait):
            waits = what in ("all", "own time")
            return Latency(distribution_of(step.time).mean_seconds() if waits else 0.0)
        if isinstance(step, Group):
            return self._group(step, what)
        system = self._graph.system
        match step:
            case Call():
                _, endpoint = system.endpoint(str(step.target))
                own = Latency(float(coding(endpoint, step)))
                if what != "all":
                    return own
                tries, pauses = self._graph.sure_tries(step)
                asked = self._asked(step, endpoint)
                again = asked if tries == 1 else asked.scaled(tries) + Latency(pauses)
                return own + again
            case Read() | Write() if what == "all":
                return self._asked(step, None)
            case Publish() if what == "all" and waits_for_broker(step):
                return Latency(2 * self._delay)
            case _:
                return Latency(0.0)

    def _asked(self, step: Call | Read | Write, endpoint: Endpoint | None) -> Latency:
        system = self._graph.system
        if isinstance(step, Call):
            found = self.of(str(step.target))
        else:
            found = query_time(system.find(str(step.target)), step)
        way = 2 * self._delay + float(on_the_wire(system, step, endpoint))
        return self._given_up(step, Latency(way) + found)

    def _given_up(self, step: Call | Read | Write, found: Latency) -> Latency:
        """A caller that can go on without the answer waits no longer than its attempts last, and
        then for its fallback.
        """
        if not step.optional and not isinstance(step.fallback, Fallback):
            return found
        owner = self._graph.operations[self._open[-1]].owner
        guard = protection_of(owner, as_asked(owner, step))
        attempt = guard.attempt()
        if attempt is None:
            return found
        if found.seconds < float(attempt):
            return found
        return Latency(float(guard.longest_wait(attempt)[0])) + self._instead(step)

    def _instead(self, step: Call | Read | Write) -> Latency:
        asked = question_instead(self._graph.system, step.fallback)
        if asked is None:
            return Latency(0.0)
        endpoint = (
            self._graph.system.endpoint(str(asked.target))[1] if isinstance(asked, Call) else None
        )
        try:
            return self._asked(asked, endpoint)
        except ModelError:  # it leads back here
            return Latency(0.0)

    def _group(self, step: Group, what: _What) -> Latency:
        shape = shape_of(self._graph.system, step, cold_caches=self._graph.cold_caches)
        inside = self._inside(shape, what)
        if shape.lookup is None or what != "all":
            return inside
        cache = self._graph.system.find(str(shape.lookup.cache))
        return Latency(2 * self._delay) + query_time(cache, shape.lookup) + inside

    def _inside(self, shape: Shape, what: _What) -> Latency:
        if not shape.share:
            return Latency(0.0)  # nothing of it is needed, and nothing is missing
        taken = [
            self._sum(steps, what)
            for steps, waited in zip(shape.sequences, shape.waited, strict=True)
            if waited or what != "all"
        ]
        inside = sum(taken, Latency(0.0))
        if shape.is_parallel and what == "all":
            longest = max((branch.seconds for branch in taken), default=0.0)
            inside = Latency(longest, inside.missing)
        return inside.scaled(shape.share * shape.times)


_USUAL = 0.25
"""Seconds of a timeout that is advised where the callee is fast. A choice."""
_ROOM = 3.0
"""A timeout over the mean without queues: of an exponential time 5% are longer (rule of thumb)."""


def advised_timeout(latencies: OperationLatencies, step: Interaction) -> Duration:
    """A timeout that a step can keep: 250 ms, or three times what it takes, rounded up."""
    try:
        seconds = _ROOM * latency_of(latencies, step).seconds
    except ModelError:  # operations that call each other without end take any time
        seconds = 0.0
    if seconds <= _USUAL:
        return Duration(_USUAL)
    unit = 10.0 ** (math.floor(math.log10(seconds)) - 1)
    return Duration(round(math.ceil(seconds / unit - 1e-9) * unit, 6))


def latency_of(latencies: OperationLatencies, step: Interaction) -> Latency:
    """How long a call or query keeps its caller, network left out."""
    if step.mode == "call":
        return latencies.of(step.target_name)
    if step.mode == "publish":
        return Latency(0.0)
    return query_time(step.target, step.step)


def query_time(store: Named, step: Step) -> Latency:
    """Service time of a query: its own, else the datastore's for reads or writes.

    A cache in the process takes none but a declared one.
    """
    attribute = "write" if isinstance(step, Write) else "read"
    own = step.time if isinstance(step, Read | Write) else None
    declared = own if own is not None else getattr(store, attribute)
    if declared is None and isinstance(store, LocalCache):
        return Latency(0.0)
    return _time(declared, store, attribute)


def _time(declared: Time | None, holder: Named, attribute: str) -> Latency:
    if declared is None:
        return Latency(0.0, (Missing(holder, attribute),))
    return Latency(distribution_of(declared).mean_seconds())
