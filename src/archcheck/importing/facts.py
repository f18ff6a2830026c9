"""What importers say: facts, names, addresses and remarks, each with its place.

An importer knows its own format and nothing else. It yields

- a :class:`Fact`: an element, an attribute of it, a value of the vocabulary;
- a :class:`KnownAs`: a name under which others know the element (a host, an image);
- an :class:`About`: a fact about whoever is known under such a name;
- a :class:`Toward`: a fact about the clients of all who reach whoever is known under such a name;
- a :class:`Promised`: an element that is known from what it offers;
- a :class:`Reaches`: an address that the element is given; whose it is, is found out when all
  importers have spoken;
- a :class:`Hint`: a sign of what product an element is;
- a :class:`Remark`: what a file says and a model cannot hold, or what is left out and why.

:mod:`archcheck.importing.joining` makes one system of them.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Literal, TypeAlias

from archcheck.importing.addresses import Address
from archcheck.model import Element, Place

Precedence = Literal["observed", "deployed", "contract", "settings", "catalogue"]
"""What kind of source says it; the first ones win where two disagree (DESIGN, section 10)."""
PRECEDENCE: tuple[Precedence, ...] = ("observed", "deployed", "contract", "settings", "catalogue")

Identity = Literal["host", "image", "service.name", "source", "profile"]
"""The kinds of names that several sources state about one element; a profile is one of many."""

SYSTEM = ""
"""The element that stands for the system as a whole."""


@dataclass(frozen=True, order=True)
class FieldItem:
    """A member of a field that holds many: the client for ``ledger`` in ``clients``."""

    field: str
    key: str

    def __str__(self) -> str:
        return f"{self.field}[{self.key}]"


Step: TypeAlias = str | FieldItem
Path: TypeAlias = tuple[Step, ...]
"""From an element to a value inside it: ``("deployment", "readiness", "period")``."""


def spelled(path: Path) -> str:
    """``deployment.readiness.period``; for the element itself: its kind."""
    return ".".join(map(str, path)) or "kind"


@dataclass(frozen=True)
class Fact:
    """An attribute of an element, and the line that says it.

    A part that has fields of its own (the element, its deployment, a probe) is a fact whose value
    is its class, beside the facts about its fields. A member of a field of many values (a tag, a
    zone) is a fact whose value is the member.
    """

    element: str
    path: Path
    value: object
    place: Place

    def __str__(self) -> str:
        value = self.value.__name__ if isinstance(self.value, type) else self.value
        return f"{self.element or 'the system'}: {spelled(self.path)} = {value}"


@dataclass(frozen=True)
class ElementPlace:
    """A place in an element that facts are said about."""

    element: str
    path: Path = ()

    def inside(self, step: str) -> ElementPlace:
        """The part in a field."""
        return ElementPlace(self.element, (*self.path, step))

    def member(self, field_: str, key: str) -> ElementPlace:
        """A member of a field of many."""
        return ElementPlace(self.element, (*self.path, FieldItem(field_, key)))

    def is_a(self, kind: type[Element], place: Place) -> Fact:
        """What the part is."""
        return Fact(self.element, self.path, kind, place)

    def says(self, attribute: str, value: object, place: Place) -> Fact:
        """A field of the part."""
        return Fact(self.element, (*self.path, attribute), value, place)

    def has(self, field_: str, value: str, place: Place) -> Fact:
        """A member that is a plain value, such as a tag."""
        return Fact(self.element, (*self.path, FieldItem(field_, value)), value, place)


@dataclass(frozen=True)
class KnownAs:
    """An identity of an element that others state as well.

    ``host``: a name under which it is reached; ``scope``: who sees it (a namespace), empty for all.
    Other kinds: ``image`` (the repository, without a tag), ``service.name`` (OpenTelemetry's),
    ``source`` (the folder that it is built from).
    """

    element: str
    name: str
    scope: str
    place: Place
    kind: Identity = "host"


@dataclass(frozen=True)
class Reaches:
    """An element is given an address.

    ``group`` is the list that the address comes from when others read the same list (a ConfigMap
    behind ``envFrom``, an env file, a block merged into several services). ``doubt`` is why it may
    not be a call although it is an address.
    """

    element: str
    address: Address
    scope: str
    said: str
    """What says it, in a sentence: ``environment CART_ADDR``."""
    place: Place
    group: Place | None = None
    doubt: str = ""


@dataclass(frozen=True)
class StartsAfter:
    """An element waits for another of the same scope before it starts."""

    element: str
    host: str
    scope: str
    place: Place


@dataclass(frozen=True)
class Hint:
    """A sign of the product that an element is; ``None``: it is none of those in the table."""

    element: str
    product: str | None
    said: str
    strength: int
    """Signs of more strength win: an image says more than a port."""
    place: Place
    version: str | None = None


@dataclass(frozen=True)
class Remark:
    """What a reader should know about a line: it is left out, or a model cannot hold it."""

    sentence: str
    place: Place


@dataclass(frozen=True)
class About:
    """A fact about whoever is known under an identity, for sources that know elements by no other.

    A DestinationRule says something about a host. Where nobody is known under it, a remark says so.
    """

    kind: Identity
    name: str
    scope: str
    path: Path
    value: object
    place: Place


@dataclass(frozen=True)
class UnreadFile:
    """A file that an importer knows and did not read, and why."""

    path: str
    reason: str


@dataclass(frozen=True)
class Toward:
    """A fact about the clients of whoever reaches an element: what a mesh or a service's own
    configuration says about all calls to a host.

    ``path`` begins inside of the client. Where nobody reaches the element, a remark says so.
    ``part``: the client, the pool of connections to the element, or the mesh of who reaches it,
    which has one word for all that he reaches: it is said where it is true of all of them.
    """

    name: str
    scope: str
    path: Path
    value: object
    place: Place
    element: str = ""
    """Who reaches it; empty: everybody who does."""
    part: Literal["clients", "pools", "mesh"] = "clients"
    outside: frozenset[str] = frozenset()
    """Whom it is not for, although they reach it: gateways that are not in the mesh."""


@dataclass(frozen=True)
class Promised:
    """An element is known from a description of what it offers, and not from what runs.

    It is the element that is built from the nearest folder above ``folder``. If nobody is, and
    other sources say what runs, it is no element of its own, unless it ``runs`` by its own word.
    """

    element: str
    place: Place
    folder: str = ""
    """Where its source lies; empty: that does not say whose it is."""
    runs: bool = False


Statement: TypeAlias = (
    UnreadFile | Fact | About | KnownAs | Reaches | StartsAfter | Hint | Remark | Toward | Promised
)


@dataclass
class Said:
    """All that one importer said."""

    importer: str
    precedence: Precedence
    statements: list[Statement] = field(default_factory=list)
    name: str | None = None
    """What the source calls the system."""

    def extend(self, statements: Iterable[Statement]) -> None:
        """Take more of them."""
        self.statements += statements
