"""OpenAPI 3: the operations that a service offers over HTTP.

A document says what is offered. Whose it is, its servers say by their hosts, or the folder that it
lies in, if a service is built from that.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property

from archcheck.importing.addresses import addresses_in
from archcheck.importing.facts import (
    ElementPlace,
    Precedence,
    Promised,
    Said,
    Statement,
    UnreadFile,
)
from archcheck.importing.naming import unique_names
from archcheck.importing.openapi.operations import operation_statements
from archcheck.importing.sources import Choices, SourceFile
from archcheck.importing.values import Value
from archcheck.model import Service

_SIGN = re.compile(r"""^[ \t]*(?:\{\s*)?["']?(?:openapi|swagger)["']?\s*:""", re.MULTILINE)
_UNNAMED = frozenset({"openapi definition", "api documentation", "swagger api", "api", "openapi"})
"""Titles that generators write where nobody has said one (springdoc, Springfox, NestJS)."""


class OpenApiImporter:
    """Reads documents of OpenAPI 3."""

    name = "openapi"
    title = "OpenAPI"
    precedence: Precedence = "contract"
    order = 44

    def recognises(self, file: SourceFile) -> bool:
        if file.path.suffix.lower() not in (".yaml", ".yml", ".json"):
            return False
        text = file.text_if_readable
        if not ("openapi" in text or "swagger" in text) or not _SIGN.search(text):
            return False
        return any(map(_is_openapi, file.readable))

    def read(self, files: Sequence[SourceFile], choices: Choices) -> Iterable[Said]:
        statements: list[Statement] = []
        found: list[_Document] = []
        for file in files:
            for document in filter(_is_openapi, file.documents):
                version = document.get("openapi")
                if version is not None and version.text.startswith("3."):
                    found.append(_Document(document, file))
                    continue
                written = version or document.need("swagger")
                if file.named:
                    written.refuse("only OpenAPI 3 is read: convert older documents first")
                why = f"line {written.place.line}: is OpenAPI {written.text}, and only 3 is read"
                statements.append(UnreadFile(str(file.path), why))
        first = [next(at for at, other in enumerate(found) if each.is_of_the_api_of(other))
                 for each in found]  # fmt: skip
        names = unique_names(
            {at: found[at].name for at in dict.fromkeys(first)},
            lambda at: [found[at].longer, f"{found[at].longer} {at + 1}"],
        )
        alone = _alone(found)
        for at, each in enumerate(found):
            statements += _statements(each, names[first[at]], alone[at])
        yield Said(self.name, self.precedence, statements)


def _is_openapi(document: Value) -> bool:
    if not isinstance(document.raw, dict):
        return False
    said = document.raw.get("openapi") or document.raw.get("swagger")
    return said is not None and re.match(r"\d", said.text) is not None


@dataclass(frozen=True)
class _Document:
    """A document, and what it calls itself."""

    value: Value
    file: SourceFile

    @cached_property
    def title(self) -> str:
        """``info.title``."""
        found = self.value.get("info", "title")
        return " ".join(found.string("info.title").split()) if found is not None else ""

    @cached_property
    def host(self) -> str:
        """The only plain host of its servers: a name inside of a cluster, and no domain."""
        hosts: dict[str, None] = {}
        for server in self.value.each("servers"):
            url = server.get("url")
            for address in addresses_in(url.string("a server's url"), bare=False) if url else ():
                hosts[address.host] = None
        plain = [host for host in hosts if "." not in host or host.endswith(".svc.cluster.local")]
        return plain[0].partition(".")[0] if len(plain) == 1 else ""

    @property
    def folder(self) -> str:
        """The folder that it lies in."""
        return self.file.path.parent.name

    @property
    def name(self) -> str:
        """The name of the service, as far as the document has one."""
        return self.host or self.title or self.file.path.stem

    def is_of_the_api_of(self, other: _Document) -> bool:
        """Whether both are versions of one API: of one title that somebody chose, side by side."""
        if self is other:
            return True
        is_titled = bool(self.title) and self.title.lower() not in _UNNAMED
        mine, its = (self.folder, self.name, self.title), (other.folder, other.name, other.title)
        return is_titled and mine == its and self.file.path.parent == other.file.path.parent

    @property
    def longer(self) -> str:
        """The same with its folder."""
        return f"{self.folder}/{self.name}"


def _alone(documents: Sequence[_Document]) -> list[bool]:
    """Whether each document is the only one of its folder and of those below."""
    folders = [each.file.path.parent for each in documents]
    return [
        sum(other.is_relative_to(folder) or folder.is_relative_to(other) for other in folders) == 1
        for folder in folders
    ]


def _statements(document: _Document, name: str, is_alone: bool) -> Iterator[Statement]:
    value = document.value
    part, place = ElementPlace(name), (value.get("info", "title") or value).place
    yield part.is_a(Service, place)
    yield Promised(name, place, str(document.file.path.parent) if is_alone else "")
    description = value.get("info", "description")
    text = " ".join(description.string("info.description").split()) if description else ""
    if text or (document.title and document.title != name):
        named = document.title.lower() not in _UNNAMED and document.title != name
        said = ": ".join(each for each in (document.title if named else "", text) if each)
        if said:
            yield part.says("description", said[:500], (description or value).place)
    yield from operation_statements(part, value, document.file)


importer = OpenApiImporter()
