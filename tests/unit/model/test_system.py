"""Systems: references resolve, names are unique, mistakes name the nearest right word."""

from __future__ import annotations

from collections.abc import Sequence

import pytest

from archcheck import (
    Boundary,
    Call,
    Client,
    Endpoint,
    External,
    Jaeger,
    Journey,
    Kafka,
    ModelError,
    MySQL,
    Named,
    Publish,
    Read,
    Redis,
    Service,
    System,
    Team,
    Topic,
)
from archcheck.graph import Graph
from archcheck.graph.walks import pairs


def calling(*steps: object) -> Service:
    return Service("a", endpoints=[Endpoint("x", steps=steps)])  # type: ignore[arg-type]


def target_of(system: System) -> object:
    return system.services[0].endpoints[0].steps[0].target  # type: ignore[attr-defined]


def test_an_endpoint_object_is_a_reference_to_its_full_name() -> None:
    charge = Endpoint("Charge")
    payments = Service("payments", endpoints=[charge])
    assert target_of(System("s", [calling(Call(charge)), payments])) == "payments.Charge"


def test_an_element_is_a_reference_to_its_name() -> None:
    ledger = MySQL("ledger")
    assert target_of(System("s", [calling(Read(ledger)), ledger])) == "ledger"


def test_an_endpoint_of_two_services_must_be_named() -> None:
    shared = Endpoint("health")
    services = [Service("b", endpoints=[shared]), Service("c", endpoints=[shared])]
    with pytest.raises(ModelError, match=r"belongs to several services.*'b.health' or 'c.health'"):
        System("s", [calling(Call(shared)), *services])


def test_a_service_with_one_endpoint_can_be_called_by_its_name() -> None:
    system = System("s", [calling(Call("b")), Service("b", endpoints=[Endpoint("only")])])
    _, endpoint = system.endpoint("b")
    assert endpoint is not None
    assert endpoint.name == "only"


@pytest.mark.parametrize(
    ("elements", "sentence"),
    [
        (
            [calling(Call("payment.Charge")), Service("payments", endpoints=[Endpoint("Charge")])],
            "Call target: there is no 'payment.Charge' in the system; did you mean 'payments.Ch",
        ),
        ([calling(Read("b")), Service("b")], "Read target: 'b' is a service, not a datastore"),
        (
            [calling(Read("b.y")), Service("b", endpoints=[Endpoint("y")])],
            "Read target: 'b.y' is an endpoint, not a datastore",
        ),
        (
            [calling(Publish("cache")), Redis("cache")],
            "Publish target: 'cache' is a cache, not a topic or queue",
        ),
        (
            [calling(Call("b")), Service("b", endpoints=[Endpoint("x"), Endpoint("y")])],
            "Call target: 'b' has 2 endpoints; name one of them: 'b.x', 'b.y'",
        ),
        ([calling(Call("b")), Service("b")], "Call target: 'b' has no endpoint to call"),
        ([calling(), Service("a")], "duplicate name 'a', already declared at"),
        ([Service("a", endpoints=[Endpoint("x"), Endpoint("x")])], "duplicate name 'a.x'"),
        (
            [Service("a", owner="team-mony"), Team("team-money")],
            "there is no team 'team-mony' in the system; did you mean 'team-money'?",
        ),
        (
            [Service("payments"), MySQL("ledger", owner="payments")],
            "MySQL 'ledger': owner is a team; write belongs_to='payments'",
        ),
        (
            [Service("payments"), Topic("paid", owner="payments")],
            "Topic 'paid': owner is a team; write belongs_to='payments'",
        ),
        (
            [Service("payments"), Kafka("kafka", owner="payments")],
            "Kafka 'kafka': owner is a team, and 'payments' is none",
        ),
        (
            [MySQL("ledger", owner="team-mony"), Team("team-money")],
            "there is no team 'team-mony' in the system; did you mean 'team-money'?",
        ),
        (
            [MySQL("ledger", belongs_to="money"), Team("money")],
            "MySQL belongs_to: 'money' is a team, not a service or external",
        ),
        (
            [Service("a", boundary="orderin"), Boundary("ordering")],
            "there is no boundary 'orderin' in the system; did you mean 'ordering'?",
        ),
    ],
)
def test_a_wrong_reference_is_one_sentence(elements: Sequence[Named], sentence: str) -> None:
    with pytest.raises(ModelError) as error:
        System("s", elements)
    assert sentence in str(error.value)
    assert error.value.place is not None
    assert error.value.place.file == __file__


def test_journeys_and_boundaries_have_namespaces_of_their_own() -> None:
    service = Service("checkout", boundary="checkout", endpoints=[Endpoint("x")])
    system = System(
        "s", [service, Boundary("checkout")], journeys=[Journey("checkout", "checkout.x")]
    )
    assert system.find("checkout") is service


def test_a_journey_needs_one_kind_of_entry() -> None:
    with pytest.raises(ModelError, match="needs either an entry or entries"):
        Journey("checkout")


def test_external_parties_need_no_endpoints() -> None:
    owner, endpoint = System("s", [External("bank"), calling(Call("bank"))]).endpoint("bank")
    assert (owner.name, endpoint) == ("bank", None)


def test_a_client_may_name_a_broker_or_a_platform() -> None:
    """A service holds connections to both; nothing more is known from deployment files."""
    system = System(
        "s", [Service("web", clients=[Client("bus"), Client("otel")]), Kafka("bus"), Jaeger("otel")]
    )
    assert Graph(system).connections == (("web", "bus"), ("web", "otel"))
    assert list(pairs(Graph(system).dependencies())) == [("web", "bus")]
