"""Layout: where everything of a view goes. Graphviz decides; the wheel ``graphviz-pure`` has it.

Graphviz gets boxes of the sizes that the text needs in our font, and gives back positions, which
are used in pixels. It is told everything in the order of the model, so the same view is laid out
in the same way, and a small change of the model moves little.
"""

from __future__ import annotations

import json
import math
import re
import shutil
import subprocess
import sys
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from archcheck.diagrams.card_text import LABEL, LEADING, TEXT, card_text, label_lines
from archcheck.diagrams.dot import to_dot
from archcheck.diagrams.text_width import width, wrapped
from archcheck.diagrams.view import Arrow, Diagram
from archcheck.extras import what_to_install
from archcheck.model import ArchcheckError

_FAR = 120.0
"""Graphviz loses a label now and then: one further than this from its arrow is put on it.

Pixels. A choice: labels that are where they belong are nearer.
"""
_WIDEST, _LONG = 2400.0, 2.6
"""A picture wider than this, in pixels and over its height, is tried from top to bottom.

A choice: a wide screen, and a shape that leaves half of a page empty.
"""
_ROWS = 4
"""Groups in a row that are tried. A choice: more are wider than a screen."""


class DrawingError(ArchcheckError):
    """The picture could not be drawn."""


@dataclass(frozen=True)
class Box:
    """A rectangle, in pixels from the upper left corner."""

    x: float
    y: float
    width: float
    height: float

    @property
    def middle(self) -> tuple[float, float]:
        """Its centre."""
        return self.x + self.width / 2, self.y + self.height / 2

    def overlaps(self, other: Box) -> bool:
        """Whether the two have an area in common."""
        return (
            self.x < other.x + other.width
            and other.x < self.x + self.width
            and self.y < other.y + other.height
            and other.y < self.y + self.height
        )


@dataclass(frozen=True)
class Way:
    """The line of an arrow: points of cubic curves, the tip, and the middle of its label."""

    points: tuple[tuple[float, float], ...]
    tip: tuple[float, float]
    label: tuple[float, float] | None


@dataclass(frozen=True)
class Layout:
    """Where everything is. ``frames`` are the boxes of groups, with the middle of their label."""

    width: float
    height: float
    cards: Mapping[str, Box]
    frames: Mapping[str, tuple[Box, tuple[float, float]]]
    ways: Sequence[tuple[Arrow, Way]]

    @property
    def length(self) -> float:
        """The longer side over the shorter one, as a screen has it."""
        shape = self.width / (1.6 * self.height)  # 16:10
        return max(shape, 1 / shape)


def lay_out(view: Diagram, *, upright: bool | None = None, columns: int = 1) -> Layout:
    """The places of all cards, groups and arrows.

    ``upright``: from top to bottom, or not; ``None``: where the picture would be too wide.
    ``columns``: cards that only one other card leads to, and that lead nowhere, stand in so many
    columns; a fan of many would be one high one.
    """
    if not view.cards:
        return Layout(0, 0, {}, {}, ())
    dot = to_dot(view, columns)
    if view.is_packed:
        dots = (to_dot(view, number) for number in range(1, _ROWS + 1))
        packed = (_Reader(view, _graphviz(each, "osage")).read() for each in dots)
        return min(packed, key=lambda layout: layout.length)
    downwards = dot.replace("rankdir=LR", "rankdir=TB", 1)
    if upright:
        return _Reader(view, _ranked(downwards)).read()
    found = _Reader(view, _ranked(dot)).read()
    if upright is None and found.width > _WIDEST and found.width > _LONG * found.height:
        other = _Reader(view, _ranked(downwards)).read()
        return min(found, other, key=lambda layout: layout.length)
    return found


def _ranked(dot: str) -> dict[str, Any]:
    try:
        return _graphviz(dot, "dot")
    except DrawingError:  # ranking cluster by cluster can fail where clusters depend on each other
        return _graphviz(dot.replace("labeljust=l", "labeljust=l, newrank=true", 1), "dot")


def label_box(arrow: Arrow, middle: tuple[float, float]) -> Box:
    """The room that an arrow's label takes around its middle."""
    lines = label_lines(arrow.label)
    wide = max((width(line, LABEL) for line in lines), default=0.0) + 4
    high = LABEL * 1.2 * len(lines) + 2
    return Box(middle[0] - wide / 2, middle[1] - high / 2, wide, high)


def heading_box(label: str, frame: Box, middle: tuple[float, float]) -> Box:
    """The room that the label of a group takes in the corner of its frame."""
    lines = wrapped(label, 2 * TEXT, 12, lines=3)
    wide = max((width(line, 12, is_bold=True) for line in lines), default=0.0)
    high = 12 * LEADING * len(lines)
    return Box(frame.x + 12, middle[1] - high / 2, wide, high)


def _headings(
    view: Diagram, frames: Mapping[str, tuple[Box, tuple[float, float]]]
) -> Iterator[Box]:
    for group in view.groups:
        if group.key in frames:
            yield heading_box(group.label, *frames[group.key])


def _settled(ways: Sequence[tuple[Arrow, Way]], taken: list[Box]) -> list[tuple[Arrow, Way]]:
    """Labels where they cover nothing: where graphviz put them, or else along their arrow."""
    found = []
    for arrow, way in ways:
        if way.label is not None and label_lines(arrow.label):
            along = _along(way)
            is_near = min(math.dist(way.label, point) for point in along) < _FAR
            near = [way.label, *along] if is_near else along
            free = (p for p in near if not _covers(label_box(arrow, p), taken))
            way = replace(way, label=next(free, near[0]))
            taken.append(label_box(arrow, way.label or way.tip))
        found.append((arrow, way))
    return found


def _covers(box: Box, taken: Sequence[Box]) -> bool:
    return any(box.overlaps(other) for other in taken)


def _along(way: Way) -> list[tuple[float, float]]:
    """Points of the arrow, from its middle outwards."""
    curves = [way.points[i : i + 4] for i in range(0, len(way.points) - 3, 3)]
    points = [_bezier(curve, step / 16) for curve in curves for step in range(1, 17)]
    middle = len(points) // 2
    first = {point: len(points) - 1 - back for back, point in enumerate(reversed(points))}
    return sorted(points, key=lambda point: abs(first[point] - middle))


def _bezier(curve: Sequence[tuple[float, float]], t: float) -> tuple[float, float]:
    weights = ((1 - t) ** 3, 3 * t * (1 - t) ** 2, 3 * t * t * (1 - t), t**3)
    x = sum(w * p[0] for w, p in zip(weights, curve, strict=True))
    y = sum(w * p[1] for w, p in zip(weights, curve, strict=True))
    return round(x, 1), round(y, 1)


def _graphviz(dot: str, engine: str) -> dict[str, Any]:
    beside = Path(sys.executable).with_name("graphviz-pure")
    program = str(beside) if beside.exists() else shutil.which("graphviz-pure")
    if program is None:
        raise DrawingError(what_to_install("graphviz-pure"))
    done = subprocess.run(  # noqa: S603  # a fixed program; the text goes in on standard input
        [program, f"-K{engine}", "-Tjson0"],
        input=dot,
        capture_output=True,
        text=True,
        encoding="utf-8",
        check=False,
    )
    if done.returncode != 0:
        raise DrawingError(f"graphviz could not draw the diagram: {done.stderr.strip()[:200]}")
    placed: dict[str, Any] = json.loads(done.stdout)
    return placed


# -- from graphviz --------------------------------------------------------------------------------

_NUMBER = re.compile(r"-?\d+(?:\.\d+)?(?:e[+-]?\d+)?")


class _Reader:
    """Turns graphviz's answer into places; its vertical axis points upwards."""

    def __init__(self, view: Diagram, placed: dict[str, Any]) -> None:
        self._view = view
        self._objects = placed.get("objects", [])
        self._edges = placed.get("edges", [])
        self._left, self._bottom, self._right, self._top = self._numbers(placed["bb"])

    def read(self) -> Layout:
        cards: dict[str, Box] = {}
        frames: dict[str, tuple[Box, tuple[float, float]]] = {}
        for each in self._objects:
            name = each["name"]
            if name.startswith("cluster_"):
                group = self._view.groups[int(name.removeprefix("cluster_"))]
                if "bb" in each:
                    label = self._point(each["lp"]) if "lp" in each else (0.0, 0.0)
                    frames[group.key] = (self._box(each["bb"]), label)
            else:
                card = self._view.cards[int(name.removeprefix("n"))]
                x, y = self._point(each["pos"])
                wide, high = card_text(card).size
                cards[card.key] = Box(x - wide / 2, y - high / 2, wide, high)
        drawn = [
            (self._view.arrows[int(edge["id"].removeprefix("e"))], self._way(edge))
            for edge in self._edges
            if "pos" in edge
        ]
        ways = _settled(drawn, [*cards.values(), *_headings(self._view, frames)])
        return Layout(self._right - self._left, self._top - self._bottom, cards, frames, ways)

    def _way(self, edge: dict[str, Any]) -> Way:
        tip, points = None, []
        for part in edge["pos"].split(";")[0].split():
            if part.startswith("e,"):
                tip = self._point(part.removeprefix("e,"))
            elif not part.startswith("s,"):
                points.append(self._point(part))
        label = self._point(edge["lp"]) if "lp" in edge else None
        return Way(tuple(points), tip or points[-1], label)

    def _numbers(self, text: str) -> list[float]:
        return [float(number) for number in _NUMBER.findall(text)]

    def _point(self, text: str) -> tuple[float, float]:
        x, y = self._numbers(text)[:2]
        return round(x - self._left, 1), round(self._top - y, 1)

    def _box(self, text: str) -> Box:
        left, bottom, right, top = self._numbers(text)
        x, y = round(left - self._left, 1), round(self._top - top, 1)
        return Box(x, y, round(right - left, 1), round(top - bottom, 1))
