"""From a view to a picture: DOT, laid out by graphviz, made into a self-contained SVG, then PNG.

No system package is needed: the wheel ``graphviz-pure`` brings the ``dot`` program, ``resvg-py``
turns SVG into PNG, ``font-lato`` brings the font. Icons are embedded once each; text stays text.
The same view gives the same bytes.
"""

from __future__ import annotations

import base64
import re
import shutil
import subprocess
import sys
from collections.abc import Iterator
from html import escape
from pathlib import Path

from archcheck.diagrams.icons import icon_of
from archcheck.diagrams.view import Arrow, Card, View
from archcheck.model import ArchcheckError

_LAYOUT_FONT = "Arial"
"""Graphviz measures text with metrics of its own; Lato is drawn, and is a little narrower."""
_FONTS = "Lato, 'Helvetica Neue', Arial, sans-serif"
_INK, _MUTED, _LINE, _PAPER = "#1f2933", "#616e7c", "#9aa5b1", "#ffffff"
_CARD, _GROUP, _GROUP_LINE = "#ffffff", "#f5f7fa", "#cbd2d9"
_MARK = "#c0392b"
_HEAT = (
    (0.5, "#e3f9e5", "below 50%"),
    (0.7, "#fff3c4", "50% to 70%"),
    (0.85, "#ffd8a8", "70% to 85%"),
    (float("inf"), "#ffbdbd", "above 85%"),
)
_IMAGE = re.compile(r'<image xlink:href="([^"]+)" ([^>]*?)/>')
_EDGE = re.compile(r'<g id="edge.*?\n</g>', re.DOTALL)


class DrawingError(ArchcheckError):
    """The picture could not be drawn."""


def to_svg(view: View) -> str:
    """A self-contained SVG: icons inside, text searchable."""
    return _embedded(_layout(to_dot(view)))


def to_png(svg: str, *, scale: float = 2.0) -> bytes:
    """The picture as PNG, ``scale`` times its natural size, with the bundled font."""
    import font_lato
    import resvg_py

    fonts = sorted(font_lato.font_files.values())
    return bytes(
        resvg_py.svg_to_bytes(
            svg_string=svg,
            dpi=96,
            zoom=scale,
            background=_PAPER,
            font_files=fonts,
            font_family="Lato",
            sans_serif_family="Lato",
        )
    )


# -- DOT ------------------------------------------------------------------------------------------


def to_dot(view: View) -> str:
    """The view in graphviz's language."""
    return "\n".join(_dot_lines(view)) + "\n"


def _dot_lines(view: View) -> Iterator[str]:
    yield "digraph view {"
    yield (
        "  graph [rankdir=LR, compound=true, nodesep=0.28, ranksep=1.0, pad=0.3, labelloc=t, "
        f'labeljust=l, fontname="{_LAYOUT_FONT}", bgcolor="{_PAPER}", label={_title(view)}];'
    )
    yield f'  node [shape=plain, fontname="{_LAYOUT_FONT}", fontcolor="{_INK}"];'
    yield (
        f'  edge [fontname="{_LAYOUT_FONT}", fontsize=9, fontcolor="{_MUTED}", color="{_LINE}", '
        "arrowsize=0.7, penwidth=1.2];"
    )
    numbers = {card.member.name: f"n{i}" for i, card in enumerate(view.cards)}
    groups: dict[str | None, list[Card]] = {}
    for card in view.cards:
        groups.setdefault(card.group, []).append(card)
    for index, (group, cards) in enumerate(groups.items()):
        if group is not None:
            yield f"  subgraph cluster_{index} {{"
            yield (
                f'    label="{_dot_text(view.groups[group])}"; style="rounded,filled"; '
                f'fillcolor="{_GROUP}"; color="{_GROUP_LINE}"; fontsize=11; '
                f'fontcolor="{_MUTED}"; margin=14;'
            )
        for card in cards:
            yield f"    {numbers[card.member.name]} [label={_card(card, view.is_heated)}];"
        if group is not None:
            yield "  }"
    for arrow in view.arrows:
        if arrow.source in numbers and arrow.target in numbers:
            yield _edge(arrow, numbers)
    yield "}"


def _title(view: View) -> str:
    lines = [f'<FONT POINT-SIZE="18" COLOR="{_INK}"><B>{_html(view.title)}</B></FONT>']
    if view.subtitle:
        lines.append(f'<FONT POINT-SIZE="11" COLOR="{_MUTED}">{_html(view.subtitle)}</FONT>')
    lines.append(_legend(view))
    rows = "".join(f'<TR><TD ALIGN="LEFT">{line}</TD></TR>' for line in lines)
    return f'<<TABLE BORDER="0" CELLBORDER="0" CELLPADDING="2" CELLSPACING="0">{rows}</TABLE>>'


def _legend(view: View) -> str:
    text = "solid: waits for the answer; dashed: asynchronous; on the arrow: protocol, timeout"
    legend = f'<FONT POINT-SIZE="9" COLOR="{_MUTED}">{text}</FONT>'
    if not view.is_heated:
        return legend
    cells = "".join(
        f'<TD BGCOLOR="{colour}"><FONT POINT-SIZE="9">{_html(words)}</FONT></TD>'
        for _, colour, words in _HEAT
    )
    return (
        f'{legend}</TD></TR><TR><TD ALIGN="LEFT">'
        '<TABLE BORDER="0" CELLBORDER="0" CELLPADDING="4" CELLSPACING="3"><TR>'
        f'<TD><FONT POINT-SIZE="9" COLOR="{_MUTED}">busy:</FONT></TD>{cells}</TR></TABLE>'
    )


def _card(card: Card, is_heated: bool) -> str:
    colour = _heat(card.heat) if is_heated and card.heat is not None else _CARD
    mark = f'<BR/><FONT POINT-SIZE="9" COLOR="{_MARK}"><B>{_html(card.mark)}</B></FONT>'
    line, width = (_MARK, 2) if card.mark else (_LINE, 1)
    icon = escape(str(icon_of(card.member, card.broker)))
    return (
        f'<<TABLE BORDER="{width}" CELLBORDER="0" CELLSPACING="0" CELLPADDING="4" STYLE="ROUNDED" '
        f'COLOR="{line}" BGCOLOR="{colour}"><TR>'
        f'<TD FIXEDSIZE="TRUE" WIDTH="38" HEIGHT="38"><IMG SCALE="TRUE" SRC="{icon}"/></TD>'
        f'<TD ALIGN="LEFT" BALIGN="LEFT"><B><FONT POINT-SIZE="12">{_html(card.title)}</FONT></B>'
        f'<BR/><FONT POINT-SIZE="9" COLOR="{_MUTED}">{_html(card.subtitle)}</FONT>'
        f"{mark if card.mark else ''}</TD>"
        "</TR></TABLE>>"
    )


def _heat(utilisation: float) -> str:
    return next(colour for limit, colour, _ in _HEAT if utilisation < limit)


def _edge(arrow: Arrow, numbers: dict[str, str]) -> str:
    return (
        f"  {numbers[arrow.source]} -> {numbers[arrow.target]} "
        f'[label="{_dot_text(arrow.label)}", style={arrow.style}, '
        f'tooltip="{_dot_text(arrow.tooltip)}"];'
    )


def _html(text: str) -> str:
    """Text for an HTML-like label, free of markup."""
    return escape(_printable(text)) or " "


def _dot_text(text: str) -> str:
    """Text for a quoted string: no escape sequence of graphviz survives in it."""
    return _printable(text).replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n")


def _printable(text: str) -> str:
    return "".join(c for c in text if c.isprintable() or c == "\n")


# -- SVG ------------------------------------------------------------------------------------------


def _layout(dot: str) -> str:
    beside = Path(sys.executable).with_name("graphviz-pure")
    program = str(beside) if beside.exists() else shutil.which("graphviz-pure")
    if program is None:
        raise DrawingError(
            "the program graphviz-pure is missing; install the Python package graphviz-pure"
        )
    done = subprocess.run(  # noqa: S603  # a fixed program; the text goes in on standard input
        [program, "-Tsvg"], input=dot, capture_output=True, text=True, encoding="utf-8", check=False
    )
    if done.returncode != 0 or "<svg" not in done.stdout:
        raise DrawingError(f"graphviz could not draw the diagram: {done.stderr.strip()[:200]}")
    return done.stdout


def _embedded(svg: str) -> str:
    """Put each icon into the file once, name the fonts, and drop what names the machine."""
    icons: dict[str, str] = {}

    def use(match: re.Match[str]) -> str:
        name = icons.setdefault(match[1], f"icon{len(icons)}")
        attributes = re.sub(r'preserveAspectRatio="[^"]*"', "", match[2]).replace("px", "")
        return f'<use xlink:href="#{name}" {attributes.strip()}/>'

    body = _EDGE.sub(_haloed, _IMAGE.sub(use, svg))
    body = body.replace(f'font-family="{_LAYOUT_FONT}"', f'font-family="{_FONTS}"')
    symbols = "".join(_symbol(name, Path(path)) for path, name in icons.items())
    start = body.index("<svg")
    end = body.index(">", start) + 1
    return f"{body[start:end]}\n<defs>{symbols}</defs>{body[end:]}"


def _haloed(edge: re.Match[str]) -> str:
    """Labels of arrows stay readable where other arrows cross them."""
    halo = f'<text stroke="{_PAPER}" stroke-width="3" paint-order="stroke" '
    return edge[0].replace("<text ", halo)


def _symbol(name: str, path: Path) -> str:
    data = base64.b64encode(path.read_bytes()).decode()
    return (
        f'<symbol id="{name}" viewBox="0 0 100 100"><image width="100" height="100" '
        f'xlink:href="data:image/png;base64,{data}"/></symbol>'
    )
