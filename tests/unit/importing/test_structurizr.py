"""A workspace's containers are services and stores, its arrows edges; the rest is listed."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from commands import archcheck

from archcheck import External, ObjectStore, Person, PostgreSQL, Service, SpringBoot, Topic
from archcheck.importing import Import, import_paths
from archcheck.importing.technologies import technology_of
from archcheck.model import ModelError

SAMPLE = Path(__file__).parent / "catalogue_samples" / "workspace.json"


def remarks(found: Import) -> list[str]:
    return [remark.sentence for remark in found.joined.remarks]


def workspace(folder: Path, **model: object) -> Path:
    path = folder / "workspace.json"
    path.write_text(json.dumps({"name": "w", "model": model}, indent=1), encoding="utf-8")
    return path


def test_each_kind_of_element_becomes_what_its_file_says() -> None:
    system = import_paths([SAMPLE]).system
    assert system.name == "Bookshop"
    assert {element.name: type(element) for element in system.elements} == {
        "Reader": Person,
        "Clerk": Person,
        "Web": Service,
        "Shop/Books": PostgreSQL,
        "Orders": Topic,
        "Sessions": Service,
        "Ledger": Service,
        "Bank": External,
        "Warehouse": Service,
        "Archive/Books": ObjectStore,
    }


def test_what_a_container_says_is_in_the_model() -> None:
    system = import_paths([SAMPLE]).system
    web = system.find("Web")
    assert isinstance(web, Service)
    assert web.boundary == "Shop"
    assert web.owner == "team-web"
    assert web.runtime == SpringBoot("3.2")
    assert web.tags == ("Front",)
    assert web.docs == "https://shop.example/docs"
    assert web.description == "[Java and Spring Boot 3.2]"
    books = system.find("Shop/Books")
    assert isinstance(books, PostgreSQL)
    assert books.version == "14"
    assert web.site is not None
    assert web.site.place.line == 16


def test_what_a_component_reaches_its_container_reaches() -> None:
    found = import_paths([SAMPLE])
    assert {(edge.source, edge.target) for edge in found.joined.edges} == {
        ("Web", "Shop/Books"),
        ("Web", "Orders"),
        ("Warehouse", "Archive/Books"),
    }


def test_people_use_an_endpoint_that_stands_for_what_they_do() -> None:
    system = import_paths([SAMPLE]).system
    reader, web = system.find("Reader"), system.find("Web")
    assert isinstance(reader, Person)
    assert isinstance(web, Service)
    assert set(reader.uses) == {"Web.use", "Bank"}
    assert [endpoint.name for endpoint in web.endpoints] == ["use"]
    assert web.endpoints[0].description == "what people use it for: Reader: Orders books"


def test_what_a_model_has_no_word_for_is_listed() -> None:
    listed = remarks(import_paths([SAMPLE]))
    for words in (
        "Web: the properties cost have no word",
        "no word for its components (Basket, Prices)",
        "Reader -> Clerk: 'Asks' is left out",
        "Warehouse -> Shop: 'Fetches orders' is left out: no container says which part",
        "Warehouse -> Clerk: 'Calls' is left out",
        "Web -> Orders: an edge has no word for asynchronous",
        "Ledger is a database; no product of the vocabulary is known from 'Oracle 19c'",
        "Shop is the boundary of its containers",
        "Van is a custom element",
        "the environments Live are left out",
        "views of the workspace are no part of a model",
    ):
        assert [each for each in listed if words in each], words
    assert not [each for each in listed if "Reader -> Shop" in each], "said by Reader -> Web"


def test_a_workspace_without_containers_has_systems_as_services(tmp_path: Path) -> None:
    path = workspace(
        tmp_path,
        softwareSystems=[
            {"id": "a", "name": "Billing", "relationships": [{"id": "r", "destinationId": "b"}]},
            {"id": "b", "name": "Tax", "tags": "Element,Software System,External System"},
            {"id": "c", "name": "Mail.2"},
        ],
    )
    system = import_paths([path]).system
    kinds = {element.name: type(element) for element in system.elements}
    assert kinds == {"Billing": Service, "Tax": External, "Mail-2": Service}


@pytest.mark.parametrize(
    ("model", "sentence"),
    [
        ({"people": [{"id": "1"}]}, "name is missing"),
        ({"people": [{"name": "A"}]}, "id is missing"),
        ({"people": {"id": "1"}}, "must be a list"),
        (
            {"people": [{"id": "1", "name": "A"}, {"id": "1", "name": "B"}]},
            "A has the same id, got '1'",
        ),
        (
            {"people": [{"id": "1", "name": "A", "relationships": [{"destinationId": "9"}]}]},
            "destinationId must be the id of an element of the model, got '9'",
        ),
    ],
)
def test_what_is_wrong_is_one_sentence_with_its_line(
    tmp_path: Path, model: dict[str, object], sentence: str
) -> None:
    with pytest.raises(ModelError, match=sentence) as error:
        import_paths([workspace(tmp_path, **model)])
    assert error.value.place is not None
    assert error.value.place.line > 2


@pytest.mark.parametrize(
    ("text", "product", "version"),
    [
        ("PostgreSQL 14.2", "PostgreSQL", "14.2"),
        ("Amazon RDS for MySQL", "MySQL", None),
        ("Amazon Web Services - RDS MySQL", "MySQL", None),
        ("Redis cache", "Redis", None),
        ("MariaDB 10.6 database schema", "MariaDB", "MariaDB 10.6"),
        ("Apache Kafka 3.x", "Kafka", "3.x"),
        ("RabbitMQ message queue", "RabbitMQ", None),
        ("Microsoft SQL Server", "SQL Server", None),
        ("Go, Redis", None, None),
        ("MySQL or PostgreSQL", None, None),
        ("Java, Kafka Streams", None, None),
        ("Oracle Database Schema", None, None),
        ("", None, None),
    ],
)
def test_a_product_is_known_where_nothing_else_is_named(
    text: str, product: str | None, version: str | None
) -> None:
    found = technology_of(text)
    assert (found.product, found.version) == (product, version)


def test_other_files_say_more_about_the_same_elements(tmp_path: Path) -> None:
    workspace(
        tmp_path,
        people=[{"id": "1", "name": "Guest", "relationships": [{"destinationId": "3"}]}],
        softwareSystems=[
            {"id": "2", "name": "S", "containers": [
                {"id": "3", "name": "Cart", "relationships": [{"destinationId": "4"}]},
                {"id": "4", "name": "store", "technology": "MySQL"}]},
        ],
    )  # fmt: skip
    (tmp_path / "compose.yaml").write_text(
        "services: {cart: {image: own/cart}, store: {image: 'mariadb:11'}}", encoding="utf-8"
    )
    system = import_paths([tmp_path]).system
    assert sorted(element.name for element in system.elements) == ["Guest", "cart", "store"]
    guest, store = system.find("Guest"), system.find("store")
    assert isinstance(guest, Person)
    assert guest.uses == ("cart.use",)
    assert getattr(store, "version", None) == "MariaDB 11", "what runs counts more"


def test_who_is_something_else_elsewhere_is_not_used(tmp_path: Path) -> None:
    workspace(
        tmp_path,
        people=[{"id": "1", "name": "Guest", "relationships": [{"destinationId": "2"}]}],
        softwareSystems=[{"id": "2", "name": "store"}],
    )
    (tmp_path / "compose.yaml").write_text(
        "services: {store: {image: 'mysql:8'}}", encoding="utf-8"
    )
    found = import_paths([tmp_path])
    guest = found.system.find("Guest")
    assert isinstance(guest, Person)
    assert guest.uses == ()
    assert [each for each in remarks(found) if "store is nothing that it can refer to" in each]


def test_commands_take_a_workspace(tmp_path: Path) -> None:
    shown = archcheck("import", SAMPLE, "-v", cwd=tmp_path)
    assert shown.returncode == 0, shown.stderr
    assert "1 file of Structurizr" in shown.stdout
    drawn = archcheck("diagram", SAMPLE, "-o", "shop.svg", cwd=tmp_path)
    assert drawn.returncode == 0, drawn.stderr
    assert "Reader" in (tmp_path / "shop.svg").read_text(encoding="utf-8")
    assert archcheck("verify", SAMPLE, cwd=tmp_path).returncode in (0, 1)


def test_an_escaped_emoji_is_json(tmp_path: Path) -> None:
    text = r"""{"name": "shop", "model": {"softwareSystems": [
      {"id": "1", "name": "Shop \ud83d\ude00 \\ud83d", "containers": [{"id": "2", "name": "Web"}]}
    ]}, "views": {}}"""
    (tmp_path / "workspace.json").write_text(text)
    found = import_paths([tmp_path / "workspace.json"])
    assert [element.name for element in found.system.services] == ["Web"]
