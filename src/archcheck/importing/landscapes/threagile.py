"""Threagile: technical assets of a threat model, who asks whom, and the zones of trust."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence

from archcheck.importing.facts import Precedence, Said
from archcheck.importing.landscapes.drawing import (
    DATABASE,
    Drawing,
    Kind,
    LandscapeArrow,
    LandscapeNode,
)
from archcheck.importing.sources import Choices, SourceFile
from archcheck.importing.technologies import technology_of
from archcheck.importing.values import Value

_SIGN = re.compile(r"^technical_assets\s*:", re.MULTILINE)
_ENCRYPTED = frozenset({"https", "wss", "ssh", "ssh-tunnel", "ftps", "sftp", "scp", "ldaps"})
_PLAIN = frozenset(
    {"http", "ws", "reverse-proxy-web-protocol", "mqtt", "jdbc", "odbc", "sql-access-protocol",
     "nosql-access-protocol", "binary", "text", "smtp", "pop3", "imap", "ftp", "ldap", "iiop"}
)  # fmt: skip
"""Protocols of which Threagile has an encrypted variant beside (threagile.io, Protocol)."""
_INSIDE = frozenset({"in-process-library-call", "local-file-access", "container-spawning"})
_READ = frozenset(
    {"id", "description", "type", "usage", "used_as_client_by_human", "technology", "technologies",
     "tags", "owner", "communication_links"}
)  # fmt: skip


class ThreagileImporter:
    """Reads models of Threagile."""

    name = "threagile"
    title = "Threagile"
    precedence: Precedence = "catalogue"
    order = 74

    def recognises(self, file: SourceFile) -> bool:
        if file.path.suffix.lower() not in (".yaml", ".yml"):
            return False
        if not _SIGN.search(file.text_if_readable):
            return False
        return any(map(_is_threagile, file.readable))

    def read(self, files: Sequence[SourceFile], choices: Choices) -> Iterable[Said]:
        for file in files:
            for document in filter(_is_threagile, file.documents):
                title = document.get("title")
                called = title.string("title") if title is not None else None
                statements = list(_drawing(document, file).statements())
                yield Said(self.name, self.precedence, statements, called)


def _is_threagile(document: Value) -> bool:
    raw = document.raw
    assets = raw.get("technical_assets") if isinstance(raw, dict) else None
    return assets is not None and isinstance(assets.raw, dict)


def _drawing(document: Value, file: SourceFile) -> Drawing:
    drawing = Drawing(str(file.path), document.place)
    zones = _zones(document)
    for title, asset in document.items("technical_assets"):
        node = _node(title, asset)
        node.trust_zone = zones.get(node.id)
        drawing.add(node)
        others = [key for key, value in asset.items() if key not in _READ and not value.is_null]
        if others:
            drawing.remark(f"{title}: a model has no word for {', '.join(others)}", asset.place)
    for title, asset in document.items("technical_assets"):
        for link, value in asset.items("communication_links"):
            _link(drawing, _id(title, asset), link, value)
    for key in ("data_assets", "shared_runtimes", "abuse_cases", "security_requirements",
                "individual_risk_categories", "risk_tracking"):  # fmt: skip
        found = document.get(key)
        if found is not None and found.raw:
            drawing.remark(f"{key} are no part of a model", found.place)
    return drawing


def _id(title: str, asset: Value) -> str:
    found = asset.get("id")
    return found.string("id") if found is not None else title


def _zones(document: Value) -> dict[str, Value]:
    """The innermost trust boundary of each asset."""
    found = {}
    for title, boundary in document.items("trust_boundaries"):
        for asset in boundary.each("technical_assets_inside"):
            found[asset.string("an asset")] = Value(title, boundary.place, title)
    return found


def _node(title: str, asset: Value) -> LandscapeNode:
    type_, human = asset.get("type"), asset.get("used_as_client_by_human")
    word = type_.string("type") if type_ is not None else ""
    by_human = human is not None and human.flag("used_as_client_by_human")
    kind: Kind = "service"
    if word == "external-entity":
        kind = "person" if by_human else "external"
    node = LandscapeNode(_id(title, asset), Value(title, asset.place, title), kind)
    node.say("description", asset.get("description"))
    tags = [(tag.string("a tag").strip(), tag.place) for tag in asset.each("tags")]
    node.tags |= {tag: place for tag, place in tags if tag}
    if word == "datastore":
        node.tags[DATABASE] = asset.place
        encryption = asset.get("encryption")
        if encryption is not None:
            node.at_rest = encryption.string("encryption") != "none", encryption.place
    products = [tag for tag in asset.each("tags") if technology_of(tag.text).product is not None]
    technology = asset.get("technology")
    if word == "datastore" and len(products) == 1:
        technology = products[0]
    elif technology is None and asset.each("technologies"):
        technology = asset.each("technologies")[0]
    node.say("technology", technology if kind != "person" else None)
    owner = asset.get("owner")
    if owner is not None and owner.string("owner").strip() and kind != "person":
        node.properties["owner"] = owner
    return node


def _link(drawing: Drawing, source: str, title: str, value: Value) -> None:
    target = value.need("target")
    if target.string("target") not in drawing.nodes:
        target.refuse("target must be the id of a technical asset")
    protocol, authentication = value.get("protocol"), value.get("authentication")
    word = protocol.string("protocol") if protocol is not None else ""
    if word in _INSIDE:
        drawing.remark(f"{title} is no call between processes ({word})", target.place)
        return
    encrypted = True if word in _ENCRYPTED or word.endswith("-encrypted") else None
    if word in _PLAIN:
        encrypted = False
    known = authentication is not None and authentication.string("authentication").strip()
    drawing.arrows.append(
        LandscapeArrow(
            source,
            target.text,
            target.place,
            Value(title, value.place, title),
            protocol,
            encrypted,
            authentication.text != "none" if authentication is not None and known else None,
        )
    )


importer = ThreagileImporter()
