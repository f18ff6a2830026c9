"""Where a part of a model was declared: the user's lines that led to its construction."""

from __future__ import annotations

import functools
import os
import sys
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from types import FrameType
from typing import NamedTuple

import pydantic

from archcheck.model.errors import Place

_PLUMBING = tuple(
    str(Path(module.__file__ or "").parent) + os.sep
    for module in (pydantic, sys.modules["pydantic_core"], sys.modules[__name__])
)
_PLUMBING_FILES = {sys.modules["dataclasses"].__file__, functools.__file__}
_MAX_FRAMES = 12
"""Frames between an element and the file that declares it, helpers included. A choice that bounds
the work for each element."""


class Frame(NamedTuple):
    """A call in progress: in which file, in which code, and at which of its instructions.

    Python's bytecode knows the columns of every instruction, so this tells calls in one line apart.
    """

    file: str
    code: str
    first_line: int
    """The line on which the function begins, with its decorators."""
    instruction: int


@dataclass(frozen=True, slots=True)
class Site:
    """The lines that led to an element, from the constructor call outwards."""

    places: tuple[Place, ...]
    frames: tuple[Frame, ...] = field(default=(), compare=False, repr=False)
    """The calls on these lines, none left out; nothing is known of elements that are read."""
    values: Mapping[str, Place] = field(default_factory=dict, compare=False, repr=False)
    """Field to the line that says it, where that is known: of elements that are imported."""

    @property
    def place(self) -> Place:
        """Where the constructor was called."""
        return self.places[0]


def site_of(frame: FrameType | None) -> Site | None:
    """The lines that lead to ``frame``, from its own outwards; ``None``: none of the user's."""
    places: list[Place] = []
    frames: list[Frame] = []
    while frame is not None and len(places) < _MAX_FRAMES:
        file = frame.f_code.co_filename
        if not _is_plumbing(file):
            if _ends_the_walk(frame):
                break
            place, code = Place(file, frame.f_lineno), frame.f_code
            if not places or places[-1] != place:
                places.append(place)
            frames.append(Frame(file, code.co_name, code.co_firstlineno, frame.f_lasti))
            if code.co_name == "<module>":
                break
        frame = frame.f_back
    return Site(tuple(places), tuple(frames)) if places else None


@functools.cache
def _is_plumbing(file: str) -> bool:
    return file in _PLUMBING_FILES or file.startswith(_PLUMBING)


def _ends_the_walk(frame: FrameType) -> bool:
    """Frames below the user's code: the import system, archcheck itself, the test runner."""
    module = str(frame.f_globals.get("__name__", ""))
    return frame.f_code.co_filename.startswith("<frozen") or module.split(".")[0] in {
        "archcheck",
        "importlib",
        "json",
        "runpy",
        "_pytest",
        "pluggy",
        "IPython",
    }
