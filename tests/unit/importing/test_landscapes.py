"""CALM, Threagile and LikeC4: the same account makes facts of all of them."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from imported import service

from archcheck import (
    Client,
    External,
    MongoDB,
    MySQL,
    Person,
    PostgreSQL,
    Service,
    SpringBoot,
)
from archcheck.importing import Import, import_paths
from archcheck.model import ModelError

SAMPLES = Path(__file__).parent / "catalogue_samples"


def sample(name: str) -> Import:
    return import_paths([SAMPLES / name])


def kinds(found: Import) -> dict[str, type]:
    return {element.name: type(element) for element in found.system.elements}


def uses(found: Import, name: str) -> tuple[str, ...]:
    part = found.system.find(name)
    assert isinstance(part, Person)
    return part.uses


def says(found: Import, *sentences: str) -> bool:
    listed = [remark.sentence for remark in found.joined.remarks]
    missing = [words for words in sentences if not any(words in each for each in listed)]
    assert not missing, (missing, listed)
    return True


def test_calm() -> None:
    found = sample("trading.calm.json")
    assert found.system.name == "Trading"
    assert kinds(found) == {
        "Trader": Person,
        "GUI": Service,
        "Orders": Service,
        "MongoDB": MongoDB,
        "Old Books": Service,
        "Exchange": External,
    }
    gui, orders = service(found, "GUI"), service(found, "Orders")
    assert (gui.boundary, gui.owner, orders.boundary) == ("Desk", "team-gui", "Desk")
    assert service(found, "Old Books").boundary is None
    assert gui.clients == (Client("Orders", encrypted=True, authenticated=True),)
    assert orders.clients == (Client("MongoDB"), Client("Exchange", encrypted=False))
    assert uses(found, "Trader") == ("GUI.use",)
    assert says(
        found,
        "Desk is the boundary of its parts",
        "LAN is a network",
        "orders -> net is left out",
        "the relationship r5 (deployed-in) has no word",
        "flows of an architecture have no word",
        "Orders: a model has no word for its controls",
        "GUI: the properties class have no word",
    )


def test_the_hosts_of_interfaces_are_known(tmp_path: Path) -> None:
    (tmp_path / "trading.json").write_text((SAMPLES / "trading.calm.json").read_text())
    text = "services: {web: {image: x, environment: {A_URL: 'http://orders.internal:8080'}}}"
    (tmp_path / "compose.yaml").write_text(text)
    found = import_paths([tmp_path])
    assert ("web", "Orders") in {(edge.source, edge.target) for edge in found.joined.edges}


def test_threagile() -> None:
    found = sample("threats.yaml")
    assert found.system.name == "Shop"
    assert kinds(found) == {
        "Customer": Person,
        "Payment Provider": External,
        "Web": Service,
        "Order Database": MySQL,
        "Old Files": Service,
    }
    web, store = service(found, "Web"), found.system.find("Order Database")
    assert (web.trust_zone, web.owner, web.tags) == ("Inner", "Company", ("linux",))
    assert web.clients == (
        Client("Order Database", encrypted=True, authenticated=True),
        Client("Payment Provider", encrypted=False, authenticated=False),
    )
    assert getattr(store, "encrypted_at_rest", None) is True
    assert uses(found, "Customer") == ("Web.use",)
    assert says(
        found,
        "Library is no call between processes",
        "Web: a model has no word for confidentiality",
        "data_assets are no part of a model",
        "Old Files is a database",
    )


def test_likec4() -> None:
    found = sample("likec4.json")
    assert found.system.name == "boutique"
    assert kinds(found) == {
        "Buyer": Person,
        "Web": Service,
        "Books": PostgreSQL,
        "Bank": External,
    }
    web = service(found, "Web")
    assert (web.boundary, web.owner, web.tags) == ("Shop", "team-web", ("front",))
    assert web.runtime == SpringBoot("3.2")
    assert web.docs == "https://shop.example/docs"
    assert {client.target for client in web.clients} == {"Books", "Bank"}
    assert uses(found, "Buyer") == ("Web.use",)
    assert says(
        found,
        "Web: a model has no word for its components (Cart)",
        "bank -> shop is left out: no part says which one",
        "views of LikeC4 are no part of a model",
    )


@pytest.mark.parametrize(
    ("name", "before", "after", "sentence"),
    [
        ("trading.calm.json", '"node": "db"', '"node": "dbx"', "must name the unique-id of a node"),
        ("trading.calm.json", '"unique-id": "db",', '"unique-id": "gui",', "'gui' is taken"),
        ("trading.calm.json", '"name": "GUI"', '"name": " "', "a name must not be empty"),
        ("threats.yaml", "target: web", "target: wbe", "must be the id of a technical asset"),
        ("threats.yaml", "used_as_client_by_human: true", "used_as_client_by_human: 7", "true or"),
        ("likec4.json", '"model": "bank"', '"model": "bnak"', "must name elements of the model"),
    ],
)
def test_what_is_wrong_is_one_sentence_with_its_line(
    tmp_path: Path, name: str, before: str, after: str, sentence: str
) -> None:
    text = (SAMPLES / name).read_text()
    assert before in text
    path = tmp_path / name
    path.write_text(text.replace(before, after), encoding="utf-8")
    with pytest.raises(ModelError, match=sentence) as error:
        import_paths([path])
    assert error.value.place is not None
    assert error.value.place.line > 5


def test_other_json_is_not_taken_for_these(tmp_path: Path) -> None:
    path = tmp_path / "a.json"
    for value in ({"nodes": [{"id": 1}]}, {"elements": {}, "relations": []}, [], {"relations": 1}):
        path.write_text(json.dumps(value), encoding="utf-8")
        with pytest.raises(ModelError, match=r"is none of what is known here|nothing in"):
            import_paths([path])
