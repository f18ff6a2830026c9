"""Gateway API among the manifests, with Envoy Gateway's policies: ways in, routes, protection."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from archcheck.importing.addresses import Address
from archcheck.importing.facts import ElementPlace, Reaches, Remark, Statement, Toward
from archcheck.importing.kubernetes.around import NamedWorkloads
from archcheck.importing.kubernetes.objects import Cluster, Object
from archcheck.importing.traffic import (
    LEAST_REQUEST,
    UNLIMITED,
    Rules,
    Said,
    backoff_of,
    duration,
    limit_of,
    retry_of,
    same_for_all,
    timeout_of,
)
from archcheck.importing.values import Value
from archcheck.model import Gateway, RateLimit
from archcheck.units import Rate

GROUP, POLICIES = "gateway.networking.k8s.io", "gateway.envoyproxy.io"
ROUTES = ("HTTPRoute", "GRPCRoute", "TLSRoute", "TCPRoute", "UDPRoute")
_BALANCING = {
    "roundrobin": "round_robin", "random": "random", "leastrequest": LEAST_REQUEST,
}  # fmt: skip
_UNITS = {"second": 1.0, "minute": 60.0, "hour": 3600.0, "day": 86400.0}
_READ = frozenset(
    {"targetRef", "targetRefs", "retry", "timeout", "circuitBreaker", "loadBalancer", "rateLimit"}
)


@dataclass(frozen=True)
class _Way:
    """From whom a route leads to which backend; nobody: from everybody in the mesh."""

    gateway: str
    host: str
    scope: str
    backend: Value


def gateway(gateway_: Object, named: NamedWorkloads) -> Iterator[Statement]:
    """A Gateway, with the hosts of its listeners."""
    if gateway_.group != GROUP:
        return
    part = ElementPlace(named.way_in(gateway_.name))
    yield part.is_a(Gateway, gateway_.place)
    listeners = gateway_.value.each("spec", "listeners")
    hosts = [host.string("a host") for each in listeners if (host := each.get("hostname"))]
    if hosts:
        said = f"listens for {', '.join(dict.fromkeys(hosts[:20]))}"
        yield part.says("description", said, gateway_.place)


def route(route_: Object, named: NamedWorkloads) -> Iterator[Statement]:
    """The backends of a route, reached by its gateways, and how."""
    if route_.group != GROUP:
        return
    found: dict[tuple[str, str, str], list[Rules]] = {}
    said = f"a rule of the {route_}"
    gateways: dict[str, None] = {}
    for rule in route_.value.each("spec", "rules"):
        rules = Rules(tuple(_rule(rule)))
        for way in _ways(route_, rule, named):
            if way.gateway:
                gateways[way.gateway] = None
                address = Address(way.host)
                yield Reaches(way.gateway, address, way.scope, said, way.backend.place)
            found.setdefault((way.gateway, way.host, way.scope), []).append(rules)
        yield from _unheld(route_, rule)
    for name in gateways:
        yield ElementPlace(name).is_a(Gateway, route_.place)
    yield from same_for_all(found, str(route_))


def _ways(route_: Object, rule: Value, named: NamedWorkloads) -> Iterator[_Way]:
    for parent in route_.value.each("spec", "parentRefs"):
        kind, name = parent.get("kind"), parent.need("name").string("a parent's name")
        space = parent.get("namespace")
        if kind is not None and kind.text == "Service":
            scope = space.text if space is not None else route_.namespace
            yield _Way("", name, scope, parent)
            continue
        for backend in rule.each("backendRefs"):
            what, place = backend.get("kind"), backend.get("namespace")
            if what is None or what.text == "Service":
                scope = place.string("namespace") if place is not None else route_.namespace
                target = backend.need("name")
                yield _Way(named.way_in(name), target.string("a backend's name"), scope, target)


def _rule(rule: Value) -> Iterator[Said]:
    each, whole = rule.get("timeouts", "backendRequest"), rule.get("timeouts", "request")
    if each is not None:
        yield timeout_of(each, "backendRequest")
    elif whole is not None:
        yield timeout_of(whole, "request")
    retry = rule.get("retry")
    attempts = retry.get("attempts") if retry is not None else None
    if retry is None or attempts is None:
        return
    yield from retry_of(retry, attempts, retry.each("codes"))
    if attempts.whole("attempts"):
        yield from backoff_of(retry.get("backoff"), "backoff", "backoff")


def _unheld(route_: Object, rule: Value) -> Iterator[Remark]:
    both = rule.get("timeouts", "request"), rule.get("timeouts", "backendRequest")
    if both[0] is not None and both[1] is not None:
        yield Remark(
            f"{route_}: the timeout of a request is for all attempts; a client has one for each",
            both[0].place,
        )
    for each in rule.each("filters"):
        kind = each.get("type")
        yield Remark(f"{route_}: a model has no word for the filter {kind.text if kind else ''}",
                     each.place)  # fmt: skip


# -- Envoy Gateway ---------------------------------------------------------------------------------


def backend_traffic_policy(policy: Object, named: NamedWorkloads) -> Iterator[Statement]:
    """What a BackendTrafficPolicy says about the calls of a gateway or of a route."""
    if policy.group != POLICIES:
        return
    spec = policy.value.need("spec")
    rules = list(_policy(spec))
    for way in dict.fromkeys(
        (way.gateway, way.host, way.scope)
        for target in _targets(spec)
        for way in _governed(policy, target, named)
    ):
        element, host, scope = way
        for path, value, place in rules:
            yield Toward(host, scope, path, value, place, element)
        most = spec.get("circuitBreaker", "maxConnections")
        if most is not None and 1 <= most.whole("maxConnections") < UNLIMITED:
            size = most.whole("maxConnections")
            yield Toward(host, scope, ("size",), size, most.place, element, "pools")
    others = [key for key, _ in spec.items() if key not in _READ]
    others += [
        key
        for key, _ in spec.items("circuitBreaker")
        if key not in ("maxConnections", "maxParallelRequests")
    ]
    if others:
        yield Remark(f"{policy}: a client has no word for {', '.join(others)}", policy.place)


def _targets(spec: Value) -> Iterator[Value]:
    one = spec.get("targetRef")
    yield from ([one] if one is not None else [])
    yield from spec.each("targetRefs")


def _governed(policy: Object, target: Value, named: NamedWorkloads) -> Iterator[_Way]:
    """The ways that a policy is for: those of a gateway, where no policy is for the route."""
    kind, name = target.need("kind").string("kind"), target.need("name").string("name")
    for each in named.cluster.of_kind(*ROUTES):
        if each.group != GROUP:
            continue
        is_meant = each.kind == kind and each.name == name and each.namespace == policy.namespace
        if kind == "Gateway" and not _has_own(each, named.cluster):
            is_meant = any(
                parent.need("name").text == name
                and (space.text if (space := parent.get("namespace")) else each.namespace)
                == policy.namespace
                for parent in each.value.each("spec", "parentRefs")
            )
        if not is_meant:
            continue
        for rule in each.value.each("spec", "rules"):
            for way in _ways(each, rule, named):
                if kind != "Gateway" or way.gateway == named.way_in(name):
                    yield way


def _has_own(route_: Object, cluster: Cluster) -> bool:
    return any(
        target.need("kind").text == route_.kind
        and target.need("name").text == route_.name
        and policy.namespace == route_.namespace
        for policy in cluster.of_kind("BackendTrafficPolicy")
        for target in _targets(policy.value.need("spec"))
    )


def _policy(spec: Value) -> Iterator[Said]:
    each, whole = spec.get("retry", "perRetry", "timeout"), spec.get("timeout", "http",
                                                                    "requestTimeout")  # fmt: skip
    if each is not None:
        yield timeout_of(each, "perRetry.timeout")
    elif whole is not None:
        yield timeout_of(whole, "requestTimeout")
    connect = spec.get("timeout", "tcp", "connectTimeout")
    if connect is not None:
        yield ("connect_timeout",), duration(connect, "connectTimeout"), connect.place
    yield from _retries(spec)
    yield from limit_of(spec.get("circuitBreaker", "maxParallelRequests"), "maxParallelRequests")
    kind = spec.get("loadBalancer", "type")
    balancing = _BALANCING.get(kind.string("type").lower()) if kind is not None else None
    if kind is not None and balancing is not None:
        yield ("balancing",), balancing, kind.place
        yield ("balanced_by",), "proxy", kind.place
    yield from _rate(spec)


def _retries(spec: Value) -> Iterator[Said]:
    retry = spec.get("retry")
    if retry is None:
        return
    count = retry.get("numRetries")
    conditions = [*retry.each("retryOn", "triggers"), *retry.each("retryOn", "httpStatusCodes")]
    yield from retry_of(retry, count, conditions)
    if count is None or count.whole("numRetries"):
        backoff = retry.get("perRetry", "backOff") or retry.get("perRetry", "backoff")
        if backoff is not None:
            yield from backoff_of(backoff.get("baseInterval"), "baseInterval", "backoff")
            yield from backoff_of(backoff.get("maxInterval"), "maxInterval", "max_backoff")


def _rate(spec: Value) -> Iterator[Said]:
    """The limit for everybody; those of single clients are left out."""
    kind = spec.get("rateLimit", "type")
    for where in ("local", "global"):
        for rule in spec.each("rateLimit", where, "rules"):
            most, unit = rule.get("limit", "requests"), rule.get("limit", "unit")
            length = _UNITS.get(unit.string("unit").lower()) if unit is not None else None
            if rule.each("clientSelectors") or most is None or length is None:
                continue
            count = most.whole("requests")
            if count >= 1 and (kind is None or kind.text.lower() == where):
                yield ("rate_limit",), RateLimit, rule.place
                yield ("rate_limit", "rate"), Rate(count / length), most.place
                per = "replica" if where == "local" else "service"
                yield ("rate_limit", "per"), per, rule.place
                return
