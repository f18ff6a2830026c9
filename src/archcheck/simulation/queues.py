"""Where requests wait in a plan: before servers, connection pools, and bulkheads that let them."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Literal

from archcheck.simulation.plan import FOREVER, Plan
from archcheck.simulation.record import Record, StationRecord

Kind = Literal["stations", "pools", "bulkheads"]
TOKENS, BURSTS = "tokens", "bursts"
"""What else changes slowly: the bucket of a rate limit, and a load that comes in bursts."""
Place = tuple[str, str]
"""A queue by its name and what one waits for: ``("db", "threads")``."""


@dataclass(frozen=True)
class WaitingLine:
    """A queue of each node of a group, by its place in the plan's and in a record's table."""

    kind: Kind
    index: int
    name: str
    """The service, datastore or consumer; of a pool or bulkhead ``caller -> callee``."""
    what: str
    """What one waits for: threads, cores, connections, permits ..."""
    servers: float | None
    """How many of them a node has in the long run; ``None``: unlimited."""
    room: int | None
    """How many may wait at a node; ``None``: any number."""
    patience: float
    """Seconds after which one who waits is turned away."""
    group: int
    """Whose nodes have it; -1: those of nobody in the plan."""

    @property
    def place(self) -> Place:
        """Its name, and what one waits for."""
        return self.name, self.what

    def of(self, record: Record) -> StationRecord:
        """What a run measured of it."""
        table: list[StationRecord] = getattr(record, self.kind)
        return table[self.index]

    def total(self, record: Record) -> float:
        """How many servers all nodes had together, on average over the runs."""
        return self.of(record).capacity / record.span


def queues(plan: Plan) -> Iterator[WaitingLine]:
    """All queues of a plan: stations, pools, bulkheads, each in the order of its table."""
    for n, each in enumerate(plan.stations):
        yield WaitingLine(
            "stations", n, each.name, each.what, each.lasting, each.queue, FOREVER, each.group
        )
    for n, pool in enumerate(plan.pools):
        yield WaitingLine(
            "pools", n, pool.name, "connections", pool.size, None, pool.max_wait, pool.group
        )
    callers = {call.policy.bulkhead: call.source for call in plan.calls}
    for n, bulkhead in enumerate(plan.bulkheads):
        if bulkhead.max_wait > 0:
            yield WaitingLine(
                "bulkheads",
                n,
                bulkhead.name,
                "permits",
                bulkhead.size,
                None,
                bulkhead.max_wait,
                callers.get(n, -1),
            )


def scaled_out(plan: Plan, record: Record, queue: WaitingLine) -> float:
    """The servers of a run over those that there are when an autoscaler has started all it may."""
    scaling = plan.groups[queue.group].scaling if queue.group >= 0 else None
    if scaling is None or queue.servers is None:
        return 1.0
    return min(1.0, queue.total(record) / (queue.servers * scaling.most))
