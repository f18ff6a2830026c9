"""What Istio and Gateway API say about calls is on the clients of those who make them."""

from __future__ import annotations

import textwrap
from functools import cache
from pathlib import Path

import pytest

from archcheck import Client, External, Gateway, MongoDB, Service
from archcheck.importing import Import, import_paths
from archcheck.model import (
    Absent,
    Bulkhead,
    Element,
    Http1,
    Managed,
    Mesh,
    ModelError,
    Pool,
    RateLimit,
    Retry,
)
from archcheck.units import Rate, ms, s

SAMPLE = Path(__file__).parent / "catalogue_samples" / "mesh.yaml"
WORKLOADS = """
apiVersion: apps/v1
kind: Deployment
metadata: {name: web}
spec: {template: {metadata: {labels: {app: web}}, spec: {containers: [
  {name: web, env: [{name: CART_ADDR, value: "cart:80"}]}]}}}
---
apiVersion: apps/v1
kind: Deployment
metadata: {name: cart}
spec: {template: {metadata: {labels: {app: cart}}, spec: {containers: [{name: cart}]}}}
---
apiVersion: v1
kind: Service
metadata: {name: cart}
spec: {selector: {app: cart}}
---
"""


@cache
def sample() -> Import:
    return import_paths([SAMPLE])


def element(name: str, found: Import | None = None) -> Element:
    part = (found or sample()).system.find(name)
    assert part is not None
    return part


def remarks(found: Import) -> list[str]:
    return [remark.sentence for remark in found.joined.remarks]


def written(folder: Path, text: str) -> Import:
    (folder / "all.yaml").write_text(WORKLOADS + textwrap.dedent(text), encoding="utf-8")
    return import_paths([folder / "all.yaml"])


def test_rules_for_a_host_are_on_the_clients_of_all_in_the_mesh() -> None:
    web = element("web")
    assert isinstance(web, Service)
    assert web.clients == (
        Client(
            "cart",
            timeout=1.5 * s,
            retry=Retry(attempts=3, backoff=50 * ms, on=["timeout", "rejected", "failed"]),
            connect_timeout=250 * ms,
            bulkhead=Bulkhead(50),
            reuses_connections=False,
            balancing="power_of_two",
            balanced_by="mesh",
            encrypted=True,
            authenticated=True,
        ),
        Client("stock", retry=Absent("the number of retries is 0")),
        Client("rates-example-com"),
    )
    assert web.pools == (Pool("cart", size=20),)


def test_the_mesh_is_what_namespaces_and_policies_say() -> None:
    meshes = {name: getattr(element(name), "mesh", None) for name in ("web", "cart", "stock")}
    assert meshes == {
        "web": Mesh("istio", mutual_tls=True),
        "cart": Mesh("istio", mutual_tls=True),
        "stock": Mesh("istio", mutual_tls=False),
    }


def test_gateways_have_what_their_routes_and_policies_say_and_not_what_the_mesh_does() -> None:
    entry, edge = element("entry"), element("edge")
    assert isinstance(entry, Gateway)
    assert isinstance(edge, Gateway)
    off = Absent("timeout is 0, which turns it off")
    assert entry.clients == (Client("web", timeout=off),)
    assert edge.clients == (
        Client(
            "cart",
            timeout=2 * s,
            retry=Retry(attempts=4, backoff=100 * ms, on=["timeout", "rejected", "failed"]),
        ),
        Client(
            "stock",
            timeout=250 * ms,
            connect_timeout=1 * s,
            retry=Retry(
                attempts=5, backoff=100 * ms, max_backoff=10 * s, on=["rejected", "failed"]
            ),
            balancing="round_robin",
            balanced_by="proxy",
            rate_limit=RateLimit(Rate(2.0), per="replica"),
        ),
    )
    assert edge.pools == (Pool("stock", size=42),)
    assert not sample().joined.conflicts


def test_hosts_outside_are_externals_or_the_products_that_they_speak() -> None:
    rates, books = element("rates-example-com"), element("books-internal")
    assert isinstance(rates, External)
    assert rates.protocol == Http1(encrypted=True)
    assert books == MongoDB("books-internal", deployment=Managed())


def test_what_a_client_cannot_hold_is_said() -> None:
    listed = remarks(sample())
    for words in (
        "the timeout is for all attempts together",
        "no word for fault of a route",
        "calls to stock are led to other",
        "the routes to stock differ in timeout",
        "no word for tcpKeepalive, http1MaxPendingRequests",
        "said for subsets only",
        "*.example.org is any host of a domain",
        "no word for the filter RequestHeaderModifier",
        "no word for maxPendingRequests",
        "web: outlier_detection is said for cart and not for stock",
    ):
        assert [each for each in listed if words in each], words


def test_what_is_said_of_all_that_one_reaches_is_said_of_its_mesh(tmp_path: Path) -> None:
    found = written(tmp_path, """
        apiVersion: networking.istio.io/v1beta1
        kind: DestinationRule
        metadata: {name: cart}
        spec: {host: cart, trafficPolicy: {outlierDetection: {consecutive5xxErrors: 3}}}
        """)  # fmt: skip
    assert getattr(element("web", found), "mesh", None) == Mesh("istio", outlier_detection=True)


def test_a_policy_of_a_route_counts_more_than_that_of_its_gateway(tmp_path: Path) -> None:
    found = written(tmp_path, """
        apiVersion: gateway.networking.k8s.io/v1
        kind: HTTPRoute
        metadata: {name: one}
        spec: {parentRefs: [{name: edge}], rules: [{backendRefs: [{name: cart}]}]}
        ---
        apiVersion: gateway.networking.k8s.io/v1
        kind: HTTPRoute
        metadata: {name: two}
        spec: {parentRefs: [{name: edge}], rules: [{backendRefs: [{name: web}]}]}
        ---
        apiVersion: v1
        kind: Service
        metadata: {name: web}
        spec: {selector: {app: web}}
        ---
        apiVersion: gateway.envoyproxy.io/v1alpha1
        kind: BackendTrafficPolicy
        metadata: {name: all}
        spec: {targetRef: {kind: Gateway, name: edge}, timeout: {http: {requestTimeout: 9s}}}
        ---
        apiVersion: gateway.envoyproxy.io/v1alpha1
        kind: BackendTrafficPolicy
        metadata: {name: one}
        spec:
          targetRef: {kind: HTTPRoute, name: one}
          circuitBreaker: {maxParallelRequests: 8}
          retry: {}
        """)  # fmt: skip
    edge = element("edge", found)
    assert isinstance(edge, Gateway)
    assert edge.clients == (
        Client("cart", bulkhead=Bulkhead(8), retry=Retry(attempts=3)),
        Client("web", timeout=9 * s),
    )


def test_a_retry_is_one_rules_as_a_whole(tmp_path: Path) -> None:
    rule = """
        apiVersion: networking.istio.io/v1
        kind: VirtualService
        metadata: {{name: {name}}}
        spec: {{hosts: [cart], http: [{{retries: {retries}, route: []}}]}}
        ---
        """
    first, second = "{attempts: 1}", "{attempts: 4, backoff: 1s}"
    both = rule.format(name="a", retries=first) + rule.format(name="b", retries=second)
    found = written(tmp_path, both)
    web = element("web", found)
    assert isinstance(web, Service)
    assert web.clients == (Client("cart", retry=Retry(attempts=2)),)
    assert [each for each in remarks(found) if "web -> cart: retry is said at" in each]


@pytest.mark.parametrize(
    ("spec", "sentence"),
    [
        ("{hosts: [cart], http: [{timeout: soon}]}", "timeout must be a duration"),
        ("{hosts: [cart], http: [{retries: {attempts: x}}]}", "must be a whole number"),
        ("{hosts: [cart], http: [{retries: {attempts: -1}}]}", "between 0 and 9,999"),
        ("{hosts: cart}", "must be a list"),
    ],
)
def test_what_is_wrong_is_one_sentence_with_its_line(
    tmp_path: Path, spec: str, sentence: str
) -> None:
    text = f"""
        apiVersion: networking.istio.io/v1
        kind: VirtualService
        metadata: {{name: a}}
        spec: {spec}
        """
    with pytest.raises(ModelError, match=sentence) as error:
        written(tmp_path, text)
    assert error.value.place is not None
    assert error.value.place.line > 19
