"""The operations of a document of OpenAPI as endpoints."""

from __future__ import annotations

import re
from collections.abc import Iterator

from archcheck.importing.facts import ElementPlace, Remark, Statement
from archcheck.importing.naming import legible
from archcheck.importing.sources import SourceFile
from archcheck.importing.values import Value
from archcheck.model import Contract, Endpoint, Http1

METHODS = ("get", "put", "post", "delete", "options", "head", "patch", "trace")
"""Keys of a path item that are operations (OpenAPI 3.1, Path Item Object)."""
_PARAMETER = re.compile(r"\{([^{}/]{1,80})\}")
_SCHEMES = {
    "oauth2": "oauth2",
    "openidconnect": "oauth2",  # OpenID Connect is a layer on OAuth 2.0
    "apikey": "api_key",
    "mutualtls": "mtls",
}


def operation_statements(
    part: ElementPlace, document: Value, file: SourceFile
) -> Iterator[Statement]:
    """An endpoint for each operation, and what is left out."""
    taken: dict[str, int] = {}
    reader = _Operations(part, document, file)
    for path, item in document.items("paths"):
        if path.startswith("x-"):
            continue
        if not item.is_mapping:
            item.refuse(f"the path {path!r} must be a mapping")
        reference = item.get("$ref")
        if reference is not None:
            yield Remark(f"{part.element}: the path {path} is in {reference.text}, which is not "
                         "followed", reference.place)  # fmt: skip
        for method, operation in item.items():
            if method in METHODS and not operation.is_null:
                yield from reader.endpoint(path, method, operation, taken)
    yield from reader.remarks()


class _Operations:
    def __init__(self, part: ElementPlace, document: Value, file: SourceFile) -> None:
        self._part = part
        self._document = document
        self._path = file.inner.as_posix()
        self._encrypted = _all_encrypted(document)
        self._unknown: dict[str, Value] = {}

    def endpoint(
        self, path: str, method: str, operation: Value, taken: dict[str, int]
    ) -> Iterator[Statement]:
        """One operation."""
        if not operation.is_mapping:
            operation.refuse(f"the operation {method} of {path!r} must be a mapping")
        place = operation.place
        name = _name(path, method, operation)
        taken[name] = taken.get(name, 0) + 1
        if taken[name] > 1:
            name = _route(path, method)
        endpoint = self._part.member("endpoints", name)
        yield endpoint.is_a(Endpoint, place)
        yield endpoint.says("name", name, place)
        protocol = endpoint.inside("protocol")
        yield protocol.is_a(Http1, place)
        yield protocol.says("method", method.upper(), place)
        yield protocol.says("path", path, place)
        if self._encrypted is not None:
            yield protocol.says("encrypted", self._encrypted, self._document.need("servers").place)
        yield from self._contract(protocol.inside("contract"), place)
        for key in ("summary", "description"):
            text = operation.get(key)
            if text is not None and text.string(key).strip():
                yield endpoint.says("description", " ".join(text.text.split())[:500], text.place)
                break
        yield from _tags(endpoint, operation)
        yield from self._authentication(endpoint, operation)

    def _contract(self, part: ElementPlace, place: object) -> Iterator[Statement]:
        version = self._document.get("info", "version")
        where = self._document.place
        yield part.is_a(Contract, where)
        yield part.says("path", self._path, where)
        if version is not None and version.string("info.version").strip():
            yield part.says("version", version.text.strip(), version.place)

    # -- security -----------------------------------------------------------------------------

    def _authentication(self, endpoint: ElementPlace, operation: Value) -> Iterator[Statement]:
        own = operation if operation.has("security") else self._document
        if not own.has("security"):
            return
        security = own.get("security")
        required = own.each("security")
        place = security.place if security is not None else operation.place
        if not required:
            yield endpoint.says("authentication", "anonymous", place)
            return
        kinds = dict.fromkeys(self._kind(name) for each in required for name, _ in each.items())
        if any(not each.items() for each in required):
            return  # also without: callers choose
        known = [kind for kind in kinds if kind]
        if len(known) == 1 and len(kinds) == 1:
            yield endpoint.says("authentication", known[0], place)
        else:
            names = dict.fromkeys(name for each in required for name, _ in each.items())
            self._unknown.setdefault(", ".join(names), required[0])

    def _kind(self, name: str) -> str:
        scheme = self._document.get("components", "securitySchemes", name)
        type_ = scheme.get("type") if scheme is not None and scheme.is_mapping else None
        if scheme is None or type_ is None:
            return ""
        word = type_.string("type").lower()
        where = scheme.get("in")
        if word == "apikey" and where is not None and where.text == "cookie":
            return "session"
        if word != "http":
            return _SCHEMES.get(word, "")
        used, form = scheme.get("scheme"), scheme.get("bearerFormat")
        if used is not None and used.string("scheme").lower() == "basic":
            return "basic"
        return "jwt" if form is not None and "jwt" in form.string("bearerFormat").lower() else ""

    def remarks(self) -> Iterator[Remark]:
        """What the operations say and a model has no word for."""
        for names, value in self._unknown.items():
            yield Remark(
                f"{self._part.element}: the security {names} is none of those that an endpoint has "
                "one word for",
                value.place,
            )
        for key in ("webhooks",):
            found = self._document.get(key)
            if found is not None:
                yield Remark(f"{self._part.element}: {key} are left out", found.place)


def _name(path: str, method: str, operation: Value) -> str:
    identifier = operation.get("operationId")
    if identifier is not None and identifier.string("operationId").strip():
        return legible(identifier.text.strip())
    return _route(path, method)


def _route(path: str, method: str) -> str:
    """``GET /carts/:id``."""
    readable = _PARAMETER.sub(r":\1", path)
    return legible(f"{method.upper()} {readable}")


def _tags(endpoint: ElementPlace, operation: Value) -> Iterator[Statement]:
    for tag in operation.each("tags"):
        if tag.string("a tag").strip():
            yield endpoint.has("tags", tag.text.strip(), tag.place)
    deprecated = operation.get("deprecated")
    if deprecated is not None and deprecated.flag("deprecated"):
        yield endpoint.has("tags", "deprecated", deprecated.place)


def _all_encrypted(document: Value) -> bool | None:
    """Whether all servers are reached over TLS; ``None``: they differ, or are this machine."""
    found = set()
    for server in document.each("servers"):
        url = server.get("url")
        text = url.string("a server's url").lower() if url is not None else ""
        if text.startswith(("https://", "http://")) and "//localhost" not in text:
            found.add(text.startswith("https://"))
    return found.pop() if len(found) == 1 else None
