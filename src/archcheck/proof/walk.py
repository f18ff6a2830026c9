"""One walk down the steps of operations, to the longest that each of them takes.

Steps add up, branches count as the longest that is waited for, repeats multiply, everything that
may happen does, and a feature is on or off, never both. Who asks says what is added up: seconds
with the steps they come from, or seconds with what edits could save of them.
"""

from __future__ import annotations

import copy
from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from typing import Generic, Protocol, Self, TypeVar

from archcheck.graph import Graph, Interaction, Operation
from archcheck.graph.exact import Rational, exact, longest, shown
from archcheck.graph.shapes import Shape, shape_of
from archcheck.graph.transfer import (
    coding,
    entry_trip,
    is_weighed,
    round_trip,
    waits_for_broker,
)
from archcheck.model import (
    External,
    Journey,
    LocalCache,
    Named,
    Publish,
    Step,
    Wait,
    Work,
)
from archcheck.model.steps import Group
from archcheck.proof.limits.ranges import HighestTimes

TAIL = "times are at most their declared 99th percentile, else mean and three standard deviations"
_LIGHT = "payloads whose size, bandwidth or coding nobody declares take no time"

_BROKER = "a broker acknowledges a message at once"


class _Time(Protocol):
    """Something that can be added up."""

    def __add__(self: T, other: T) -> T: ...

    def times(self: T, count: int) -> T: ...


T = TypeVar("T", bound=_Time)


class LongestWalk(ABC, Generic[T]):
    """The longest that each operation takes; each is found once."""

    def __init__(self, graph: Graph) -> None:
        self.graph = graph
        self._known: dict[str, T] = {}
        self._open: set[str] = set()
        self._configuration: Mapping[str, bool] | None = None
        self._highest = HighestTimes(graph)

    def within(self, configuration: Mapping[str, bool]) -> Self:
        """The same walk with feature flags that stand so."""
        walk = copy.copy(self)
        walk._known, walk._open, walk._configuration = {}, set(), configuration
        return walk

    @abstractmethod
    def nothing(self) -> T:
        """No time at all."""

    @abstractmethod
    def working(self, operation: Operation, work: tuple[Rational, bool]) -> T:
        """What computing takes: so many seconds at the longest, and whether it can take more."""

    def coding(self, part: Operation | Interaction, seconds: Rational, text: str) -> T:
        """What the coding of payloads takes, at a callee or at its caller."""
        return self.fixed(part, seconds, text)

    def joining(self, lookup: Interaction) -> T:
        """What a lookup waits for that another step fetches."""
        return self.nothing()

    def throttled(self, operation: Operation, inside: T) -> T:
        """What an operation takes when all that it computes uses up one quota."""
        return inside

    @abstractmethod
    def waiting(self, step: Interaction) -> T:
        """What a call, query or lookup takes, its fallback aside."""

    @abstractmethod
    def fixed(self, subject: Interaction | Operation | Named, seconds: Rational, text: str) -> T:
        """What always takes so long; ``text`` says it to people."""

    @abstractmethod
    def assumed(self, text: str) -> T:
        """No time, where ``text`` is taken for granted."""

    @abstractmethod
    def undeclared(self, holder: Interaction | Operation | Named, attribute: str) -> T:
        """What takes a time that nobody declares."""

    @abstractmethod
    def unknown_delay(self, passages: int) -> T:
        """So many passages of a network whose delay nobody declares."""

    @abstractmethod
    def longest(self, branches: Sequence[T]) -> T:
        """What things at the same time take."""

    @abstractmethod
    def endless(self, operation: Operation) -> T:
        """What an operation takes that is in the middle of its own calls."""

    def of(self, name: str) -> T:
        """What an endpoint or consumer takes."""
        if name not in self.graph.operations:
            return self._answering(self.graph.system.endpoint(name)[0])
        operation = self.graph.operations[name]
        if name in self._open:
            return self.endless(operation)
        if name not in self._known:
            self._open.add(name)
            found = self.graph.leaving(name)
            inside = self._in_a_row(operation, operation.part.steps, found)
            own = self.throttled(operation, inside + self._coding(operation))
            self._known[name] = own + self._answering(operation.owner)
            self._open.discard(name)
        return self._known[name]

    def of_journey(self, journey: Journey) -> T:
        """What its entries take, one after the other."""
        total, way = self.nothing(), entry_trip(self.graph.system)
        for entry in journey.all_entries():
            owner, endpoint = self.graph.system.endpoint(entry)
            name = f"{owner.name}.{endpoint.name}" if endpoint else owner.name
            total += self.of(name)
            if way:
                said = f"the network takes {shown(way)} from a user to {name} and back"
                total += self.fixed(journey, way, said)
        return total

    def of_step(self, step: Interaction) -> T:
        """What a step takes that leaves the process, and the question that is asked instead."""
        if isinstance(step.target, LocalCache):  # in the process: no time but a declared one
            most = self._highest.of(step.target.name, "read", step.target.read)
            return self.nothing() if most is None else self._drawn(step, step.target.name, most)
        own = self.waiting(step) + self._coding(step)
        return own if step.fallback is None else own + self.of_step(step.fallback)

    def needed(self, step: Interaction) -> T:
        """What it takes until the answer is there: the callee, and the network there and back."""
        if step.mode == "call":
            below = self.of(step.target_name)
        else:
            below = self._query(step)
        seconds, is_declared = round_trip(self.graph.system, step)
        text = f"the network takes {shown(seconds)} to {step.target_name} and back"
        below += self.fixed(step, seconds, text) if seconds else self.nothing()
        if not is_weighed(self.graph.system, step):
            below += self.assumed(_LIGHT)
        return below if is_declared else below + self.unknown_delay(2)

    def _query(self, step: Interaction) -> T:
        own = getattr(step.step, "time", None)
        attribute = "write" if step.mode == "write" else "read"
        if own is not None:
            return self._drawn(step, step.target_name, longest(own))
        declared = getattr(step.target, attribute, None)
        most = self._highest.of(step.target.name, attribute, declared)
        if most is None:
            return self.undeclared(step.target, attribute)
        return self._drawn(step, step.target_name, most)

    def _answering(self, owner: Named) -> T:
        """What an external takes, whichever of its endpoints is asked."""
        if not isinstance(owner, External):
            return self.nothing()
        most = self._highest.of(owner.name, "latency", owner.latency)
        if most is None:
            return self.undeclared(owner, "latency")
        return self._drawn(owner, owner.name, most)

    def _drawn(
        self, subject: Interaction | Named | Operation, name: str, most: tuple[Rational, bool]
    ) -> T:
        seconds, has_more = most
        found = self.fixed(subject, seconds, f"{name} takes {shown(seconds)}")
        return found + self.assumed(TAIL) if has_more else found

    def _coding(self, part: Operation | Interaction) -> T:
        """Encoding and decoding, at a callee or at its caller."""
        if isinstance(part, Operation):
            seconds = coding(part.part)
        else:
            seconds = coding(part.endpoint, part.step)
        if not seconds:
            return self.nothing()
        return self.coding(part, seconds, f"{part.name} codes its payloads for {shown(seconds)}")

    def _in_a_row(
        self, operation: Operation, steps: Sequence[Step], found: Mapping[int, Interaction]
    ) -> T:
        total = self.nothing()
        flagged: dict[str, dict[bool, T]] = {}
        for step in steps:
            if isinstance(step, Group):
                shape = shape_of(self.graph.system, step)
                if not self._runs(shape):
                    continue
                taken = self._group(operation, shape, found)
                if shape.flag is not None:
                    flag, is_on = shape.flag
                    ways = flagged.setdefault(flag, {})
                    ways[is_on] = ways.get(is_on, self.nothing()) + taken
                    continue
            else:
                taken = self._step(operation, step, found)
            total += taken
        for ways in flagged.values():
            total += self.longest([self.nothing(), *ways.values()])
        return total

    def _step(self, operation: Operation, step: Step, found: Mapping[int, Interaction]) -> T:
        match step:
            case Work():
                return self.working(operation, self._highest.of_work(operation, step))
            case Wait():
                return self._drawn(operation, f"a wait of {operation.name}", longest(step.time))
            case Publish():
                return self._acknowledged(step, found[id(step)])
            case _:
                return self.of_step(found[id(step)])

    def _acknowledged(self, publish: Publish, step: Interaction) -> T:
        """What a publisher waits for: the broker, not the consumers."""
        if not waits_for_broker(publish):
            return self.nothing()
        network = self.graph.system.network
        delay = network.delay if network is not None else None
        if delay is None:
            return self.unknown_delay(2) + self.assumed(_BROKER)
        seconds = 2 * exact(delay)
        text = f"the network takes {shown(seconds)} to the broker of {step.target.name} and back"
        return self.fixed(step, seconds, text) + self.assumed(_BROKER)

    def _runs(self, shape: Shape) -> bool:
        """Whether a group is there in the configuration that is looked at, if one is."""
        if shape.flag is None or self._configuration is None:
            return True
        flag, is_on = shape.flag
        return self._configuration[flag] is is_on

    def _group(self, operation: Operation, shape: Shape, found: Mapping[int, Interaction]) -> T:
        """What may be taken is taken, whatever its share of the requests."""
        ways = zip(shape.sequences, shape.waited, strict=True)
        taken = [self._in_a_row(operation, steps, found) for steps, waited in ways if waited]
        inside = self.longest(taken) if shape.is_parallel else taken[0]
        if shape.times > 1:
            inside = inside.times(shape.times)
        if shape.lookup is None:
            return inside
        lookup = found[id(shape.lookup)]
        return self.of_step(lookup) + self.joining(lookup) + inside
