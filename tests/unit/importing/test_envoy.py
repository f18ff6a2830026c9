"""Envoy's own configuration: whom a proxy reaches, and how."""

from __future__ import annotations

import json
import textwrap
from pathlib import Path

import pytest
from imported import service, write

from archcheck import (
    Bulkhead,
    Client,
    Gateway,
    Hedge,
    Pool,
    RateLimit,
    Redis,
    Retry,
    RetryBudget,
    Service,
)
from archcheck.importing import Import, import_paths
from archcheck.importing.yaml_files import read_yaml
from archcheck.model import Absent, Mesh, ModelError
from archcheck.units import Rate, ms, percent, s

SAMPLE = Path(__file__).parent / "catalogue_samples" / "envoy.yaml"
MANAGER = "type.googleapis.com/envoy.extensions.filters.network.http_connection_manager.v3"


def sample() -> Import:
    return import_paths([SAMPLE])


def clients(found: Import, name: str = "edge") -> dict[str, Client]:
    return {str(client.target): client for client in service(found, name).clients}


def remarks(found: Import) -> str:
    return "\n".join(remark.sentence for remark in found.joined.remarks)


def bootstrap(*clusters: str, route: str = "cluster: orders", node: str = "") -> str:
    """A bootstrap with one route."""
    inner = "".join(f"\n  - {{{cluster}}}" for cluster in clusters)
    return f"""{node}
static_resources:
  listeners:
  - name: web
    address: {{socket_address: {{address: 0.0.0.0, port_value: 80}}}}
    filter_chains:
    - filters:
      - name: http
        typed_config:
          "@type": {MANAGER}.HttpConnectionManager
          route_config:
            virtual_hosts:
            - name: all
              domains: ["*"]
              routes: [{{match: {{prefix: /}}, route: {{{route}}}}}]
  clusters:{inner or " []"}
"""


def cluster(name: str, *hosts: str, more: str = "") -> str:
    ends = ", ".join(
        f"{{endpoint: {{address: {{socket_address: {{address: {host}, port_value: 80}}}}}}}}"
        for host in hosts
    )
    return f"name: {name}, load_assignment: {{endpoints: [{{lb_endpoints: [{ends}]}}]}}{more}"


def test_a_gateway_with_its_clusters() -> None:
    found = sample()
    assert {type(each) for each in found.system.elements} == {Gateway, Service, Redis}
    edge = service(found, "edge")
    assert isinstance(edge, Gateway)
    assert edge.description == (
        "Envoy on port 8080, 6379: shop.example.com/orders to orders, shop.example.com/stock to "
        "stock, shop.example.com/stock to stock-next, shop.example.com/search to search, ExtAuthz "
        "to permissions"
    )
    assert {*clients(found)} == {
        "orders", "stock", "stock-next", "search", "permissions", "sessions",
    }  # fmt: skip


def test_timeouts_retries_and_limits() -> None:
    found = sample()
    orders = clients(found)["orders"]
    assert orders == Client(
        "orders",
        timeout=500 * ms,
        retry=Retry(
            attempts=3,
            on=["timeout", "rejected", "failed"],
            backoff=25 * ms,
            max_backoff=250 * ms,
            budget=RetryBudget(25 * percent),
        ),
        bulkhead=Bulkhead(200),
        connect_timeout=250 * ms,
        balancing="power_of_two",
        balanced_by="proxy",
        discovery="dns",
        encrypted=True,
        authenticated=True,
    )
    assert service(found, "edge").pools == (Pool("orders", 100),)
    stock, search = clients(found)["stock"], clients(found)["search"]
    assert isinstance(stock.timeout, Absent)
    assert stock.retry == Retry(attempts=2, on=["failed"])  # of the virtual host; once by default
    assert stock.rate_limit == RateLimit(Rate(100), burst=100, per="replica")
    assert stock.discovery == "registry"
    assert (search.timeout, search.hedge) == (1 * s, Hedge(after=100 * ms, max_attempts=2))
    assert (search.retry, search.reuses_connections) == (None, False)


def test_what_a_model_does_not_hold_is_said() -> None:
    said = remarks(sample())
    for words in (
        "the cluster orders: a client has no word for health_checks, max_pending_requests",
        "the timeout is for all attempts together; a client has one for each",
        "a client has no word for the weights of shop.example.com/stock",
        "hedged attempts count as retries for Envoy",
        "shop.example.com/search: a client has no word for idle_timeout",
        "the cluster stats is beside Envoy itself, and no element",
        "outlier_detection is said for some of the clusters; a mesh has one word for all",
        "Envoy's filter ExtAuthz says nothing that a model holds",
    ):
        assert words in said
    assert "no listener in the files leads to the cluster" in str(sample().joined.candidates)


def test_a_cluster_that_nothing_leads_to_is_a_candidate(tmp_path: Path) -> None:
    """Though it names itself beside its hosts; what traces are sent to is asked."""
    named = cluster("later", "later").replace("endpoints", "cluster_name: later, endpoints")
    text = bootstrap(cluster("orders", "orders"), named, cluster("spans", "spans"))
    text += "tracing: {http: {typed_config: {collector_cluster: spans}}}\n"
    write(tmp_path, envoy_dot_yaml=text)
    found = import_paths([tmp_path])
    assert {*clients(found, "envoy")} == {"orders", "spans"}
    assert [candidate.targets for candidate in found.joined.candidates] == [("later",)]


def test_names_of_fields_as_json_has_them(tmp_path: Path) -> None:
    """``connectTimeout`` and ``connect_timeout`` are one field (protobuf.dev, ProtoJSON)."""
    text = SAMPLE.read_text(encoding="utf-8")
    (tmp_path / "envoy.json").write_text(json.dumps(camel(text)), encoding="utf-8")
    found = import_paths([tmp_path / "envoy.json"])
    assert found.system.elements == sample().system.elements


def camel(text: str) -> object:
    def plain(value: object) -> object:
        raw = value.raw  # type: ignore[attr-defined]
        if isinstance(raw, dict):
            return {spelled(key): plain(each) for key, each in raw.items()}
        return [plain(each) for each in raw] if isinstance(raw, list) else raw

    def spelled(key: str) -> str:
        first, *others = key.split("_")
        return key if "." in key else first + "".join(word.capitalize() for word in others)

    return plain(next(iter(read_yaml(text, "envoy.yaml"))))


def test_files_beside_a_bootstrap_are_parts_of_it(tmp_path: Path) -> None:
    kind = "type.googleapis.com/envoy.config"
    route = "{match: {prefix: /}, route: {cluster: orders, timeout: 3s}}"
    write(
        tmp_path,
        envoy_dot_yaml="node: {cluster: edge}\nstatic_resources: {}\n",
        cds_dot_yaml=f"resources:\n- {{'@type': {kind}.cluster.v3.Cluster, "
        f"{cluster('orders', 'orders')}}}\n",
        rds_dot_yaml=f"resources:\n- {{'@type': {kind}.route.v3.RouteConfiguration, name: r, "
        f"virtual_hosts: [{{name: a, domains: ['*'], routes: [{route}]}}]}}\n",
    )
    found = import_paths([tmp_path])
    assert clients(found) == {"orders": Client("orders", timeout=3 * s)}


def test_a_dump_of_the_admin_page(tmp_path: Path) -> None:
    kind = "type.googleapis.com/envoy.config.cluster.v3.Cluster"
    dump = {"configs": [{"dynamic_active_clusters": [
        {"cluster": {"@type": kind, "name": "outbound|80||cart.shop.svc.cluster.local",
                     "type": "EDS", "connect_timeout": "10s"}},
        {"cluster": {"@type": kind, "name": "PassthroughCluster", "type": "ORIGINAL_DST"}},
    ]}]}  # fmt: skip
    (tmp_path / "dump.json").write_text(json.dumps(dump), encoding="utf-8")
    found = import_paths([tmp_path])
    assert {e.name for e in found.system.elements} == {"envoy", "cart-shop-svc-cluster-local"}
    assert "the cluster PassthroughCluster is whoever was addressed" in remarks(found)


COMPOSE = """
services:
  proxy:
    image: envoyproxy/envoy:v1.31.0
    volumes: ["./envoy.yaml:/etc/envoy/envoy.yaml:ro"]
  order-service: {image: shop/orders, hostname: orders.internal}
"""


def test_the_service_that_is_given_the_file_is_the_envoy(tmp_path: Path) -> None:
    write(
        tmp_path,
        compose_dot_yaml=COMPOSE,
        envoy_dot_yaml=bootstrap(
            cluster("orders", "orders.internal", more=", connect_timeout: 1s")
        ),
    )
    found = import_paths([tmp_path])
    assert {e.name: type(e) for e in found.system.elements} == {
        "proxy": Gateway, "order-service": Service,
    }  # fmt: skip
    expected = Client("order-service", connect_timeout=1 * s)
    assert clients(found, "proxy") == {"order-service": expected}


def test_the_service_that_is_built_with_the_file_is_the_envoy(tmp_path: Path) -> None:
    write(
        tmp_path,
        compose_dot_yaml="""
            services:
              one: {build: {context: edge, args: {ENVOY_CONFIG: ./one.yaml}}}
              two: {build: {context: edge, args: ["ENVOY_CONFIG=two.yaml"]}}
              orders: {image: shop/orders}
            """,
        edge__one_dot_yaml=bootstrap(cluster("orders", "orders")),
        edge__two_dot_yaml=bootstrap(cluster("a", "one"), route="cluster: a"),
    )
    found = import_paths([tmp_path])
    assert {e.name for e in found.system.elements} == {"one", "two", "orders"}
    assert {(e.source, e.target) for e in found.joined.edges} == {("one", "orders"), ("two", "one")}


def test_a_field_of_many_may_be_one_mapping(tmp_path: Path) -> None:
    """As protobuf reads JSON: Envoy's own examples have it."""
    text = bootstrap(cluster("orders", "orders")).replace("- name: http", "  name: http")
    assert "filters:\n        name" in text.replace("\n          name", "\n        name")
    write(tmp_path, envoy_dot_yaml=text)
    assert {*clients(import_paths([tmp_path]), "envoy")} == {"orders"}


def test_a_host_that_nobody_has_where_others_say_what_runs(tmp_path: Path) -> None:
    write(
        tmp_path,
        compose_dot_yaml=COMPOSE,
        envoy_dot_yaml=bootstrap(cluster("orders", "elsewhere.example.com")),
    )
    found = import_paths([tmp_path])
    assert {e.name for e in found.system.elements} == {"proxy", "order-service"}
    [address] = found.joined.unexplained
    assert address.address.host == "elsewhere.example.com"


def test_an_envoy_beside_a_process_is_its_sidecar(tmp_path: Path) -> None:
    clusters = (
        cluster("local", "127.0.0.1"),
        cluster("stock", "stock", more=", outlier_detection: {}"),
    )
    text = bootstrap(*clusters, route="cluster: local", node="node: {cluster: orders}")
    write(tmp_path, envoy_dot_yaml=text)
    found = import_paths([tmp_path])
    orders = service(found, "orders")
    assert not isinstance(orders, Gateway)
    assert orders.mesh == Mesh("envoy", outlier_detection=True)
    [candidate] = found.joined.candidates
    assert candidate.targets == ("stock",)


CONFIG_MAP = """
apiVersion: v1
kind: ConfigMap
metadata: {{name: edge-config}}
data:
  envoy.yaml: |
{}
---
apiVersion: apps/v1
kind: Deployment
metadata: {{name: edge}}
spec:
  template:
    spec:
      containers: [{{name: envoy, image: envoyproxy/envoy}}]
      volumes: [{{name: config, configMap: {{name: {}}}}}]
---
apiVersion: apps/v1
kind: Deployment
metadata: {{name: shop-orders}}
spec:
  template:
    metadata: {{labels: {{app: orders}}}}
    spec: {{containers: [{{name: orders, image: shop/orders}}]}}
---
apiVersion: v1
kind: Service
metadata: {{name: orders}}
spec: {{selector: {{app: orders}}}}
"""


@pytest.mark.parametrize("mounted", ["edge-config", "other"])
def test_who_mounts_the_config_map_is_the_envoy(tmp_path: Path, mounted: str) -> None:
    inner = bootstrap(cluster("backend", "orders", more=", connect_timeout: 1s"),
                      route="cluster: backend, timeout: 3s")  # fmt: skip
    text = CONFIG_MAP.format(textwrap.indent(inner, "    "), mounted)
    (tmp_path / "edge.yaml").write_text(text, encoding="utf-8")
    found = import_paths([tmp_path])
    assert {e.name for e in found.system.elements} == {"edge", "shop-orders"}
    if mounted == "other":
        assert not service(found, "edge").clients
        assert "edge-config is described here" in remarks(found)
        return
    expected = Client("shop-orders", timeout=3 * s, connect_timeout=1 * s)
    assert clients(found) == {"shop-orders": expected}
    [line] = [fact.place.line for fact in found.joined.facts if fact.path[-1:] == ("timeout",)]
    assert "timeout: 3s" in text.splitlines()[line - 1]


def test_two_envoys_of_one_name_are_two(tmp_path: Path) -> None:
    write(
        tmp_path,
        east__envoy_dot_yaml=bootstrap(cluster("orders", "orders")),
        west__envoy_dot_yaml=bootstrap(cluster("bank", "bank"), route="cluster: bank"),
    )
    found = import_paths([tmp_path])
    assert {e.name for e in found.system.elements} == {"east/envoy", "west/envoy", "orders", "bank"}


def test_clusters_of_one_host_are_one_element(tmp_path: Path) -> None:
    text = bootstrap(cluster("a", "orders"), cluster("b", "orders"), route="cluster: b")
    write(tmp_path, envoy_dot_yaml=text)
    found = import_paths([tmp_path])
    assert {e.name for e in found.system.elements} == {"envoy", "a"}
    assert {*clients(found, "envoy")} == {"a"}


@pytest.mark.parametrize(
    ("route", "sentence"),
    [
        ("cluster: orders, timeout: soon", "timeout must be a duration such as 1.5s"),
        ("cluster: orders, retry_policy: {retry_on: 5xx, num_retries: many}", "whole number"),
        ("cluster: [orders]", "a cluster must be text"),
        ("cluster: orders, hedge_policy: {hedge_on_per_try_timeout: maybe}, retry_policy: "
         "{per_try_timeout: 1s}", "must be true or false"),
    ],
)  # fmt: skip
def test_what_is_wrong_is_one_sentence_with_its_line(
    tmp_path: Path, route: str, sentence: str
) -> None:
    write(tmp_path, envoy_dot_yaml=bootstrap(cluster("orders", "orders"), route=route))
    with pytest.raises(ModelError, match=sentence) as error:
        import_paths([tmp_path / "envoy.yaml"])
    assert error.value.place is not None
    assert error.value.place.line == 15


@pytest.mark.parametrize("route", ["cluster: lost", "cluster_header: x-to"])
def test_routes_to_nobody_are_said(tmp_path: Path, route: str) -> None:
    write(tmp_path, envoy_dot_yaml=bootstrap(cluster("orders", "orders"), route=route))
    said = remarks(import_paths([tmp_path]))
    assert ("the cluster lost is in none" in said) or ("a cluster that the request names" in said)


def test_routes_that_differ_say_nothing_of_the_client(tmp_path: Path) -> None:
    two = "cluster: orders, timeout: 1s}}, {match: {prefix: /b}, route: {cluster: orders"
    write(tmp_path, envoy_dot_yaml=bootstrap(cluster("orders", "orders"), route=two))
    found = import_paths([tmp_path])
    assert clients(found, "envoy") == {"orders": Client("orders")}
    assert "the routes to orders differ in timeout" in remarks(found)


def test_other_files_are_no_envoys(tmp_path: Path) -> None:
    for text in ("static_resources: 1\n", "resources: [1]\n", "- name: x\n", "virtual_hosts: []\n"):
        (tmp_path / "some.yaml").write_text(text, encoding="utf-8")
        with pytest.raises(ModelError):
            import_paths([tmp_path])
