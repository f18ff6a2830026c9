"""Channels that several applications share: the same address on the same broker."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass, field

from archcheck.importing.asyncapi.reading import AsyncApiDocument, DocumentChannel
from archcheck.importing.asyncapi.servers import Server
from archcheck.importing.facts import ElementPlace, Fact, KnownAs, Statement
from archcheck.importing.naming import legible
from archcheck.importing.references import Whoever
from archcheck.importing.values import Value
from archcheck.model import Broker, Queue, Topic
from archcheck.units import Duration

_PARAMETER = re.compile(r"\{([^{}]*)\}")
_FORMATS = {
    "json": "json", "avro": "avro", "protobuf": "protobuf", "xml": "xml", "cbor": "cbor",
    "msgpack": "msgpack", "plain": "text", "octet": "bytes", "thrift": "thrift",
}  # fmt: skip
"""Words of content types, to the vocabulary's formats."""
_SCHEMAS = frozenset({"avro", "protobuf", "thrift"})
_QUEUES = frozenset({"sqs", "ibmmq"})
"""Protocols whose channels are queues unless their bindings say otherwise."""


@dataclass(eq=False)
class SharedChannel:
    """A channel as all applications together describe it."""

    key: str
    name: str
    members: list[tuple[AsyncApiDocument, DocumentChannel]] = field(default_factory=list)

    @property
    def shown(self) -> str:
        """How a reader knows it."""
        address = self.members[0][1].address
        return address if address is not None else self.members[0][1].key

    @property
    def is_direct(self) -> bool:
        """Whether there is no broker in between."""
        return all(channel.is_direct for _, channel in self.members)

    def facts(self) -> Iterator[Statement]:
        """The topic or queue; nothing for a connection without a broker."""
        if self.is_direct:
            return
        part = ElementPlace(self.name)
        kind = Queue if any(map(_is_queue, self._channels)) else Topic
        for _, channel in self.members:
            yield part.is_a(kind, channel.place)
            yield KnownAs(self.name, self.key, "asyncapi", channel.place)
            yield from self._says(part, channel)
        for application, channel in self.members:
            yield from _format(part, application, channel)

    @property
    def _channels(self) -> list[DocumentChannel]:
        return [channel for _, channel in self.members]

    def _says(self, part: ElementPlace, channel: DocumentChannel) -> Iterator[Fact]:
        description = channel.node.value.get("description")
        texts = []
        if description is not None and description.string("description").strip():
            texts.append(" ".join(description.text.split())[:500])
        if channel.address is not None and self.name != channel.address:
            texts.append(f"[address {channel.address}]")
        if texts and channel is self.members[0][1]:
            yield part.says("description", " ".join(texts), channel.place)
        broker = broker_of(channel)
        if broker is not None and broker.host is not None:
            whom = Whoever(broker.host, "*", (Broker,))
            yield Fact(part.element, ("broker",), whom, broker.place)
        yield from _kafka(part, channel)


def broker_of(channel: DocumentChannel) -> Server | None:
    """The first of its servers that is a broker."""
    return next((server for server in channel.servers if not server.is_direct), None)


def shared_channels(applications: list[AsyncApiDocument]) -> dict[DocumentChannel, SharedChannel]:
    """Each channel of the applications, to the one that it is together with others.

    Parameters of an address have names of the document's own: ``users/{id}`` and ``users/{userId}``
    are one address. A channel whose broker no document says is the one that has its address.
    """
    groups: dict[str, list[tuple[AsyncApiDocument, DocumentChannel]]] = defaultdict(list)
    for application in applications:
        for channel in application.channels:
            own = f"{application.title} {channel.key}"
            groups[_template(channel) or own].append((application, channel))
    titles = {legible(application.title).lower() for application in applications}
    found: dict[DocumentChannel, SharedChannel] = {}
    names: set[str] = set()
    for template, members in groups.items():
        hosts = dict.fromkeys(_host(channel) for _, channel in members)
        known = [host for host in hosts if host]
        for host in hosts:
            if host == "" and len(known) == 1:
                continue
            own_members = [
                (application, channel)
                for application, channel in members
                if _host(channel) == host or (not _host(channel) and len(known) == 1)
            ]
            name = _name(own_members[0][1], titles)
            for wider in (name, f"{host}/{name}", f"{name} of {own_members[0][0].title}"):
                name = legible(wider)
                if name not in names:
                    break
            names.add(name)
            shared = SharedChannel(f"{host} {template}", name, own_members)
            found |= {channel: shared for _, channel in own_members}
    return found


def _template(channel: DocumentChannel) -> str:
    return _PARAMETER.sub("{}", channel.address) if channel.address is not None else ""


def _host(channel: DocumentChannel) -> str:
    """The broker's host, or that of the other party; empty where no document says it."""
    server = broker_of(channel) or next(iter(channel.servers), None)
    return (server.host or "") if server is not None else ""


def _name(channel: DocumentChannel, titles: set[str]) -> str:
    """The address; a plain word is what services are called as well, so it gets its kind."""
    text = channel.address if channel.address is not None else channel.key
    name = legible(_PARAMETER.sub(r"(\1)", text))
    if re.fullmatch(r"[^\W_]+", name) or name.lower() in titles:
        return f"{name} {'queue' if _is_queue(channel) else 'topic'}"
    return name


def _is_queue(channel: DocumentChannel) -> bool:
    kind = _binding(channel, "amqp", "is")
    if kind is not None:
        return kind.text == "queue"
    for protocol, key in (("ibmmq", "destinationType"), ("jms", "destinationType")):
        said = _binding(channel, protocol, key)
        if said is not None:
            return said.text == "queue"
    broker = broker_of(channel)
    return broker is not None and broker.protocol in _QUEUES


def _binding(channel: DocumentChannel, *keys: str) -> Value | None:
    return channel.node.value.get("bindings", *keys)


def _kafka(part: ElementPlace, channel: DocumentChannel) -> Iterator[Fact]:
    """AsyncAPI's Kafka binding, Channel Binding Object."""
    for keys, attribute in (
        (("partitions",), "partitions"),
        (("replicas",), "copies"),
        (("topicConfiguration", "min.insync.replicas"), "min_in_sync"),
    ):
        value = _binding(channel, "kafka", *keys)
        if value is not None:
            number = value.whole(keys[-1])
            if number < 1:
                value.refuse(f"{keys[-1]} must be 1 or more")
            yield part.says(attribute, number, value.place)
    retention = _binding(channel, "kafka", "topicConfiguration", "retention.ms")
    if retention is not None:
        milliseconds = retention.whole("retention.ms")
        if milliseconds >= 0:  # -1: as long as there is space
            yield part.says("retention", Duration(milliseconds / 1000), retention.place)


def _format(
    part: ElementPlace, application: AsyncApiDocument, channel: DocumentChannel
) -> Iterator[Fact]:
    """The format of the messages, where they all have the same one."""
    default = application.node.value.get("defaultContentType")
    found = {}
    for message in channel.messages:
        said = message.get("contentType") or default
        if said is None:
            return
        found[_format_of(said.string("contentType"))] = said
    if len(found) == 1:
        kind, said = next(iter(found.items()))
        if kind is not None:
            yield part.says("format", kind, said.place)


def _format_of(content_type: str) -> str | None:
    """``avro`` for ``application/vnd.apache.avro+json``: what the schema is written in."""
    words = re.split(r"[^a-z]+", content_type.partition(";")[0].partition("/")[2].lower())
    known = [_FORMATS[word] for word in words if word in _FORMATS]
    return next((each for each in known if each in _SCHEMAS), known[-1] if known else None)
