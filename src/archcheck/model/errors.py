"""What can be wrong with a model, as a small hierarchy. Every message is one sentence."""

from __future__ import annotations

import os
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path


@dataclass(frozen=True, order=True, slots=True)
class Place:
    """A line of a file. Prints as ``models/shop.py:12``, relative to the working folder."""

    file: str
    line: int

    def __str__(self) -> str:
        return f"{self.shown_file()}:{self.line}"

    def shown_file(self) -> str:
        """The file, relative to the working folder where it lies below it."""
        return _relative(self.file, os.getcwd())


@lru_cache(maxsize=1_024)  # many places lie in few files
def _relative(file: str, folder: str) -> str:
    path = Path(file)
    try:
        return path.relative_to(folder).as_posix()
    except ValueError:
        return path.as_posix()


class ArchcheckError(Exception):
    """Anything that archcheck refuses: the text is one sentence for the user."""


class PlacedError(ArchcheckError, ValueError):
    """Something in the user's files is wrong.

    ``place`` is where, when it is known; ``str()`` puts it before the sentence, as compilers do.
    """

    def __init__(self, sentence: str, place: Place | None = None) -> None:
        super().__init__(sentence)
        self.sentence = sentence
        self.place = place

    def __str__(self) -> str:
        return f"{self.place}: {self.sentence}" if self.place else self.sentence


class ModelError(PlacedError):
    """A model, or an input that describes one, is wrong."""


class EndlessError(ModelError):
    """Calls come back to where they began without end: what a load asks for has no bound."""


class MistakesError(ModelError):
    """Several mistakes of one model, each with its place."""

    def __init__(self, mistakes: Sequence[ModelError]) -> None:
        super().__init__("; ".join(each.sentence for each in mistakes), mistakes[0].place)
        self.mistakes = tuple(mistakes)

    def __str__(self) -> str:
        return "\n".join(map(str, self.mistakes))


def raise_all(mistakes: Iterable[ModelError]) -> None:
    """Raise the mistakes together, each once; nothing where there are none."""
    each = [*{str(mistake): mistake for mistake in mistakes}.values()]
    flat = [one for some in each for one in getattr(some, "mistakes", (some,))]
    if len(flat) > 1:
        raise MistakesError(flat)
    for only in flat:
        raise only


class ScenarioError(PlacedError):
    """A simulation was asked for that the system cannot be put through."""
