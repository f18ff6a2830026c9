"""What applications say in archcheck's words: services, channels, brokers, who receives."""

from __future__ import annotations

from collections.abc import Iterator

from archcheck.importing.addresses import Address
from archcheck.importing.asyncapi.channels import SharedChannel, shared_channels
from archcheck.importing.asyncapi.reading import (
    AsyncApiDocument,
    DocumentChannel,
    DocumentOperation,
)
from archcheck.importing.asyncapi.servers import Server
from archcheck.importing.facts import ElementPlace, Fact, Hint, KnownAs, Reaches, Remark, Statement
from archcheck.importing.naming import legible
from archcheck.importing.products import PRODUCTS, SCHEME, product_of_scheme
from archcheck.importing.references import Whoever
from archcheck.importing.values import Value
from archcheck.model import Broker, Channel, Consumer, Endpoint, Publish, Service, WebSocket

SCOPE = "asyncapi"
"""Where documents know channels and applications by their keys."""


class Contracts:
    """All applications of an import together."""

    def __init__(self, applications: list[AsyncApiDocument]) -> None:
        self._applications = applications
        self._channels = shared_channels(applications)
        self._taken: dict[tuple[str, str], object] = {}

    def statements(self) -> Iterator[Statement]:
        """Services, then brokers, then channels, then who sends and receives."""
        for application in self._applications:
            yield from _service(application)
        yield from self._brokers()
        for shared in dict.fromkeys(self._channels.values()):
            yield from shared.facts()
        for application in self._applications:
            for operation in application.operations:
                yield from self._operation(application, operation)
            yield from _not_taken(application)

    # -- brokers ------------------------------------------------------------------------------

    def _brokers(self) -> Iterator[Statement]:
        for application in self._applications:
            for server in _used_servers(application):
                yield from self._broker(application, server)

    def _broker(self, application: AsyncApiDocument, server: Server) -> Iterator[Statement]:
        where = f"the server {server.name} of {application.title}"
        product = product_of_scheme(server.protocol)
        is_broker = product is not None and issubclass(PRODUCTS[product].kind, Broker)
        if server.host is None:
            yield Remark(f"{where} has no host that is known before run time", server.place)
            return
        address = Address(server.host, server.port, server.protocol)
        if is_broker:
            part = ElementPlace(server.host)
            yield part.is_a(Service, server.place)
            yield KnownAs(server.host, server.host, "", server.place)
            said = f"the protocol {server.protocol} of {where}"
            yield Hint(server.host, product, said, SCHEME, server.place)
            if server.is_secure:
                yield part.says("encrypted", True, server.place)
        elif product is None:
            yield Remark(
                f"{where} speaks {server.protocol}: no broker of the vocabulary is known by it",
                server.place,
            )
        yield Reaches(application.title, address, "*", where, server.place)

    # -- operations ---------------------------------------------------------------------------

    def _operation(
        self, application: AsyncApiDocument, operation: DocumentOperation
    ) -> Iterator[Statement]:
        shared = self._channels[operation.channel]
        if shared.is_direct:
            yield from self._direct(application, operation, shared)
        elif operation.sends:
            yield from _sends(application, operation, shared)
            if operation.reply is not None:
                name = f"{operation.name} reply"
                yield from self._receives(application, operation, operation.reply, name)
        else:
            yield from self._receives(application, operation, operation.channel, operation.name)

    def _receives(
        self,
        application: AsyncApiDocument,
        operation: DocumentOperation,
        channel: DocumentChannel,
        name: str,
    ) -> Iterator[Statement]:
        shared = self._channels[channel]
        called = self._free(application, name, shared)
        part = ElementPlace(application.title).member("consumers", called)
        yield part.is_a(Consumer, operation.place)
        yield part.says("name", called, operation.place)
        yield _at(part, "topic", shared, operation)
        group = operation.binding("kafka", "groupId")
        if group is not None:
            only = _only_value(group)
            if only:
                yield part.says("group", only, group.place)
        if operation.reply is not None and not operation.sends:
            answer = self._channels[operation.reply]
            if answer.is_direct:
                yield Remark(f"{application.title}: the reply of {operation.name} is left out, "
                             "because no broker takes it", operation.place)  # fmt: skip
                return
            step = part.member("steps", answer.key)
            yield step.is_a(Publish, operation.place)
            yield _at(step, "target", answer, operation)

    def _direct(
        self, application: AsyncApiDocument, operation: DocumentOperation, shared: SharedChannel
    ) -> Iterator[Statement]:
        """Over a connection to the other party: who receives has an endpoint, who sends calls."""
        if operation.sends:
            receivers = [each for each in self._receivers(shared) if each is not application]
            said = f"{operation.name} sends to {shared.shown}"
            for each in receivers:
                yield Reaches(application.title, Address(each.title), SCOPE, said, operation.place)
            if not receivers:
                yield Remark(
                    f"{application.title}: {said}, from which nobody in the files receives",
                    operation.place,
                )
            return
        called = self._free(application, operation.name, shared)
        part = ElementPlace(application.title).member("endpoints", called)
        yield part.is_a(Endpoint, operation.place)
        yield part.says("name", called, operation.place)
        yield part.says("description", f"receives from {shared.shown}", operation.place)
        server = next((each for each in operation.channel.servers if each.protocol == "ws"), None)
        if server is not None:
            protocol = part.inside("protocol")
            yield protocol.is_a(WebSocket, server.place)
            if server.path:
                yield protocol.says("path", server.path, server.place)

    def _receivers(self, shared: SharedChannel) -> list[AsyncApiDocument]:
        return [
            application
            for application in self._applications
            if any(
                not operation.sends and self._channels[operation.channel] is shared
                for operation in application.operations
            )
        ]

    def _free(self, application: AsyncApiDocument, name: str, shared: SharedChannel) -> str:
        """A name of an endpoint or consumer that no other one of the service has."""
        base = called = legible(name)
        number = 1
        while self._taken.setdefault((application.title, called), shared) is not shared:
            number += 1
            called = f"{base} {number}"
        return called


def _service(application: AsyncApiDocument) -> Iterator[Statement]:
    part = ElementPlace(application.title)
    info = application.node.value.need("info")
    yield part.is_a(Service, application.place)
    yield KnownAs(application.title, application.title, SCOPE, application.place)
    description = info.get("description")
    if description is not None and description.string("description").strip():
        text = " ".join(description.text.split())
        yield part.says("description", text[:500], description.place)
    tags = info.get("tags") or application.node.value.get("tags")
    for tag in tags.each() if tags is not None else ():
        name = tag.get("name") if tag.is_mapping else None
        if name is not None and name.string("a tag").strip():
            yield part.has("tags", name.text.strip(), name.place)


def _sends(
    application: AsyncApiDocument, operation: DocumentOperation, shared: SharedChannel
) -> Iterator[Statement]:
    said = f"{operation.name} sends to {shared.shown}"
    yield Reaches(application.title, Address(shared.key), SCOPE, said, operation.place)


def _at(
    part: ElementPlace, field: str, shared: SharedChannel, operation: DocumentOperation
) -> Fact:
    whom = Whoever(shared.key, SCOPE, (Channel,), shown=shared.shown)
    return Fact(part.element, (*part.path, field), whom, operation.place)


def _used_servers(application: AsyncApiDocument) -> Iterator[Server]:
    """One server for each protocol and host; of several environments the first one counts."""
    known: dict[str, str | None] = {}
    for server in application.servers:
        if server.is_direct:
            continue
        first = known.setdefault(server.protocol, server.host)
        earlier = [each.host for each in _before(application, server)]
        if first == server.host and server.host not in earlier:
            yield server


def _before(application: AsyncApiDocument, server: Server) -> list[Server]:
    at = application.servers.index(server)
    return [each for each in application.servers[:at] if each.protocol == server.protocol]


def _only_value(schema: Value) -> str:
    """The value of a schema that allows one only, or of a plain text."""
    if not schema.is_mapping:
        return schema.string("groupId").strip()
    const = schema.get("const")
    if const is not None:
        return const.string("const").strip()
    every = schema.each("enum")
    return every[0].string("enum").strip() if len(every) == 1 else ""


_READ = {
    "kafka": {"topic", "partitions", "replicas", "topicConfiguration", "groupId"},
    "amqp": {"is"},
}
"""What is read of bindings, by protocol."""


def _not_taken(application: AsyncApiDocument) -> Iterator[Remark]:
    """Bindings and security that a model has no word for, one line for each object."""
    first = {server.protocol: server.host for server in reversed(application.servers)}
    for server in application.servers:
        named = f"the server {server.name} of {application.title}"
        if not server.is_direct and server.host != first[server.protocol]:
            yield Remark(f"{named} is another environment: a model has one, and the first counts",
                         server.place)  # fmt: skip
        keys = [*_bindings(server.value), *(["security"] if server.value.get("security") else [])]
        if keys:
            yield Remark(f"{named}: a model has no word for {', '.join(keys)}", server.place)
    for channel in application.channels:
        keys = list(_bindings(channel.node.value))
        if keys:
            said = f"the channel {channel.key} of {application.title}"
            yield Remark(f"{said}: a model has no word for {', '.join(keys)}", channel.place)
    for operation in application.operations:
        keys = list(_bindings(operation.node.value))
        if keys:
            said = f"{operation.name} of {application.title}"
            yield Remark(f"{said}: a model has no word for {', '.join(keys)}", operation.place)


def _bindings(value: Value) -> Iterator[str]:
    bindings = value.get("bindings")
    if bindings is None or not bindings.is_mapping:
        return
    for protocol, binding in bindings.items():
        for key, _ in binding.items() if binding.is_mapping else ():
            if key not in _READ.get(protocol, ()) and key not in ("bindingVersion", "$ref"):
                yield f"{protocol}.{key}"
