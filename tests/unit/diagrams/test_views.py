"""What the views show, held against the model."""

from __future__ import annotations

from dataclasses import replace

import pytest
from depth import examples
from drawings import canvas
from hypothesis import given
from strategies import systems

from archcheck import (
    Boundary,
    Call,
    Endpoint,
    Fallback,
    Grpc,
    Http2,
    Journey,
    Kill,
    Kubernetes,
    Load,
    ModelError,
    MySQL,
    Parallel,
    Poisson,
    PostgreSQL,
    Read,
    Repeat,
    Resources,
    Scenario,
    Service,
    System,
    WithProbability,
    Work,
    Write,
)
from archcheck.diagrams import (
    VIEWS,
    Diagram,
    Sequence,
    canvas_of,
    difference_view,
    drawing_of,
    view_of,
)
from archcheck.diagrams.layout import lay_out
from archcheck.diagrams.view import Message, MessageFrame
from archcheck.diagrams.views import Effect, Loss
from archcheck.graph import Graph
from archcheck.simulation import simulate
from archcheck.units import MiB, cores, ms, percent, s


def view(system: System, kind: str = "containers", of: str | None = None) -> Diagram:
    found = view_of(canvas_of(system), kind, of)
    assert isinstance(found, Diagram)
    return found


def sequence(system: System, journey: str) -> Sequence:
    found = view_of(canvas_of(system), "sequence", journey)
    assert isinstance(found, Sequence)
    return found


def small(*, optional: bool = False, fallback: bool = False) -> System:
    """front -> back -> db."""
    call = Call(
        "back.get",
        timeout=100 * ms,
        optional=optional,
        fallback=Fallback("static") if fallback else None,
    )
    return System(
        "small",
        [
            Service("front", endpoints=[Endpoint("go", steps=[Work(1 * ms), call])]),
            Service("back", endpoints=[Endpoint("get", steps=[Read("db", timeout=50 * ms)])]),
            PostgreSQL("db", belongs_to="back", read=1 * ms),
            Service("other", endpoints=[Endpoint("idle", steps=[Work(1 * ms)])]),
        ],
        journeys=[Journey("visit", "front.go", critical=True)],
        scenarios=[Scenario("usual", load=[Load("visit", Poisson(20 / s))])],
    )


@examples(60)
@given(systems())
def test_containers_show_every_element_and_interaction(system: System) -> None:
    found = view(system)
    graph = Graph(system)
    for step in graph.interactions:
        assert any(
            (a.source, a.target) == (step.source.name, step.target.name) for a in found.arrows
        )
    keys = {card.key for card in found.cards}
    for member in (*system.services, *system.datastores, *system.channels, *system.externals):
        assert member.name in keys


def test_context_keeps_what_is_outside() -> None:
    found = view_of(canvas("shop"), "context")
    assert isinstance(found, Diagram)
    assert {card.key for card in found.cards} == {"shopper", "nightly", "shop", "bank"}
    assert ("shop", "bank") in {(a.source, a.target) for a in found.arrows}


def test_components_have_an_arrow_for_each_endpoint() -> None:
    found = view(small(), "components", "back")
    assert {(a.source, a.target) for a in found.arrows} == {
        ("front", "back.get"),
        ("back.get", "db"),
    }


def test_deployment_counts_replicas_by_zone() -> None:
    deployment = Kubernetes(replicas=5, zones=["a", "b", "c"])
    system = System("zones", [Service("front", deployment=deployment)])
    told = {card.key: card.subtitle for card in view(system, "deployment").cards}
    assert told == {
        "front in a": "2 of 5 replicas",
        "front in b": "2 of 5 replicas",
        "front in c": "1 of 5 replicas",
    }


def test_deployment_is_in_the_order_of_the_model_with_what_it_is_given() -> None:
    zones = ["a", "b"]
    given = Resources(
        cpu=0.5 * cores, cpu_limit=1 * cores, memory=512 * MiB, memory_limit=512 * MiB
    )
    system = System(
        "ordered",
        [
            MySQL("db", copies=2, zones=zones),
            Service(
                "web",
                deployment=Kubernetes(
                    image="shop/web:1.8", replicas=4, zones=zones, resources=given
                ),
            ),
            Service("api", deployment=Kubernetes(replicas=1)),
        ],
    )
    found = view(system, "deployment")
    assert [card.key for card in found.cards] == [
        "db in a",
        "db in b",
        "web in a",
        "web in b",
        "api",
    ]
    web = found.card("web in b")
    assert web.subtitle == "2 of 4 replicas"
    assert web.details == ("shop/web:1.8", "CPU 0.5 to 1, memory 512 MiB")
    assert found.card("api").details == ()
    places = lay_out(found).cards
    assert places["db in a"].x < places["db in b"].x  # groups and cards stand in its order
    assert places["web in a"].x < places["web in b"].x
    text = drawing_of(found, ".mmd").decode()
    assert "shop/web:1.8" in text


def test_a_protocol_that_nearly_all_calls_share_is_in_the_legend() -> None:
    grpc = [
        Service(f"g{n}", endpoints=[Endpoint("go", Grpc(f"g{n}"))], boundary="x") for n in range(6)
    ]
    other = Service("h", endpoints=[Endpoint("go", Http2("GET", "/"))])
    calls = [Call(f"g{n}.go", timeout=50 * ms) for n in range(6)]
    front = Service("front", endpoints=[Endpoint("go", steps=[*calls, Call("h.go"), Read("db")])])
    system = System("shared", [front, *grpc, other, MySQL("db")])
    found = view(system, "containers")
    labels = {a.target: a.label for a in found.arrows}
    assert labels == {**{f"g{n}": "50 ms" for n in range(6)}, "h": "HTTP/2", "db": "read"}
    assert found.legend[0].text == "waits for the answer; by gRPC where nothing else is written"
    assert drawing_of(found, ".mmd").decode().count("gRPC, 50 ms") == 6
    few = System("few", [replace(front, endpoints=[Endpoint("go", steps=calls[:4])]), *grpc])
    assert {a.label for a in view(few, "containers").arrows} == {"gRPC, 50 ms"}


def test_data_tells_owning_reading_and_writing_apart() -> None:
    system = System(
        "data",
        [
            Service("a", endpoints=[Endpoint("x", steps=[Read("db"), Write("db")])]),
            Service("b", endpoints=[Endpoint("y", steps=[Read("db")])]),
            Service("c"),
            PostgreSQL("db", belongs_to="a", data=["personal"]),
            PostgreSQL("idle", belongs_to="c"),
        ],
    )
    found = view(system, "data")
    assert {(a.source, a.target): a.label for a in found.arrows} == {
        ("a", "db"): "owns, reads, writes",
        ("b", "db"): "reads",
        ("c", "idle"): "owns",
    }
    assert "personal" in found.card("db").subtitle


def test_boundaries_are_grouped_by_team() -> None:
    system = System(
        "teams",
        [
            Boundary("pay", owner="money"),
            Boundary("shop"),
            Service("a", boundary="pay", endpoints=[Endpoint("x", steps=[Call("b.y")])]),
            Service("b", boundary="shop", owner="web", endpoints=[Endpoint("y")]),
        ],
    )
    found = view(system, "boundaries")
    assert {card.key: card.group for card in found.cards} == {
        "pay": "team money",
        "shop": "team web",
    }
    assert [(a.source, a.target, a.label) for a in found.arrows] == [("pay", "shop", "1 call")]


def test_a_journey_is_numbered_in_the_order_of_its_steps() -> None:
    system = System(
        "order",
        [
            Service(
                "front",
                endpoints=[
                    Endpoint(
                        "go",
                        steps=[
                            Parallel([Call("a.x"), Call("b.y")]),
                            WithProbability(25 * percent, [Call("a.x")]),
                            Repeat(3, [Call("b.y")]),
                        ],
                    )
                ],
            ),
            Service("a", endpoints=[Endpoint("x", steps=[Call("b.y")])]),
            Service("b", endpoints=[Endpoint("y")]),
        ],
        journeys=[Journey("visit", "front.go")],
    )
    told = sequence(system, "visit")
    calls = [(m.number, m.source, m.target) for m in told.messages if m.number]
    assert calls == [
        (1, "(user)", "front"),
        (2, "front", "a"),
        (3, "a", "b"),
        (4, "front", "b"),
        (5, "front", "a"),
        (6, "front", "b"),
    ]
    frames = [(e.what, e.kind) for e in told.events if isinstance(e, MessageFrame)]
    assert frames == [
        ("start", "par"),
        ("else", ""),
        ("end", ""),
        ("start", "opt"),
        ("end", ""),
        ("start", "loop"),
        ("end", ""),
    ]
    assert [m.said for m in told.messages if m.number == 6] == ["6. y (as after 3)"]
    labels = {(a.source, a.target): a.label for a in view(system, "journey", "visit").arrows}
    assert labels["front", "b"] == "4, 6"


@examples(60)
@given(systems())
def test_every_journey_can_be_told(system: System) -> None:
    """Frames are closed, and numbers count without a gap."""
    for journey in system.journeys:
        told = sequence(system, journey.name)
        depth = 0
        for event in told.events:
            if isinstance(event, MessageFrame):
                depth += {"start": 1, "end": -1}.get(event.what, 0)
                assert depth >= 0
        assert depth == 0
        numbers = [m.number for m in told.events if isinstance(m, Message) and m.number]
        assert numbers == list(range(1, len(numbers) + 1))
        keys = {card.key for card in told.participants}
        assert all({m.source, m.target} <= keys for m in told.messages)


@pytest.mark.parametrize(
    ("system", "effect"),
    [
        (small(), Effect.FAILS),
        (small(optional=True), Effect.DEGRADED),
        (small(fallback=True), Effect.DEGRADED),
    ],
)
@pytest.mark.parametrize("lost", ["back", "db", "other"])
def test_a_loss_does_what_the_simulator_finds(system: System, effect: Effect, lost: str) -> None:
    """The element is killed for the whole run; journeys fail, degrade or go on as predicted."""
    expected = effect if lost != "other" else Effect.NONE
    (journey,) = system.journeys
    assert Loss(Graph(system), lost).of_journey(journey) is expected
    dead = Kill(lost, start=0 * s, end=20 * s)
    scenario = replace(system.scenario("usual"), faults=[dead])
    measured = simulate(system, scenario, duration=20 * s, warmup=1 * s).journey("visit")
    if expected is Effect.FAILS:
        assert measured.error_rate == 1
    else:
        assert measured.error_rate == 0
        assert (measured.degraded == measured.finished) is (expected is Effect.DEGRADED)


@examples(40)
@given(systems())
def test_a_loss_reaches_everything_that_cannot_do_without(system: System) -> None:
    graph = Graph(system)
    for journey in system.journeys:
        for member, _ in graph.required(journey):
            assert Loss(graph, member.name).of_journey(journey) is Effect.FAILS


def test_failure_shows_the_way_to_the_journey() -> None:
    found = view(small(), "failure", "db")
    assert {card.key: card.tone for card in found.cards} == {
        "journey visit": "critical",
        "front": "critical",
        "back": "critical",
        "db": "critical",
    }


def test_difference_tells_what_changed() -> None:
    old = small()
    services = {member.name: member for member in old.elements}
    new = System(
        "small",
        [
            replace(services["front"], owner="web"),
            services["back"],
            services["db"],
            Service("extra", endpoints=[Endpoint("e", steps=[Call("front.go", timeout=1 * s)])]),
        ],
        journeys=old.journeys,
    )
    found = difference_view(canvas_of(old), canvas_of(new))
    tones = {card.key: (card.tone, card.note) for card in found.cards}
    assert tones["extra"] == ("added", "added")
    assert tones["other"] == ("removed", "removed")
    assert tones["front"] == ("changed", "changed: owner")
    assert tones["back"] == ("", "")
    assert "db" not in tones
    assert (
        found.heading.subtitle
    ) == "1 added, 1 removed, 1 changed; 1 element far from it not shown"


def test_no_difference_to_itself() -> None:
    found = difference_view(canvas_of(small()), canvas_of(small()))
    assert not [card for card in found.cards if card.tone]


@pytest.mark.parametrize(
    ("kind", "of", "sentence"),
    [
        ("container", None, "there is no view 'container'; did you mean 'containers'"),
        ("containers", "front", "shows the whole system; leave 'front' out"),
        ("components", None, "the view 'components' is of one service; name it"),
        ("components", "db", "'db' is a datastore; components are the endpoints of a service"),
        ("journey", "vist", "has no journey 'vist'; did you mean 'visit'?"),
        ("failure", "bak", "there is no 'bak' in the system 'small'; did you mean 'back'?"),
    ],
)
def test_what_cannot_be_shown_is_one_sentence(kind: str, of: str | None, sentence: str) -> None:
    with pytest.raises(ModelError) as caught:
        view_of(canvas_of(small()), kind, of)
    assert sentence in str(caught.value)


def test_all_views_are_of_something_known() -> None:
    assert {kind.of for kind in VIEWS.values()} == {"", "service", "journey", "element"}
