"""Filters and collapsing: less is shown, nothing is lost on the way."""

from __future__ import annotations

import pytest
from drawings import canvas, drawing
from hypothesis import given, settings
from strategies import systems

from archcheck import ModelError, System
from archcheck.diagrams import Sequence, View, canvas_of, filtered, readable, view_of
from archcheck.diagrams.filtering import collapsed, collapsed_sequence


def containers(system: System) -> View:
    found = view_of(canvas_of(system))
    assert isinstance(found, View)
    return found


def large() -> View:
    found = view_of(canvas("landscape"))
    assert isinstance(found, View)
    return found


def test_filters_by_boundary_tag_and_neighbourhood_agree() -> None:
    orders = filtered(large(), boundaries=["orders"])
    assert len(orders.cards) == 15
    assert {card.group for card in orders.cards} == {"orders"}
    core = filtered(large(), tags=["core"], boundaries=["orders", "chat"])
    assert [card.key for card in core.cards] == ["chat-0", "orders-0"]
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


@settings(max_examples=60)
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


def test_a_long_sequence_is_told_between_boundaries() -> None:
    found = drawing("landscape", "sequence")
    assert isinstance(found, Sequence)
    short = collapsed_sequence(found)
    assert len(short.participants) < 25 < len(found.participants)
    inside = len(found.messages) - len(short.messages)
    assert f"{inside} messages within boundaries are not drawn" in short.heading.subtitle
