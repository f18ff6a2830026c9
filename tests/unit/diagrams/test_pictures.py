"""Every view of three real systems and of a generated one with 300 services, as it is drawn."""

from __future__ import annotations

import itertools
import re
import xml.etree.ElementTree as ElementTree
from collections.abc import Iterator

import pytest
from drawings import SYSTEMS, drawing
from marketplace import marketplace

from archcheck import System
from archcheck.diagrams import (
    FORMATS,
    VIEWS,
    Diagram,
    canvas_of,
    drawing_of,
    readable,
    svg_of,
    view_of,
)
from archcheck.diagrams.card_text import card_text
from archcheck.diagrams.filtering import MOST_CARDS
from archcheck.diagrams.formats.primitives import LETTERS
from archcheck.diagrams.layout import Box, heading_box, label_box, lay_out
from archcheck.diagrams.text_width import width

SVG = "{http://www.w3.org/2000/svg}"
ALL = [(system, kind) for system in SYSTEMS for kind in VIEWS]


@pytest.mark.parametrize(("system", "kind"), [each for each in ALL if each[1] != "sequence"])
def test_nothing_overlaps_and_nothing_is_cut(system: str, kind: str) -> None:
    found = drawing(system, kind)
    assert isinstance(found, Diagram)
    layout = lay_out(found)
    assert set(layout.cards) == {card.key for card in found.cards}
    boxes = [*layout.cards.values()]
    for one, other in itertools.combinations(boxes, 2):
        assert not one.overlaps(other)
    labels = [label_box(a, way.label) for a, way in layout.ways if way.label and a.label]
    headings = [
        heading_box(group.label, *layout.frames[group.key])
        for group in found.groups
        if group.key in layout.frames
    ]
    for one, other in itertools.combinations([*labels, *headings], 2):
        assert not one.overlaps(other)
    assert not [(label, box) for label in labels for box in boxes if label.overlaps(box)]
    for box in [*boxes, *labels]:
        assert box.x >= -20
        assert box.y >= -20
        assert box.x + box.width <= layout.width + 20
        assert box.y + box.height <= layout.height + 20
    for card in found.cards:
        assert "..." not in "".join(card_text(card).title)


@pytest.mark.parametrize("columns", [3, 4, 6])
def test_a_fan_of_many_cards_stands_in_columns(columns: int) -> None:
    """Lower than in one column, and still nothing covers anything."""
    found = readable(containers(marketplace(25)))
    one, many = lay_out(found), lay_out(found, columns=columns)
    assert many.height < 0.8 * one.height
    boxes = [*many.cards.values()]
    labels = [label_box(a, way.label) for a, way in many.ways if way.label and a.label]
    for box, other in itertools.combinations([*boxes, *labels], 2):
        assert not box.overlaps(other)


def containers(system: System) -> Diagram:
    found = view_of(canvas_of(system))
    assert isinstance(found, Diagram)
    return found


@pytest.mark.parametrize(("system", "kind"), ALL)
def test_the_svg_is_complete(system: str, kind: str) -> None:
    """Well-formed, every card named and findable, every icon inside, nothing from elsewhere."""
    found = drawing(system, kind)
    svg = svg_of(found)
    root = ElementTree.fromstring(svg)
    text = "".join(root.itertext())
    assert found.heading.title.split(":")[0] in text
    nodes = [g for g in root.iter(f"{SVG}g") if g.get("class") == "node"]
    if isinstance(found, Diagram):
        assert [node.get("data-key") for node in nodes] == [card.key for card in found.cards]
        edges = [g for g in root.iter(f"{SVG}g") if g.get("class") == "edge"]
        assert len(edges) == len(found.arrows)
        assert len(found.cards) <= MOST_CARDS or kind == "deployment"
    symbols = {symbol.get("id") for symbol in root.iter(f"{SVG}symbol")}
    for use in root.iter(f"{SVG}use"):
        assert str(use.get("href")).removeprefix("#") in symbols
    for image in root.iter(f"{SVG}image"):
        assert str(image.get("href")).startswith("data:image/")
    assert "http://" not in svg.replace("http://www.w3.org/", "")
    assert found.heading.revision in text


@pytest.mark.parametrize("kind", VIEWS)
def test_the_same_model_gives_the_same_bytes(kind: str) -> None:
    first, second = (drawing_of(drawing("shop", kind), ".svg") for _ in range(2))
    assert first == second


@pytest.mark.parametrize("ending", FORMATS)
def test_every_format_is_the_same_bytes_twice(ending: str) -> None:
    written = {drawing_of(drawing("shop", "containers"), ending) for _ in range(3)}
    assert len(written) == 1
    begins = {".png": b"\x89PNG", ".pdf": b"%PDF", ".svg": b"<svg", ".dot": b"digraph"}
    assert written.pop().startswith(begins.get(ending, b""))


def test_dark_is_dark() -> None:
    found = drawing("shop", "boundaries")
    light, dark = (svg_of(found, theme=theme) for theme in ("light", "dark"))
    assert ".paper{fill:#ffffff}" in light
    assert ".paper{fill:#14181d}" in dark


@pytest.mark.parametrize(("system", "kind"), ALL)
def test_no_text_covers_another(system: str, kind: str) -> None:
    """Every line of the finished picture, headings, legend and sequences included."""
    boxes = [*_lines_of_text(ElementTree.fromstring(svg_of(drawing(system, kind))))]
    assert len(boxes) > 4
    for (one, text), (other, other_text) in itertools.combinations(boxes, 2):
        assert not one.overlaps(other), (text, other_text)


def _lines_of_text(
    element: ElementTree.Element, left: float = 0.0, top: float = 0.0
) -> Iterator[tuple[Box, str]]:
    moved = re.search(r"translate\(([-\d.]+) ([-\d.]+)\)", element.get("transform", ""))
    if moved:
        left, top = left + float(moved[1]), top + float(moved[2])
    for child in element:
        yield from _lines_of_text(child, left, top)
    if element.tag == f"{SVG}text":
        sizes = {name: letters for letters, name in LETTERS.items()}
        names = set(str(element.get("class")).split())
        size, is_bold = next(
            (sizes[name] for name in names if name in sizes),
            (float(element.get("font-size", 0)), element.get("font-weight") == "700"),
        )
        text = str(element.text)
        wide, x = width(text, size, is_bold=is_bold), left + float(element.get("x", 0))
        x -= {"middle": wide / 2, "end": wide}.get(element.get("text-anchor", ""), 0.0)
        y = top + float(element.get("y", 0))
        yield Box(x, y - 0.7 * size, wide, 0.75 * size), text
