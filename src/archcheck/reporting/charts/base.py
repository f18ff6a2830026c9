"""What all charts share: their theme, their data, and how they are written to files."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeAlias

from archcheck.diagrams.formats.raster import registered_fonts, to_pdf, to_png
from archcheck.extras import require
from archcheck.files import check_writable, write_file
from archcheck.model import ArchcheckError

Chart: TypeAlias = Any
"""An Altair chart of any composition; Altair has no common type that says so."""

BLUE, ORANGE, GREEN, RED, GREY = "#4c78a8", "#f58518", "#54a24b", "#e45756", "#8c8c8c"
WIDTH = 620
"""Pixels of a chart: with its axis it fits into a notebook and on a page of paper."""
PACKAGES = ("altair", "vl_convert", "pikepdf")
"""The modules that charts need."""
_ENDINGS = (".svg", ".png", ".pdf")
_FONT = "Lato, Helvetica Neue, Arial, sans-serif"


def checked_target(target: str | Path) -> Path:
    """The file of a chart.

    Raises :class:`ArchcheckError` for a kind that cannot be drawn, :class:`OSError` for a file that
    cannot be written, :class:`ModuleNotFoundError` where a package for it is missing.
    """
    path = Path(target)
    if path.suffix.lower() not in _ENDINGS:
        raise ArchcheckError(
            f"cannot draw {path.name!r}; use a name that ends in .svg, .png or .pdf"
        )
    require(*PACKAGES)
    check_writable(path)
    return path


def save_chart(chart: Chart, target: str | Path) -> None:
    """Write a chart to a ``.svg``, ``.png`` or ``.pdf`` file. Raises :class:`ArchcheckError`."""
    path = checked_target(target)
    svg = chart_svg(chart)
    if path.suffix.lower() == ".svg":
        write_file(path, svg)
    else:
        write_file(path, to_png(svg) if path.suffix.lower() == ".png" else to_pdf(svg))


@dataclass(frozen=True)
class Figure:
    """A chart that can be saved; ``chart`` is the Altair object.

    Notebooks that know Vega-Lite show it with hover, others as SVG; neither needs a network.
    """

    chart: Chart

    def _repr_mimebundle_(self, **_: object) -> dict[str, Any]:
        spec = self.chart.configure(**theme_of("light")).to_dict()
        version = str(spec["$schema"]).rpartition("/v")[2].partition(".")[0]
        return {
            f"application/vnd.vegalite.v{version}+json": spec,
            "image/svg+xml": chart_svg(self.chart),
            "text/plain": repr(self),
        }

    def __repr__(self) -> str:
        return "Figure(.chart is the Altair chart, .save(path) writes it)"

    def save(self, path: str | Path) -> None:
        """Write it to a ``.svg``, ``.png`` or ``.pdf`` file. Raises :class:`ArchcheckError`."""
        save_chart(self.chart, path)


def chart_svg(chart: Chart) -> str:
    """A chart as a self-contained SVG, on light paper."""
    import vl_convert

    registered_fonts()
    spec = chart.to_dict()
    config = {**spec.get("config", {}), **theme_of("light")}
    return str(vl_convert.vegalite_to_svg({**spec, "config": config}))


def theme_of(theme: str) -> dict[str, Any]:
    """The configuration of Vega-Lite for a light or a dark page."""
    ink, muted, grid = ("#1f2933", "#52606d", "#e4e7eb")
    paper = "#ffffff"
    if theme == "dark":
        ink, muted, grid, paper = "#e4e7eb", "#9fb0c0", "#2b333c", "#14181d"
    return {
        "background": paper,
        "font": _FONT,
        "view": {"stroke": None},
        "title": {"color": ink, "fontSize": 14, "anchor": "start", "subtitleColor": muted},
        "axis": {
            "labelColor": muted,
            "titleColor": muted,
            "titleFontWeight": "normal",
            "gridColor": grid,
            "domainColor": muted,
            "tickColor": muted,
            "labelLimit": 260,
        },
        "legend": {"labelColor": ink, "titleColor": muted, "labelLimit": 260, "symbolLimit": 30},
        "text": {"color": ink},
        "header": {"labelColor": ink, "titleColor": muted},
    }


def data(rows: Iterable[Mapping[str, Any]]) -> Any:
    """Rows as the data of a chart; what is not a finite number is left empty."""
    import altair as alt

    values = [{key: _finite(value) for key, value in row.items()} for row in rows]
    return alt.Data(values=values)  # type: ignore[no-untyped-call]


def _finite(value: Any) -> Any:
    return None if isinstance(value, float) and not math.isfinite(value) else value


def millis(seconds: float) -> float:
    """Seconds in milliseconds."""
    return 1000.0 * seconds
