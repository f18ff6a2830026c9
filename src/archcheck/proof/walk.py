"""One walk down the steps of operations, to the longest that each of them takes.

Steps add up, branches count as the longest that is waited for, repeats multiply, everything that
may happen does, and a feature is on or off, never both. Who asks says what is added up: seconds
with the steps they come from, or seconds with what edits could save of them.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from typing import Generic, Protocol, TypeVar

from archcheck.graph import Graph, Interaction, Operation
from archcheck.graph.protection import Protection, protection_of
from archcheck.graph.shapes import Shape, shape_of
from archcheck.model import (
    Call,
    Fallback,
    Journey,
    LocalCache,
    Publish,
    Step,
    Work,
)
from archcheck.model.steps import Group


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

    @abstractmethod
    def nothing(self) -> T:
        """No time at all."""

    @abstractmethod
    def working(self, operation: Operation, step: Work) -> T:
        """What computing takes."""

    @abstractmethod
    def waiting(self, step: Interaction) -> T:
        """What a call, query or lookup takes, its fallback aside."""

    @abstractmethod
    def falling_back(self, step: Interaction, target: str, guard: Protection) -> T:
        """What the call takes that answers instead of a step; its ``guard`` is the mesh's."""

    @abstractmethod
    def longest(self, branches: Sequence[T]) -> T:
        """What things at the same time take."""

    @abstractmethod
    def unknown(self, name: str) -> T:
        """What an operation takes that nothing is known of."""

    @abstractmethod
    def endless(self, operation: Operation) -> T:
        """What an operation takes that is in the middle of its own calls."""

    def of(self, name: str) -> T:
        """What an endpoint or consumer takes."""
        if name not in self.graph.operations:
            return self.unknown(name)
        operation = self.graph.operations[name]
        if name in self._open:
            return self.endless(operation)
        if name not in self._known:
            self._open.add(name)
            found = self.graph.leaving(name)
            self._known[name] = self._in_a_row(operation, operation.part.steps, found)
            self._open.discard(name)
        return self._known[name]

    def of_journey(self, journey: Journey) -> T:
        """What its entries take, one after the other."""
        total = self.nothing()
        for entry in journey.all_entries():
            owner, endpoint = self.graph.system.endpoint(entry)
            total += self.of(f"{owner.name}.{endpoint.name}" if endpoint else owner.name)
        return total

    def of_step(self, step: Interaction) -> T:
        """What a step takes that leaves the process, and the call that answers instead of it."""
        if isinstance(step.target, LocalCache):
            return self.nothing()
        fallback = getattr(step.step, "fallback", None)
        if isinstance(fallback, Fallback) and fallback.kind == "call" and fallback.target:
            call = Call(fallback.target)
            guard = protection_of(step.source, call)
            return self.waiting(step) + self.falling_back(step, str(fallback.target), guard)
        return self.waiting(step)

    def _in_a_row(
        self, operation: Operation, steps: Sequence[Step], found: Mapping[int, Interaction]
    ) -> T:
        total = self.nothing()
        flagged: dict[str, dict[bool, T]] = {}
        for step in steps:
            if isinstance(step, Group):
                shape = shape_of(self.graph.system, step)
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
                return self.working(operation, step)
            case Publish():
                return self.nothing()
            case _:
                return self.of_step(found[id(step)])

    def _group(self, operation: Operation, shape: Shape, found: Mapping[int, Interaction]) -> T:
        """What may be taken is taken, whatever its share of the requests."""
        ways = zip(shape.sequences, shape.waited, strict=True)
        taken = [self._in_a_row(operation, steps, found) for steps, waited in ways if waited]
        inside = self.longest(taken) if shape.is_parallel else taken[0]
        if shape.times > 1:
            inside = inside.times(shape.times)
        return inside if shape.lookup is None else self.of_step(found[id(shape.lookup)]) + inside
