"""FINOS CALM 1.x: nodes and relationships of an architecture in JSON.

calm.finos.org, Core Schema and Interface Schema, release 1.2.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence

from archcheck.importing.addresses import addresses_in, is_own
from archcheck.importing.facts import KnownAs, Precedence, Said, Statement
from archcheck.importing.landscapes.drawing import (
    DATABASE,
    Drawing,
    Kind,
    LandscapeArrow,
    LandscapeNode,
    text,
)
from archcheck.importing.sources import Choices, SourceFile
from archcheck.importing.values import Value

_ENCRYPTED = {"https": True, "sftp": True, "tls": True, "mtls": True, "wss": True, "ldaps": True,
              "amqps": True, "http": False, "ftp": False}  # fmt: skip
"""Protocols that are always, or never, encrypted; of all others it is not known."""
_NO_ELEMENT = {"network": "a network", "data-asset": "data, which nobody asks"}
_OWNERS = ("owner", "team", "owned-by")
_APART = ("controls", "flows", "adrs", "decorators", "timelines")


class CalmImporter:
    """Reads architectures of CALM."""

    name = "calm"
    title = "CALM"
    precedence: Precedence = "catalogue"
    order = 72

    def recognises(self, file: SourceFile) -> bool:
        if file.path.suffix.lower() != ".json" or '"node-type"' not in file.text_if_readable:
            return False
        return any(map(_is_calm, file.readable))

    def read(self, files: Sequence[SourceFile], choices: Choices) -> Iterable[Said]:
        for file in files:
            for document in filter(_is_calm, file.documents):
                name = document.get("name")
                called = name.string("name") if name is not None else None
                statements = list(_Architecture(document, file).statements())
                yield Said(self.name, self.precedence, statements, called)


def _is_calm(document: Value) -> bool:
    raw = document.raw
    nodes = raw.get("nodes") if isinstance(raw, dict) else None
    every = nodes.raw if nodes is not None and isinstance(nodes.raw, list) else []
    return any(isinstance(node.raw, dict) and "node-type" in node.raw for node in every)


class _Architecture:
    def __init__(self, document: Value, file: SourceFile) -> None:
        self._document = document
        self._drawing = Drawing(str(file.path), document.place)
        self._hosts: list[tuple[str, Value, str]] = []
        self._holders = self._composed()
        self._askers = {
            end.text
            for each in document.each("relationships")
            if (end := each.get("relationship-type", "connects", "source", "node")) is not None
        }

    def statements(self) -> Iterator[Statement]:
        """All of it."""
        left_out: set[str] = set()
        for value in self._document.each("nodes"):
            node = self._node(value)
            if node is None:
                left_out.add(value.need("unique-id").string("unique-id"))
            else:
                self._drawing.add(node)
        for value in self._document.each("relationships"):
            self._relationship(value, left_out)
        for key in _APART:
            found = self._document.get(key)
            if found is not None and found.raw:
                self._drawing.remark(f"{key} of an architecture have no word in a model",
                                     found.place)  # fmt: skip
        said = list(self._drawing.statements())
        yield from said
        names = {s.name: s.element for s in said if isinstance(s, KnownAs)}
        for id_, value, host in self._hosts:
            if id_ in names:
                yield KnownAs(names[id_], host, "", value.place)

    # -- nodes --------------------------------------------------------------------------------

    def _composed(self) -> dict[str, str]:
        """Nodes to what they are parts of."""
        found: dict[str, str] = {}
        for each in self._document.each("relationships"):
            kind = each.get("relationship-type", "composed-of")
            if kind is not None:
                holder = kind.need("container").string("container")
                found |= {node.string("a node"): holder for node in kind.each("nodes")}
        return found

    def _node(self, value: Value) -> LandscapeNode | None:
        id_ = value.need("unique-id").string("unique-id")
        type_ = value.need("node-type").string("node-type").lower()
        name = value.get("name") or value.need("unique-id")
        if type_ in _NO_ELEMENT:
            self._drawing.remark(f"{name.text} is {_NO_ELEMENT[type_]}: no element of a model",
                                 name.place)  # fmt: skip
            return None
        if id_ in self._holders.values():
            self._drawing.remark(f"{name.text} is the boundary of its parts, of which a model has "
                                 "the name only", name.place)  # fmt: skip
            return None
        node = LandscapeNode(id_, name, self._kind(id_, type_))
        node.say("description", value.get("description"))
        if type_ in ("database", "datastore"):
            node.tags[DATABASE] = value.need("node-type").place
        node.boundary = self._boundary(id_)
        self._more(node, value)
        return node

    def _kind(self, id_: str, type_: str) -> Kind:
        if type_ == "actor":
            return "person"
        return "external" if type_ == "ecosystem" and id_ not in self._askers else "service"

    def _boundary(self, id_: str) -> str:
        """The name of what it is a part of; the innermost one."""
        holder = self._holders.get(id_)
        for value in self._document.each("nodes") if holder is not None else ():
            if value.need("unique-id").text == holder:
                return (value.get("name") or value.need("unique-id")).string("name").strip()
        return holder or ""

    def _more(self, node: LandscapeNode, value: Value) -> None:
        """Owners, hosts, and what a model has no word for."""
        metadata = value.get("metadata")
        groups = metadata.each() if metadata is not None and metadata.is_list else [metadata]
        for group in groups:
            for key, each in group.items() if group is not None and group.is_mapping else ():
                if key.lower() in _OWNERS and not each.is_mapping and not each.is_list:
                    node.properties["owner"] = each
                elif key.lower() in ("technology", "product") and not each.is_mapping:
                    node.say("technology", each if not each.is_list else None)
                else:
                    node.properties[key] = each
        for each in value.each("interfaces"):
            for key in ("host", "hostname", "url"):
                found = each.get(key)
                for address in addresses_in(found.string(key), bare=True) if found else ():
                    if not is_own(address.host):
                        self._hosts.append((node.id, each, address.host))
        if value.get("controls") is not None:
            self._drawing.remark(f"{node.name.text}: a model has no word for its controls",
                                 value.need("controls").place)  # fmt: skip

    # -- relationships ------------------------------------------------------------------------

    def _relationship(self, value: Value, left_out: set[str]) -> None:
        type_ = value.need("relationship-type")
        connects, interacts = type_.get("connects"), type_.get("interacts")
        if connects is not None:
            ends = [connects.need(end, "node") for end in ("source", "destination")]
            self._arrow(value, ends[0], ends[1], left_out)
        elif interacts is not None:
            for node in interacts.each("nodes"):
                self._arrow(value, interacts.need("actor"), node, left_out)
        elif type_.get("composed-of") is None:
            kind = next((key for key, _ in type_.items()), "none")
            self._drawing.remark(
                f"the relationship {value.need('unique-id').text} ({kind}) has no word in a model",
                value.place,
            )

    def _arrow(self, value: Value, source: Value, target: Value, left_out: set[str]) -> None:
        for end in (source, target):
            id_ = end.string("a node")
            if id_ in left_out:
                self._drawing.remark(
                    f"{source.text} -> {target.text} is left out: {id_} is no element of a model",
                    end.place,
                )
                return
            if id_ not in self._drawing.nodes:
                end.refuse("a relationship must name the unique-id of a node")
        protocol = value.get("protocol")
        word = protocol.string("protocol").lower() if protocol is not None else ""
        technology = text(protocol.text, protocol.place) if protocol is not None else None
        self._drawing.arrows.append(
            LandscapeArrow(
                source.text,
                target.text,
                source.place,
                value.get("description"),
                technology,
                _ENCRYPTED.get(word),
                True if word == "mtls" else None,
            )
        )


importer = CalmImporter()
