"""What services offer: Protocol Buffers, service configs of gRPC, OpenAPI; and whose it is."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from imported import service, write

from archcheck import Client
from archcheck.importing import Import, import_paths
from archcheck.model import Contract, Endpoint, Grpc, Hedge, Http1, ModelError, Retry
from archcheck.units import s

SAMPLES = Path(__file__).parent / "catalogue_samples"
CALLER = """
    services:
      web: {image: own/web, environment: {PAYMENTS_ADDR: "payments:50051"}}
      payments: {image: own/payments}
"""


def remarks(found: Import) -> list[str]:
    return [remark.sentence for remark in found.joined.remarks]


def test_a_proto_says_what_a_service_offers() -> None:
    payments = service(import_paths([SAMPLES / "payments.proto"]), "Payments")
    full = "shop.payments.v1beta1.Payments"
    contract = Contract(
        "tests/unit/importing/catalogue_samples/payments.proto", version="v1beta1", stability="beta"
    )

    def grpc(streaming: str = "no") -> Grpc:
        return Grpc(full, contract=contract, streaming=streaming)  # type: ignore[arg-type]

    assert payments.description == "Takes money. Gives it back."
    assert payments.endpoints == (
        Endpoint("Charge", grpc(), versions=["v1beta1"], description="Charges a card."),
        Endpoint(
            "Get",
            grpc(),
            also=[Http1("GET", path="/v1/payments/{id}"), Http1("POST", path="/v1/payments:get")],
            idempotent=True,
            versions=["v1beta1"],
        ),
        Endpoint("Watch", grpc("server"), versions=["v1beta1"], tags=["deprecated"]),
        Endpoint("Upload", grpc("client"), versions=["v1beta1"]),
        Endpoint("Talk", grpc("both"), versions=["v1beta1"]),
    )


def test_a_contract_is_of_who_runs_under_its_name(tmp_path: Path) -> None:
    proto = (
        "service Payments { rpc Charge(A) returns (B); }\nservice Other { rpc Do(A) returns (B); }"
    )
    found = import_paths([write(tmp_path, compose_dot_yaml=CALLER, p_dot_proto=proto)])
    assert [element.name for element in found.system.elements] == ["web", "payments"]
    assert [endpoint.name for endpoint in service(found, "payments").endpoints] == ["Charge"]
    assert [each for each in remarks(found) if each.startswith("Other is described here")]


def test_two_versions_of_a_package_are_one_service(tmp_path: Path) -> None:
    write(
        tmp_path,
        one_dot_proto="package a.v1; service S { rpc Do(A) returns (B); }",
        two_dot_proto="package a.v2; service S { rpc Do(A) returns (B); rpc New(A) returns (B); }",
        three_dot_proto="package b; service S { rpc Do(A) returns (B); }",
        again_dot_proto="package b; service S { rpc Else(A) returns (B); }",
        health_dot_proto="package grpc.health.v1; service Health { rpc Check(A) returns (B); }",
    )
    found = import_paths([tmp_path])
    services = {each.name: each for each in found.system.services}
    assert [*services] == ["b/S", "a/S"]
    first, second = services["a/S"].endpoints
    assert first.versions == ("v1", "v2")
    assert [getattr(each, "service", "") for each in (first.protocol, *first.also)] == [
        "a.v1.S",
        "a.v2.S",
    ]
    assert (second.name, second.versions) == ("New", ("v2",))
    assert [each for each in remarks(found) if "b.S has other methods here" in each]
    assert [each for each in remarks(found) if "every server may offer" in each]


def test_a_service_config_is_for_all_who_reach_the_service(tmp_path: Path) -> None:
    write(tmp_path, compose_dot_yaml=CALLER)
    for name in ("payments.proto", "grpc_service_config.json"):
        (tmp_path / name).write_text((SAMPLES / name).read_text())
    found = import_paths([tmp_path])
    assert service(found, "web").clients == (
        Client(
            "payments",
            timeout=1.5 * s,
            retry=Retry(
                attempts=4,
                backoff=0.1 * s,
                factor=1.3,
                max_backoff=2 * s,
                on=["timeout", "rejected", "failed"],
            ),
        ),
    )
    listed = remarks(found)
    assert [each for each in listed if "is for all attempts together" in each]
    assert [each for each in listed if "no word for waitForReady" in each]
    assert [each for each in listed if "no word for loadBalancingConfig" in each]


def config(folder: Path, *entries: object) -> Import:
    proto = "service Payments { rpc A(X) returns (X); rpc B(X) returns (X); }"
    write(folder, compose_dot_yaml=CALLER, p_dot_proto=proto)
    (folder / "config.json").write_text(json.dumps({"methodConfig": [*entries]}, indent=1))
    return import_paths([folder])


def test_what_differs_by_method_is_said_and_left_out(tmp_path: Path) -> None:
    found = config(
        tmp_path,
        {"name": [{"service": "Payments", "method": "A"}], "timeout": "1s"},
        {"name": [{"service": "Payments"}], "timeout": "2s"},
        {"name": [{"service": "Elsewhere"}], "timeout": "3s"},
    )
    assert service(found, "web").clients == (Client("payments"),)
    assert [each for each in remarks(found) if "Payments: timeout is for single methods" in each]
    assert [each for each in remarks(found) if "is known as Elsewhere: timeout" in each]


def test_what_all_methods_have_the_client_has(tmp_path: Path) -> None:
    hedge = {"maxAttempts": 9, "hedgingDelay": "0.05s"}
    names = [{"service": "Payments", "method": method} for method in "AB"]
    found = config(tmp_path, {"name": names, "hedgingPolicy": hedge}, {"name": [{}]})
    assert service(found, "web").clients == (
        Client("payments", hedge=Hedge(0.05 * s, max_attempts=5)),
    )


@pytest.mark.parametrize(
    ("entry", "sentence"),
    [
        ({"timeout": "soon"}, "timeout must be a duration such as 1.5s"),
        ({"retryPolicy": {"maxAttempts": 1}}, "maxAttempts must be 2 or more"),
        ({"retryPolicy": {}}, "maxAttempts is missing"),
        ({"retryPolicy": {"maxAttempts": 2, "retryableStatusCodes": ["BAD"]}}, "one of gRPC's"),
        ({"retryPolicy": {"maxAttempts": 2, "backoffMultiplier": "x"}}, "must be a number"),
    ],
)
def test_a_config_that_is_wrong_is_one_sentence(
    tmp_path: Path, entry: dict[str, object], sentence: str
) -> None:
    path = tmp_path / "config.json"
    text = {"methodConfig": [{"name": [{"service": "S"}], **entry}]}
    path.write_text(json.dumps(text, indent=1), encoding="utf-8")
    with pytest.raises(ModelError, match=sentence) as error:
        import_paths([path])
    assert error.value.place is not None
    assert error.value.place.line > 2


@pytest.mark.parametrize(
    ("text", "line", "sentence"),
    [
        ("nonsense", 1, "there must be syntax"),
        ("message A {\n", 1, "there must be '}', and the file ends"),
        ("service S {\nrpc Do(A) return (B);\n}", 2, "there must be 'returns', got 'return'"),
        ("service S {\nrpc (A) returns (B);\n}", 2, "the name of the method"),
        ("service S {\nmessage A {}\n}", 2, "a service has rpc and option only"),
        ("service S {\nrpc Do(A) returns (B)\n}", 3, "must end with ';'"),
        ("message A " + "{" * 200, 1, "more than 100 inside each other"),
        ('import "a', 1, "there must be ';'"),
    ],
)
def test_a_proto_that_is_wrong_is_one_sentence(
    tmp_path: Path, text: str, line: int, sentence: str
) -> None:
    path = tmp_path / "a.proto"
    path.write_text(text, encoding="utf-8")
    with pytest.raises(ModelError, match=sentence) as error:
        import_paths([path])
    assert error.value.place is not None
    assert error.value.place.line == line


def test_openapi_says_what_a_service_offers() -> None:
    orders = service(import_paths([SAMPLES / "shop-openapi.yaml"]), "orders")
    contract = Contract("tests/unit/importing/catalogue_samples/shop-openapi.yaml", version="1.4.0")

    def http(method: str, path: str) -> Http1:
        return Http1(method, path=path, contract=contract, encrypted=True)

    assert orders.description == "Orders API: Takes orders."
    assert orders.endpoints == (
        Endpoint(
            "placeOrder",
            http("POST", "/orders"),
            authentication="jwt",
            description="Places an order",
            tags=["orders"],
        ),
        Endpoint(
            "GET /orders",
            http("GET", "/orders"),
            authentication="anonymous",
            tags=["deprecated"],
        ),
        Endpoint("getOrder", http("GET", "/orders/{id}"), authentication="api_key"),
        Endpoint("DELETE /orders/:id", http("DELETE", "/orders/{id}")),
    )
    assert [each for each in remarks(import_paths([SAMPLES / "shop-openapi.yaml"]))
            if "the security key, token is none" in each]  # fmt: skip


def test_two_versions_of_an_api_are_one_service(tmp_path: Path) -> None:
    api = "openapi: 3.0.0\ninfo: {title: Cart API, version: VERSION}\npaths: {/PATH: {get: {}}}\n"
    write(
        tmp_path,
        v1_dot_yaml=api.replace("VERSION", "'1'").replace("PATH", "carts"),
        v2_dot_yaml=api.replace("VERSION", "'2'").replace("PATH", "baskets"),
        elsewhere__v1_dot_yaml=api.replace("VERSION", "'1'").replace("PATH", "other"),
    )
    found = import_paths([tmp_path])
    endpoints = [[each.name for each in service(found, element.name).endpoints]
                 for element in found.system.elements]  # fmt: skip
    assert sorted(map(sorted, endpoints)) == [["GET /baskets", "GET /carts"], ["GET /other"]]


def test_openapi_is_of_who_is_built_from_its_folder(tmp_path: Path) -> None:
    api = "openapi: 3.0.0\ninfo: {title: OpenAPI definition}\npaths: {/x: {get: {}}}\n"
    write(
        tmp_path,
        compose_dot_yaml="services: {cart: {build: src/cart}, ui: {build: {context: src/ui}}}",
        src__cart__api__openapi_dot_yaml=api,
        src__ui__a_dot_yaml=api,
        src__ui__b_dot_yaml=api,
        elsewhere__openapi_dot_yaml=api,
    )
    found = import_paths([tmp_path])
    assert [element.name for element in found.system.elements] == ["cart", "ui"]
    assert [each.name for each in service(found, "cart").endpoints] == ["GET /x"]
    assert not service(found, "ui").endpoints, "two documents: which of them is its own is not said"
    assert len([each for each in remarks(found) if "is described here" in each]) == 3


def test_older_openapi_is_left_out_or_refused(tmp_path: Path) -> None:
    write(
        tmp_path,
        a_dot_yaml="swagger: '2.0'\ninfo: {title: A}",
        b_dot_yaml="openapi: 3.1.0\npaths: {}",
    )
    found = import_paths([tmp_path])
    assert [why for _, why in found.skipped] == ["line 1: is OpenAPI 2.0, and only 3 is read"]
    with pytest.raises(ModelError, match="only OpenAPI 3 is read"):
        import_paths([tmp_path / "a.yaml"])


def test_a_folder_that_is_named_through_a_link_has_the_same_contracts(tmp_path: Path) -> None:
    text = (SAMPLES / "payments.proto").read_text(encoding="utf-8")
    write(tmp_path / "shop", protos__payments_dot_proto=text)
    (tmp_path / "link").symlink_to(tmp_path / "shop")
    found = import_paths([tmp_path / "link"])
    assert found.system.elements == import_paths([tmp_path / "shop"]).system.elements
