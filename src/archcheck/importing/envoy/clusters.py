"""Clusters of Envoy: whom it reaches, and what holds for each connection and request."""

from __future__ import annotations

from collections.abc import Iterator

from archcheck.importing.envoy.resources import hosts_of, items, named, type_of
from archcheck.importing.products import product_of_port
from archcheck.importing.traffic import LEAST_REQUEST, UNLIMITED, Said, duration, limit_of
from archcheck.importing.values import Value
from archcheck.model import RetryBudget
from archcheck.units import percent

_BALANCING = {
    "ROUND_ROBIN": "round_robin", "RoundRobin": "round_robin",
    "LEAST_REQUEST": LEAST_REQUEST, "LeastRequest": LEAST_REQUEST,
    "RANDOM": "random", "Random": "random",
}  # fmt: skip
_DISCOVERY = {
    "STATIC": "static", "STRICT_DNS": "dns", "LOGICAL_DNS": "dns", "EDS": "registry",
}  # fmt: skip
_THRESHOLDS = frozenset({"priority", "max_connections", "max_requests", "retry_budget"})
_READ = frozenset(
    {
        "name", "type", "connect_timeout", "lb_policy", "load_balancing_policy", "load_assignment",
        "eds_cluster_config", "circuit_breakers", "outlier_detection", "transport_socket",
        "typed_extension_protocol_options", "http2_protocol_options", "@type", "dns_lookup_family",
        "alt_stat_name", "metadata", "ignore_health_on_host_removal", "common_lb_config",
        "per_connection_buffer_limit_bytes", "least_request_lb_config", "respect_dns_ttl",
        "dns_refresh_rate", "upstream_connection_options", "protocol_selection",
        "max_requests_per_connection",
    }
)  # fmt: skip
"""Fields that are read, and those that say nothing about a call."""
_LOOPBACK = ("127.", "::1", "localhost")


class EnvoyCluster:
    """A cluster, with who it is."""

    def __init__(self, value: Value, endpoints: list[Value]) -> None:
        self.value = value
        self.name = named(value, "cluster")
        self.hosts = [
            (host, port)
            for host, port in hosts_of(value, endpoints)
            if not host.text.startswith(_LOOPBACK)
        ]
        self.is_own = not self.hosts
        """Whether it is the process beside Envoy."""

    @property
    def is_passed_through(self) -> bool:
        """Whether it is whoever was addressed, and nobody of its own."""
        kind = self.value.get("type")
        return kind is not None and kind.text == "ORIGINAL_DST"

    def port_hint(self) -> tuple[str, Value] | None:
        """The product that alone listens on its port."""
        for _, port in self.hosts:
            product = product_of_port(port.whole("port_value")) if port is not None else None
            if port is not None and product is not None:
                return product, port
        return None

    # -- what holds for the client -------------------------------------------------------------

    def client(self) -> Iterator[Said]:
        """The fields of the client."""
        value = self.value
        connect = value.get("connect_timeout")
        if connect is not None:
            yield ("connect_timeout",), duration(connect, "connect_timeout"), connect.place
        kind = value.get("type")
        if kind is not None and kind.string("type") in _DISCOVERY:
            yield ("discovery",), _DISCOVERY[kind.text], kind.place
        yield from limit_of(self._threshold("max_requests"), "max_requests")
        yield from self._balancing()
        yield from self._encryption()
        most = self._per_connection()
        if most is not None and most.whole("max_requests_per_connection") == 1:
            yield ("reuses_connections",), False, most.place

    def pool(self) -> tuple[int, Value] | None:
        """The most connections."""
        most = self._threshold("max_connections")
        if most is not None and 1 <= most.whole("max_connections") < UNLIMITED:
            return most.whole("max_connections"), most
        return None

    def budget(self) -> Iterator[Said]:
        """The share of retries in the requests, for clients that retry."""
        budget = self._threshold("retry_budget")
        share = budget.get("budget_percent", "value") if budget is not None else None
        if share is None:
            return
        number = share.raw
        if (
            isinstance(number, bool)
            or not isinstance(number, int | float)
            or not 0 <= number <= 100
        ):
            share.refuse("budget_percent must be between 0 and 100")
        yield ("retry", "budget"), RetryBudget, share.place
        yield ("retry", "budget", "ratio"), number * percent, share.place

    def outliers(self) -> Value | None:
        """What makes Envoy leave out hosts that keep failing."""
        return self.value.get("outlier_detection")

    def unheld(self) -> list[str]:
        """Fields that no client has a word for."""
        found = [key for key, _ in self.value.items() if key not in _READ]
        for each in items(self.value, "circuit_breakers", "thresholds"):
            found += [key for key, _ in each.items() if key not in _THRESHOLDS]
        policy = self.value.get("lb_policy")
        if policy is not None and policy.text not in _BALANCING:
            found.append(f"lb_policy {policy.text}")
        return list(dict.fromkeys(found))

    def _threshold(self, key: str) -> Value | None:
        """The limit for ordinary requests."""
        for each in items(self.value, "circuit_breakers", "thresholds"):
            priority = each.get("priority")
            if priority is None or priority.text == "DEFAULT":
                return each.get(key)
        return None

    def _balancing(self) -> Iterator[Said]:
        policy = self.value.get("lb_policy")
        kind = policy.string("lb_policy") if policy is not None else ""
        for each in items(self.value, "load_balancing_policy", "policies")[:1]:
            policy = each.get("typed_extension_config", "typed_config")
            kind = type_of(policy) if policy is not None else ""
        if policy is not None and kind in _BALANCING:
            yield ("balancing",), _BALANCING[kind], policy.place

    def _encryption(self) -> Iterator[Said]:
        socket = self.value.get("transport_socket")
        context = socket.get("typed_config") if socket is not None else None
        if socket is None:
            return
        kind = type_of(context) if context is not None else ""
        if kind == "UpstreamTlsContext" and context is not None:
            yield ("encrypted",), True, socket.place
            own = context.get("common_tls_context")
            for key in ("tls_certificates", "tls_certificate_sds_secret_configs"):
                if own is not None and items(own, key):
                    yield ("authenticated",), True, own.need(key).place
                    return
        elif kind == "RawBuffer":
            yield ("encrypted",), False, socket.place

    def _per_connection(self) -> Value | None:
        for name, options in self.value.items("typed_extension_protocol_options"):
            if name.endswith("HttpProtocolOptions"):
                return options.get("common_http_protocol_options", "max_requests_per_connection")
        return self.value.get("max_requests_per_connection")
