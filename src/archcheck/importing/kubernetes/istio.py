"""Istio among the manifests: what the mesh does for calls, and the ways in and out."""

from __future__ import annotations

from collections.abc import Iterator

from archcheck.importing.addresses import Address
from archcheck.importing.facts import (
    ElementPlace,
    Hint,
    KnownAs,
    Reaches,
    Remark,
    Statement,
    Toward,
)
from archcheck.importing.kubernetes.around import NamedWorkloads
from archcheck.importing.kubernetes.objects import WORKLOADS, Object
from archcheck.importing.products import SCHEME, product_of_scheme
from archcheck.importing.traffic import (
    LEAST_REQUEST,
    UNLIMITED,
    Rules,
    Said,
    duration,
    limit_of,
    retry_of,
    same_for_all,
    timeout_of,
    toward,
)
from archcheck.importing.values import Value
from archcheck.model import External, Gateway, Grpc, Http1, Managed, Mesh, Place, Service

NETWORKING, SECURITY = "networking.istio.io", "security.istio.io"
ROOT = "istio-system"
"""The namespace whose policies are for the whole mesh (istio.io, Global mesh options,
rootNamespace)."""
_MESH = "mesh"
"""The word for all sidecars among the gateways of a VirtualService."""
_BALANCING = {
    "ROUND_ROBIN": "round_robin", "RANDOM": "random", "LEAST_REQUEST": LEAST_REQUEST,
    "LEAST_CONN": LEAST_REQUEST,
}  # fmt: skip
_RULE = frozenset({"connectionPool", "outlierDetection", "loadBalancer", "tls"})


# -- destination rules -----------------------------------------------------------------------------


def destination_rule(rule: Object, named: NamedWorkloads) -> Iterator[Statement]:
    """What a DestinationRule says about all calls to its host."""
    if rule.group != NETWORKING:
        return
    host = rule.value.need("spec", "host")
    policy = rule.value.get("spec", "trafficPolicy")
    name, scope = host.string("spec.host"), rule.namespace
    if policy is not None:
        yield from toward(name, scope, _policy(policy))
        yield from _connections(policy, name, scope)
        outliers = policy.get("outlierDetection")
        if outliers is not None:
            yield Toward(name, scope, ("outlier_detection",), True, outliers.place, part="mesh")
        others = [key for key, _ in policy.items() if key not in _RULE]
        if others:
            yield Remark(f"{rule}: a client has no word for {', '.join(others)}", policy.place)
    subsets = [each for each in rule.value.each("spec", "subsets") if each.has("trafficPolicy")]
    if subsets:
        yield Remark(f"{rule}: what is said for subsets only is left out", subsets[0].place)


def _policy(policy: Value) -> Iterator[Said]:
    connect = policy.get("connectionPool", "tcp", "connectTimeout")
    if connect is not None:
        yield ("connect_timeout",), duration(connect, "connectTimeout"), connect.place
    most = policy.get("connectionPool", "http", "http2MaxRequests")
    yield from limit_of(most, "http2MaxRequests")
    each = policy.get("connectionPool", "http", "maxRequestsPerConnection")
    if each is not None and each.whole("maxRequestsPerConnection") == 1:
        yield ("reuses_connections",), False, each.place
    simple = policy.get("loadBalancer", "simple")
    balancing = _BALANCING.get(simple.string("simple").upper()) if simple is not None else None
    if simple is not None and balancing is not None:
        yield ("balancing",), balancing, simple.place
        yield ("balanced_by",), "mesh", simple.place
    mode = policy.get("tls", "mode")
    if mode is not None:
        yield ("encrypted",), mode.string("tls.mode") != "DISABLE", mode.place
        if mode.text in ("MUTUAL", "ISTIO_MUTUAL"):
            yield ("authenticated",), True, mode.place


def _connections(policy: Value, host: str, scope: str) -> Iterator[Statement]:
    most = policy.get("connectionPool", "tcp", "maxConnections")
    if most is not None and 1 <= most.whole("maxConnections") < UNLIMITED:
        size = most.whole("maxConnections")
        yield Toward(host, scope, ("size",), size, most.place, part="pools")
    others = [
        key
        for kind, read in (("tcp", {"maxConnections", "connectTimeout"}),
                           ("http", {"http2MaxRequests", "maxRequestsPerConnection"}))
        for key, _ in policy.items("connectionPool", kind)
        if key not in read
    ]  # fmt: skip
    if others:
        yield Remark(f"the rule for {host}: a client has no word for {', '.join(others)}",
                     policy.place)  # fmt: skip


# -- virtual services ------------------------------------------------------------------------------


def virtual_service(service: Object, named: NamedWorkloads) -> Iterator[Statement]:
    """The routes of a VirtualService: for the sidecars, for gateways, or both."""
    if service.group != NETWORKING:
        return
    value = service.value
    gateways = [each.string("a gateway") for each in value.each("spec", "gateways")] or [_MESH]
    hosts = [each.string("a host") for each in value.each("spec", "hosts")]
    found: dict[tuple[str, str, str], list[Rules]] = {}
    for route in value.each("spec", "http"):
        rules = Rules(tuple(_route(route)))
        for target in _destinations(route):
            for gateway in (each for each in gateways if each != _MESH):
                found.setdefault(
                    (named.way_in(gateway_name(gateway)), target.string("host"), service.namespace),
                    [],
                ).append(rules)
        for host in hosts if _MESH in gateways else ():
            found.setdefault(("", host, service.namespace), []).append(rules)
        yield from _unheld(service, route)
    yield from _ways_in(service, gateways, hosts, named)
    if _MESH in gateways:
        yield from _elsewhere(service, hosts)
    yield from same_for_all(found, str(service))


def gateway_name(text: str) -> str:
    """The element of a gateway: ``namespace/name`` is its name."""
    return text.rpartition("/")[2]


def _destinations(route: Value) -> Iterator[Value]:
    for each in route.each("route"):
        host = each.get("destination", "host")
        if host is not None:
            yield host


def _route(route: Value) -> Iterator[Said]:
    """The timeout of each attempt, and the retries.

    Istio's timeout is for all attempts together; without ``perTryTimeout`` each may take as long.
    """
    retries = route.get("retries")
    each = retries.get("perTryTimeout") if retries is not None else None
    whole = route.get("timeout")
    if each is not None:
        yield timeout_of(each, "perTryTimeout")
    elif whole is not None:
        yield timeout_of(whole, "timeout")
    if retries is None:
        return
    conditions = retries.get("retryOn")
    words = (
        [Value(word, conditions.place, word) for word in conditions.string("retryOn").split(",")]
        if conditions is not None
        else []
    )
    attempts = retries.get("attempts")
    if attempts is not None:
        yield from retry_of(retries, attempts, words)
        backoff = retries.get("backoff")
        if backoff is not None and attempts.whole("attempts"):
            yield ("retry", "backoff"), duration(backoff, "backoff"), backoff.place


def _unheld(service: Object, route: Value) -> Iterator[Remark]:
    both = route.get("timeout") is not None and route.get("retries", "perTryTimeout") is not None
    if both:
        yield Remark(
            f"{service}: the timeout is for all attempts together; a client has one for each",
            route.need("timeout").place,
        )
    for key in ("fault", "mirror", "mirrors", "redirect", "delegate"):
        found = route.get(key)
        if found is not None:
            yield Remark(f"{service}: a model has no word for {key} of a route", found.place)


def _ways_in(
    service: Object, gateways: list[str], hosts: list[str], named: NamedWorkloads
) -> Iterator[Statement]:
    for gateway in (each for each in gateways if each != _MESH):
        name, place = named.way_in(gateway_name(gateway)), service.place
        yield ElementPlace(name).is_a(Gateway, place)
        yield ElementPlace(name).says(
            "description", f"Istio gateway: {', '.join(hosts[:20])}", place
        )
        for kind in ("http", "tls", "tcp"):
            for route in service.value.each("spec", kind):
                for target in _destinations(route):
                    address = Address(target.string("host").rstrip("."))
                    said = f"a route of the {service}"
                    yield Reaches(name, address, service.namespace, said, target.place)


def _elsewhere(service: Object, hosts: list[str]) -> Iterator[Remark]:
    """Routes that lead calls to another host than the one that was called."""
    short = {host.partition(".")[0] for host in hosts}
    for kind in ("http", "tls", "tcp"):
        for route in service.value.each("spec", kind):
            for target in _destinations(route):
                if target.string("host").partition(".")[0] not in short:
                    yield Remark(
                        f"{service}: calls to {', '.join(hosts[:3])} are led to {target.text}, "
                        "which a model has no word for",
                        target.place,
                    )


def gateway(gateway_: Object, named: NamedWorkloads) -> Iterator[Statement]:
    """A Gateway of Istio: a way in from outside."""
    if gateway_.group != NETWORKING:
        return
    part = ElementPlace(named.way_in(gateway_.name))
    yield part.is_a(Gateway, gateway_.place)
    hosts = [
        host.string("a host")
        for server in gateway_.value.each("spec", "servers")
        for host in server.each("hosts")
    ]
    if hosts:
        said = f"Istio gateway: {', '.join(dict.fromkeys(hosts[:20]))}"
        yield part.says("description", said, gateway_.place)


# -- the mesh itself -------------------------------------------------------------------------------


def peer_authentication(policy: Object, named: NamedWorkloads) -> Iterator[Statement]:
    """Whether workloads take calls over mutual TLS only."""
    if policy.group != SECURITY:
        return
    mode = policy.value.get("spec", "mtls", "mode")
    if policy.value.get("spec", "portLevelMtls") is not None:
        yield Remark(f"{policy}: what is said for single ports is left out", policy.place)
    if mode is None or mode.string("mtls.mode") not in ("STRICT", "DISABLE"):
        return
    selector = policy.value.items("spec", "selector", "matchLabels")
    for element in _chosen(policy, selector, named):
        mesh = ElementPlace(element).inside("mesh")
        yield mesh.is_a(Mesh, mode.place)
        yield mesh.says("product", "istio", mode.place)
        yield mesh.says("mutual_tls", mode.text == "STRICT", mode.place)


def _chosen(policy: Object, selector: list[tuple[str, Value]], named: NamedWorkloads) -> list[str]:
    """The workloads that a policy is for, where no other one is more specific."""
    if selector:
        return named.selected(policy.namespace, selector)
    every = [
        each
        for each in named.cluster.of_kind("PeerAuthentication")
        if each.group == SECURITY and each is not policy
    ]
    special = {
        element
        for each in every
        if (labels := each.value.items("spec", "selector", "matchLabels"))
        for element in named.selected(each.namespace, labels)
    }
    whole = {each.namespace for each in every if not each.value.get("spec", "selector")}
    return [
        named.names[each.key]
        for each in named.cluster.of_kind(*WORKLOADS)
        if named.names[each.key] not in special
        and (
            each.namespace == policy.namespace
            or (policy.namespace == ROOT and each.namespace not in whole)
        )
    ]


def namespace(space: Object, named: NamedWorkloads) -> Iterator[Statement]:
    """A namespace whose pods get a sidecar: its workloads are in the mesh."""
    labels = space.labels
    injected = labels.get("istio-injection")
    place = injected or labels.get("istio.io/rev") or labels.get("istio.io/dataplane-mode")
    if place is None or (injected is not None and injected.text != "enabled"):
        return
    for workload in named.cluster.of_kind(*WORKLOADS):
        if workload.namespace == space.name:
            mesh = ElementPlace(named.names[workload.key]).inside("mesh")
            yield mesh.is_a(Mesh, place.place)
            yield mesh.says("product", "istio", place.place)


# -- others outside --------------------------------------------------------------------------------


def service_entry(entry: Object, named: NamedWorkloads) -> Iterator[Statement]:
    """Hosts that the mesh knows and no Service is for."""
    if entry.group != NETWORKING:
        return
    location = entry.value.get("spec", "location")
    inside = location is not None and location.text == "MESH_INTERNAL"
    ports = entry.value.each("spec", "ports")
    services = {each.name for each in named.cluster.of_kind("Service")}
    for host in entry.value.each("spec", "hosts"):
        name = host.string("a host")
        if "*" in name:
            yield Remark(f"{entry}: {name} is any host of a domain, and no element", host.place)
        elif name.endswith(".svc.cluster.local") and name.partition(".")[0] in services:
            yield Remark(f"{entry}: {name} is a Service of the files as well", host.place)
        else:
            yield from _outside(name, host.place, ports, inside=inside)


def _outside(name: str, place: Place, ports: list[Value], *, inside: bool) -> Iterator[Statement]:
    part = ElementPlace(name)
    words = [p.string("protocol").lower() for each in ports if (p := each.get("protocol"))]
    product = next((found for word in words if (found := _product(word))), None)
    yield KnownAs(name, name, "", place)
    if product is not None or inside:
        yield part.is_a(Service, place)
        if product is not None:
            yield part.inside("deployment").is_a(Managed, place)
            yield Hint(name, product, f"the protocol of the ServiceEntry {name}", SCHEME, place)
        return
    yield part.is_a(External, place)
    if len(set(words)) != 1:
        return
    protocol = part.inside("protocol")
    if words[0] in ("http", "https", "tls"):
        yield protocol.is_a(Http1, place)
        yield protocol.says("encrypted", words[0] != "http", place)
    elif words[0] in ("grpc", "grpc-web"):
        yield protocol.is_a(Grpc, place)


def _product(word: str) -> str | None:
    return product_of_scheme("mongodb" if word == "mongo" else word)
