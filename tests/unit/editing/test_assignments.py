"""Settings as people say them, and what they do to a system."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from archcheck import (
    Absent,
    Call,
    Client,
    Endpoint,
    Kubernetes,
    Load,
    Mix,
    ModelError,
    Poisson,
    Retry,
    Service,
    System,
    with_,
)
from archcheck.editing import parse_setting, variants, with_settings
from archcheck.graph import Graph
from archcheck.loading import load
from archcheck.model.linking import walk
from archcheck.units import ms, s

ROOT = Path(__file__).parents[3]
(SHOP,) = load(ROOT / "models" / "shop")
(BOUTIQUE,) = load(ROOT / "models" / "online_boutique")


def call(system: System, owner: str, target: str) -> Call:
    service = system.find(owner)
    (found,) = [
        step for step in walk(service) if isinstance(step, Call) and str(step.target) == target
    ]
    return found


def service(system: System, name: str) -> Service:
    found = system.find(name)
    assert isinstance(found, Service)
    return found


def test_replicas_take_the_place_of_an_autoscaler() -> None:
    changed = service(with_(SHOP, {"payments.replicas": 6}), "payments").deployment
    assert isinstance(changed, Kubernetes)
    assert (changed.replicas, changed.autoscale) == (6, None)
    assert service(SHOP, "payments").deployment.autoscale is not None  # type: ignore[union-attr]


@pytest.mark.parametrize("value", [150 * ms, "150ms"])
def test_a_call_by_its_ends(value: Any) -> None:
    changed = with_(SHOP, {"orders->payments.timeout": value})
    assert call(changed, "orders", "payments.Charge").timeout == 150 * ms
    exactly = with_(SHOP, {"orders.place -> payments.Charge.timeout": value})
    assert call(exactly, "orders", "payments.Charge").timeout == 150 * ms


def test_parts_of_parts_and_nothing() -> None:
    changed = with_(SHOP, {"edge->catalogue.retry.attempts": "5", "payments.threads": "10"})
    assert call(changed, "edge", "catalogue.Get").retry.attempts == 5  # type: ignore[union-attr]
    assert service(changed, "payments").runtime.threads == 10  # type: ignore[union-attr]
    without = with_(SHOP, {"edge->catalogue.retry": "none"})
    assert call(without, "edge", "catalogue.Get").retry is None


def test_a_part_that_several_share_is_changed_for_the_named_one_alone() -> None:
    twice, retry = Kubernetes(replicas=2), Retry(attempts=2, backoff=10 * ms)
    charge = Call("bank.pay", retry=retry)
    bank = Service("bank", endpoints=[Endpoint("pay", steps=[])], deployment=twice)
    first, second = (
        Service(name, endpoints=[Endpoint("place", steps=[charge])], deployment=twice)
        for name in ("first", "second")
    )
    shop = System("shop", [first, second, bank])
    changed = with_(shop, {"first.replicas": 6, "first->bank.retry.attempts": 5})
    assert [each.deployment.replicas for each in changed.services] == [6, 2, 2]  # type: ignore[union-attr]
    attempts = [step.step.retry.attempts for step in Graph(changed).interactions]  # type: ignore[union-attr]
    assert attempts == [5, 2]


def test_what_a_client_says_is_changed_for_the_named_calls_alone() -> None:
    bank = Service("bank", endpoints=[Endpoint("pay", steps=[]), Endpoint("refund", steps=[])])
    retry = Retry(attempts=2, backoff=10 * ms)
    orders = Service(
        "orders",
        endpoints=[Endpoint("place", steps=[Call("bank.pay"), Call("bank.refund")])],
        clients=[Client("bank", timeout=1 * s, retry=retry)],
    )
    shop = System("shop", [orders, bank])

    def asked(system: System) -> list[Any]:
        return [step.step for step in Graph(system).interactions]

    pay, refund = asked(with_(shop, {"orders->bank.pay.retry.attempts": 4}))
    assert (pay.retry, refund.retry) == (replace(retry, attempts=4), retry)
    pay, refund = asked(with_(shop, {"orders->bank.pay.timeout": "150ms"}))
    assert (pay.timeout, refund.timeout) == (150 * ms, 1 * s)
    pay, refund = asked(with_(shop, {"orders->bank.retry": "none"}))
    assert isinstance(pay.retry, Absent)
    assert isinstance(refund.retry, Absent)


def test_the_place_of_a_declaration_is_kept() -> None:
    changed = with_(SHOP, {"payments.replicas": 6})
    before, after = SHOP.find("payments").site, changed.find("payments").site
    assert before is not None
    assert after is not None
    assert before.place == after.place


def test_load_grows_by_a_factor() -> None:
    twice = with_(SHOP, {"load": "x2"}).scenario("evening")
    assert [each.weight for each in twice.load if isinstance(each, Load)] == [2.0, 2.0]
    one = with_(SHOP, {"checkout.load": "x3"}).scenario("evening")
    assert [each.weight for each in one.load if isinstance(each, Load)] == [3.0, 1.0]
    mixed = with_(BOUTIQUE, {"load": "x2"})
    (mix,) = mixed.scenario("busy").load
    assert isinstance(mix, Mix)
    assert isinstance(mix.arrivals, Poisson)
    assert float(mix.arrivals.rate) == 20
    assert mixed.scenario("release").load[0].arrivals.users == 20  # type: ignore[attr-defined]


@pytest.mark.parametrize(
    ("path", "value", "says"),
    [
        ("ledger.replicas", 2, "replicas are running processes of a service; write copies=..."),
        ("paymnts.replicas", 6, "there is no 'paymnts' in the system 'shop'; did you mean"),
        ("payments.replica", 6, "has no 'replica'; did you mean 'replicas'?"),
        ("payments.replicas", "abc", "replicas must be a valid integer"),
        ("payments.replicas", "0", "greater than or equal to 1"),
        ("orders->ledger.timeout", "1s", "orders does not ask ledger"),
        ("orders->payments.retry.attempts", 3, "declares no retry"),
        ("orders.nothing->payments.timeout", "1s", "neither an element nor an endpoint"),
        ("payments", 1, "names no field"),
        ("load", "2", "set by a factor, such as x2, got 2"),
        ("load", "x0", "set by a factor"),
        ("checkin.load", "x2", "there is no journey 'checkin'; did you mean 'checkout'?"),
        ("orders->payments.timeout", "fast", "timeout"),
    ],
)
def test_what_the_system_does_not_have(path: str, value: Any, says: str) -> None:
    with pytest.raises(ModelError) as caught:
        with_settings(SHOP, {path: value})
    assert says in str(caught.value)


def test_one_journey_of_a_mix_cannot_grow_alone() -> None:
    with pytest.raises(ModelError, match="its load cannot grow alone"):
        with_(BOUTIQUE, {"checkout.load": "x2"})


@pytest.mark.parametrize(
    ("text", "values"),
    [
        ("a.b=6", ["6"]),
        ("a->b.timeout=150ms, 1s", ["150ms", "1s"]),
        ("a.b=2..5", ["2", "3", "4", "5"]),
        ("a.b=100ms..500ms/5", ["100 ms", "200 ms", "300 ms", "400 ms", "500 ms"]),
        ("a.b=10%..20%/2", ["10%", "20%"]),
        ("a.b=1..2/3", ["1", "1.5", "2"]),
    ],
)
def test_values(text: str, values: list[str]) -> None:
    assert parse_setting(text)[1] == values


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("a.b", "not of the form"),
        ("=3", "not of the form"),
        ("a.b=", "not of the form"),
        ("a.b=1,,2", "an empty value"),
        ("a.b=1..100", "has 100 values"),
        ("a.b=5..1", "has -3 values"),
        ("a.b=1..2/0", "has 0 values"),
        ("a.b=1s..2s", "say how many values"),
        ("a.b=1s..2%/3", "no numbers with one unit"),
    ],
)
def test_wrong_values(text: str, says: str) -> None:
    with pytest.raises(ModelError) as caught:
        parse_setting(text)
    assert says in str(caught.value)


def test_all_combinations() -> None:
    found = variants(["a.x=1,2", "b.y=3..4"])
    assert found == [
        {"a.x": "1", "b.y": "3"},
        {"a.x": "1", "b.y": "4"},
        {"a.x": "2", "b.y": "3"},
        {"a.x": "2", "b.y": "4"},
    ]
    with pytest.raises(ModelError, match="has 100 values"):
        variants(["a.x=1..10", "b.y=1..10"])
