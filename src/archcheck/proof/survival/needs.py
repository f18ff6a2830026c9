"""What something needs to work, and how needs come together."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field, replace
from typing import TypeAlias

from archcheck.graph import Interaction
from archcheck.proof.answers import Gap
from archcheck.proof.survival.structure import NEVER, Structure, all_of, any_of

Way: TypeAlias = tuple[Interaction, ...]


@dataclass(frozen=True)
class Needs:
    """What something needs: its structure, its gaps, and the steps that lead to each element."""

    structure: Structure
    gaps: tuple[Gap, ...] = ()
    ways: dict[str, Way] = field(default_factory=dict)
    assumptions: tuple[str, ...] = ()


NOTHING = Needs(all_of(()))


def open_question(gaps: Iterable[Gap], *, worst: bool) -> Needs:
    """What is not known to work: at worst it never does."""
    open_ = tuple(gaps)
    return Needs(NEVER if open_ and worst else all_of(()), open_)


def all_needed(parts: Iterable[Needs]) -> Needs:
    """What needs all of these."""
    return _joined(parts, all_of)


def one_needed(parts: Iterable[Needs]) -> Needs:
    """What needs any one of these."""
    return _joined(parts, any_of)


def _joined(parts: Iterable[Needs], how: Callable[[Iterable[Structure]], Structure]) -> Needs:
    parts = list(parts)
    ways: dict[str, Way] = {}
    for part in reversed(parts):
        ways.update(part.ways)
    return Needs(
        how(part.structure for part in parts),
        tuple(dict.fromkeys(gap for part in parts for gap in part.gaps)),
        ways,
        tuple(dict.fromkeys(said for part in parts for said in part.assumptions)),
    )


def behind(step: Interaction, needs: Needs) -> Needs:
    """What something needs that is asked through ``step``."""
    ways = {element: (step, *way) for element, way in needs.ways.items()}
    return replace(needs, ways=ways)
