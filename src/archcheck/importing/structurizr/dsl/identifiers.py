"""The identifiers of a workspace: flat, or each inside of what holds its element."""

from __future__ import annotations

import re
from collections.abc import Sequence

from archcheck.importing.structurizr.dsl.items import (
    ENVIRONMENT,
    NODE,
    DslElement,
    DslRelationship,
)
from archcheck.model import ModelError, Place
from archcheck.model.element import nearest

_NAME = re.compile(r"[a-zA-Z0-9_][a-zA-Z0-9_-]*")


def check_identifier(name: str, place: Place) -> None:
    """Refuse an identifier that is none."""
    if not _NAME.fullmatch(name):
        raise ModelError(
            f"an identifier has letters, digits, _ and - (not first), got {name!r}", place
        )


class Identifiers:
    """Who is called what. Small and large letters are the same."""

    def __init__(self) -> None:
        self.hierarchical = False
        self._elements: dict[str, DslElement] = {}
        self._relationships: dict[str, DslRelationship] = {}
        self._names: dict[object, str] = {}
        self._unnamed = 0

    def register(self, name: str | None, element: DslElement, place: Place) -> None:
        """Give an element its identifier, or one that nobody can write."""
        full = name or self._fresh()
        if self.hierarchical:
            full = self._inside(full, element)
        self._check(full, element.key, element.canonical, place)
        self._elements[full.lower()] = element
        self._names[element.key] = full

    def register_relationship(self, name: str | None, item: DslRelationship, place: Place) -> None:
        """The same for a relationship."""
        full = name or self._fresh()
        self._check(full, id(item), item.text("description") or "the relationship", place)
        self._relationships[full.lower()] = item
        self._names[id(item)] = full

    def _fresh(self) -> str:
        self._unnamed += 1
        return f"\0{self._unnamed}"

    def _inside(self, name: str, element: DslElement) -> str:
        if element.parent is not None:
            return f"{self.name_of(element.parent)}.{name}"
        if element.kind == NODE:
            return f"{self.environment_name(element.environment)}.{name}"
        return name

    def _check(self, name: str, key: object, shown: str, place: Place) -> None:
        known = self._names.get(key)
        if known is not None and known.lower() != name.lower():
            if "\0" in known:
                raise ModelError(f"{shown!r} needs an identifier where it is declared", place)
            raise ModelError(f"{shown!r} has the identifier {known!r} already", place)
        if name.lower() in self._elements or name.lower() in self._relationships:
            raise ModelError(f"the identifier {name!r} is taken", place)

    def name_of(self, element: DslElement) -> str | None:
        """The identifier of an element."""
        return self._names.get(element.key)

    def environment_name(self, name: str) -> str | None:
        """The identifier of an environment."""
        return self._names.get((ENVIRONMENT, name))

    def plain(self, name: str) -> DslElement | None:
        """The element of a whole identifier."""
        return self._elements.get(name.lower())

    def relationship(self, name: str) -> DslRelationship | None:
        """The relationship of an identifier."""
        return self._relationships.get(name.lower())

    def find(
        self, name: str, around: DslElement | None, kinds: Sequence[str] = ()
    ) -> DslElement | None:
        """The element of an identifier that is read inside of ``around``, of one of the kinds."""
        above = around if self.hierarchical else None
        while above is not None:
            found = self.plain(f"{self.name_of(above)}.{name}")
            if found is not None and (not kinds or found.kind in kinds):
                return found
            above = above.parent
        found = self.plain(name)
        return found if found is None or not kinds or found.kind in kinds else None

    def near(self, name: str) -> str:
        """A hint at identifiers like this one."""
        return nearest(name.lower(), [each for each in self._elements if "\0" not in each])
