"""The parts that all SVG pictures are made of: text, boxes, tips of arrows, icons, links."""

from __future__ import annotations

import base64
import io
import math
import re
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from html import escape
from pathlib import Path

from archcheck.diagrams.card_text import ICON, LABEL, SMALL, TITLE
from archcheck.diagrams.icons import icon_file
from archcheck.diagrams.layout import Box
from archcheck.diagrams.view import Icon, Style
from archcheck.model import ArchcheckError

LETTERS = {
    (TITLE, True): "t",
    (SMALL, False): "s",
    (SMALL, True): "n",
    (LABEL, False): "l",
    (12.0, True): "g",
}
"""Size and weight of text to the class that has them: there is a lot of text."""
DASHES: Mapping[Style, str] = {
    "solid": "",
    "dashed": ' stroke-dasharray="6 4"',
    "dotted": ' stroke-dasharray="2 4"',
}
"""Style of a line to the attribute that draws it."""
_SAFE_LINK = re.compile(r"https?://|[\w./#-]+$")
_MEDIA = {".png": "image/png", ".svg": "image/svg+xml"}
_ICON_PIXELS = 102
"""Three times the size at which icons are drawn: sharp on screens of high density, and in print."""


@dataclass(frozen=True)
class Piece:
    """A part of a picture: its SVG and its size."""

    svg: str
    width: float
    height: float


def rect_svg(box: Box, classes: str, radius: float) -> str:
    """A box with round corners."""
    return (
        f'<rect class="{classes}" x="{box.x:.1f}" y="{box.y:.1f}" width="{box.width:.1f}" '
        f'height="{box.height:.1f}" rx="{radius:g}"/>'
    )


def text_svg(
    line: str,
    x: float,
    y: float,
    size: float,
    classes: str,
    *,
    is_bold: bool = False,
    anchor: str = "",
) -> str:
    """A line of text; ``y`` is its base line."""
    if (size, is_bold) in LETTERS:
        classes, letters = f"{classes} {LETTERS[size, is_bold]}", ""
    else:
        letters = f' font-size="{size:g}"' + (' font-weight="700"' if is_bold else "")
    place = f' text-anchor="{anchor}"' if anchor else ""
    return f'<text class="{classes}" x="{x:.1f}" y="{y:.1f}"{letters}{place}>{escape(line)}</text>'


def linked(svg: str, link: str) -> str:
    """A link to documentation; only to the web or to a relative path."""
    if not link or not _SAFE_LINK.match(link):
        return svg
    return f'<a href="{escape(link)}" target="_blank" rel="noopener">{svg}</a>'


def tip_svg(
    start: tuple[float, float], tip: tuple[float, float], thick: float, tone: str = ""
) -> str:
    """The head of an arrow that ends in ``tip``."""
    angle = math.atan2(tip[1] - start[1], tip[0] - start[0])
    length, half = 8 + thick, 3 + 0.6 * thick
    back = (tip[0] - length * math.cos(angle), tip[1] - length * math.sin(angle))
    side = (half * math.sin(angle), -half * math.cos(angle))
    corners = (tip, (back[0] + side[0], back[1] + side[1]), (back[0] - side[0], back[1] - side[1]))
    points = " ".join(f"{x:.1f},{y:.1f}" for x, y in corners)
    return f'<polygon class="tip{tone}" points="{points}"/>'


def moved(svg: str, x: float, y: float) -> str:
    """A part of a picture at another place."""
    return f'<g transform="translate({x:g} {y:g})">\n{svg}</g>\n' if svg else ""


class Icons:
    """The icons of a picture, or of several on one page; each is embedded once."""

    def __init__(self) -> None:
        self._names: dict[Icon, str] = {}

    def use(self, icon: Icon, x: float, y: float) -> str:
        """The reference that shows an icon."""
        name = self._names.setdefault(icon, f"icon{len(self._names)}")
        size = f'width="{ICON:g}" height="{ICON:g}"'
        return f'<use href="#{name}" x="{x:g}" y="{y:g}" {size}/>'

    def symbols(self) -> str:
        """The icons themselves."""
        return "".join(
            f'<symbol id="{name}" viewBox="0 0 100 100"><image width="100" height="100" '
            f'href="{_data(icon_file(icon))}"/></symbol>'
            for icon, name in self._names.items()
        )


@cache
def _data(path: Path) -> str:
    suffix = path.suffix.lower()
    content = _small(path) if suffix == ".png" else path.read_bytes()
    return f"data:{_MEDIA[suffix]};base64,{base64.b64encode(content).decode()}"


def _small(path: Path) -> bytes:
    """An icon with no more pixels than can be seen, even on a dense screen."""
    from PIL import Image, UnidentifiedImageError

    try:
        with Image.open(path) as icon:
            if max(icon.size) <= _ICON_PIXELS:
                return path.read_bytes()
            small = icon.convert("RGBA")
    except (UnidentifiedImageError, OSError):
        raise ArchcheckError(f"the icon {path.name!r} is not a PNG picture") from None
    small.thumbnail((_ICON_PIXELS, _ICON_PIXELS), Image.Resampling.LANCZOS)
    target = io.BytesIO()
    small.quantize(128, Image.Quantize.FASTOCTREE).save(target, "png", optimize=True)
    return target.getvalue()
