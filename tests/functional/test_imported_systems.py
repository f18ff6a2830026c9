"""Facts counted by hand from files of real systems (SOURCES.md beside them), found by imports."""

from __future__ import annotations

import runpy
from collections import Counter
from pathlib import Path

import pytest

from archcheck.importing import Choices, Import, import_paths
from archcheck.model import Absent, Bulkhead, Gateway, ModelError, Pool
from archcheck.units import s

CORPUS = Path(__file__).parents[3] / "shared" / "corpus"

pytestmark = pytest.mark.skipif(not CORPUS.exists(), reason="the files are not beside the house")


def imported(path: str, **choices: object) -> Import:
    return import_paths([CORPUS / path], choices=Choices(**choices))  # type: ignore[arg-type]


def kinds(found: Import) -> Counter[str]:
    return Counter(type(element).__name__ for element in found.system.elements)


def pairs(found: Import) -> set[tuple[str, str]]:
    return {(edge.source, edge.target) for edge in found.joined.edges}


def starts(found: Import) -> int:
    return sum(len(getattr(element, "start_after", ())) for element in found.system.elements)


def without_probes(found: Import) -> set[str]:
    return {
        element.name
        for element in found.system.elements
        if (deployment := getattr(element, "deployment", None)) is not None
        and not (deployment.readiness or deployment.liveness or deployment.startup)
    }


def test_online_boutique() -> None:
    found = imported("online-boutique")
    assert kinds(found) == {"Service": 11, "Redis": 1}
    of_frontend = ("ad", "cart", "checkout", "currency", "productcatalog", "recommendation",
                   "shipping")  # fmt: skip
    of_checkout = ("cart", "currency", "email", "payment", "productcatalog", "shipping")
    assert pairs(found) == {
        *(("frontend", f"{name}service") for name in of_frontend),
        *(("checkoutservice", f"{name}service") for name in of_checkout),
        ("cartservice", "redis-cart"),
        ("recommendationservice", "productcatalogservice"),
        ("loadgenerator", "frontend"),
    }
    assert without_probes(found) == {"loadgenerator"}


def test_sock_shop_in_compose_and_in_kubernetes() -> None:
    compose = imported("sock-shop/docker-compose.yml")
    assert len(compose.system.elements) == 15
    assert starts(compose) == 0
    assert pairs(compose) == {("user", "user-db")}
    manifests = imported("sock-shop/complete-demo.yaml")
    assert len(manifests.system.elements) == 14
    assert pairs(manifests) == {("user", "user-db")}
    assert len(without_probes(manifests)) == 10


def test_social_network() -> None:
    found = imported("social-network")
    assert kinds(found) == {"Service": 13, "MongoDB": 6, "Memcached": 4, "Redis": 3, "Jaeger": 1}
    assert starts(found) == 19
    assert not found.joined.edges


def test_the_demo_of_opentelemetry() -> None:
    found = imported("otel-demo", env_files=(CORPUS / "otel-demo" / "env",))
    assert len(found.system.elements) == 20
    assert starts(found) == 46
    images = {getattr(e, "deployment", None).image for e in found.system.elements}  # type: ignore[union-attr]
    assert "ghcr.io/open-telemetry/demo:latest-checkout" in images
    assert ("product-catalog", "astronomy-db") in pairs(found)


def test_bank_of_anthos() -> None:
    found = imported("bank-of-anthos/kubernetes-manifests")
    assert kinds(found) == {"Service": 7, "PostgreSQL": 2}
    others = ("balancereader", "contacts", "transactionhistory", "userservice")
    assert pairs(found) == {
        *(("frontend", name) for name in (*others, "ledgerwriter")),
        *((name, "ledger-db") for name in ("balancereader", "ledgerwriter", "transactionhistory")),
        *((name, "accounts-db") for name in ("contacts", "userservice")),
        ("loadgenerator", "frontend"),
    }
    candidates = {(c.reach.element, *c.targets) for c in found.joined.candidates}
    assert candidates == {("ledgerwriter", name) for name in others}
    assert without_probes(found) == {"accounts-db", "ledger-db", "loadgenerator"}
    limits = {str(e.deployment.resources.cpu_limit) for e in found.system.elements}  # type: ignore[attr-defined]
    assert limits == {"250 m", "500 m"}


def test_the_retail_store() -> None:
    found = imported("retail-store")
    versions = {e.name: getattr(e, "version", None) for e in found.system.elements}
    assert versions == {
        **dict.fromkeys(("ui", "catalog", "cart", "checkout", "orders")),
        "catalog-db": "MariaDB 10.9",
        "opensearch": "OpenSearch 3.5.0",
        "carts-db": "DynamoDB local 1.20.0",
        "checkout-redis": "6.0",
        "orders-db": "16.1",
        "rabbitmq": "3",
    }
    by_override = {("ui", name) for name in ("catalog", "cart", "orders", "checkout")}
    assert starts(found) == 5 + len(by_override)
    assert by_override < pairs(found)  # in compose.override.yaml, which Compose reads by itself


def test_workspaces_in_the_dsl() -> None:
    found = imported("structurizr/microservices.dsl")
    assert kinds(found) == {"Service": 10, "MySQL": 8, "External": 2, "Person": 1}
    assert len(found.joined.edges) == 24
    bank, exported = (
        imported(f"structurizr/{path}") for path in ("big-bank.dsl", "json/big-bank-plc.json")
    )
    assert kinds(bank) == kinds(exported)
    assert pairs(bank) == pairs(exported)
    clinic = imported("structurizr/dsl-tests/spring-petclinic/workspace.dsl")
    assert kinds(clinic) == {"Person": 1, "Service": 2}


REFUSED = (
    "constant.dsl", "details", "already-exists", "enterprise", "from-dsl-url", "from-json",
    "group-url", "group-without-brace", "iso-8859", "include/model", "multi-line-with-error",
    "multiple", "people", "software-system/model", "styles", "summary", "unexpected",
    "with-bom-model",
)  # fmt: skip
"""Texts that Structurizr's own parser refuses, or that are parts of others or lack a file."""


@pytest.mark.parametrize("path", sorted((CORPUS / "structurizr").rglob("*.dsl")), ids=str)
def test_every_text_in_the_dsl_is_read_or_refused_with_its_line(path: Path) -> None:
    if not any(word in str(path) for word in REFUSED):
        import_paths([path])
        return
    with pytest.raises(ModelError) as error:
        import_paths([path])
    assert error.value.place is not None


def endpoints(found: Import) -> dict[str, int]:
    return {
        element.name: len(element.endpoints)
        for element in found.system.services
        if element.endpoints
    }


def test_contracts_are_of_the_services_that_run() -> None:
    assert endpoints(imported("online-boutique")) == {
        "cartservice": 3, "recommendationservice": 1, "productcatalogservice": 3,
        "shippingservice": 2, "currencyservice": 2, "paymentservice": 1, "emailservice": 1,
        "checkoutservice": 1, "adservice": 1,
    }  # fmt: skip
    assert endpoints(imported("retail-store")) == {
        "cart": 8, "catalog": 5, "checkout": 3, "orders": 2,
    }  # fmt: skip


def test_calm_threagile_and_spring() -> None:
    trading = imported("calm/trading-system.architecture.json")
    assert kinds(trading) == {"Person": 1, "Service": 10}  # 13 nodes: a boundary, a file
    assert len(pairs(trading)) == 15
    threats = imported("threagile")
    assert kinds(threats) == {"Person": 4, "Service": 8, "MySQL": 1, "ObjectStore": 1}
    settings = imported("spring-resilience4j")
    assert kinds(settings) == {"Service": 1}
    lost = [r.sentence for r in settings.joined.remarks if "is not known to reach" in r.sentence]
    assert len(lost) == 2


@pytest.mark.parametrize("name", ["retry", "timeout", "circuit-breaker", "http-route-timeout"])
def test_what_envoy_is_given(name: str) -> None:
    """As Envoy Gateway translates what users write: the clients of the gateway are the same."""
    files = sorted((CORPUS / "envoy").glob(f"{name}.*"))
    found = import_paths(files)
    gateway = found.system.find("envoy")
    assert isinstance(gateway, Gateway)
    clients = {str(client.target): client for client in gateway.clients}
    first = clients["first-route-dest"]
    assert first.balancing == "power_of_two"
    match name:
        case "retry":  # three routes to it, with other retries each
            assert first.retry is None
            assert any("differ in retry" in r.sentence for r in found.joined.remarks)
        case "timeout":
            assert first.connect_timeout == 31 * s
        case "circuit-breaker":
            assert first.bulkhead == Bulkhead(1)
            assert gateway.pools == (Pool("first-route-dest", 1),)
        case _:
            assert len(clients) == 7
            assert [first.timeout, clients["second-route-dest"].timeout] == [5 * s, 4000 * s]
            assert isinstance(clients["third-route-dest"].timeout, Absent)


def test_the_page_lists_how_imported_systems_differ_from_those_modelled_by_hand() -> None:
    """Made again, and every difference has its reason: ``python docs/beside.py CORPUS``."""
    docs = Path(__file__).parents[2] / "docs"
    made = runpy.run_path(str(docs / "beside.py"))["page"](CORPUS)
    assert made == (docs / "import" / "beside.md").read_text(encoding="utf-8")
