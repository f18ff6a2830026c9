"""Bulkheads and connection pools, and how much of them a load keeps in use."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass

from archcheck.capacity.demand import Demand
from archcheck.capacity.latency import Latency
from archcheck.graph import Graph, Interaction
from archcheck.graph.pools import pool_of
from archcheck.graph.shared import sharing
from archcheck.graph.transfer import round_trip
from archcheck.model import External, Service


@dataclass(frozen=True)
class ConcurrencyLimit:
    """At most ``size`` of these steps at a time, in each replica of their caller."""

    subject: Interaction | Service
    """The step of a bulkhead, or the service that has a pool."""
    kind: str
    """``a bulkhead`` or ``a pool``."""
    what: str
    """Which one, for people."""
    size: int
    steps: tuple[Interaction, ...]

    @property
    def caller(self) -> Service | External:
        """Whose replicas have it."""
        return self.steps[0].source

    def rate(self, demand: Demand) -> float:
        """Its steps a second, of all replicas together."""
        return sum(demand.steps.get(step, 0.0) for step in self.steps)

    def in_use(self, demand: Demand) -> Latency:
        """How many of its steps are under way in all replicas together, without queueing.

        That is rate x time (Little, A Proof for the Queuing Formula L = lambda W, 1961), and of an
        attempt no longer than its timeout.
        """
        total = Latency(0.0)
        for step in self.steps:
            held, longest = self._under_way(demand, step), step.protection.attempt()
            if longest is not None and held.seconds > float(longest):
                held = Latency(float(longest), held.missing)
            total += held.scaled(demand.steps.get(step, 0.0))
        return total

    @staticmethod
    def _under_way(demand: Demand, step: Interaction) -> Latency:
        """One execution of a step with its ways on the network, as far as they are declared."""
        seconds, _ = round_trip(demand.graph.system, step)
        return demand.held(step) + Latency(float(seconds))


def concurrency_limits(graph: Graph) -> Iterator[ConcurrencyLimit]:
    """Every bulkhead and every connection pool, declared or documented by a framework."""
    for group in sharing(graph, "bulkhead"):
        steps = tuple(step for step in group if not step.is_fallback)
        bulkhead = group[0].protection.bulkhead
        if bulkhead is not None and steps:
            first = steps[0]
            whose = f"{first.source.name} for {first.target.name}"
            what = f"the bulkhead of {first.name if len(steps) == 1 else whose}"
            yield ConcurrencyLimit(first, "a bulkhead", what, bulkhead.max_concurrent, steps)
    for service in graph.system.services:
        to: dict[str, list[Interaction]] = defaultdict(list)
        for step in graph.made_by.get(service.name, ()):
            to[step.target.name].append(step)
        for target, asking in to.items():
            found = pool_of(service, asking[0].target)
            if found is not None:
                size, source = found
                what = f"the pool of {service.name} for {target}"
                said = f"{what} ({source})" if source else what
                yield ConcurrencyLimit(service, "a pool", said, size, (*asking,))
