"""How endpoints are spoken to: protocols, formats and contracts.

Each protocol carries what is true of it: whether it multiplexes calls over one long-lived
connection, whether it brings its own schema, and its largest message.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import field
from typing import ClassVar, Literal

from archcheck.model.element import Element, element
from archcheck.model.values import Default, Documented
from archcheck.units import Bandwidth, MiB, Size

Format = Literal[
    "protobuf", "json", "avro", "thrift", "xml", "msgpack", "cbor", "graphql", "text", "bytes"
]
"""Data formats of payloads."""


@element
class Contract(Element):
    """A machine-readable description of an interface: proto, OpenAPI, AsyncAPI, Avro, IDL."""

    path: str = field(kw_only=False)
    """Where it lives, relative to the repository."""
    version: str | None = None
    """Its version, such as ``v1`` or ``1.4.0``."""
    stability: Literal["alpha", "beta", "stable"] | None = None
    """What consumers may rely on."""
    compatibility: (
        Literal[
            "backward",
            "backward_transitive",
            "forward",
            "forward_transitive",
            "full",
            "full_transitive",
            "none",
        ]
        | None
    ) = None
    """The promise between versions, in the schema registries' terms."""


class Protocol(Element, Documented):
    """An application protocol as an endpoint offers it."""

    label: ClassVar[str] = ""
    """Its name in reports and on diagrams."""
    is_synchronous: ClassVar[bool] = True
    """Whether the caller waits for an answer."""
    is_multiplexed: ClassVar[bool] = False
    """Whether many calls share one long-lived connection (balancing per connection then fails)."""
    native_format: ClassVar[Format | None] = None
    """The format it is practically always used with."""

    max_message: Size | None
    encrypted: bool | None
    format: Format | None
    coding_rate: Bandwidth | None

    @property
    def effective_format(self) -> Format | None:
        """The declared format, else the protocol's native one."""
        return self.format or self.native_format


@element
class _Wire(Protocol):
    """Fields that every protocol has."""

    _is_abstract = True

    format: Format | None = None
    """Data format of the payload; ``None``: the protocol's native format, else unknown."""
    encrypted: bool | None = None
    """Whether it runs over TLS; ``None``: unknown."""
    max_message: Size | None = None
    """The largest message that the receiver takes; ``None``: the protocol's documented limit."""
    coding_rate: Bandwidth | None = None
    """Bytes of payload that a core encodes or decodes in a second; ``None``: unknown."""


@element
class Grpc(_Wire):
    """gRPC: HTTP/2 with Protocol Buffers; no deadline unless the caller sets one.

    The receiver refuses messages over 4 MiB unless configured (grpc.io, gRPC core
    ``GRPC_ARG_MAX_RECEIVE_MESSAGE_LENGTH``).
    """

    label: ClassVar[str] = "gRPC"
    is_multiplexed: ClassVar[bool] = True
    native_format: ClassVar[Format | None] = "protobuf"
    documented: ClassVar[Mapping[str, Default]] = {
        "max_message": Default(
            4 * MiB, "gRPC core: GRPC_ARG_MAX_RECEIVE_MESSAGE_LENGTH", "2026-11-30"
        ),
    }

    service: str | None = field(default=None, kw_only=False)
    """Full name of the service in the proto file, such as ``payments.v1.Payments``."""
    contract: Contract | str | None = None
    """The proto file."""
    streaming: Literal["no", "server", "client", "both"] = "no"
    """Which sides stream."""


@element
class Http1(_Wire):
    """HTTP/1.1: one request at a time on a connection (RFC 9112)."""

    label: ClassVar[str] = "HTTP/1.1"

    method: str | None = field(default=None, kw_only=False)
    """GET, POST ..."""
    path: str | None = field(default=None, kw_only=False)
    """Path of the resource."""
    contract: Contract | str | None = None
    """The OpenAPI file."""
    keep_alive: bool | None = None
    """Whether connections are reused; ``None``: the client library decides."""


@element
class Http2(_Wire):
    """HTTP/2: many requests share a connection (RFC 9113)."""

    label: ClassVar[str] = "HTTP/2"
    is_multiplexed: ClassVar[bool] = True

    method: str | None = field(default=None, kw_only=False)
    """GET, POST ..."""
    path: str | None = field(default=None, kw_only=False)
    """Path of the resource."""
    contract: Contract | str | None = None
    """The OpenAPI file."""


@element
class GraphQL(_Wire):
    """GraphQL over HTTP (graphql.org): the client chooses the fields."""

    label: ClassVar[str] = "GraphQL"
    native_format: ClassVar[Format | None] = "json"

    contract: Contract | str | None = None
    """The schema file."""
    max_depth: int | None = None
    """Limit on the depth of a query; unlimited when unset."""


@element
class Thrift(_Wire):
    """Apache Thrift RPC; framed messages up to 16,384,000 bytes by default.

    Source: Apache Thrift, ``TFramedTransport::DEFAULT_MAX_FRAME_SIZE``.
    """

    label: ClassVar[str] = "Thrift"
    native_format: ClassVar[Format | None] = "thrift"
    documented: ClassVar[Mapping[str, Default]] = {
        "max_message": Default(
            Size(16_384_000), "Apache Thrift: DEFAULT_MAX_FRAME_SIZE", "2026-11-30"
        ),
    }

    service: str | None = field(default=None, kw_only=False)
    """Name of the service in the IDL."""
    contract: Contract | str | None = None
    """The IDL file."""


@element
class WebSocket(_Wire):
    """WebSocket (RFC 6455): one long-lived connection in both directions."""

    label: ClassVar[str] = "WebSocket"
    is_multiplexed: ClassVar[bool] = True

    path: str | None = field(default=None, kw_only=False)
    """Path of the upgrade request."""
    contract: Contract | str | None = None
    """The AsyncAPI file."""


@element
class Tcp(_Wire):
    """A protocol of one's own over TCP."""

    label: ClassVar[str] = "TCP"

    port: int | None = field(default=None, kw_only=False)
    """The port."""
    contract: Contract | str | None = None
    """Whatever describes it."""


@element
class Amqp(_Wire):
    """AMQP 0-9-1, RabbitMQ's protocol; the broker limits messages to 16 MiB since RabbitMQ 4.0.

    Source: rabbitmq.com, configuration, ``max_message_size``.
    """

    label: ClassVar[str] = "AMQP"
    is_synchronous: ClassVar[bool] = False
    documented: ClassVar[Mapping[str, Default]] = {
        "max_message": Default(16 * MiB, "RabbitMQ 4: max_message_size", "2026-11-30"),
    }

    contract: Contract | str | None = None
    """The AsyncAPI file."""


@element
class KafkaProtocol(_Wire):
    """Kafka's binary protocol; a record batch is limited to 1,048,588 bytes by default.

    Source: kafka.apache.org, broker configuration, ``message.max.bytes``.
    """

    label: ClassVar[str] = "Kafka"
    is_synchronous: ClassVar[bool] = False
    documented: ClassVar[Mapping[str, Default]] = {
        "max_message": Default(Size(1_048_588), "Kafka: message.max.bytes", "2026-11-30"),
    }

    contract: Contract | str | None = None
    """The Avro, Protocol Buffers or JSON schema."""


@element
class MqttProtocol(_Wire):
    """MQTT 5: publish and subscribe for devices; a packet holds at most 268,435,455 bytes.

    Source: OASIS MQTT 5.0, 2.1.4 Remaining Length (268,435,455 bytes).
    """

    label: ClassVar[str] = "MQTT"
    is_synchronous: ClassVar[bool] = False
    documented: ClassVar[Mapping[str, Default]] = {
        "max_message": Default(Size(268_435_455), "OASIS MQTT 5.0, 2.1.4", "2026-11-30"),
    }

    contract: Contract | str | None = None
    """The AsyncAPI file."""
    qos: Literal[0, 1, 2] | None = None
    """Delivery: at most once, at least once, exactly once."""
