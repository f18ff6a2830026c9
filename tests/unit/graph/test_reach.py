"""How far requests reach, and who depends on whom."""

from __future__ import annotations

from archcheck import (
    Call,
    Client,
    Consumer,
    Docker,
    Endpoint,
    Fallback,
    MySQL,
    Publish,
    Read,
    Service,
    System,
    Topic,
)
from archcheck.graph import Graph
from archcheck.graph.reach import asked_behind, dependencies, dependents, waited_for, zones_in
from archcheck.units import s

ASK = Call("bank.pay", timeout=1 * s, fallback=Fallback("call", target="spare.pay"))
SYSTEM = System(
    "reached",
    [
        MySQL("db", zones=["b"]),
        Topic("paid"),
        Service(
            "web",
            endpoints=[Endpoint("go", steps=[ASK])],
            clients=[Client("mail")],
            deployment=Docker(zones=["a", "b"]),
        ),
        Service("bank", endpoints=[Endpoint("pay", steps=[Read("db"), Publish("paid")])]),
        Service("spare", endpoints=[Endpoint("pay")]),
        Service("mail", consumers=[Consumer("paid")]),
    ],
)
GRAPH = Graph(SYSTEM)


def test_who_depends_on_whom_knows_fallbacks_messages_and_clients_without_a_call() -> None:
    assert dependencies(GRAPH)["web"] == ("bank", "spare", "mail")
    assert dependencies(GRAPH)["mail"] == ("paid",)
    assert dependents(GRAPH)["spare"] == ("web",)
    assert dependents(GRAPH)["mail"] == ("web",)
    assert dependents(GRAPH)["paid"] == ("bank", "mail")


def test_a_request_waits_for_answers_and_not_for_messages() -> None:
    assert waited_for(GRAPH, ["web.go"]) == {"web", "bank", "db"}


def test_what_is_asked_instead_is_asked_only_with_fallbacks() -> None:
    assert "spare.pay" not in asked_behind(GRAPH, "web.go")
    assert "spare.pay" in asked_behind(GRAPH, "web.go", fallbacks=True)


def test_zones_stand_in_the_order_of_the_model() -> None:
    assert zones_in(SYSTEM) == ("b", "a")
