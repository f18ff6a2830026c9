"""Documents of AsyncAPI 2 and 3 as one kind of application: servers, channels, operations.

The two versions say *publish* and *subscribe* from opposite ends: in version 2, what others publish
is what the application receives (AsyncAPI 2.6, Operation Object).
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, field

from archcheck.importing.asyncapi.references import LocatedValue, References
from archcheck.importing.asyncapi.servers import Server, server_of
from archcheck.importing.sources import SourceFile
from archcheck.importing.values import Value
from archcheck.model import Place

_VERSION = re.compile(r"([23])\.\d+\.\d+(?:-.*)?")


@dataclass(eq=False)
class DocumentChannel:
    """A channel of one application."""

    key: str
    """How the document calls it."""
    address: str | None
    """Where it is on its broker; ``None``: known at run time only."""
    node: LocatedValue
    place: Place
    servers: list[Server]
    messages: list[Value] = field(default_factory=list)

    @property
    def is_direct(self) -> bool:
        """Whether there is no broker in between (WebSocket, HTTP)."""
        if self.servers:
            return all(server.is_direct for server in self.servers)
        bindings = self.node.value.items("bindings")
        return any(name in ("ws", "http") for name, _ in bindings)


@dataclass(eq=False)
class DocumentOperation:
    """The application sends to a channel, or receives from it."""

    name: str
    sends: bool
    channel: DocumentChannel
    node: LocatedValue
    place: Place
    reply: DocumentChannel | None = None
    traits: list[Value] = field(default_factory=list)

    def binding(self, *keys: str) -> Value | None:
        """What it says, or one of its traits."""
        for value in (self.node.value, *self.traits):
            found = value.get("bindings", *keys)
            if found is not None:
                return found
        return None


@dataclass(eq=False)
class AsyncApiDocument:
    """What one document describes."""

    title: str
    node: LocatedValue
    servers: list[Server] = field(default_factory=list)
    channels: list[DocumentChannel] = field(default_factory=list)
    operations: list[DocumentOperation] = field(default_factory=list)

    @property
    def place(self) -> Place:
        """The line of its title."""
        return self.node.value.need("info", "title").place


def application_of(document: Value, file: SourceFile, references: References) -> AsyncApiDocument:
    """The application of a document.

    Raises :class:`~archcheck.model.ModelError` with the line of what is not as it must be.
    """
    version = document.need("asyncapi")
    match = _VERSION.fullmatch(version.string("asyncapi"))
    if match is None:
        version.refuse("asyncapi must be a version such as 2.6.0 or 3.0.0")
    title = document.need("info").need("title")
    node = LocatedValue(document, file, document)
    found = AsyncApiDocument(title.string("info.title").strip(), node)
    if not found.title:
        title.refuse("info.title must not be empty")
    reader = _Reader(found, references)
    reader.read_servers()
    (reader.read_version_2 if match[1] == "2" else reader.read_version_3)()
    return found


class _Reader:
    def __init__(self, application: AsyncApiDocument, references: References) -> None:
        self._application = application
        self._root = application.node
        self._references = references
        self._servers: dict[int, Server] = {}
        self._channels: dict[int, DocumentChannel] = {}

    def _each(self, key: str) -> Iterator[tuple[str, Value, LocatedValue]]:
        """The entries of a mapping of the document, references followed."""
        for name, value in self._root.value.items(key):
            node = self._references.followed(self._root.at(value))
            if node is not None and not node.value.is_null:
                yield name, value, node

    def read_servers(self) -> None:
        for name, value, node in self._each("servers"):
            server = server_of(name, node.value, value.place)
            self._servers[id(node.value.raw)] = server
            self._application.servers.append(server)

    # -- version 3 ----------------------------------------------------------------------------

    def read_version_3(self) -> None:
        for key, value, node in self._each("channels"):
            self._add_channel(key, value.place, node)
        for name, value, node in self._each("operations"):
            action = node.value.need("action")
            if action.text not in ("send", "receive"):
                action.refuse("action must be send or receive")
            channel = self._channel_at(node, "channel")
            if channel is None:
                node.value.need("channel")
                continue
            operation = DocumentOperation(name, action.text == "send", channel, node, value.place)
            reply = node.value.get("reply")
            answer = self._references.followed(node.at(reply)) if reply is not None else None
            if answer is not None:
                operation.reply = self._channel_at(answer, "channel")
            operation.traits = list(self._traits(node))
            self._application.operations.append(operation)

    def _channel_at(self, node: LocatedValue, key: str) -> DocumentChannel | None:
        value = node.value.get(key)
        target = self._references.followed(node.at(value)) if value is not None else None
        if target is None or value is None:
            return None
        known = self._channels.get(id(target.value.raw))
        if known is None:  # one of the components, or of another file
            name = value.get("$ref")
            last = name.text.rpartition("/")[2] if name is not None else key
            known = self._add_channel(last, value.place, target)
        return known

    def _add_channel(self, key: str, place: Place, node: LocatedValue) -> DocumentChannel:
        address = node.value.get("address")
        text = address.string("address").strip() if address is not None else ""
        channel = DocumentChannel(key, text or None, node, place, self._servers_of(node))
        for _, value in node.value.items("messages"):
            self._add_message(channel, node.at(value))
        self._channels[id(node.value.raw)] = channel
        self._application.channels.append(channel)
        return channel

    def _servers_of(self, node: LocatedValue) -> list[Server]:
        """The servers of a channel; where it names none, all of the application."""
        named: list[Server] = []
        for value in node.value.each("servers"):
            if value.is_mapping:
                target = self._references.followed(node.at(value))
                server = self._servers.get(id(target.value.raw)) if target is not None else None
            else:
                servers = {each.name: each for each in self._application.servers}
                server = servers.get(value.string("a server"))
            if server is None:
                value.refuse("a channel's server must be one of the document's servers")
            named.append(server)
        return named or list(self._application.servers)

    def _add_message(self, channel: DocumentChannel, node: LocatedValue) -> None:
        found = self._references.followed(node)
        if found is not None and found.value.is_mapping:
            channel.messages.append(found.value)

    def _traits(self, node: LocatedValue) -> Iterator[Value]:
        for value in node.value.each("traits"):
            found = self._references.followed(node.at(value))
            if found is not None:
                yield found.value

    # -- version 2 ----------------------------------------------------------------------------

    def read_version_2(self) -> None:
        for address, value, node in self._each("channels"):
            channel = DocumentChannel(address, address.strip() or None, node, value.place,
                              self._servers_of(node))  # fmt: skip
            self._application.channels.append(channel)
            for key, sends in (("publish", False), ("subscribe", True)):
                operation = node.value.get(key)
                followed = self._references.followed(node.at(operation)) if operation else None
                if followed is not None and operation is not None:
                    self._add_operation(address, key, channel, followed, operation.place, sends)

    def _add_operation(
        self,
        address: str,
        key: str,
        channel: DocumentChannel,
        node: LocatedValue,
        place: Place,
        sends: bool,
    ) -> None:
        name = node.value.get("operationId")
        called = name.string("operationId") if name is not None else f"{key} {address}"
        operation = DocumentOperation(called, sends, channel, node, place)
        operation.traits = list(self._traits(node))
        message = node.value.get("message")
        if message is not None:
            one_of = message.each("oneOf") if message.is_mapping else []
            for each in one_of or [message]:
                self._add_message(channel, node.at(each))
        self._application.operations.append(operation)
