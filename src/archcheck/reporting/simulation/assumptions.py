"""What was assumed, equal values of several elements together."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from archcheck.simulation.plan import Assumption


@dataclass(frozen=True)
class ListedAssumption:
    """A value that was assumed, why, and of whom; ``influence``: the share of the time there."""

    attribute: str
    value: str
    reason: str
    subjects: tuple[str, ...]
    influence: float


def grouped(assumptions: Iterable[Assumption]) -> list[ListedAssumption]:
    """In the order of their first subject; each subject is named once."""
    groups: dict[tuple[str, str, str], dict[str, float]] = {}
    for each in assumptions:
        key = (each.attribute, each.value, each.reason)
        groups.setdefault(key, {}).setdefault(each.subject, each.influence)
    return [
        ListedAssumption(*key, tuple(subjects), min(1.0, sum(subjects.values())))
        for key, subjects in groups.items()
    ]
