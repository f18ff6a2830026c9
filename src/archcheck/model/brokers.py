"""Brokers, topics and queues: asynchronous communication."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Annotated, ClassVar, Literal

from pydantic import Field

from archcheck.model.deployment import Deployment
from archcheck.model.element import Absent, Many, element
from archcheck.model.named import (
    BrokerRef,
    ChannelRef,
    Described,
    Named,
    Part,
    Ref,
    ServiceRef,
    TeamRef,
)
from archcheck.model.protocols import Contract, Format
from archcheck.model.resilience import Copies, Parts, Replicas
from archcheck.model.values import Default, Documented
from archcheck.units import Duration, MiB, Size

Delivery = Literal["at_most_once", "at_least_once", "exactly_once"]
"""What a broker promises about each message."""


class Broker(Named, Documented):
    """A system that keeps and delivers messages."""

    referred_as = "broker"

    label: ClassVar[str] = ""
    """Its product name."""
    owner: str | Named | None
    nodes: int | None
    zones: Sequence[str]


@element
class _Broker(Described, Broker):
    """Fields that every broker has."""

    _is_abstract = True

    owner: TeamRef | None = None
    """The team that runs it."""
    version: str | None = None
    """Version in use."""
    boundary: str | None = None
    """Bounded context, where it belongs to one."""
    nodes: Replicas | None = None
    """Machines that it runs on."""
    zones: Many[str] = ()
    """Failure domains of the nodes."""
    max_message: Size | None = None
    """The largest message."""
    delivery: Delivery | None = None
    """The promise about each message."""
    retention: Duration | None = None
    """How long messages stay."""
    encrypted: bool | None = None
    """Whether clients speak TLS to it."""
    trust_zone: str | None = None
    """Network zone."""
    deployment: Deployment | None = None
    """Where it runs."""
    start_after: Many[Ref] = ()
    """Elements that must be up before it starts."""


@element
class Kafka(_Broker):
    """Apache Kafka: a log of partitions; 7 days of retention, messages up to 1,048,588 bytes.

    kafka.apache.org: ``log.retention.hours`` 168, ``message.max.bytes``. Consumers that commit
    after processing see every message at least once.
    """

    label: ClassVar[str] = "Kafka"
    documented: ClassVar[Mapping[str, Default]] = {
        "delivery": Default("at_least_once", "Kafka: Message Delivery Semantics", "2026-11-30"),
        "retention": Default(Duration(168 * 3600.0), "Kafka: log.retention.hours", "2026-11-30"),
        "max_message": Default(
            Size(1_048_588),
            "Kafka: message.max.bytes since 2.5",
            "2026-11-30",
            since=(2, 5),
            of=("Kafka",),
            others=(
                Default(
                    Size(1_000_012),
                    "Kafka before 2.5: message.max.bytes",
                    "2026-11-30",
                    before=(2, 5),
                    of=("Kafka",),
                ),
            ),
        ),
    }


@element
class RabbitMQ(_Broker):
    """RabbitMQ: queues with acknowledgements; messages up to 16 MiB since 4.0."""

    label: ClassVar[str] = "RabbitMQ"
    documented: ClassVar[Mapping[str, Default]] = {
        "delivery": Default("at_least_once", "RabbitMQ: manual acknowledgements", "2026-11-30"),
        "max_message": Default(
            16 * MiB,
            "RabbitMQ 4: max_message_size",
            "2026-11-30",
            since=(4,),
            others=(
                Default(
                    128 * MiB,
                    "RabbitMQ 3.8: max_message_size",
                    "2026-11-30",
                    since=(3, 8),
                    before=(4,),
                ),
            ),
        ),
    }


@element
class Sqs(_Broker):
    """Amazon SQS standard queues: at least once, 4 days of retention, 30 s of visibility.

    Messages have up to 1 MiB since August 2025; queues that were made before keep their 256 KiB
    unless told otherwise (Amazon SQS API reference, ``MaximumMessageSize``).
    """

    label: ClassVar[str] = "SQS"
    documented: ClassVar[Mapping[str, Default]] = {
        "delivery": Default("at_least_once", "SQS: standard queues", "2026-11-30"),
        "retention": Default(Duration(4 * 86400.0), "SQS: MessageRetentionPeriod", "2026-11-30"),
        "max_message": Default(1 * MiB, "SQS: MaximumMessageSize, 1 MiB since 2025", "2026-11-30"),
    }


@element
class Pulsar(_Broker):
    """Apache Pulsar: messages up to 5 MiB (``maxMessageSize``)."""

    label: ClassVar[str] = "Pulsar"
    documented: ClassVar[Mapping[str, Default]] = {
        "delivery": Default(
            "at_least_once",
            "Pulsar, Messaging: kept until it is acknowledged; deduplication is off by default",
            "2026-11-30",
        ),
        "max_message": Default(5 * MiB, "Pulsar: maxMessageSize", "2026-11-30"),
    }


@element
class Nats(_Broker):
    """NATS: core subjects are at most once; payloads up to 1 MiB (``max_payload``)."""

    label: ClassVar[str] = "NATS"
    documented: ClassVar[Mapping[str, Default]] = {
        "delivery": Default("at_most_once", "NATS core: no acknowledgements", "2026-11-30"),
        "max_message": Default(1 * MiB, "NATS: max_payload", "2026-11-30"),
    }


@element
class Mqtt(_Broker):
    """An MQTT broker (Mosquitto, EMQX): the promise is the quality of service of each client."""

    label: ClassVar[str] = "MQTT"


class Channel(Named):
    """A named stream of messages on a broker."""

    referred_as = "channel"

    broker: str | Named | None
    owner: str | Named | None
    belongs_to: str | Named | Part | None
    partitions: int | None
    delivery: Delivery | None


@element
class _Channel(Described, Channel):
    """Fields that topics and queues have."""

    _is_abstract = True

    broker: BrokerRef | None = None
    """The broker that keeps it."""
    owner: TeamRef | None = None
    """The team that answers for it."""
    belongs_to: ServiceRef | None = None
    """The service that decides about its content."""
    format: Format | None = None
    """Data format of the messages."""
    contract: Contract | str | None = None
    """The schema of the messages."""
    message_size: Size | None = None
    """Size of a message."""
    delivery: Delivery | None = None
    """The promise; ``None``: the broker's."""
    retention: Duration | None = None
    """How long messages stay; ``None``: the broker's."""
    dead_letter: ChannelRef | Absent | None = None
    """Where messages go that cannot be processed."""
    max_length: Annotated[int, Field(ge=1)] | Absent | None = None
    """Messages it can hold."""
    lag_metric: str | None = None
    """The metric that shows how far consumers are behind."""
    carries_correlation_id: bool | None = None
    """Whether messages carry the id and trace context of their request."""
    data: Many[str] = ()
    """Classes of the data in the messages."""


@element
class Topic(_Channel):
    """A log that every consumer group reads for itself (Kafka, Pulsar)."""

    partitions: Parts | None = None
    """Partitions: the most consumers of one group that can work in parallel."""
    copies: Copies | None = None
    """Copies of each partition, the leader counted (replication factor)."""
    min_in_sync: Copies | None = None
    """Copies that must have a message before it counts as written."""
    key: str | None = None
    """What messages are ordered by."""
    replayed: bool | None = None
    """Whether consumers read old messages again."""


@element
class Queue(_Channel):
    """A line of messages, each for one consumer (RabbitMQ, SQS)."""

    partitions: Parts | None = None
    """Parallel lines (quorum queues, FIFO groups); ``None``: any number of consumers."""
    visibility_timeout: Duration | None = None
    """Time until an unacknowledged message is delivered again."""
    priority: bool | None = None
    """Whether messages have priorities."""
