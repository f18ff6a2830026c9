"""gRPC: services in Protocol Buffers, and service configs.

A file of Protocol Buffers says what a service offers. Who runs it is said elsewhere: an element of
the same name, or a host of this name.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence

from archcheck.importing.facts import (
    ElementPlace,
    KnownAs,
    Precedence,
    Promised,
    Remark,
    Said,
    Statement,
)
from archcheck.importing.grpc.config import SCOPE, config_statements, is_config
from archcheck.importing.grpc.proto import Method, ProtoService, services_in
from archcheck.importing.naming import unique_names
from archcheck.importing.sources import Choices, SourceFile
from archcheck.model import Contract, Endpoint, Grpc, Http1, Service

_VERSION = re.compile(r"v\d+(?:p\d+)?(?:(alpha|beta)\d*)?")
"""The last word of a package that has a version (google.aip.dev, 185 and 215)."""
_EVERYBODYS = ("grpc.health.", "grpc.reflection.", "grpc.channelz.", "grpc.binarylog.",
               "grpc.lookup.", "google.longrunning")  # fmt: skip
"""Packages whose services many processes offer beside their own."""


class GrpcImporter:
    """Reads ``.proto`` files and service configs in JSON."""

    name = "grpc"
    title = "Protocol Buffers"
    precedence: Precedence = "contract"
    order = 42

    def recognises(self, file: SourceFile) -> bool:
        if file.path.suffix.lower() == ".proto":
            return True
        if file.path.suffix.lower() != ".json" or '"methodConfig"' not in file.text_if_readable:
            return False
        return any(map(is_config, file.readable))

    def read(self, files: Sequence[SourceFile], choices: Choices) -> Iterable[Said]:
        protos = [file for file in files if file.path.suffix.lower() == ".proto"]
        found: dict[str, ProtoService] = {}
        statements: list[Statement] = []
        for file in protos:
            services = services_in(file)
            for service in services:
                statements += _added(service, found)
            if not services and file.named:
                statements.append(Remark("the file has no service", file.place))
        statements += _offered(found)
        methods = {name: [m.name for m in each.methods] for name, each in found.items()}
        for file in (file for file in files if file not in protos):
            for document in file.documents:
                if is_config(document):
                    statements += config_statements(document, methods)
        yield Said(self.name, self.precedence, statements)


def _added(service: ProtoService, found: dict[str, ProtoService]) -> Iterator[Remark]:
    """Add a service; the same one in another file only shows where it differs."""
    name = service.full_name
    if name.startswith(_EVERYBODYS):
        yield Remark(f"{name} is a service that every server may offer", service.place)
        return
    known = found.setdefault(name, service)
    methods = {each.name for each in service.methods}
    if known is not service and methods != {each.name for each in known.methods}:
        yield Remark(
            f"{name} has other methods here than in {known.place}, which counts", service.place
        )


def _offered(found: dict[str, ProtoService]) -> Iterator[Statement]:
    """Services with their endpoints; those that differ in the version of their package are one."""
    groups: dict[tuple[str, str], list[ProtoService]] = {}
    for service in found.values():
        groups.setdefault((_unversioned(service.package), service.name), []).append(service)
    names = unique_names(
        {key: key[1] for key in groups}, lambda key: [f"{key[0]}.{key[1]}".replace(".", "/")]
    )
    for key, services in groups.items():
        part = ElementPlace(names[key])
        yield part.is_a(Service, services[0].place)
        yield Promised(part.element, services[0].place)
        if services[0].comment:
            yield part.says("description", services[0].comment, services[0].place)
        taken: dict[str, int] = {}
        for service in services:
            yield KnownAs(part.element, service.full_name, SCOPE, service.place)
            for method in service.methods:
                again = taken.setdefault(method.name, 0)
                taken[method.name] += 1
                yield from _endpoint(part, service, method, again)


def _endpoint(
    part: ElementPlace, service: ProtoService, method: Method, again: int
) -> Iterator[Statement]:
    endpoint = part.member("endpoints", method.name)
    protocol = endpoint.inside("protocol")
    if again:
        protocol = endpoint.member("also", service.full_name)
    else:
        yield endpoint.is_a(Endpoint, method.place)
        yield endpoint.says("name", method.name, method.place)
        if method.comment:
            yield endpoint.says("description", method.comment, method.place)
        if method.idempotent is not None:
            yield endpoint.says("idempotent", True, method.idempotent)
    yield protocol.is_a(Grpc, method.place)
    yield protocol.says("service", service.full_name, service.place)
    yield from _contract(protocol.inside("contract"), service)
    streams = {(True, True): "both", (True, False): "client", (False, True): "server"}
    kind = streams.get((method.takes_stream, method.returns_stream))
    if kind is not None:
        yield protocol.says("streaming", kind, method.place)
    version = _version(service.package)
    if version:
        yield endpoint.has("versions", version, service.place)
    deprecated = method.deprecated or service.deprecated
    if deprecated is not None and not again:
        yield endpoint.has("tags", "deprecated", deprecated)
    for verb, path, place in method.http if not again else ():
        http = endpoint.member("also", f"{verb} {path}")
        yield http.is_a(Http1, place)
        yield http.says("method", verb, place)
        yield http.says("path", path, place)


def _contract(part: ElementPlace, service: ProtoService) -> Iterator[Statement]:
    yield part.is_a(Contract, service.place)
    yield part.says("path", service.file.inner.as_posix(), service.place)
    version = _version(service.package)
    if version:
        yield part.says("version", version, service.place)
        match = _VERSION.fullmatch(version)
        if match is not None and match[1]:
            yield part.says("stability", match[1], service.place)


def _version(package: str) -> str:
    last = package.rpartition(".")[2]
    return last if _VERSION.fullmatch(last) else ""


def _unversioned(package: str) -> str:
    return package.removesuffix(_version(package)).rstrip(".")


importer = GrpcImporter()
