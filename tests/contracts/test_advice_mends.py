"""Advice of single rules that did not mend: what the rule says must make its finding go away."""

from __future__ import annotations

from archcheck import (
    Autoscale,
    Call,
    Consumer,
    Endpoint,
    External,
    Http1,
    Journey,
    Kubernetes,
    Publish,
    Service,
    System,
    Topic,
    Work,
    facade,
)
from archcheck.units import ms, percent


def fixes(system: System, rule: str) -> list[str]:
    found = facade.verify(system).findings
    return [o.fix for f in found if f.rule.id == rule for o in f.occurrences if o.fix]


def test_a_timeout_is_longer_than_what_the_callee_takes() -> None:
    slow = Service("slow", endpoints=[Endpoint("run", steps=[Work(650 * ms)])])
    caller = Service("caller", endpoints=[Endpoint("go", steps=[Call("slow.run")])])
    assert fixes(System("m", [slow, caller]), "RES001") == ["timeout=2 * s"]
    fast = Service("slow", endpoints=[Endpoint("run", steps=[Work(5 * ms)])])
    assert fixes(System("m", [fast, caller]), "RES001") == ["timeout=250 * ms"]


def test_under_an_autoscaler_its_minimum_is_what_counts() -> None:
    scaled = Kubernetes(replicas=2, autoscale=Autoscale(min=1, max=9, target_cpu=60 * percent))
    one = Service("one", deployment=scaled, endpoints=[Endpoint("x")])
    system = System("m", [one], journeys=[Journey("j", "one.x", critical=True)])
    assert fixes(system, "RES012") == ["min=2 in its Autoscale"]


def test_what_is_an_event_already_is_not_turned_into_one() -> None:
    orders = Service(
        "orders", boundary="ordering", endpoints=[Endpoint("place", steps=[Publish("placed")])],
        consumers=[Consumer("paid")],
    )  # fmt: skip
    billing = Service(
        "billing", boundary="money", consumers=[Consumer("placed", steps=[Publish("paid")])]
    )
    topics = [Topic("placed", belongs_to="orders"), Topic("paid", belongs_to="orders")]
    for fix in fixes(System("m", [orders, billing, *topics]), "BND002"):
        assert "is an event already" in fix
        assert "into an event" not in fix


def test_of_calls_and_events_the_event_is_named() -> None:
    topics = [Topic("placed", belongs_to="orders")]
    reads = Service(
        "billing",
        boundary="money",
        endpoints=[Endpoint("x", steps=[Call("orders.get")])],
        consumers=[Consumer("placed")],
    )
    orders = Service(
        "orders",
        boundary="ordering",
        endpoints=[
            Endpoint("get"),
            Endpoint("place", steps=[Publish("placed"), *3 * [Call("billing.x")]]),
        ],
    )
    (fix,) = fixes(System("m", [reads, orders, *topics]), "BND002")
    assert "orders.place -> placed is an event already" in fix


def test_a_question_is_not_turned_into_an_event() -> None:
    b = Service(
        "b", boundary="b", endpoints=[Endpoint("do"), Endpoint("x", steps=[Call("a.price")])]
    )
    reading = Service("a", boundary="a", endpoints=[Endpoint("price", Http1("GET", "/price"))])
    asks = Service(
        "a2", boundary="a", endpoints=[Endpoint("x", steps=[Call("b.do"), Call("b.do")])]
    )
    (fix,) = fixes(System("m", [reading, asks, b]), "BND002")
    assert (
        fix == "keep a copy in b of what b.x -> a.price reads, fed by events, "
        "or move what it needs to b"
    )
    ext = External("bank", endpoints=[Endpoint("rate", Http1("GET", "/rate"))])
    c = Service("c", endpoints=[Endpoint("go", steps=[Call("bank.rate")])])
    system = System("m", [ext, c], journeys=[Journey("j", "c.go", critical=True)])
    (fix,) = fixes(system, "RES026")
    assert "event" not in fix
