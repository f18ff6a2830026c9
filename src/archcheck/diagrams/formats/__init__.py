"""The formats of diagrams, by the ending of the file: ``FORMATS`` is their list.

Pictures are laid out; text formats leave that to their own tools, and keep every element and
relation.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

from archcheck.diagrams.dot import to_dot
from archcheck.diagrams.folding import folded
from archcheck.diagrams.formats.d2 import sequence_to_d2, to_d2
from archcheck.diagrams.formats.mermaid import sequence_to_mermaid, to_mermaid
from archcheck.diagrams.formats.plantuml import sequence_to_plantuml, to_plantuml
from archcheck.diagrams.formats.raster import to_pdf, to_png
from archcheck.diagrams.formats.sequence import sequence_svg
from archcheck.diagrams.formats.structurizr import to_structurizr
from archcheck.diagrams.formats.svg import to_svg
from archcheck.diagrams.layout import lay_out
from archcheck.diagrams.look import TeamLook, Theme
from archcheck.diagrams.view import Diagram, Sequence
from archcheck.diagrams.views import Drawing
from archcheck.extras import require
from archcheck.model import ArchcheckError
from archcheck.model.element import nearest

__all__ = ["FORMATS", "checked_format", "drawing_of", "svg_of"]


@dataclass(frozen=True)
class Format:
    """How a view, and a sequence where the format has them, becomes text."""

    name: str
    view: Callable[[Diagram, TeamLook], str]
    sequence: Callable[[Sequence], str] | None


_TEXTS: Mapping[str, Format] = {
    ".mmd": Format("Mermaid", to_mermaid, sequence_to_mermaid),
    ".d2": Format("D2", to_d2, sequence_to_d2),
    ".puml": Format("PlantUML", to_plantuml, sequence_to_plantuml),
    ".dsl": Format("Structurizr DSL", to_structurizr, None),
    ".dot": Format("Graphviz", lambda view, look: to_dot(view.spelled_out()), None),
}
_PICTURES = {".svg": "SVG", ".png": "PNG", ".pdf": "PDF"}

FORMATS: Mapping[str, str] = {**_PICTURES, **{end: each.name for end, each in _TEXTS.items()}}
"""Ending of the file to the name of the format."""


def checked_format(file: str, drawing: Drawing | None = None) -> str:
    """The ending of ``file``.

    Raises :class:`ArchcheckError` when nothing is drawn into such, :class:`ModuleNotFoundError`
    where a package for it is missing.
    """
    ending = Path(file).suffix.lower()
    if ending not in FORMATS:
        known = ", ".join(FORMATS)
        hint = nearest(ending, [*FORMATS]) if ending else ""
        raise ArchcheckError(
            f"cannot draw {Path(file).name!r}{hint}; name a file that ends in one of {known}"
        )
    if isinstance(drawing, Sequence) and ending in _TEXTS and _TEXTS[ending].sequence is None:
        raise ArchcheckError(f"{FORMATS[ending]} has no sequence diagrams; use .svg, .mmd or .puml")
    if ending in _PICTURES:
        require("diagrams", "fontTools", "PIL")
    if ending in (".png", ".pdf"):
        require("vl_convert", "pikepdf")
    if ending == ".dot":  # its cards have sizes
        require("fontTools")
    return ending


def drawing_of(
    drawing: Drawing, ending: str, *, theme: Theme = "light", look: TeamLook | None = None
) -> bytes:
    """A drawing in the format of an ending. Raises :class:`ArchcheckError`."""
    checked_format(f"drawing{ending}", drawing)
    if ending in _TEXTS:
        form = _TEXTS[ending]
        if isinstance(drawing, Diagram):
            return form.view(drawing, look or TeamLook()).encode()
        return form.sequence(drawing).encode() if form.sequence else b""
    svg = svg_of(drawing, theme=theme, look=look)
    if ending == ".png":
        return to_png(svg)
    return to_pdf(svg) if ending == ".pdf" else svg.encode()


def svg_of(drawing: Drawing, *, theme: Theme = "light", look: TeamLook | None = None) -> str:
    """A drawing as SVG, made readable when it is large."""
    if isinstance(drawing, Sequence):
        return sequence_svg(folded(drawing), theme=theme, look=look)
    return to_svg(drawing, lay_out(drawing, upright=drawing.is_upright), theme=theme, look=look)
