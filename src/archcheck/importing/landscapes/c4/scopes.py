"""Who a name is, as LikeC4 finds it: from the block where it is written outward.

In each block its elements are known by name, and so is what lies deeper in it under a name that is
there once. ``a.b`` is the child ``b`` of ``a``, or what is called ``b`` somewhere in ``a``, if only
one is (likec4/likec4, scope-provider.ts and scope-computation.ts).
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field

from archcheck.importing.landscapes.c4.reading import Node
from archcheck.importing.landscapes.c4.words import Word
from archcheck.model import ModelError
from archcheck.model.element import nearest


@dataclass
class Index:
    """All elements of a project."""

    children: dict[str, dict[str, str]] = field(default_factory=dict)
    deeper: dict[str, dict[str, list[str]]] = field(default_factory=dict)
    """Of each element, the names of what is in it, with everybody who has the name."""
    places: dict[str, Word] = field(default_factory=dict)

    def add(self, id_: str, word: Word) -> None:
        """Add an element."""
        if id_ in self.places:
            raise ModelError(
                f"the element {id_!r} is there already ({self.places[id_].place})", word.place
            )
        self.places[id_] = word
        above = id_.rpartition(".")[0]
        self.children.setdefault(above, {})[word.text] = id_
        while above:
            self.deeper.setdefault(above, {}).setdefault(word.text, []).append(id_)
            above = above.rpartition(".")[0]

    def inside(self, id_: str, name: str) -> str | None:
        """The element of a name in another one."""
        child = self.children.get(id_, {}).get(name)
        found = self.deeper.get(id_, {}).get(name, [])
        return child or (found[0] if len(found) == 1 else None)


@dataclass
class C4Scope:
    """A block with the names that are known in it."""

    names: dict[str, str]
    outer: C4Scope | None = None
    extended: str = ""

    def outward(self) -> Iterator[C4Scope]:
        """This one and those around it."""
        scope: C4Scope | None = self
        while scope is not None:
            yield scope
            scope = scope.outer

    def found(self, name: str, index: Index) -> str | None:
        """The element that a name alone is."""
        for scope in self.outward():
            if name in scope.names:
                return scope.names[name]
            if scope.extended:
                if scope.extended.rpartition(".")[2] == name:
                    return scope.extended
                if inner := index.inside(scope.extended, name):
                    return inner
        return index.children.get("", {}).get(name)


def resolved(reference: list[Word], scope: C4Scope, index: Index) -> str:
    """The element that a reference is. Raises :class:`ModelError` for nobody."""
    first = reference[0]
    found = scope.found(first.text, index)
    if found is None:
        known = [name for each in scope.outward() for name in each.names]
        near = nearest(first.text, [*known, *index.children.get("", {})])
        raise ModelError(f"there is no element {first.text!r} here{near}", first.place)
    for name in reference[1:]:
        inner = index.inside(found, name.text)
        if inner is None:
            near = nearest(name.text, [*index.deeper.get(found, {})])
            raise ModelError(f"there is no element {name.text!r} in {found}{near}", name.place)
        found = inner
    return found


def extended_id(reference: list[Word], index: Index) -> str:
    """The element that a block extends: named from the top, step by step."""
    found = ""
    for name in reference:
        inner = index.children.get(found, {}).get(name.text)
        if inner is None:
            where = f"in {found}" if found else "at the top of a model"
            near = nearest(name.text, [*index.children.get(found, {})])
            raise ModelError(f"there is no element {name.text!r} {where}{near}", name.place)
        found = inner
    return found


def known_in(own: Iterable[tuple[str, str]], deeper: Iterable[tuple[str, str]]) -> dict[str, str]:
    """The names that a block knows: its own, and of those from deeper blocks what is there once."""
    found: dict[str, str] = {}
    for name, id_ in own:
        found.setdefault(name, id_)
    groups: dict[str, set[str]] = {}
    for name, id_ in deeper:
        groups.setdefault(name, set()).add(id_)
    for name, ids in groups.items():
        if name not in found and len(ids) == 1:
            found[name] = next(iter(ids))
    return found


def names_of(node: Node, id_: str, ids: dict[int, str], scopes: dict[int, dict[str, str]]) -> None:
    """Note what each block below a node knows; ``ids``: of each node."""
    own: list[tuple[str, str]] = []
    deeper: list[tuple[str, str]] = []
    for each in node.nodes:
        names_of(each, ids[id(each)], ids, scopes)
        if each.kind is not None:
            own.append((each.name.text, ids[id(each)]))
        deeper += scopes[id(each)].items()
    scopes[id(node)] = known_in(own, deeper)
