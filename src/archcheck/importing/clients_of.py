"""What is said about all who reach somebody: put on the client of each of them."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import replace

from archcheck.importing.building import Ranked
from archcheck.importing.facts import (
    ElementPlace,
    Fact,
    Identity,
    Promised,
    Remark,
    Toward,
    spelled,
)
from archcheck.importing.joined import Edge
from archcheck.model import Endpoint, Gateway, Mesh, Pool, Service


def reach_all(
    towards: Iterable[tuple[int, Toward]],
    facts: dict[str, list[Ranked]],
    edges: Sequence[Edge],
    known: Callable[[str, str], Sequence[str]],
) -> list[Remark]:
    """Add the facts to the clients; remarks for those that nobody's client can have."""
    pairs = list({(edge.source, edge.target): None for edge in edges})
    lost: dict[tuple[object, ...], list[Toward]] = {}
    meshes: dict[str, dict[str, tuple[int, Toward]]] = {}
    parts = _Parts()
    for rank, each in sorted(towards, key=lambda one: (one[0], not one[1].element)):
        targets = set(known(each.scope, each.name))
        reaching = [
            (source, target)
            for source, target in pairs
            if target in targets and each.element in ("", source) and source not in each.outside
        ]
        for source, target in reaching:
            if each.part == "mesh":
                meshes.setdefault(source, {}).setdefault(target, (rank, each))
            elif parts.takes(source, target, each):
                facts[source] += [Ranked(fact, rank) for fact in _of_edge(source, target, each)]
        if not reaching:
            lost.setdefault((each.name, each.element, bool(targets)), []).append(each)
    remarks = [_lost(group, is_known) for (_, _, is_known), group in lost.items()]
    return [*parts.remarks, *remarks, *_of_meshes(meshes, facts, pairs)]


class _Parts:
    """Parts of clients are one rule's as a whole: the attempts of one and the waits of another
    would be a retry that nobody makes. Rules for one caller come first."""

    def __init__(self) -> None:
        self.remarks: list[Remark] = []
        self._heads: dict[tuple[str, str, str, object], Toward] = {}
        self._closed: set[tuple[str, str, str, object]] = set()

    def takes(self, source: str, target: str, each: Toward) -> bool:
        """Whether a fact belongs to the rule that says its part first."""
        key = (source, target, each.part, each.path[0])
        if len(each.path) > 1:
            return key not in self._closed
        first = self._heads.setdefault(key, each)
        if first is not each and (first.place, first.value) == (each.place, each.value):
            return True  # the same line once more, for another host of the same element
        self._closed.discard(key)
        if first is each:
            return True
        self._closed.add(key)
        if not isinstance(each.value, type) and not isinstance(first.value, type):
            return True  # plain values are compared where they are put together
        self.remarks.append(
            Remark(
                f"{source} -> {target}: {spelled(each.path)} is said at {first.place} as well, "
                "which counts",
                each.place,
            )
        )
        return False


def _of_edge(source: str, target: str, each: Toward) -> Iterator[Fact]:
    part = ElementPlace(source).member(each.part, target)
    if each.part == "pools":
        yield part.is_a(Pool, each.place)
        yield part.says("target", target, each.place)
    yield Fact(source, (*part.path, *each.path), each.value, each.place)


def _of_meshes(
    meshes: dict[str, dict[str, tuple[int, Toward]]],
    facts: dict[str, list[Ranked]],
    pairs: Sequence[tuple[str, str]],
) -> Iterator[Remark]:
    """What is true of all that an element reaches is true of its mesh."""
    for source, said in meshes.items():
        rank, first = next(iter(said.values()))
        others = [target for known, target in pairs if known == source and target not in said]
        if others:
            yield Remark(
                f"{source}: {spelled(first.path)} is said for {', '.join(said)} and not for "
                f"{', '.join(others)}; a mesh has one word for all",
                first.place,
            )
            continue
        mesh = ElementPlace(source).inside("mesh")
        fact = Fact(source, (*mesh.path, *first.path), first.value, first.place)
        every = mesh.is_a(Mesh, first.place), mesh.says("product", "istio", first.place), fact
        facts[source] += [Ranked(each, rank) for each in every]


def _lost(group: Sequence[Toward], is_known: object) -> Remark:
    first = group[0]
    said = ", ".join(dict.fromkeys(spelled(each.path[:1]) for each in group if each.path))
    who = first.element or "nobody in the files"
    if first.element:
        why = f"{who} is not known to reach {first.name}"
    elif is_known:
        why = f"{who} is known to reach {first.name}"
    else:
        why = f"{who} is known as {first.name}"
    return Remark(f"{why}: {said} is left out", first.place)


def narrowed(facts: list[Ranked]) -> list[Ranked]:
    """The facts of an element of which one source says that it runs, another one what it is: a
    gateway is a service."""
    kinds = [r.fact.value for r in facts if not r.fact.path]
    if Service not in kinds or Gateway not in kinds:
        return facts
    return [
        replace(each, fact=replace(each.fact, value=Gateway))
        if each.fact.value is Service and not each.fact.path
        else each
        for each in facts
    ]


def keep_promised(
    promised: Iterable[tuple[int, Promised]],
    facts: dict[str, list[Ranked]],
    known: dict[tuple[Identity, str, str], dict[str, None]],
) -> list[Remark]:
    """Leave out elements that are only described, where other sources say what runs."""
    every = list(promised)
    ranks = {rank for rank, _ in every}
    something_runs = any(
        ranked.fact.path == ("deployment",) for group in facts.values() for ranked in group
    )
    remarks = []
    for _, each in every:
        own = facts.get(each.element, [])
        elsewhere = any(not r.fact.path and r.rank not in ranks for r in own)
        if each.runs or elsewhere or not something_runs or not own:
            continue
        offered = sum(ranked.fact.value is Endpoint for ranked in own)
        what = f"its {offered} endpoints are" if offered else "what is said of it is"
        remarks.append(
            Remark(
                f"{each.element} is described here, and nothing that runs is known by this name: "
                f"{what} left out",
                each.place,
            )
        )
        del facts[each.element]
        for group in known.values():
            group.pop(each.element, None)
    return remarks
