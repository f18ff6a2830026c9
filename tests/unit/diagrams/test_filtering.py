"""Filters and collapsing: less is shown, nothing is lost on the way."""

from __future__ import annotations

import pytest
from depth import examples
from drawings import canvas
from hypothesis import given
from strategies import systems

from archcheck import Grafana, Jaeger, ModelError, Service, System
from archcheck.diagrams import Diagram, canvas_of, filtered, readable, view_of
from archcheck.diagrams.filtering import collapsed


def containers(system: System) -> Diagram:
    found = view_of(canvas_of(system))
    assert isinstance(found, Diagram)
    return found


def large() -> Diagram:
    found = view_of(canvas("landscape"))
    assert isinstance(found, Diagram)
    return found


def test_filters_by_boundary_tag_and_neighbourhood_agree() -> None:
    orders = filtered(large(), boundaries=["orders"])
    elements = [card for card in orders.cards if card.shape != "stub"]
    assert len(elements) == 15
    assert {card.group for card in elements} == {"orders"}
    core = filtered(large(), tags=["core"], boundaries=["orders", "chat"])
    assert [c.key for c in core.cards if c.shape != "stub"] == ["chat-0", "orders-0"]
    near = filtered(large(), near="orders-0")
    assert "orders-1" in {card.key for card in near.cards}
    assert len(filtered(large(), near="orders-0", hops=2).cards) > len(near.cards)


@pytest.mark.parametrize(
    ("wanted", "sentence"),
    [
        ({"tags": ["cor"]}, "the view has no tag 'cor'; did you mean 'core'?"),
        ({"boundaries": ["order"]}, "the view has no boundary 'order'; did you mean 'orders'"),
        ({"near": "orders-99"}, "the view has no element 'orders-99'; did you mean"),
        ({"tags": ["core"], "near": "bank", "hops": 0}, "nothing is left of the view"),
    ],
)
def test_filters_that_match_nothing_are_one_sentence(
    wanted: dict[str, object], sentence: str
) -> None:
    with pytest.raises(ModelError) as caught:
        filtered(large(), **wanted)  # type: ignore[arg-type]
    assert sentence in str(caught.value)


def test_a_large_view_is_collapsed_and_one_group_can_be_opened() -> None:
    whole = readable(large())
    assert len(whole.cards) < 40
    opened = readable(large(), ["orders"])
    assert {"orders-0", "orders-db", "orders-events"} <= {card.key for card in opened.cards}
    assert "group payments" in {card.key for card in opened.cards}


def test_a_system_without_boundaries_is_not_one_card() -> None:
    """Its platforms are a group; that collapses no services, which would be most of the view."""
    services = [Service(f"s{number}") for number in range(60)]
    view = readable(containers(System("imported", [*services, Jaeger("jaeger"), Grafana("g")])))
    assert {service.name for service in services} <= {card.key for card in view.cards}


@examples(60)
@given(systems())
def test_collapsing_loses_no_element_and_no_way(system: System) -> None:
    view = containers(system)
    small = collapsed(view)
    assert sorted(n for card in small.cards for n in card.stands_for) == sorted(
        name for card in view.cards for name in card.stands_for
    )
    home = {name: card.key for card in small.cards for name in card.stands_for}
    drawn = {(a.source, a.target) for a in small.arrows}
    for arrow in view.arrows:
        ends = home[arrow.source], home[arrow.target]
        assert ends in drawn or ends[0] == ends[1]


def test_a_dense_view_says_what_it_leaves_out() -> None:
    view = readable(large(), [card.group for card in large().cards if card.group])
    assert "heaviest of" in view.heading.subtitle or len(view.arrows) == len(large().arrows)


def test_a_filtered_view_says_what_it_left_out_and_shows_what_it_cut() -> None:
    whole = large()
    orders = filtered(whole, boundaries=["orders"])
    kept = {card.key for card in orders.cards if card.shape != "stub"}
    stubs = {card.key for card in orders.cards if card.shape == "stub"}
    cut = [a for a in whole.arrows if (a.source in kept) != (a.target in kept)]
    assert f"{len(kept)} of {len(whole.cards)} elements" in orders.heading.subtitle
    assert f"{len(cut)} ways to others cut" in orders.heading.subtitle
    drawn = {(a.source, a.target) for a in orders.arrows}
    for arrow in cut:
        if arrow.source in kept:
            assert (arrow.source, f"cut from {arrow.source}") in drawn
        else:
            assert (f"cut into {arrow.target}", arrow.target) in drawn
    assert {key for ends in drawn for key in ends} - kept == stubs
    one = next(card for card in orders.cards if card.subtitle == "left out")
    assert one.title in {card.title for card in whole.cards}


def test_a_filter_that_leaves_nothing_out_says_nothing() -> None:
    assert filtered(large()).heading == large().heading
