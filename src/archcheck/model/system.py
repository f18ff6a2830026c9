"""A system: all elements of an architecture, linked and checked."""

from __future__ import annotations

import importlib
import sys
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import field
from functools import cached_property
from typing import Any, TypeVar, cast

from archcheck.model.brokers import Broker, Channel
from archcheck.model.clients import Client
from archcheck.model.collecting import collect, in_order, modules_of
from archcheck.model.datastores import Datastore
from archcheck.model.deployment import Prices
from archcheck.model.distributions import Empirical
from archcheck.model.element import Element, Many, Name, element, nearest
from archcheck.model.errors import ModelError, Place, raise_all
from archcheck.model.features import Flag
from archcheck.model.journeys import Journey
from archcheck.model.linking import Directory, declared_before, link, place_of, references_of, walk
from archcheck.model.look import Look
from archcheck.model.named import Boundary, Named, Team
from archcheck.model.observability import Platform
from archcheck.model.places import Places
from archcheck.model.policies import Policy
from archcheck.model.renamed import not_a_team
from archcheck.model.scenarios import Scenario
from archcheck.model.services import Endpoint, External, Person, Schedule, Service
from archcheck.model.sites import site_of
from archcheck.model.steps import Feature
from archcheck.model.suppressions import Suppression
from archcheck.model.uncertainty import Between
from archcheck.units import Bandwidth, Duration

E = TypeVar("E", bound=Named)


@element
class Network(Element):
    """What lies between processes."""

    delay: Duration | None = None
    """One way, between two processes in the same zone; ``None``: unknown."""
    zone_delay: Duration | None = None
    """One way, between zones; ``None``: as within a zone."""
    entry: Duration | None = None
    """One way, between users and where a journey enters; ``None``: it is not counted."""
    bandwidth: Bandwidth | None = None
    """What a connection carries."""


@element
class System(Element):
    """A whole architecture, given as a list or collected from a package.

    References are resolved when the system is put together: a name that does not exist, exists
    twice or has the wrong role raises :class:`~archcheck.model.errors.ModelError` with the
    place and the nearest names.
    """

    name: Name = field(kw_only=False)
    """The system's name."""
    elements: Many[Named] = field(default=(), kw_only=False)
    """Services, datastores, brokers, topics, externals, people, schedules, platforms ..."""
    journeys: Many[Journey] = ()
    """What it is used for."""
    policies: Many[Policy] = ()
    """Which parts may depend on which."""
    scenarios: Many[Scenario] = ()
    """Load and faults to simulate; they can also be kept elsewhere."""
    suppressions: Many[Suppression] = ()
    """Findings that are accepted, with their reasons."""
    uncertain: Many[Between] = ()
    """Times and hit ratios that are only known to lie between two values."""
    network: Network | None = None
    """What lies between processes."""
    prices: Prices | None = None
    """What its computers cost; ``None``: unknown."""
    entities: Many[str] = ()
    """Business entities that must have a system of record."""
    look: Many[Look] = ()
    """Icons and colours of its diagrams."""
    description: str | None = None
    """What it is for."""
    revision: str | None = None
    """Version of the architecture."""

    def __post_init__(self) -> None:
        journeys = [*self.journeys, *(e for e in self.elements if isinstance(e, Journey))]
        scenarios = [*self.scenarios, *(e for e in self.elements if isinstance(e, Scenario))]
        members = [e for e in self.elements if not isinstance(e, Journey | Scenario)]
        linked = link(members, [*journeys, *scenarios, *self.uncertain])
        size, end = len(members), len(members) + len(journeys)
        object.__setattr__(self, "elements", tuple(linked[:size]))
        object.__setattr__(self, "journeys", tuple(linked[size:end]))
        rest = end + len(scenarios)
        object.__setattr__(self, "scenarios", tuple(linked[end:rest]))
        object.__setattr__(self, "uncertain", tuple(linked[rest:]))
        self._check()

    def _check(self) -> None:
        directory = self.directory
        mistakes: list[ModelError] = []
        for part in (*self.elements, *self.journeys, *self.scenarios, *self.uncertain):
            for holder in walk(part):
                mistakes += self._unread(holder)
                for reference in references_of(holder):
                    try:
                        directory.check(reference)
                    except ModelError as error:
                        mistakes.append(error)
        mistakes += self._wrong_clients()
        mistakes += self._wrong_owners()
        mistakes += self._unregistered("owner", "team", [team.name for team in self.teams])
        mistakes += self._unregistered("boundary", "boundary", [b.name for b in self.boundaries])
        raise_all(mistakes)

    @staticmethod
    def _unread(holder: Element) -> Iterator[ModelError]:
        """What an element names and nobody can read."""
        if isinstance(holder, Empirical):
            try:
                holder.read()
            except ModelError as error:
                yield ModelError(error.sentence, place_of(holder))

    def _wrong_clients(self) -> Iterator[ModelError]:
        """A service has one client for a callee, or nobody could say which one counts."""
        for service in self.services:
            known: dict[object, Client] = {}
            for client in service.clients:
                first = known.setdefault(client.target, client)
                if first is not client:
                    whom = f"for {client.target!r}" if client.target else "for all that it asks"
                    yield ModelError(
                        f"Service {service.name!r} has two clients {whom}{declared_before(first)}",
                        place_of(client),
                    )

    def _wrong_owners(self) -> Iterator[ModelError]:
        """An owner was once the service that data belong to: its name is no team's."""
        members: tuple[Datastore | Channel | Broker, ...] = (
            *self.datastores,
            *self.channels,
            *self.brokers,
        )
        for member in members:
            owner = str(member.owner)
            is_said = member.owner is not None
            if is_said and not isinstance(self.directory.elements.get(owner), Team | None):
                yield ModelError(
                    f"{type(member).__name__} {member.name!r}: {not_a_team(type(member), owner)}",
                    place_of(member),
                )

    def _unregistered(self, attribute: str, what: str, known: list[str]) -> Iterator[ModelError]:
        """Owners and boundaries are free words until the model declares a list of them."""
        kinds: tuple[type[Named], ...] = (Service,)
        if what == "team":
            kinds = (Service, Datastore, Channel, Broker)
        for member in self.elements if known else ():
            value = getattr(member, attribute, None)
            if isinstance(member, kinds) and value is not None and value not in known:
                yield ModelError(
                    f"{type(member).__name__} {member.name!r}: there is no {what} {value!r} "
                    f"in the system{nearest(value, known)}",
                    place_of(member),
                )

    # -- putting together -------------------------------------------------------------------

    @classmethod
    def from_package(
        cls,
        package: str,
        *,
        name: str | None = None,
        elements: Iterable[Named] = (),
        journeys: Sequence[Journey] = (),
        policies: Sequence[Policy] = (),
        scenarios: Sequence[Scenario] = (),
        suppressions: Sequence[Suppression] = (),
        order: Sequence[str] = (),
        **others: Any,
    ) -> System:
        """Collect all elements that the modules of ``package`` declare. Imports (runs) them.

        Module-level elements, and those in module-level lists, tuples and dictionaries, belong
        to the system; further ones can be given. ``name`` is the package's last word unless set.
        Elements count in the order of their modules' names; modules in ``order`` come before.
        """
        modules = modules_of(importlib.import_module(package))
        try:
            found = collect(in_order(modules, order))
        except ModelError as error:
            site = site_of(sys._getframe(1))
            raise ModelError(error.sentence, site.place if site else None) from None
        return cls(
            name or package.rpartition(".")[2],
            [*found.members, *elements],
            journeys=[*found.journeys, *journeys],
            policies=[*found.policies, *policies],
            scenarios=[*found.scenarios, *scenarios],
            suppressions=[*found.suppressions, *suppressions],
            **others,
        )

    # -- looking up -------------------------------------------------------------------------

    @cached_property
    def directory(self) -> Directory:
        """All names."""
        return Directory([*self.elements, *self.journeys, *self.scenarios])

    def runs(self, step: Feature) -> bool:
        """Whether the steps behind a feature flag run today; an undeclared flag counts as on."""
        return self._flags[str(step.flag)] is not step.off

    @cached_property
    def _flags(self) -> dict[str, bool]:
        return {flag.name: flag.on is not False for flag in self.of_type(Flag)}

    def of_type(self, kind: type[E]) -> tuple[E, ...]:
        """All elements of a kind, in the order of their declaration."""
        if kind not in self._by_kind:
            found = tuple(member for member in self.elements if isinstance(member, kind))
            self._by_kind[kind] = found
        return cast("tuple[E, ...]", self._by_kind[kind])

    @cached_property
    def _by_kind(self) -> dict[type[Element], tuple[Element, ...]]:
        return {}

    @cached_property
    def services(self) -> tuple[Service, ...]:
        """Services, gateways included."""
        return self.of_type(Service)

    @cached_property
    def datastores(self) -> tuple[Datastore, ...]:
        """Datastores, caches included."""
        return self.of_type(Datastore)

    @cached_property
    def brokers(self) -> tuple[Broker, ...]:
        """Brokers."""
        return self.of_type(Broker)

    @cached_property
    def channels(self) -> tuple[Channel, ...]:
        """Topics and queues."""
        return self.of_type(Channel)

    @cached_property
    def externals(self) -> tuple[External, ...]:
        """Systems of others."""
        return self.of_type(External)

    @cached_property
    def people(self) -> tuple[Person, ...]:
        """Users."""
        return self.of_type(Person)

    @cached_property
    def schedules(self) -> tuple[Schedule, ...]:
        """Clocks."""
        return self.of_type(Schedule)

    @cached_property
    def platforms(self) -> tuple[Platform, ...]:
        """Observability platforms."""
        return self.of_type(Platform)

    @cached_property
    def teams(self) -> tuple[Team, ...]:
        """Declared teams; empty when owners are free words."""
        return self.of_type(Team)

    @cached_property
    def boundaries(self) -> tuple[Boundary, ...]:
        """Declared boundaries; empty when they are free words."""
        return self.of_type(Boundary)

    def find(self, name: str) -> Named:
        """The element called ``name``. Raises :class:`ModelError` with the nearest names."""
        member = self.directory.elements.get(name)
        if member is None:
            raise ModelError(
                f"there is no {name!r} in the system {self.name!r}"
                f"{nearest(name, list(self.directory.elements))}"
            )
        return member

    def endpoint(self, reference: str) -> tuple[Service | External, Endpoint | None]:
        """The owner and endpoint that a callable reference means.

        The endpoint is ``None`` for an external that declares none.
        """
        owner: Named
        part: Any
        if reference in self.directory.parts:
            owner, part = self.directory.parts[reference]
        else:
            owner = self.find(reference)
            endpoints: Sequence[Endpoint] = getattr(owner, "endpoints", ())
            part = endpoints[0] if endpoints else None
        if not isinstance(owner, Service | External):
            raise ModelError(f"{reference!r} is a {owner.kind} and cannot be called")
        return owner, part

    def scenario(self, name: str) -> Scenario:
        """The scenario called ``name``. Raises :class:`ModelError` with the nearest names."""
        for scenario in self.scenarios:
            if scenario.name == name:
                return scenario
        known = [scenario.name for scenario in self.scenarios]
        close = nearest(name, known)
        raise ModelError(
            f"the system {self.name!r} has no scenario {name!r}{close}"
            + (f"{' It' if close else '; it'} has {', '.join(known)}" if known else "; it has none")
        )

    def place(self, part: Element) -> Place | None:
        """The line that declares ``part`` and nothing else, as far as there is one."""
        return self._places.of(part)

    @cached_property
    def _places(self) -> Places:
        parts = (
            *self.elements,
            *self.journeys,
            *self.scenarios,
            *self.policies,
            *self.suppressions,
            *self.uncertain,
            *self.look,
        )
        return Places([inner for part in parts for inner in walk(part)])
