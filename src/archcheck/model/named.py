"""Elements with a name, and references to them.

A reference is the name (``"ledger"``, ``"payments.Charge"``) or the object itself. An object
with a name of its own is replaced by it at once; an endpoint learns its service's name only
when the system is put together, which is when the system replaces it.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Annotated, Any, ClassVar

from pydantic import PlainValidator, WithJsonSchema

from archcheck.model.element import Element, Many, Name, element


class Named(Element):
    """An element that others refer to by name."""

    referred_as: ClassVar[str] = "other"
    """What kind of reference may name it."""

    name: str

    @property
    def kind(self) -> str:
        """The element's kind in sentences: ``service``, ``datastore`` ..."""
        return type(self).__name__.lower()


class Part(Element):
    """A named part of another element (an endpoint of a service); its full name has a dot."""

    name: str


@dataclass(frozen=True)
class Refers:
    """Marks a field as a reference, and says what it may refer to (:attr:`Named.referred_as`)."""

    to: frozenset[str]


def _reference(value: Any) -> Any:
    if isinstance(value, Named):
        return value.name
    if isinstance(value, str | Part):
        return value
    raise ValueError(
        "must be a reference: a name such as 'payments.Charge', or the element itself, "
        f"got {type(value).__name__} {value!r}"
    )


_AS_TEXT = WithJsonSchema({"type": "string", "title": "Reference"})

Ref = Annotated[
    str | Named | Part, PlainValidator(_reference), _AS_TEXT, Refers(frozenset({"any"}))
]
"""A reference to any other element."""

CallableRef = Annotated[
    str | Named | Part,
    PlainValidator(_reference),
    _AS_TEXT,
    Refers(frozenset({"endpoint", "callable"})),
]
"""A reference to an endpoint, or to something that has a single one."""

DatastoreRef = Annotated[
    str | Named, PlainValidator(_reference), _AS_TEXT, Refers(frozenset({"datastore"}))
]
"""A reference to a datastore or cache."""

ChannelRef = Annotated[
    str | Named, PlainValidator(_reference), _AS_TEXT, Refers(frozenset({"channel"}))
]
"""A reference to a topic or queue."""

BrokerRef = Annotated[
    str | Named, PlainValidator(_reference), _AS_TEXT, Refers(frozenset({"broker"}))
]
"""A reference to a broker."""

PlatformRef = Annotated[
    str | Named, PlainValidator(_reference), _AS_TEXT, Refers(frozenset({"platform"}))
]
"""A reference to an observability platform."""

AskedRef = Annotated[
    str | Named,
    PlainValidator(_reference),
    _AS_TEXT,
    Refers(frozenset({"callable", "datastore", "channel", "broker", "platform"})),
]
"""A reference to whom a service can ask, as a whole: a service, external, datastore, channel, and
those that it only holds a connection to: a broker, an observability platform."""

JourneyRef = Annotated[
    str | Named, PlainValidator(_reference), _AS_TEXT, Refers(frozenset({"journey"}))
]
"""A reference to a journey."""

ServiceRef = Annotated[
    str | Named, PlainValidator(_reference), _AS_TEXT, Refers(frozenset({"callable"}))
]
"""A reference to a service or external as a whole."""

FlagRef = Annotated[str | Named, PlainValidator(_reference), _AS_TEXT, Refers(frozenset({"flag"}))]
"""A reference to a feature flag."""


@element
class Described(Named):
    """Fields that every named element has."""

    _is_abstract = True

    name: Name = field(kw_only=False)
    """Unique in the system."""
    description: str | None = None
    """What it is for, in a sentence."""
    tags: Many[str] = ()
    """Free labels for policies, filters and views."""
    docs: str | None = None
    """A link to its documentation."""


@element
class Team(Described):
    """People who own things."""

    contact: str | None = None
    """How to reach them: a channel or an address."""


TeamRef = Annotated[str | Team, PlainValidator(_reference), _AS_TEXT]
"""A team; any name, until the system declares its teams."""


@element
class Boundary(Described):
    """A bounded context: a part of the business with a language of its own."""

    referred_as = "boundary"

    owner: str | None = None
    """The team that answers for it."""
    trust_zone: str | None = None
    """The trust zone of what lies inside."""
