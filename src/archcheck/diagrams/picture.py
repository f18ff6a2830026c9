"""A picture: a drawing with the icons and colours that it is drawn with."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

from archcheck.diagrams.formats import checked_format, drawing_of, svg_of
from archcheck.diagrams.look import TeamLook, Theme
from archcheck.diagrams.view import Diagram
from archcheck.diagrams.views import Drawing
from archcheck.files import write_file


@dataclass(frozen=True)
class Picture:
    """A drawing that can be saved; notebooks show it as SVG."""

    drawing: Drawing
    look: TeamLook

    @cached_property
    def svg(self) -> str:
        """The self-contained SVG."""
        return svg_of(self.drawing, look=self.look)

    def _repr_svg_(self) -> str:
        return self.svg

    def __repr__(self) -> str:
        cards = (
            self.drawing.cards if isinstance(self.drawing, Diagram) else self.drawing.participants
        )
        return f"Picture({self.drawing.heading.title!r}: {len(cards)} elements)"

    def save(self, path: str | Path, *, theme: Theme = "light") -> None:
        """Write it to a file: SVG, PNG, PDF, or a text format, by the ending of its name.

        Raises :class:`~archcheck.model.ArchcheckError` for an ending that is none of them.
        """
        ending = checked_format(str(path), self.drawing)
        write_file(path, drawing_of(self.drawing, ending, theme=theme, look=self.look))
