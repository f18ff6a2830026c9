"""Consumers of topics and queues: what comes, and what they can work off.

A consumer works on as many messages at a time as its replicas have slots, and on no more than
the topic has partitions, since a partition goes to one consumer of a group. By the utilisation
law it works off that number over the time of a message. Partitions that do not divide evenly leave
some slots with one more than others; as messages are spread over partitions, these decide.
"""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass, replace

from archcheck.capacity.demand import Demand
from archcheck.capacity.latency import Missing
from archcheck.graph import Operation
from archcheck.model import Channel, Consumer, Queue, Service, Topic


@dataclass(frozen=True)
class ConsumerFlow:
    """Messages of one consumer under one scenario; rates are per second, times in seconds."""

    demand: Demand
    operation: Operation
    consumer: Consumer
    channel: Channel
    rate: float
    time: float
    members: int
    """Consumers of the group, replicas times ``concurrency``; zero when it is unknown."""
    slots: float | None
    """Messages at a time, as :func:`messages_at_a_time`; ``None`` when it is unknown."""
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


def messages_at_a_time(channel: Channel, members: int) -> float:
    """Messages that so many consumers of a group work on while every partition keeps up.

    Four partitions of three consumers: one has two of them, and at more than two messages at a
    time it falls behind, while the others idle.
    """
    partitions = channel.partitions
    if partitions is None or not members:
        return members
    if not isinstance(channel, Topic):
        return min(members, partitions)
    return partitions / math.ceil(partitions / members)


def consumer_flows(demand: Demand) -> list[ConsumerFlow]:
    """The consumers that get messages under a scenario.

    Those of one queue, or of one group of a topic, share its messages as fast as each can.
    """
    together: defaultdict[tuple[str, str], list[ConsumerFlow]] = defaultdict(list)
    for flow in _flows(demand):
        group = flow.consumer.group or flow.operation.name
        is_shared = isinstance(flow.channel, Queue)
        together[flow.channel.name, "" if is_shared else group].append(flow)
    return [flow for flows in together.values() for flow in _shared(flows)]


def _shared(flows: list[ConsumerFlow]) -> Iterator[ConsumerFlow]:
    """The flows of consumers that get the messages together, each with its part of them."""
    missing = tuple(dict.fromkeys(each for flow in flows for each in flow.missing))
    if len(flows) == 1 or missing:
        share = 1 / len(flows)
        slots = flows[0].slots if len(flows) == 1 else None
        yield from (replace(f, rate=f.rate * share, slots=slots, missing=missing) for f in flows)
        return
    members = sum(flow.members for flow in flows)
    slots = messages_at_a_time(flows[0].channel, members)
    parts = [replace(flow, slots=slots * flow.members / members) for flow in flows]
    total = sum(part.capacity for part in parts)
    for part in parts:
        share = part.capacity / total if math.isfinite(total) else 1 / len(parts)
        yield replace(part, rate=part.rate * share)


def _flows(demand: Demand) -> Iterator[ConsumerFlow]:
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
    members = (replicas or 0) * (consumer.concurrency or 0)
    slots = messages_at_a_time(channel, members) if members else None
    time = latency.seconds
    return ConsumerFlow(
        demand, operation, consumer, channel, rate, time, members, slots, tuple(missing)
    )
