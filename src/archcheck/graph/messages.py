"""What consumers make of messages: how often one is delivered."""

from __future__ import annotations

from archcheck.model import Channel, Consumer, System, effective


def deliveries(system: System, consumer: Consumer) -> int | None:
    """How often a message is delivered to a consumer that keeps failing; ``None``: undeclared."""
    channel = system.find(str(consumer.topic))
    promise = channel.delivery if isinstance(channel, Channel) else None
    if promise is None and isinstance(channel, Channel) and channel.broker is not None:
        promise = effective(system.find(str(channel.broker)), "delivery").value
    return 1 if promise == "at_most_once" else consumer.max_deliveries
