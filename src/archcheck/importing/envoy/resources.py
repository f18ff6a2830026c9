"""What Envoy is given: listeners, routes and clusters, in a bootstrap or in files beside it."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass, field, replace
from pathlib import Path

from archcheck.importing.kubernetes.objects import DEFAULT_NAMESPACE, looks_like_object
from archcheck.importing.sources import SourceFile
from archcheck.importing.values import Value, mappings
from archcheck.importing.yaml_files import read_yaml
from archcheck.model import ModelError, Place

_INNER = re.compile(r"(?<=[a-z0-9])(?=[A-Z])")
_KINDS = {"Listener": "listeners", "Cluster": "clusters", "RouteConfiguration": "routes",
          "ClusterLoadAssignment": "endpoints"}  # fmt: skip
_TYPE = re.compile(
    r"type\.googleapis\.com/envoy\.config\.(?:listener|cluster|route|endpoint)\.v3\.(\w+)"
)
_STARTS = ("static_resources", "staticResources", "dynamic_resources", "dynamicResources")
"""Fields that only a bootstrap has."""
_PARTS = ("/envoy.", "virtual_hosts", "virtualHosts", "connect_timeout", "connectTimeout")
"""Words of which other files have one."""


@dataclass
class Proxy:
    """One Envoy: all that its files say."""

    files: list[SourceFile] = field(default_factory=list)
    bootstrap: Value | None = None
    config_map: str = ""
    """The ConfigMap that holds it, as ``namespace/name``: whoever mounts it is this Envoy."""
    listeners: list[Value] = field(default_factory=list)
    clusters: list[Value] = field(default_factory=list)
    routes: list[Value] = field(default_factory=list)
    endpoints: list[Value] = field(default_factory=list)

    def take(self, kind: str, resource: Value) -> None:
        """Add a resource."""
        getattr(self, kind).append(resource)

    @property
    def name(self) -> str:
        """As it calls itself; else as its file is called."""
        for key in ("cluster", "id"):
            said = self.bootstrap.get("node", key) if self.bootstrap is not None else None
            if said is not None and said.string(f"node.{key}").strip():
                return said.text.strip()
        if self.config_map:
            return self.config_map.rpartition("/")[2]
        return self.files[0].path.stem if self.bootstrap is not None else "envoy"


def is_envoys(file: SourceFile) -> bool:
    """Whether a file has listeners, routes or clusters of Envoy."""
    text = file.text_if_readable
    if not any(word in text for word in (*_STARTS, *_PARTS)):
        return False
    return any(
        _is_bootstrap(each) or any(_found_in(each)) or any(_held_by(each)) for each in file.readable
    )


def proxies(files: Iterable[SourceFile]) -> list[Proxy]:
    """The Envoys: one for each bootstrap, one for the other files of a folder without any."""
    found: list[Proxy] = []
    of_folder: dict[Path, Proxy] = {}
    parts: list[tuple[SourceFile, Value]] = []
    for file in files:
        for document in file.documents:
            if _is_bootstrap(document):
                proxy = Proxy([file], in_snake_case(document))
                found.append(proxy)
                of_folder.setdefault(file.path.parent, proxy)
                _add(proxy, document)
            elif any(_found_in(document)):
                parts.append((file, document))
            for name, inner in _held_by(document):
                proxy = Proxy([file], in_snake_case(inner), name)
                found.append(proxy)
                _add(proxy, inner)
    for file, document in parts:
        folder = file.path.parent
        if folder not in of_folder:
            found.append(of_folder.setdefault(folder, Proxy()))
        of_folder[folder].files.append(file)
        _add(of_folder[folder], document)
    return found


def _add(proxy: Proxy, document: Value) -> None:
    for kind, resource in _found_in(document):
        proxy.take(kind, in_snake_case(resource))


def _held_by(document: Value) -> Iterator[tuple[str, Value]]:
    """The bootstraps in a ConfigMap of Kubernetes, with its namespace and name."""
    if not looks_like_object(document) or document.need("kind").text != "ConfigMap":
        return
    name, space = (document.get("metadata", key) for key in ("name", "namespace"))
    data = document.get("data")
    if name is None or data is None or not data.is_mapping:
        return
    where = f"{space.text if space is not None else DEFAULT_NAMESPACE}/{name.text}"
    for _, text in data.items():
        if any(start in text.text for start in _STARTS):
            with suppress(ModelError):  # a template of what becomes one, which nobody can read here
                for inner in read_yaml(text.text, text.place.file):
                    if _is_bootstrap(inner):
                        yield where, _below(inner, text.place.line)


def _below(value: Value, line: int) -> Value:
    """A value of a text that begins in the line after this one."""
    place = Place(value.place.file, value.place.line + line)
    raw = value.raw
    if isinstance(raw, dict):
        return replace(
            value, raw={key: _below(part, line) for key, part in raw.items()}, place=place
        )
    if isinstance(raw, list):
        return replace(value, raw=[_below(part, line) for part in raw], place=place)
    return replace(value, place=place)


def _is_bootstrap(document: Value) -> bool:
    raw = document.raw
    return isinstance(raw, dict) and any(key in raw and raw[key].is_mapping for key in _STARTS)


def _found_in(document: Value) -> Iterator[tuple[str, Value]]:
    """The resources of a bootstrap, of a file that Envoy watches, of what Envoy's admin page dumps,
    and of a list of one kind."""
    raw = document.raw
    if isinstance(raw, list):
        for each in raw:
            kind = _kind_of(each)
            if kind:
                yield kind, each
    elif isinstance(raw, dict) and (held := raw.get("resources") or raw.get("configs")):
        for each in mappings(held):
            kind = _typed(each)
            if kind:
                yield kind, each
    elif isinstance(raw, dict) and _is_bootstrap(document):
        static = document.get("static_resources") or document.get("staticResources")
        if static is not None:
            yield from (("listeners", each) for each in items(static, "listeners"))
            yield from (("clusters", each) for each in items(static, "clusters"))


def _typed(value: Value) -> str:
    type_ = value.raw.get("@type") if isinstance(value.raw, dict) else None
    match = _TYPE.fullmatch(type_.text) if type_ is not None else None
    return _KINDS.get(match[1], "") if match else ""


def _kind_of(value: Value) -> str:
    """The kind of an item of a list, by the fields that only this kind has."""
    keys = {_snake(key) for key in value.raw} if isinstance(value.raw, dict) else set()
    if "name" not in keys:
        return ""
    if {"filter_chains", "default_filter_chain"} & keys and "address" in keys:
        return "listeners"
    if "virtual_hosts" in keys:
        return "routes"
    is_cluster = {"connect_timeout", "load_assignment", "eds_cluster_config"} & keys
    return "clusters" if is_cluster else ""


def _snake(key: str) -> str:
    """The name of a field in the schema: files may have it as JSON writes it (``typedConfig``)."""
    return key if "." in key or "@" in key else _INNER.sub("_", key).lower()


def in_snake_case(value: Value) -> Value:
    """The value with its fields called as in the schema."""
    raw = value.raw
    if isinstance(raw, dict):
        return replace(value, raw={_snake(key): in_snake_case(part) for key, part in raw.items()})
    if isinstance(raw, list):
        return replace(value, raw=[in_snake_case(part) for part in raw])
    return value


def items(value: Value, *keys: str) -> list[Value]:
    """The items of a field that holds many; one of them may be written without a list."""
    found = value.get(*keys)
    return [found] if found is not None and found.is_mapping else value.each(*keys)


def type_of(value: Value) -> str:
    """The last word of a typed configuration's type, such as ``HttpConnectionManager``."""
    type_ = value.get("@type")
    return type_.string("@type").rpartition(".")[2] if type_ is not None else ""


def named(value: Value, what: str) -> str:
    """The name of a resource."""
    return value.need("name").string(f"the name of a {what}")


def every(values: Iterable[Value], what: str) -> dict[str, Value]:
    """Resources by name; the first one counts."""
    found: dict[str, Value] = {}
    for value in values:
        found.setdefault(named(value, what), value)
    return found


def hosts_of(cluster: Value, endpoints: Sequence[Value]) -> list[tuple[Value, Value | None]]:
    """The hosts of a cluster, each with its port. Those of a registry are called as it calls them:
    by the cluster's name, of Istio's ``outbound|80||cart.shop.svc.cluster.local`` the last part."""
    name = cluster.need("name")
    loads = [cluster.get("load_assignment")]
    loads += [each for each in endpoints if _is_for(each, cluster)]
    found: list[tuple[Value, Value | None]] = []
    for load in (each for each in loads if each is not None):
        for group in items(load, "endpoints"):
            for each in items(group, "lb_endpoints"):
                address = each.get("endpoint", "address", "socket_address")
                host = address.get("address") if address is not None else None
                if address is not None and host is not None and host.string("an address").strip():
                    found.append((host, address.get("port_value")))
    if found:
        return found
    said = cluster.get("eds_cluster_config", "service_name") or name
    called = said.string("the name of a cluster").rpartition("|")[2].strip()
    return [(replace(said, raw=called, text=called), None)] if called else []


def _is_for(endpoints: Value, cluster: Value) -> bool:
    said = cluster.get("eds_cluster_config", "service_name") or cluster.need("name")
    name = endpoints.get("cluster_name")
    return name is not None and name.text == said.text
