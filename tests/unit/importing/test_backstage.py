"""Components are services of owners and systems; who consumes an API reaches who provides it."""

from __future__ import annotations

from pathlib import Path

import pytest
from commands import archcheck

from archcheck import PostgreSQL, Redis, Service
from archcheck.importing import import_paths
from archcheck.model import ModelError

SAMPLE = Path(__file__).parent / "catalogue_samples" / "catalog-info.yaml"


def test_components_and_resources_are_elements() -> None:
    system = import_paths([SAMPLE]).system
    assert {element.name: type(element) for element in system.elements} == {
        "web": Service,
        "orders": Service,
        "search": Service,
        "orders-db": PostgreSQL,
        "sessions": Redis,
    }
    web = system.find("web")
    assert isinstance(web, Service)
    assert (web.owner, web.boundary, web.tags) == ("Team-Web", "shop", ("java",))
    assert web.description == "What readers see."
    assert web.docs == "https://runbook.example/web"
    orders, search = system.find("orders"), system.find("search")
    assert isinstance(orders, Service)
    assert isinstance(search, Service)
    assert (orders.owner, search.owner) == ("ada", "Team-Web")


def test_dependencies_and_consumed_apis_are_edges() -> None:
    found = import_paths([SAMPLE])
    assert {(edge.source, edge.target) for edge in found.joined.edges} == {
        ("web", "orders"),
        ("web", "search"),
        ("web", "sessions"),
        ("orders", "orders-db"),
        ("search", "orders-db"),
    }


def test_what_a_model_has_no_word_for_is_listed() -> None:
    listed = [remark.sentence for remark in import_paths([SAMPLE]).joined.remarks]
    for words in (
        "web consumes the API default/tax-api, which nobody in the files provides",
        "orders refers to component:default/kit, which is no part of the model",
        "orders refers to Component:gone, which is no part of the model",
        "Component kit is a library, which does not run by itself",
        "Resource cluster is a kubernetes-cluster, which nobody asks",
        "System shop is the boundary of its components",
        "Group Team-Web is an owner",
        "search: a model has no word for lifecycle, subcomponentOf",
    ):
        assert [each for each in listed if words in each], words


def test_what_is_deployed_under_the_same_name_is_the_same_element(tmp_path: Path) -> None:
    (tmp_path / "catalog-info.yaml").write_text(SAMPLE.read_text("utf-8"), encoding="utf-8")
    (tmp_path / "compose.yaml").write_text(
        "services: {orders: {image: own/orders}, orders-db: {image: 'mysql:8.4'}}",
        encoding="utf-8",
    )
    system = import_paths([tmp_path]).system
    assert type(system.find("orders-db")).__name__ == "MySQL", "what runs counts more"
    orders = system.find("orders")
    assert isinstance(orders, Service)
    assert orders.owner == "ada"
    assert orders.deployment is not None


HEAD = "apiVersion: backstage.io/v1alpha1\nkind: Component\n"


@pytest.mark.parametrize(
    ("text", "line", "sentence"),
    [
        (HEAD + "metadata: {}\n", 3, "name is missing"),
        (HEAD + "metadata: {name: ''}\n", 3, "must not be empty"),
        (HEAD + "metadata: {name: a}\nspec: {dependsOn: b}\n", 4, "dependsOn must be a list"),
        (HEAD + "metadata: {name: a}\nspec: {dependsOn: ['b:']}\n", 4, "[kind:][namespace/]name"),
    ],
)
def test_what_is_wrong_is_one_sentence_with_its_line(
    tmp_path: Path, text: str, line: int, sentence: str
) -> None:
    path = tmp_path / "catalog-info.yaml"
    path.write_text(text, encoding="utf-8")
    with pytest.raises(ModelError) as error:
        import_paths([path])
    assert sentence in error.value.sentence
    assert error.value.place is not None
    assert error.value.place.line == line


def test_commands_take_a_catalogue(tmp_path: Path) -> None:
    shown = archcheck("import", SAMPLE, "-v", cwd=tmp_path)
    assert shown.returncode == 0, shown.stderr
    assert "1 file of Backstage" in shown.stdout
    assert archcheck("verify", SAMPLE, cwd=tmp_path).returncode in (0, 1)
