"""How a model wants to be drawn: icons of one's own technologies, colours by tag."""

from __future__ import annotations

import re
from dataclasses import field
from typing import Annotated

import pydantic

from archcheck.model.element import Element, element

_HEX = r"^#[0-9a-fA-F]{6}$"


def _checked_colour(colour: str) -> str:
    if not re.match(_HEX, colour):
        raise ValueError(f"must be a colour such as '#fbd38d', got {colour!r}")
    return colour


HexColour = Annotated[
    str, pydantic.AfterValidator(_checked_colour), pydantic.WithJsonSchema({"pattern": _HEX})
]
"""A colour such as ``#fbd38d``."""


class Look(Element):
    """A wish about diagrams."""


@element
class Icon(Look):
    """A picture for elements: ``Icon("AcmeDb", "icons/acme.svg")``."""

    of: str = field(kw_only=False)
    """The name of an element, of a tag (``tag:legacy``), or of a class of elements or runtimes."""
    file: str = field(kw_only=False)
    """A ``.png`` or ``.svg`` file, relative to the file that declares it."""


@element
class TagColour(Look):
    """A colour for all elements with a tag: ``TagColour("pci", "#fbd38d")``."""

    tag: str = field(kw_only=False)
    """The tag."""
    colour: HexColour = field(kw_only=False)
    """Their background, such as ``#fbd38d``."""
