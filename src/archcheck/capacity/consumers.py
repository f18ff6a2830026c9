"""Consumers of topics and queues: what comes, and what they can work off.

A consumer works on as many messages at a time as its replicas have slots, and on no more than
the topic has partitions, since a partition goes to one consumer of a group. By the utilisation
law it works off that number over the time of a message.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass

from archcheck.capacity.demand import Demand
from archcheck.capacity.latency import Missing
from archcheck.graph import Operation
from archcheck.model import Channel, Consumer, Service, Topic


@dataclass(frozen=True)
class ConsumerFlow:
    """Messages of one consumer under one scenario; rates are per second, times in seconds."""

    demand: Demand
    operation: Operation
    consumer: Consumer
    channel: Channel
    rate: float
    time: float
    slots: int | None
    """Messages at a time; ``None`` when it is unknown."""
    missing: tuple[Missing, ...]
    """What is needed for the time, and for the slots."""

    @property
    def capacity(self) -> float:
        """Messages that can be worked off; infinite when they take no time."""
        return (self.slots or 0) / self.time if self.time else math.inf

    @property
    def needed(self) -> float:
        """Messages at a time that the load keeps busy (Little's law)."""
        return self.rate * self.time


def consumer_flows(demand: Demand) -> Iterator[ConsumerFlow]:
    """The consumers that get messages under a scenario."""
    for operation in demand.graph.operations.values():
        consumer, owner = operation.part, operation.owner
        rate = demand.rates.get(operation.name, 0.0)
        if isinstance(consumer, Consumer) and isinstance(owner, Service) and rate:
            channel = demand.graph.system.find(str(consumer.topic))
            if isinstance(channel, Channel):
                yield _flow(demand, operation, consumer, owner, channel, rate)


def _flow(
    demand: Demand,
    operation: Operation,
    consumer: Consumer,
    owner: Service,
    channel: Channel,
    rate: float,
) -> ConsumerFlow:
    latency = demand.latencies.of(operation.name)
    missing = list(latency.missing)
    replicas = owner.deployment.most_replicas() if owner.deployment else None
    if replicas is None:
        missing.append(Missing(owner, "deployment.replicas"))
    if consumer.concurrency is None:
        missing.append(Missing(operation, "concurrency"))
    if isinstance(channel, Topic) and channel.partitions is None:
        missing.append(Missing(channel, "partitions"))
    slots = None
    if replicas is not None and consumer.concurrency is not None:
        slots = replicas * consumer.concurrency
        if channel.partitions is not None:
            slots = min(slots, channel.partitions)
    return ConsumerFlow(
        demand, operation, consumer, channel, rate, latency.seconds, slots, tuple(missing)
    )
