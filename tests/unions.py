"""Two systems beside each other: what is said of one must not depend on the other."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator
from typing import Any

from archcheck import Element, Named, System, Team
from archcheck.findings import Example, Rule
from archcheck.model.linking import reference_fields

WHOLE = {
    "BND005": "policies select by name",
    "BND008": "compares a service with all others of the system",
    "BND016": "policies select by name",
    "BND017": "policies select by name",
    "BND018": "entities are words of the whole system",
    "MOD002": "an endpoint is unused only in a system that somebody enters",
    "MOD003": "speaks of the whole system",
    "MOD004": "speaks of suppressions",
    "MOD005": "speaks of suppressions",
    "MOD007": "speaks of suppressions",
    "OBS001": "advises a platform that the system declares",
    "OBS002": "advises a platform that the system declares",
    "PRF010": "names one resource of the whole system",
    "TEC005": "counts the stacks of a team, and both have the same",
}
"""Rules that are about the system as a whole, and why."""


def unions(rule: Rule, example: Example) -> Iterator[System]:
    """The example beside each system that obeys the rule, before it and behind it."""
    for neighbour in (each.build() for each in rule.examples if each.kind == "good"):
        alone, other = example.build(), renamed(neighbour, "other-")
        if other.network == alone.network:  # else one would get what the other declares
            yield beside(other, alone)
            yield beside(alone, other)


def renamed(part: Any, prefix: str, owners: bool = False) -> Any:
    """``part`` with a prefix on the name of every element and on every reference to one.

    ``owners``: the system declares teams, so that owners are references.
    """
    if isinstance(part, System):
        owners = any(isinstance(element, Team) for element in part.elements)
    if isinstance(part, tuple):
        return tuple(renamed(item, prefix, owners) for item in part)
    if not isinstance(part, Element):
        return part
    plain = ("touches", "boundary", *(["owner"] if owners else []))
    references = reference_fields(type(part))
    updates: dict[str, Any] = {}
    for field in dataclasses.fields(part):  # type: ignore[arg-type]
        value = getattr(part, field.name)
        if field.name in references and isinstance(value, str | tuple):
            words = value if isinstance(value, tuple) else (value,)
            names = tuple(f"{prefix}{word}" if isinstance(word, str) else word for word in words)
            updates[field.name] = names if isinstance(value, tuple) else names[0]
        elif field.name in plain and isinstance(value, str | tuple):
            updates[field.name] = (
                f"{prefix}{value}"
                if isinstance(value, str)
                else tuple(f"{prefix}{word}" for word in value)
            )
        elif field.name == "name" and isinstance(part, Named):
            updates["name"] = f"{prefix}{value}"
        else:
            updates[field.name] = renamed(value, prefix, owners)
    return dataclasses.replace(part, **updates)  # type: ignore[type-var]


def beside(first: System, second: System) -> System:
    """One system with the elements of both."""
    return System(
        second.name,
        [*first.elements, *second.elements],
        journeys=[*first.journeys, *second.journeys],
        policies=[*first.policies, *second.policies],
        scenarios=[*first.scenarios, *second.scenarios],
        uncertain=[*first.uncertain, *second.uncertain],
        network=first.network or second.network,
        entities=[*first.entities, *second.entities],
        suppressions=[*first.suppressions, *second.suppressions],
    )
