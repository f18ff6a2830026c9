"""PNG and PDF from SVG, with the bundled font; ``vl-convert`` has the renderer in its wheel."""

from __future__ import annotations

import io
from functools import cache
from pathlib import Path

from archcheck.diagrams.text_width import font_files


@cache
def registered_fonts() -> None:
    """The bundled font is known to the renderer from now on."""
    import vl_convert

    vl_convert.register_font_directory(str(Path(font_files()[0]).parent))


def to_png(svg: str, *, scale: float = 2.0) -> bytes:
    """The picture as PNG, ``scale`` times its natural size."""
    import vl_convert

    registered_fonts()
    return bytes(vl_convert.svg_to_png(svg, scale=scale))


def to_pdf(svg: str) -> bytes:
    """The picture as PDF, one page of its size; the text can be searched and copied.

    The converter numbers the parts of the file differently in each run; they are put into the
    order in which they are used, so that the same picture gives the same bytes.
    """
    import pikepdf
    import vl_convert

    registered_fonts()
    target = io.BytesIO()
    with pikepdf.open(io.BytesIO(vl_convert.svg_to_pdf(svg))) as document:
        document.save(target, deterministic_id=True)
    return target.getvalue()
