"""Views that a model declares: what they show, in which order, and what is wrong with them."""

from __future__ import annotations

import re

import pytest

from archcheck import Call, Endpoint, External, ModelError, MySQL, Read, Service, System, View
from archcheck.diagrams import Diagram, TeamLook, canvas_of, drawing_of, view_of
from archcheck.units import ms


def shop(*views: View) -> System:
    pay = [Call("bank", timeout=50 * ms), Read("ledger", timeout=50 * ms)]
    place = [Call("payments", timeout=200 * ms)]
    show = [Call("orders", timeout=300 * ms)]
    return System(
        "shop",
        [
            Service("web", boundary="edge", endpoints=[Endpoint("buy", steps=show)]),
            Service("orders", boundary="ordering", endpoints=[Endpoint("place", steps=place)]),
            Service("payments", boundary="money", endpoints=[Endpoint("pay", steps=pay)]),
            MySQL("ledger", belongs_to="payments", tags=["pci"]),
            External("bank"),
        ],
        look=views,
    )


def drawn(*include: str, **others: str) -> Diagram:
    view = View("mine", include=include, **others)  # type: ignore[arg-type]
    found = view_of(canvas_of(shop(view)), "mine")
    assert isinstance(found, Diagram)
    return found


def names(view: Diagram) -> list[str]:
    return [card.key for card in view.cards if card.shape != "stub"]


@pytest.mark.parametrize(
    ("include", "shown"),
    [
        (["web", "orders"], ["web", "orders"]),
        (["orders", "web"], ["orders", "web"]),
        (["money", "web"], ["payments", "ledger", "web"]),
        (["tag:pci"], ["ledger"]),
        (["ledger", "money"], ["ledger", "payments"]),
        (["*"], ["web", "orders", "payments", "ledger", "bank"]),
    ],
)
def test_it_shows_what_it_includes_in_its_order(include: list[str], shown: list[str]) -> None:
    view = drawn(*include)
    assert names(view) == shown
    assert view.heading.title == "shop: mine"


def test_what_is_cut_off_is_counted_and_named() -> None:
    view = drawn("payments", "ledger", title="Where money is")
    assert view.heading.title == "shop: Where money is"
    assert view.heading.subtitle == "2 of 5 elements, 2 ways to others cut"
    assert sorted(card.title for card in view.cards if card.shape == "stub") == ["bank", "orders"]


def test_all_of_it_is_the_containers_and_says_nothing_of_cuts() -> None:
    whole = view_of(canvas_of(shop()), "containers")
    assert isinstance(whole, Diagram)
    view = drawn("*")
    assert (view.cards, view.arrows) == (whole.cards, whole.arrows)
    assert view.heading.subtitle == ""


@pytest.mark.parametrize(
    ("ending", "right", "down"),
    [
        (".mmd", "flowchart LR", "flowchart TB"),
        (".d2", "direction: right", "direction: down"),
        (".puml", "LAYOUT_LEFT_RIGHT()", "LAYOUT_TOP_DOWN()"),
        (".dsl", "autoLayout lr", "autoLayout tb"),
    ],
)
def test_the_direction_is_kept_by_other_tools(ending: str, right: str, down: str) -> None:
    for direction, word in (("right", right), ("down", down)):
        view = drawn("web", "orders", direction=direction)
        assert word in drawing_of(view, ending, look=TeamLook()).decode()


def test_a_picture_leads_where_it_is_told() -> None:
    sizes = {}
    for direction in ("right", "down"):
        svg = drawing_of(drawn("*", direction=direction), ".svg", look=TeamLook()).decode()
        found = re.search(r'viewBox="0 0 ([\d.]+) ([\d.]+)"', svg)
        assert found is not None
        sizes[direction] = float(found[1]) / float(found[2])
    assert sizes["right"] > 1.5 > sizes["down"]


@pytest.mark.parametrize(
    ("views", "message"),
    [
        ([View("mine", include=["paymnets"])], "there is nothing 'paymnets' to draw; did you mean"),
        ([View("mine", include=["tag:pic"])], "there is nothing 'tag:pic' to draw"),
        ([View("data", include=["web"])], "there is another view of this name"),
        ([View("mine", include=["web"])] * 2, "there is another view of this name"),
    ],
)
def test_what_is_wrong_is_said_with_the_place(views: list[View], message: str) -> None:
    with pytest.raises(ModelError, match=message) as refused:
        view_of(canvas_of(shop(*views)), "mine")
    assert refused.value.place is not None


def test_an_empty_view_is_refused() -> None:
    with pytest.raises(ModelError, match="needs something to include"):
        View("mine", include=[])


def test_unknown_views_are_told_with_all_names() -> None:
    canvas = canvas_of(shop(View("mine", include=["web"])))
    with pytest.raises(ModelError, match=r"no view 'mien'; did you mean 'mine'\?.* failure, mine"):
        view_of(canvas, "mien")
    with pytest.raises(ModelError, match="the view 'mine' shows what it includes; leave 'web' out"):
        view_of(canvas, "mine", "web")
