"""Topics and queues, and the consumer groups that read them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from archcheck.graph.messages import deliveries, is_at_most_once, visibility_of
from archcheck.model import Absent, Consumer, Publish, ScenarioError, System
from archcheck.model.brokers import Channel
from archcheck.simulation import plan as p
from archcheck.simulation.compiling.assumed import DELIVERIES
from archcheck.simulation.compiling.groups import is_ordered, most_members
from archcheck.simulation.compiling.tables import PlanRows
from archcheck.simulation.randomness import place_hash


def channel_called(system: System, name: str) -> Channel:
    """The topic or queue with a name. Raises :class:`ScenarioError` when it is something else."""
    channel = system.find(name)
    if not isinstance(channel, Channel):
        raise ScenarioError(f"{name} is consumed and is neither a topic nor a queue")
    return channel


class ChannelCompiler:
    """Makes rows of channels as they are met; subscriptions come last."""

    def __init__(self, tables: PlanRows, delay: float) -> None:
        self.tables = tables
        self.system = tables.system
        self.delay = delay

    def published(self, step: Publish) -> int:
        """The row of the channel that a step sends to; a key decides the partition."""
        index = self._index(str(step.target))
        if step.key is not None:
            self.tables.channels[index] = replace(self.tables.channels[index], keyed=True)
        return index

    def _index(self, name: str) -> int:
        """The channel's row; its consumers are subscribed later, when all have their groups."""
        for index, row in enumerate(self.tables.channels):
            if row.name == name:
                return index
        keyed = getattr(channel_called(self.system, name), "key", None) is not None
        row = p.ChannelSpec(name, place_hash(f"channel {name}"), keyed, self.delay, ())
        self.tables.channels.append(row)
        return len(self.tables.channels) - 1

    def subscribe(self) -> None:
        """Connect channels with those who read them, dead letters included."""
        done = 0
        while done < len(self.tables.channels):  # dead-letter channels are added on the way
            row = self.tables.channels[done]
            readers = self.tables.graph.consumers.get(row.name, ())
            self._share(row.name, readers)
            subscriptions = tuple(self._subscription(row.name, reader) for reader in readers)
            self.tables.channels[done] = replace(row, subscriptions=subscriptions)
            done += 1

    def _share(self, channel: str, readers: Sequence[str]) -> None:
        """Consumers of a queue, or of one group, that are declared apart would share messages."""
        parts = [self.tables.graph.operations[reader].part for reader in readers]
        groups = [getattr(part, "group", None) for part in parts]
        is_queue = not is_ordered(channel_called(self.system, channel))
        shared = {group for group in groups if group is not None and groups.count(group) > 1}
        if shared or (is_queue and len(readers) > 1):
            self.tables.assumed.leave_out("consumers that share messages (each gets all of them)")

    def _subscription(self, channel_name: str, reader: str) -> p.Subscription:
        channel = channel_called(self.system, channel_name)
        consumer = self.tables.graph.operations[reader].part
        assert isinstance(consumer, Consumer)  # noqa: S101  # the graph lists consumers only
        operation = self.tables.operation_of[reader]
        members = most_members(self.tables, operation, consumer)
        dead = consumer.dead_letter or getattr(channel, "dead_letter", None)
        dead_index = self._index(str(dead)) if dead and not isinstance(dead, Absent) else -1
        visibility = visibility_of(self.system, channel)
        if visibility is not None and getattr(channel, "visibility_timeout", None) is None:
            reason = "Amazon SQS: VisibilityTimeout"
            self.tables.assumed.add(channel.name, "visibility_timeout", visibility, reason)
        return p.Subscription(
            operation,
            consumer.concurrency or 1,
            channel.partitions or (members if is_ordered(channel) else p.ANY_NUMBER),
            is_ordered(channel),
            self._deliveries(consumer, reader),
            float(visibility) if visibility is not None else 0.0,
            dead_index,
            is_at_most_once(self.system, consumer),
        )

    def _deliveries(self, consumer: Consumer, reader: str) -> int:
        count = deliveries(self.system, consumer)
        if count is None:
            reason = "the consumer does not declare it; Spring Kafka: DefaultErrorHandler"
            self.tables.assumed.add(reader, "max_deliveries", DELIVERIES, reason)
        return count or DELIVERIES
