"""What turns requests away, or makes them wait, while resources have room: limits of rate,
bulkheads, pools of connections, the places of consumers.

They are figures like those of resources: what a load asks of them, and what they let through. A
load is carried only within all of them. Those of external parties are figures of their own.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from archcheck.capacity import (
    ConcurrencyLimit,
    ConsumerFlow,
    Demand,
    Rest,
    concurrency_limits,
    consumer_flows,
    messages_at_a_time,
    rest_of,
)
from archcheck.findings import Subject
from archcheck.graph import Graph, Interaction, Operation
from archcheck.graph.exact import Rational, exact
from archcheck.model import External, RateLimit, Service
from archcheck.proof.answers import Gap
from archcheck.proof.limits.figures import Occupancy, count
from archcheck.units import Rate

_ROUNDED = 1 + Rational(1, 10**9)
"""Rates are sums of floats: a limit of exactly what comes holds."""


@dataclass(frozen=True)
class Barrier(Occupancy):
    """What a load asks of a limit, and what it lets through; ``what`` says which limit it is."""

    subject: Subject | None = None
    """Of the graph that was asked, which may have other values in it than the declared one."""
    steps: tuple[Interaction, ...] = ()
    """What goes through it; empty where it stands before an operation."""
    kind: str = "rate_limit"
    """``rate_limit``, ``a bulkhead``, ``a pool`` or ``places``."""
    says: str = "lets through {room} a second, and {busy} come"
    asked: tuple[str, ...] = ()
    """The elements whose calls show in a run what is turned away."""
    watched: tuple[str, ...] = ()
    """The resources of a run at which requests wait for it."""

    def exceeds(self, room: Rational) -> bool:
        """Whether more comes for certain."""
        return self.busy > room * _ROUNDED

    def shown(self, capacity: Rational) -> str:
        """``lets through 100 a second, and 600 come``."""
        return self.says.format(room=count(capacity), busy=count(self.busy))

    @property
    def is_sized(self) -> bool:
        """Whether its size is a matter of replicas."""
        return self.zones > 0 or self.units != 1

    def enough(self, units: int) -> str:
        """What would be enough with so many replicas: ``rate_limit above 600/s``."""
        if self.kind == "rate_limit":
            return f"rate_limit above {Rate(float(self.busy)):.4}"
        if self.kind == "places":
            return f"places for more than {count(self.busy)} messages at a time"
        return f"{self.kind} above {count(self.busy / units)} in each replica"

    def own_subject(self, graph: Graph) -> Subject:
        """Its subject as it is declared."""
        match self.subject:
            case Operation(name=name):
                return graph.operations[name]
            case Interaction() as step:
                same = (each for each in graph.interactions if key_of(each) == key_of(step))
                return next(same, step)
            case _:
                return graph.system.find(self.holder.name)

    def comes_from(self) -> set[str]:
        """The operations whose requests meet it."""
        if self.steps:
            return {step.operation.name for step in self.steps}
        return {self.subject.name} if isinstance(self.subject, Operation) else set()

    def leads_to(self) -> set[str]:
        """The operations that get what it lets through."""
        if self.steps:
            return {step.target_name for step in self.steps}
        return self.comes_from()


@dataclass(frozen=True)
class ConsumerPlaces(Barrier):
    """Messages that a consumer works on at a time: more replicas may find no partition."""

    flow: ConsumerFlow | None = None

    def room(self, units: int) -> Rational:
        """Messages at a time of so many replicas."""
        if self.flow is None or not units:
            return Rational(0)
        members = units * (self.flow.consumer.concurrency or 0)
        return exact(messages_at_a_time(self.flow.channel, members))


def key_of(step: Interaction) -> tuple[str, str]:
    """What tells a step from others in every configuration and at all values."""
    return step.operation.name, step.target_name


def barriers(demand: Demand) -> Iterator[Barrier]:
    """Every limit that a load meets."""
    for name, rate in demand.rates.items():
        operation = demand.graph.operations.get(name)
        if rate and operation is not None and isinstance(operation.owner, Service):
            part = operation.part
            yield from _rate_limit(demand, operation, operation.owner, part, rate)
    for step, rate in demand.steps.items():
        if rate:
            yield from _rate_limit(demand, step, step.source, step.step, rate)
    for limit in concurrency_limits(demand.graph):
        yield from _concurrency(demand, limit)
    for flow in consumer_flows(demand):
        yield _places(flow)


def _rate_limit(
    demand: Demand,
    subject: Operation | Interaction,
    owner: Service | External,
    limited: object,
    rate: float,
) -> Iterator[Barrier]:
    """Of several clients each has its own: nothing is sure of such a limit."""
    limit = getattr(limited, "rate_limit", None)
    if not isinstance(limit, RateLimit) or limit.per == "client":
        return
    units, zones, rest = _replicas(demand, owner) if limit.per == "replica" else (1, 0, None)
    is_step = isinstance(subject, Interaction)
    yield Barrier(
        owner,
        f"the rate limit of {subject.name}",
        exact(rate),
        exact(limit.rate),
        units,
        zones,
        rest=rest,
        subject=subject,
        steps=(subject,) if isinstance(subject, Interaction) else (),
        asked=(subject.target.name if isinstance(subject, Interaction) else owner.name,),
        says="lets through {room} a second, and {busy} " + ("are asked" if is_step else "come"),
    )


def _concurrency(demand: Demand, limit: ConcurrencyLimit) -> Iterator[Barrier]:
    in_use = limit.in_use(demand)
    if not in_use.seconds:
        return
    units, zones, rest = _replicas(demand, limit.caller)
    asked = limit.steps[0].target.name
    answering = (asked, f"{asked} replicas")
    yield Barrier(
        limit.caller,
        limit.what,
        exact(in_use.seconds),
        Rational(limit.size),
        units,
        zones,
        tuple(Gap(missing.holder, missing.attribute) for missing in in_use.missing),
        subject=limit.subject,
        steps=limit.steps,
        kind=limit.kind,
        says="holds {room} in all replicas together, and {busy} are in use",
        asked=answering,
        rest=rest,
        watched=tuple(f"{limit.caller.name} -> {each}" for each in answering),
    )


def _places(flow: ConsumerFlow) -> ConsumerPlaces:
    owner = flow.operation.owner
    units, zones, rest = _replicas(flow.demand, owner)
    return ConsumerPlaces(
        owner,
        f"the consumer {flow.operation.name}",
        exact(flow.needed),
        Rational(1) if flow.slots is not None else None,
        units,
        zones,
        tuple(Gap(missing.holder, missing.attribute) for missing in flow.missing),
        subject=flow.operation,
        kind="places",
        says="works on {room} messages at a time, and {busy} are needed",
        watched=(flow.operation.name,),
        rest=rest,
        flow=flow,
    )


def _replicas(demand: Demand, owner: Service | External) -> tuple[int | None, int, Rest | None]:
    """How many there are at most, over how many zones, and where an autoscaler rests; no number
    where nobody says.
    """
    if not isinstance(owner, Service) or owner.deployment is None:
        return None, 0, None
    place = owner.deployment
    return place.most_replicas(), len(set(place.zones)), rest_of(demand, owner)
