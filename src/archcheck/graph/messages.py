"""What consumers make of messages: how often one is delivered, when again, and who sees it."""

from __future__ import annotations

from archcheck.graph import Graph, Operation
from archcheck.model import Channel, Consumer, Named, Sqs, System, effective
from archcheck.units import Duration

_SQS_VISIBILITY = Duration(30.0)
"""Amazon SQS API reference: the default of ``VisibilityTimeout`` (checked 2026-11-30)."""


def delivery_of(system: System, channel: Named) -> tuple[str | None, str]:
    """What a channel promises, or else its broker, and where that is documented.

    ``None``: nobody says.
    """
    if not isinstance(channel, Channel) or channel.delivery is not None:
        return getattr(channel, "delivery", None), ""
    if getattr(channel, "visibility_timeout", None) is not None:
        return "at_least_once", "visibility_timeout: what is not acknowledged comes again"
    if channel.broker is None:
        return None, ""
    found = effective(system.find(str(channel.broker)), "delivery")
    return found.value, found.source


def visibility_of(system: System, channel: Named) -> Duration | None:
    """After what time a message that is not acknowledged comes again, by the channel or its broker.

    ``None``: not by time, as far as anybody says.
    """
    own: Duration | None = getattr(channel, "visibility_timeout", None)
    broker = getattr(channel, "broker", None)
    if own is not None or broker is None:
        return own
    return _SQS_VISIBILITY if isinstance(system.find(str(broker)), Sqs) else None


def is_at_most_once(system: System, consumer: Consumer) -> bool:
    """Whether a message is never delivered to the consumer again."""
    return delivery_of(system, system.find(str(consumer.topic)))[0] == "at_most_once"


def deliveries(system: System, consumer: Consumer) -> int | None:
    """How often a message is delivered to a consumer that keeps failing; ``None``: undeclared."""
    return 1 if is_at_most_once(system, consumer) else consumer.max_deliveries


def is_repeated_until_done(graph: Graph, operation: Operation) -> bool:
    """Whether a message that was only half worked on comes again, and may: all of it happens.

    A consumer that is declared idempotent, of a channel that delivers at least once. A message that
    is given up is a dead letter, which a person sees: rule RES020 asks for one.
    """
    consumer = operation.part
    if not isinstance(consumer, Consumer) or not consumer.idempotent:
        return False
    delivery, _ = delivery_of(graph.system, graph.system.find(str(consumer.topic)))
    return delivery == "at_least_once"


def receivers_of(graph: Graph, channel: str) -> list[Operation]:
    """Who sees the messages of a channel: its consumers, and those of its dead letters, which may
    have dead letters in turn."""
    found: dict[str, Operation] = {}
    seen, waiting = {channel}, [channel]
    while waiting:
        name = waiting.pop(0)
        readers = [graph.operations[reader] for reader in graph.consumers.get(name, ())]
        found.update((reader.name, reader) for reader in readers)
        for holder in (graph.system.find(name), *(reader.part for reader in readers)):
            end = getattr(holder, "dead_letter", None)
            if isinstance(end, str) and end not in seen:
                seen.add(end)
                waiting.append(end)
    return [*found.values()]
