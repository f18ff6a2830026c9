"""How a model wants to be drawn: views of its teams, icons of its own technologies, colours."""

from __future__ import annotations

import re
from dataclasses import field
from typing import Annotated, Literal

import pydantic

from archcheck.model.element import Element, Many, Name, element

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


@element
class View(Look):
    """A picture that a team wants to see: ``View("money", include=["payments", "ledger"])``.

    ``archcheck diagram --view money`` draws it, and the report has it.
    """

    name: Name = field(kw_only=False)
    """How it is asked for."""
    include: Many[str]
    """What it shows, in this order: names of elements or boundaries, ``tag:NAME``, or globs over
    names such as ``pay*``."""
    title: str | None = None
    """What stands above it; ``None``: its name."""
    direction: Literal["right", "down"] | None = None
    """Where calls lead; ``None``: to the right, unless that is too wide."""

    def __post_init__(self) -> None:
        if not self.include:
            raise ValueError("needs something to include")
