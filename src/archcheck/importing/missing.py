"""What an imported model lacks most: the attributes that most rules ask for in vain."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass

from archcheck.model import System
from archcheck.verification import verify

_SECONDS = 2.0
"""For all proofs. A choice: what is missing shows without them."""


@dataclass(frozen=True)
class MissingAttribute:
    """An attribute that nobody says."""

    attribute: str
    """The attribute."""
    elements: int
    """How many elements, endpoints and calls lack it."""
    rules: tuple[str, ...]
    """The rules that it would decide."""


def missing_most(system: System) -> tuple[MissingAttribute, ...]:
    """Attributes by the rules that each would decide, those first that decide most."""
    rules: dict[str, dict[str, None]] = {}
    lacking: Counter[str] = Counter()
    for question in verify(system, proof_budget=_SECONDS).questions:
        rules.setdefault(question.missing, {})[question.rule.id] = None
        lacking[question.missing] = max(lacking[question.missing], len(question.subjects))
    found = [MissingAttribute(name, lacking[name], tuple(ids)) for name, ids in rules.items()]
    return tuple(sorted(found, key=lambda m: (-len(m.rules) * m.elements, m.attribute)))
