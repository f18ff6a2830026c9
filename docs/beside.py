"""The page that lists how imported systems differ from the same ones modelled by hand.

``python docs/beside.py CORPUS`` writes it from the files that the imports read, which are others'
and not in this repository. A difference that nobody has explained stops it.
"""

from __future__ import annotations

import re
import sys
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from archcheck.graph import Graph
from archcheck.graph.walks import pairs
from archcheck.importing import import_paths
from archcheck.loading import load
from archcheck.model import Named, System
from archcheck.model.element import Element, field_names

DOCS = Path(__file__).parent
PAGE = DOCS / "import" / "beside.md"
_SYSTEMS = {
    "online_boutique": ("Online Boutique", "online-boutique", "its manifests and contracts"),
    "social_network": ("Social Network", "social-network", "its Compose file"),
}  # fmt: skip
_WHOLE = ("journeys", "scenarios")
"""What the system as a whole has."""
_WHY = {
    "kind": "by hand: traffic enters here; no file says so",
    "element": "people and what they do are in no file",
    "edge": "whom they call is in their source; the file has only the order of starts",
    "journeys": "what a request does is in no file",
    "scenarios": "the load is in the load generator's source",
    "belongs_to": "which service owns a store is in no file",
    "boundary": "groups of services are the modeller's",
    "clients": "imported edges are clients; by hand they are the calls of endpoints",
    "copies": "no file says how many copies of the data there are",
    "deployment": "left out by hand for what only observes the others",
    "deployment.restart": "left out by hand for the two ways in",
    "deployment.volumes": "mounted settings, which are no data; left out by hand",
    "deployment.replicas": "by hand: the one replica that a missing `replicas` means",
    "deployment.readiness": "by hand, that there is no probe is declared; an import leaves it open",
    "deployment.liveness": "as for readiness",
    "deployment.readiness.initial_delay": "left out by hand",
    "deployment.readiness.period": "left out by hand",
    "deployment.liveness.initial_delay": "left out by hand",
    "deployment.liveness.period": "left out by hand",
    "description": "by hand, for readers",
    "endpoints": "in the source, or in contracts of Thrift, which no import reads",
    "endpoints.idempotent": "known from the source; the contract does not say it",
    "endpoints.protocol.contract": "by hand a path of the repository, imported with its version",
    "endpoints.protocol.encrypted": "by hand: no file sets up TLS; an import leaves it open",
    "endpoints.steps": "what an endpoint does is in the source",
    "read": "how long a query takes is an assumption of the model",
    "write": "how long a query takes is an assumption of the model",
    "role": "by hand: the carts are kept only there; no file says so, and a Redis is a cache",
    "runtime": "the language and its threads are in the source",
    "metrics": "by hand, that there are none is declared; an import leaves it open",
    "tracing": "by hand: declared as absent, or known from settings that no import reads",
    "start_after": "the waiting for stores, left out by hand (see the README of the model)",
    "volumes": "by hand the store's own volumes; imported are those of its pods, in both",
}
"""Why a field differs; the longest beginning of its name counts."""
_MEMBER = re.compile(r"\[[^\]]*\]")
"""Which member of a field of many it is."""


@dataclass(frozen=True)
class Difference:
    """A field that several elements have in one of the two models only, or differently."""

    field: str
    side: str
    elements: tuple[str, ...]
    example: str


def page(corpus: Path) -> str:
    """The page."""
    parts = [_HEAD]
    for model, (title, folder, what) in _SYSTEMS.items():
        (by_hand,) = load(DOCS.parent / "models" / model)
        imported = import_paths([corpus / folder]).system
        rows = "".join(map(_row, differences(by_hand, imported)))
        same = _same(by_hand, imported)
        parts.append(
            f"\n## {title}\nRead: {what}. {same}\n\n"
            f"| what | where | how often | for example | why |\n|---|---|---|---|---|\n{rows}"
        )
    return "".join(parts) + _TAIL


def _row(each: Difference) -> str:
    count = f"{len(each.elements)}" if each.elements else ""
    return f"| `{each.field}` | {each.side} | {count} | {each.example} | {why(each.field)} |\n"


def why(field: str) -> str:
    """Why a field differs. Raises :class:`KeyError` for one that nobody has explained."""
    words = field.split(".")
    for count in range(len(words), 0, -1):
        if ".".join(words[:count]) in _WHY:
            return _WHY[".".join(words[:count])]
    raise KeyError(f"nobody has said why {field} differs: add it to docs/beside.py")


def _same(by_hand: System, imported: System) -> str:
    names = {e.name for e in by_hand.elements} & {e.name for e in imported.elements}
    edges = _edges(by_hand) & _edges(imported)
    return f"In both: {len(names)} elements of the same name, {len(edges)} edges."


def differences(by_hand: System, imported: System) -> Iterator[Difference]:
    """What only one of two models says, or what they say differently."""
    first, second = ({e.name: e for e in each.elements} for each in (by_hand, imported))
    yield from _listed("element", [*first], [*second])
    kinds = {name: [type(first[name]).__name__, type(second[name]).__name__]
             for name in first if name in second}  # fmt: skip
    other = {name: each for name, each in kinds.items() if each[0] != each[1]}
    if other:
        name, (one, two) = next(iter(other.items()))
        yield Difference("kind", "differs", (*other,), f"{name}: {one}, imported {two}")
    shown = [sorted(f"{a} -> {b}" for a, b in _edges(each)) for each in (by_hand, imported)]
    yield from _listed("edge", *shown)
    for name in _WHOLE:
        count = len(getattr(by_hand, name, None) or ())
        if count and not getattr(imported, name, None):
            yield Difference(name, "by hand", (), str(count))
    yield from _fields(first, second)


def _edges(system: System) -> set[tuple[str, str]]:
    return set(pairs(Graph(system).dependencies()))


def _listed(field: str, first: Sequence[str], second: Sequence[str]) -> Iterator[Difference]:
    for side, one, two in (("by hand", first, second), ("imported", second, first)):
        only = tuple(each for each in one if each not in two)
        if only:
            yield Difference(field, side, only, only[0])


def _fields(first: Mapping[str, Named], second: Mapping[str, Named]) -> Iterator[Difference]:
    found: dict[tuple[str, str], dict[str, str]] = defaultdict(dict)
    for name in (each for each in first if each in second):
        one, two = dict(_said(first[name])), dict(_said(second[name]))
        for field in sorted({*one, *two}):
            if one.get(field) == two.get(field) or _above(field, one, two):
                continue
            side = "by hand" if field not in two else "imported"
            side = "differs" if field in one and field in two else side
            values = [each[field] for each in (one, two) if field in each]
            plain = _MEMBER.sub("", field)
            found[plain, side].setdefault(name, ", imported ".join(values))
    for (field, side), every in sorted(found.items()):
        name, text = next(iter(every.items()))
        yield Difference(field, side, (*every,), f"{name}: {text[:60]}")


def _above(field: str, *every: Mapping[str, str]) -> bool:
    """Whether the part that a field is in is in one of the models only: it is listed then."""
    above = field.rpartition(".")[0]
    return bool(above) and len({above in each for each in every}) > 1


def _said(part: Element, inside: str = "") -> Iterator[tuple[str, str]]:
    """The fields of an element, and of the parts that it has: ``endpoints[get].protocol``."""
    for name in field_names(type(part)):
        value = getattr(part, name, None)
        if name == "name" or value in (None, (), ""):
            continue
        members = value if isinstance(value, tuple) else (value,)
        parts = [each for each in members if isinstance(each, Element)]
        if not parts:
            yield f"{inside}{name}", ", ".join(map(str, members))
        for number, each in enumerate(parts):
            key = getattr(each, "name", None) or getattr(each, "target", None) or number
            path = f"{inside}{name}[{key}]" if isinstance(value, tuple) else f"{inside}{name}"
            yield path, type(each).__name__
            yield from _said(each, f"{path}.")


_HEAD = """# Imported, beside modelled by hand
What does an import bring, and what is left for you? Two systems of `models/` are
modelled by hand from their files and their source code. Here they are beside what
`archcheck import` makes of the files alone. Every difference is listed with its reason; in all
other fields both models are the same.

`python docs/beside.py CORPUS` makes this page, where CORPUS has the files of both projects.
"""
_TAIL = """
## Bank of Anthos
There is no model by hand. Beside the source code: all edges that the import takes are calls, and
of the four addresses that it lists as candidates for `ledgerwriter`, one (`balancereader`) is a
call. See [Kubernetes](kubernetes.md#bank-of-anthos).
"""


def main() -> int:
    """Write the page."""
    PAGE.write_text(page(Path(sys.argv[1])), encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main())
