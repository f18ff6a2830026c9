"""Listeners and routes of Envoy: which cluster a request goes to, and how."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field

from archcheck.importing.envoy.resources import Proxy, every, items, type_of
from archcheck.importing.facts import Remark
from archcheck.importing.traffic import Said, backoff_of, duration, retry_of, timeout_of
from archcheck.importing.values import Value
from archcheck.model import Hedge, RateLimit
from archcheck.units import Duration, Rate

_UNHELD = ("idle_timeout", "max_stream_duration", "request_mirror_policies", "rate_limits",
           "hash_policy", "internal_redirect_policy")  # fmt: skip
_FILTERS = frozenset({"Router", "GrpcWeb", "Cors", "GrpcHttp1Bridge", "HealthCheck"})
"""Filters of requests that change neither where a request goes nor how long it takes."""
_STATUSES = "retriable-status-codes"


@dataclass
class RoutedWay:
    """A route to a cluster."""

    cluster: Value
    said: list[Said] = field(default_factory=list)
    shown: str = ""
    """Host and path, for a person."""
    product: str = ""
    """What the filter says that the cluster is."""


@dataclass
class Ways:
    """All that the listeners lead to."""

    ways: list[RoutedWay] = field(default_factory=list)
    remarks: list[Remark] = field(default_factory=list)
    ports: list[str] = field(default_factory=list)

    def note(self, sentence: str, value: Value) -> None:
        """Note what a model does not hold."""
        self.remarks.append(Remark(sentence, value.place))


def ways_of(proxy: Proxy) -> Ways:
    """Where the listeners of an Envoy lead to; without listeners, where its routes do."""
    found = Ways()
    tables = every(proxy.routes, "route configuration")
    for listener in proxy.listeners:
        port = listener.get("address", "socket_address", "port_value")
        if port is not None:
            found.ports.append(port.string("port_value"))
        chains = [*items(listener, "filter_chains"), listener.get("default_filter_chain")]
        for chain in (each for each in chains if each is not None):
            for each in items(chain, "filters"):
                _of_filter(each, tables, found)
    if not proxy.listeners:
        for table in tables.values():
            _of_table(table, found)
    return found


def _of_filter(filter_: Value, tables: Mapping[str, Value], found: Ways) -> None:
    config = filter_.get("typed_config")
    kind = type_of(config) if config is not None else ""
    if config is None or kind not in _READERS:
        word = kind or (name.text if (name := filter_.get("name")) is not None else "of no type")
        found.note(f"Envoy's filter {word} says nothing that a model holds", filter_)
        return
    _READERS[kind](config, tables, found)


def _of_manager(config: Value, tables: Mapping[str, Value], found: Ways) -> None:
    table = config.get("route_config")
    name = config.get("rds", "route_config_name")
    if table is None and name is not None:
        table = tables.get(name.string("route_config_name"))
        if table is None:
            found.note(f"the routes {name.text} are in none of the files", name)
    if table is not None:
        _of_table(table, found)
    for each in items(config, "http_filters"):
        inner = each.get("typed_config")
        kind = type_of(inner) if inner is not None else ""
        if inner is not None and kind not in _FILTERS:
            found.note(f"Envoy's filter {kind} says nothing that a model holds", each)
            found.ways += [RoutedWay(value, shown=kind) for value in _asked_by(inner)]


def _asked_by(config: Value) -> Iterator[Value]:
    """The cluster that a filter asks about each request: who may, and how often."""
    for keys in (("grpc_service", "envoy_grpc", "cluster_name"),
                 ("http_service", "server_uri", "cluster"),
                 ("rate_limit_service", "grpc_service", "envoy_grpc", "cluster_name")):  # fmt: skip
        value = config.get(*keys)
        if value is not None:
            yield value


def _of_tcp(config: Value, tables: Mapping[str, Value], found: Ways) -> None:
    found.ways += [RoutedWay(value) for value in _clusters(config)]


def _of_redis(config: Value, tables: Mapping[str, Value], found: Ways) -> None:
    routes = config.get("prefix_routes")
    if routes is None:
        return
    entries = [*items(routes, "routes"), routes.get("catch_all_route")]
    for entry in (each for each in entries if each is not None):
        cluster = entry.get("cluster")
        if cluster is not None:
            found.ways.append(RoutedWay(cluster, product="Redis"))


_READERS = {"HttpConnectionManager": _of_manager, "TcpProxy": _of_tcp, "RedisProxy": _of_redis}


def _of_table(table: Value, found: Ways) -> None:
    for host in items(table, "virtual_hosts"):
        domains = [each.string("a domain") for each in host.each("domains")]
        for route in items(host, "routes"):
            action = route.get("route")
            if action is None:
                continue  # a redirect, or an answer of Envoy's own
            shown = f"{', '.join(d for d in domains[:3] if d != '*')}{_path(route)}"
            said = [*_rules(action, host, found), *_rate(route)]
            clusters = list(_clusters(action))
            if action.get("weighted_clusters") is not None:
                found.note(f"a client has no word for the weights of {shown}", action)
            found.ways += [RoutedWay(value, said, shown) for value in clusters]
            if not clusters:
                found.note(f"{shown} leads to a cluster that the request names", action)
            for key in _UNHELD:
                if (value := action.get(key)) is not None:
                    found.note(f"{shown}: a client has no word for {key}", value)


def _path(route: Value) -> str:
    match = route.get("match")
    for key in ("prefix", "path", "path_separated_prefix"):
        value = match.get(key) if match is not None else None
        if value is not None:
            return value.string(key)
    regex = match.get("safe_regex", "regex") if match is not None else None
    return regex.string("regex") if regex is not None else "/"


def _clusters(action: Value) -> Iterator[Value]:
    one = action.get("cluster")
    if one is not None:
        yield one
    for each in items(action, "weighted_clusters", "clusters"):
        name, weight = each.get("name"), each.get("weight")
        if name is not None and (weight is None or weight.text != "0"):
            yield name


# -- how -------------------------------------------------------------------------------------------


def _rules(action: Value, host: Value, found: Ways) -> Iterator[Said]:
    """Timeouts, retries and hedges of a route; what it does not say, its virtual host does.

    Envoy's timeout is for all attempts together; without ``per_try_timeout`` each may take as long.
    """
    policy = action.get("retry_policy") or host.get("retry_policy")
    hedging = action.get("hedge_policy") or host.get("hedge_policy")
    each = policy.get("per_try_timeout") if policy is not None else None
    whole = action.get("timeout")
    hedged = hedging.get("hedge_on_per_try_timeout") if hedging is not None else None
    if policy is not None and each is not None and hedged is not None and _is_on(hedged):
        yield from _hedge(policy, each, hedged)
        if whole is not None:
            yield timeout_of(whole, "timeout")
        found.note("hedged attempts count as retries for Envoy: a client has hedges here", hedged)
        return
    if each is not None and _is_positive(each):
        yield timeout_of(each, "per_try_timeout")
        if whole is not None:
            found.note("the timeout is for all attempts together; a client has one for each", whole)
    elif whole is not None:
        yield timeout_of(whole, "timeout")
    if policy is not None:
        yield from _retries(policy, found)


def _is_on(value: Value) -> bool:
    return value.flag("hedge_on_per_try_timeout")


def _is_positive(value: Value) -> bool:
    """Envoy, RetryPolicy: a ``per_try_timeout`` of 0 is none."""
    return float(duration(value, "per_try_timeout") / Duration(1.0)) > 0


def _count(policy: Value) -> Value:
    """Envoy, RetryPolicy: ``num_retries`` is 1 where nothing is said."""
    return policy.get("num_retries") or Value(1, policy.place, "1")


def _hedge(policy: Value, each: Value, hedged: Value) -> Iterator[Said]:
    yield ("hedge",), Hedge, hedged.place
    yield ("hedge", "after"), duration(each, "per_try_timeout"), each.place
    count = _count(policy)
    yield ("hedge", "max_attempts"), count.whole("num_retries") + 1, count.place


def _retries(policy: Value, found: Ways) -> Iterator[Said]:
    on = policy.get("retry_on")
    if on is None or not on.string("retry_on").strip():
        found.note("without retry_on Envoy retries only what a request asks it to", policy)
        return
    words = [
        Value(word, on.place, word) for word in on.text.split(",") if word.strip() != _STATUSES
    ]
    if _STATUSES in on.text:
        words += policy.each("retriable_status_codes")
    count = _count(policy)
    yield from retry_of(policy, count, words)
    if count.whole("num_retries"):
        backoff = policy.get("retry_back_off")
        if backoff is not None:
            yield from backoff_of(backoff.get("base_interval"), "base_interval", "backoff")
            yield from backoff_of(backoff.get("max_interval"), "max_interval", "max_backoff")


def _rate(route: Value) -> Iterator[Said]:
    """The limit that a route has for itself, in each Envoy."""
    for _, config in route.items("typed_per_filter_config"):
        bucket = config.get("token_bucket") if type_of(config) == "LocalRateLimit" else None
        most = bucket.get("max_tokens") if bucket is not None else None
        each = bucket.get("fill_interval") if bucket is not None else None
        if bucket is None or most is None or each is None:
            continue
        added = bucket.get("tokens_per_fill")
        count = added.whole("tokens_per_fill") if added is not None else 1
        length = float(duration(each, "fill_interval") / Duration(1.0))
        if count < 1 or length <= 0 or most.whole("max_tokens") < 1:
            bucket.refuse("a token_bucket must have tokens and an interval above zero")
        yield ("rate_limit",), RateLimit, bucket.place
        yield ("rate_limit", "rate"), Rate(count / length), bucket.place
        yield ("rate_limit", "burst"), most.whole("max_tokens"), most.place
        yield ("rate_limit", "per"), "replica", bucket.place


def shown(ways: Iterable[RoutedWay]) -> str:
    """The routes in a sentence."""
    texts = list(dict.fromkeys(f"{way.shown} to {way.cluster.text}" for way in ways if way.shown))
    return ", ".join(texts[:20]) + (" ..." if len(texts) > 20 else "")
