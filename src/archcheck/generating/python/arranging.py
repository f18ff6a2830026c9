"""Which file an element belongs into: that of its boundary, or of what it serves.

A service is in the file of its boundary; a datastore, topic or schedule beside the service that it
belongs to or calls; what belongs to nobody (externals, people, brokers, flags ...) beside its
neighbours in the order of the system where they share a file, else in a file for its kind.

The order of a system's elements is part of it. A package declares its elements file after file, so
an arrangement that keeps elements together that follow each other is better: its order can be said
by naming the files.
"""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass

from archcheck.generating.python.identifiers import file_names
from archcheck.model import (
    Boundary,
    Broker,
    Channel,
    Datastore,
    External,
    Flag,
    Named,
    ObservabilityService,
    Person,
    Platform,
    Schedule,
    Service,
    System,
    Team,
)
from archcheck.model.linking import references

LONGEST_FILE = 400
"""Lines of a file of services without boundaries, before each gets its own. A choice."""

Lines = Callable[[Named], int]
"""How many lines an element takes."""

_KINDS: tuple[tuple[tuple[type, ...], str], ...] = (
    ((Service,), "services"),
    ((Datastore,), "stores"),
    ((Channel, Broker), "messaging"),
    ((Platform, ObservabilityService), "observability"),
    ((Team, Boundary), "organisation"),
    ((Flag,), "flags"),
    ((External, Person), "outside"),
)
"""The file of what belongs to nobody. A boundary of the same name shares it."""


@dataclass(frozen=True)
class Arrangement:
    """A file for each element."""

    files: tuple[str, ...]
    """The file of each element, in the order of the system."""
    titles: Mapping[str, str]
    """What each file holds, in words."""
    shared: str
    """The file of what several others need."""
    journeys: str
    """The file of journeys and scenarios."""

    @property
    def is_kept_together(self) -> bool:
        """Whether the elements of each file follow each other."""
        runs = [file for file, _ in itertools.groupby(self.files)]
        return len(runs) == len(set(runs))

    def order(self) -> list[str]:
        """The files in the order in which their elements begin."""
        return list(dict.fromkeys(self.files))


@dataclass(frozen=True)
class _Taste:
    """What may stand beside the services that it belongs to; the order of a system decides."""

    stores: bool = True
    boundaries: bool = True
    used: bool = True
    """What belongs to nobody and is used by the elements of one file only."""


def arranged(system: System, lines: Lines) -> Arrangement:
    """The first of the good arrangements that keeps the order of the system; else the best."""
    best = _arrangement(system, _homes(system, lines, _Taste()))
    if best.is_kept_together:
        return best
    short = sum(map(lines, system.datastores)) <= LONGEST_FILE
    for stores, boundaries, used in itertools.product((True, False), repeat=3):
        if stores or short:
            taste = _Taste(stores, boundaries, used)
            other = _arrangement(system, _homes(system, lines, taste))
            if other.is_kept_together:
                return other
    return best


Home = tuple[str, str]
"""What a file is for, and of whom: ``("boundary", "payment")``, ``("kind", "stores")``."""


def _homes(system: System, lines: Lines, taste: _Taste) -> list[Home]:
    apart = _length(system, lines) > LONGEST_FILE
    known = {each.name: _own_home(each, apart=apart) for each in system.services}
    own = [_home(each, system, known, taste) for each in system.elements]
    users = _users(system, own) if taste.used else {}
    return [
        home or users.get(each.name) or _of_neighbours(index, own, each)
        for index, (each, home) in enumerate(zip(system.elements, own, strict=True))
    ]


def _users(system: System, own: list[Home | None]) -> dict[str, Home]:
    """The file whose elements alone refer to an element, or to a part of it."""
    found: dict[str, set[Home]] = {}
    for member, home in zip(system.elements, own, strict=True):
        if home is not None:
            for reference in references(member):
                found.setdefault(reference.target.partition(".")[0], set()).add(home)
    return {name: next(iter(homes)) for name, homes in found.items() if len(homes) == 1}


def _length(system: System, lines: Lines) -> int:
    return sum(lines(each) for each in system.services if each.boundary is None)


def _own_home(service: Service, *, apart: bool) -> Home:
    if service.boundary is not None:
        return "boundary", service.boundary
    return ("service", service.name) if apart else ("kind", "services")


def _home(member: Named, system: System, known: Mapping[str, Home], taste: _Taste) -> Home | None:
    match member:
        case Service():
            return known[member.name]
        case Boundary():
            inside = ("boundary", member.name)
            return inside if taste.boundaries and inside in known.values() else None
        case Datastore() if not taste.stores:
            return "kind", "stores"
        case Datastore() | Channel():
            return known.get(str(member.belongs_to))
        case Schedule():
            return known.get(system.endpoint(str(member.calls))[0].name)
        case _:
            return None


def _of_neighbours(index: int, own: list[Home | None], member: Named) -> Home:
    """The file of both neighbours, or the one for its kind."""
    before = next((home for home in reversed(own[:index]) if home), None)
    after = next((home for home in own[index + 1 :] if home), None)
    if before is not None and before == after:
        return before
    return next(
        (("kind", name) for kinds, name in _KINDS if isinstance(member, kinds)), ("kind", "others")
    )


def _arrangement(system: System, homes: list[Home]) -> Arrangement:
    names = file_names()
    files: dict[Home, str] = {}
    for home in sorted(set(homes), key=_boundaries_first):
        purpose, name = home
        files[home] = names.variable(name, "services" if purpose == "kind" else purpose)
    titles = {file: _title(home) for home, file in files.items()}
    return Arrangement(
        tuple(files[home] for home in homes),
        titles,
        shared=names.variable("shared", "values"),
        journeys=names.variable("journeys", "load"),
    )


def _boundaries_first(home: Home) -> tuple[bool, bool, str]:
    return home[0] != "boundary", home[0] != "service", home[1]


_TITLES = {
    "services": "Services of no boundary.",
    "stores": "Datastores and caches.",
    "messaging": "Brokers, topics and queues.",
    "observability": "Where metrics, logs and traces go.",
    "organisation": "Teams and boundaries.",
    "flags": "Feature flags.",
    "outside": "Who is outside: people, and systems of others.",
    "others": "What belongs to no service.",
}


def _title(home: Home) -> str:
    purpose, name = home
    return _TITLES[name] if purpose == "kind" else f"The {purpose} {name}."


def in_order_of_files(system: System, lines: Lines) -> Iterator[Named]:
    """The elements, those of a file together, the files by name: as a package declares them."""
    arrangement = _arrangement(system, _homes(system, lines, _Taste()))
    pairs = zip(arrangement.files, system.elements, strict=True)
    return (member for _, member in sorted(pairs, key=lambda pair: pair[0]))
