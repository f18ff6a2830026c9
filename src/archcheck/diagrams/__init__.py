"""Diagrams: views of a system, drawn as SVG and PNG."""

from archcheck.diagrams.render import DrawingError, to_dot, to_png, to_svg
from archcheck.diagrams.view import Arrow, Card, View, container_view

__all__ = ["Arrow", "Card", "DrawingError", "View", "container_view", "to_dot", "to_png", "to_svg"]
