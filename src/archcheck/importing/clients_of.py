"""What is said about all who reach somebody: put on the client of each of them."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence

from archcheck.importing.building import Ranked
from archcheck.importing.facts import Fact, Identity, Item, Promised, Remark, Toward, spelled
from archcheck.importing.joined import Edge
from archcheck.model import Endpoint


def reach_all(
    towards: Iterable[tuple[int, Toward]],
    facts: dict[str, list[Ranked]],
    edges: Sequence[Edge],
    known: Callable[[str, str], Sequence[str]],
) -> list[Remark]:
    """Add the facts to the clients; remarks for those that nobody's client can have."""
    lost: dict[tuple[object, ...], list[Toward]] = {}
    for rank, each in towards:
        targets = set(known(each.scope, each.name))
        reaching = [
            edge
            for edge in {(edge.source, edge.target): edge for edge in edges}.values()
            if edge.target in targets and each.element in ("", edge.source)
        ]
        for edge in reaching:
            path = (Item("clients", edge.target), *each.path)
            facts[edge.source].append(Ranked(Fact(edge.source, path, each.value, each.place), rank))
        if not reaching:
            lost.setdefault((each.name, each.element, bool(targets)), []).append(each)
    return [_lost(group, is_known) for (_, _, is_known), group in lost.items()]


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
        remarks.append(
            Remark(
                f"{each.element} is described here, and nothing that runs is known by this name: "
                f"its {offered} endpoints are left out",
                each.place,
            )
        )
        del facts[each.element]
        for group in known.values():
            group.pop(each.element, None)
    return remarks
