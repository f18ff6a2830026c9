"""References between elements that an importer knows by an identity, and not by a name.

An importer cannot know what an element is called in the end: another source may know it under
another name, or as something else. It says *whoever is known as this* instead, and the name is put
in when all importers have spoken and every element has its kind.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

from archcheck.importing.building import Ranked
from archcheck.importing.facts import FieldItem, Path, Remark, spelled
from archcheck.model import Element


@dataclass(frozen=True)
class Whoever:
    """The value of a field that refers to an element: whoever is known under a host."""

    host: str
    scope: str
    kinds: tuple[type[Element], ...]
    """What the field may refer to."""
    endpoint: str = ""
    """The endpoint that is meant, where the field refers to one."""
    shown: str = ""
    """How a reader knows it; empty: as its host."""

    def __str__(self) -> str:
        return self.shown or self.host


def settle(
    facts: dict[str, list[Ranked]],
    known: Callable[[str, str], Sequence[str]],
    kind_of: Callable[[str], type[Element] | None],
) -> list[Remark]:
    """Put names in the place of all :class:`Whoever`; a part that would refer to nobody is left
    out, and a remark says so."""
    remarks: list[Remark] = []
    for element, ranked in [*facts.items()]:  # asking for a kind may add an element
        names = {
            id(each): _name(each.fact.value, facts, known, kind_of)
            for each in ranked
            if isinstance(each.fact.value, Whoever)
        }
        lost = [each for each in ranked if names.get(id(each), "") is None]
        remarks += [
            Remark(
                f"{element}: {spelled(each.fact.path)} is left out, because {each.fact.value} is "
                "nothing that it can refer to",
                each.fact.place,
            )
            for each in lost
        ]
        parts = [_part(each.fact.path) for each in lost]
        facts[element] = [
            _named(each, names.get(id(each)))
            for each in ranked
            if not any(each.fact.path[: len(part)] == part for part in parts)
        ]
    return remarks


def _name(
    value: Whoever,
    facts: dict[str, list[Ranked]],
    known: Callable[[str, str], Sequence[str]],
    kind_of: Callable[[str], type[Element] | None],
) -> str | None:
    found = [
        name
        for name in known(value.scope, value.host)
        if (kind := kind_of(name)) is not None and issubclass(kind, value.kinds)
    ]
    if len(found) != 1:
        return None
    if not value.endpoint:
        return found[0]
    path = (FieldItem("endpoints", value.endpoint),)
    agreeing = {
        each.rank
        for each in facts[found[0]]
        if not each.fact.path and each.fact.value is kind_of(found[0])
    }
    has = any(each.fact.path == path and each.rank in agreeing for each in facts[found[0]])
    return f"{found[0]}.{value.endpoint}" if has else None


def _part(path: Path) -> Path:
    """The member of a field of many that cannot be without the reference; else the field."""
    for end in range(len(path), 0, -1):
        if isinstance(path[end - 1], FieldItem):
            return path[:end]
    return path


def _named(ranked: Ranked, name: str | None) -> Ranked:
    return ranked if name is None else replace(ranked, fact=replace(ranked.fact, value=name))
