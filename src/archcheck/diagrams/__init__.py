"""Diagrams: views of a system, filtered, overlaid, and drawn or written in many formats.

::

    canvas = canvas_of(system)
    view = readable(view_of(canvas, "containers"))
    picture = drawing_of(view, ".png", look=canvas.look)

A view is plain data (:class:`Diagram`, or :class:`Sequence`); nothing is laid out before it is
drawn.
"""

from archcheck.diagrams import overlays
from archcheck.diagrams.filtering import filtered, readable
from archcheck.diagrams.formats import FORMATS, checked_format, drawing_of, svg_of
from archcheck.diagrams.layout import DrawingError
from archcheck.diagrams.look import TeamLook, Theme, look_of
from archcheck.diagrams.overlays import Overlay, laid_over
from archcheck.diagrams.picture import Picture
from archcheck.diagrams.view import Arrow, Card, Diagram, Sequence
from archcheck.diagrams.views import (
    VIEWS,
    Canvas,
    Drawing,
    canvas_of,
    difference_view,
    own_views,
    view_of,
)

__all__ = [
    "FORMATS",
    "VIEWS",
    "Arrow",
    "Canvas",
    "Card",
    "Diagram",
    "Drawing",
    "DrawingError",
    "Overlay",
    "Picture",
    "Sequence",
    "TeamLook",
    "Theme",
    "canvas_of",
    "checked_format",
    "difference_view",
    "drawing_of",
    "filtered",
    "laid_over",
    "look_of",
    "overlays",
    "own_views",
    "readable",
    "svg_of",
    "view_of",
]
