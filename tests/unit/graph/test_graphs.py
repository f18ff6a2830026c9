"""The typed views: who calls, who depends, who must be up first, where data go."""

from __future__ import annotations

import pytest

from archcheck import (
    Call,
    Consumer,
    Endpoint,
    Journey,
    Kafka,
    MySQL,
    Publish,
    Read,
    Service,
    System,
    Topic,
    Write,
)
from archcheck.graph import Graph
from archcheck.graph.walks import pairs


@pytest.fixture
def graph() -> Graph:
    return Graph(
        System(
            "s",
            [
                Service(
                    "shop",
                    boundary="sales",
                    start_after=["stock"],
                    endpoints=[
                        Endpoint("buy", steps=[Call("stock.take"), Publish("sold")]),
                        Endpoint("look", steps=[Call("stock.count")]),
                    ],
                ),
                Service(
                    "stock",
                    boundary="storage",
                    endpoints=[
                        Endpoint("take", steps=[Write("rows")]),
                        Endpoint("count", steps=[Read("rows")]),
                    ],
                ),
                Service("mail", boundary="contact", consumers=[Consumer("sold")]),
                MySQL("rows", belongs_to="stock"),
                Kafka("kafka"),
                Topic("sold", broker="kafka"),
                Journey("order", "shop.buy", critical=True),
                Journey("browse", "shop.look"),
            ],
        )
    )


def test_dependencies_are_all_that_elements_ask_for(graph: Graph) -> None:
    everything = {("shop", "stock"), ("shop", "sold"), ("stock", "rows"), ("mail", "sold")}
    assert set(pairs(graph.dependencies())) == everything
    assert len(graph.service_calls()["shop"]["stock"]) == 2


def test_a_consumer_depends_on_the_boundary_that_publishes(graph: Graph) -> None:
    assert set(pairs(graph.boundary_dependencies())) == {("sales", "storage"), ("contact", "sales")}


def test_a_datastore_belongs_to_the_boundary_of_its_owner(graph: Graph) -> None:
    assert graph.boundary_of(graph.system.find("rows")) == "storage"


def test_start_up_points_at_what_must_be_up_first(graph: Graph) -> None:
    assert set(pairs(graph.start_up())) == {("shop", "stock")}


def test_data_flow_has_answers_and_messages(graph: Graph) -> None:
    edges = set(pairs(graph.data_flow()))
    assert {("rows", "stock"), ("stock", "shop"), ("shop", "sold"), ("sold", "mail")} <= edges
    assert ("mail", "sold") not in edges


def test_required_elements_come_with_the_path_that_needs_them(graph: Graph) -> None:
    order = graph.system.journeys[0]
    paths = {member.name: [s.name for s in path] for member, path in graph.required(order)}
    assert paths["rows"] == ["shop.buy -> stock.take", "stock.take -> rows"]
    assert paths["kafka"] == ["shop.buy -> sold"]
    assert "mail" not in paths
