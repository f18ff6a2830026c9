"""What a service, a datastore or a broker is made of, as units that fail.

Replicas and copies are spread evenly over the declared zones, in their order. A service works while
one of its replicas does, where a readiness probe takes the dead ones out of what callers choose
from; without one callers go on choosing dead replicas, so that all must work, but for as many as
they try again elsewhere, or eject by themselves. Replicas that nothing spreads
(``spread=Absent(...)``) are all in one zone at worst, and are taken to be. A datastore works while
enough copies do: as many as its quorum asks, a majority where copies agree by consensus, any one
where it fails over automatically or where a stale answer will do, else the primary. Each shard is
placed a zone further than the one before, and all of them must work.

What is not declared is every value: it is taken as it is best for the system and, with ``worst``,
as it is worst, and listed as a gap. What fails at best is refuted whatever the gaps are; only what
works at worst is proved.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from functools import cached_property

from archcheck.graph import Graph, Interaction
from archcheck.graph.copies import QueryKind, needed_for, zones_of, zones_of_copies
from archcheck.graph.protection import Protection
from archcheck.graph.reach import asked_behind
from archcheck.model import (
    Absent,
    Broker,
    Channel,
    Datastore,
    Deployment,
    External,
    LocalCache,
    Managed,
    Named,
    Probe,
    Publish,
    Read,
    Service,
    Topic,
    effective,
)
from archcheck.proof.answers import Gap
from archcheck.proof.survival.circles import asked_in_rounds
from archcheck.proof.survival.structure import (
    NEVER,
    AtLeast,
    Structure,
    Unit,
    UnitKind,
    all_of,
)

_SURE: Structure = AtLeast(0, ())
_SEEN_BY_ALL = "deployment.readiness, as an ejection ends and costs requests each time"
_SEEN = "deployment.readiness, or retries that never meet a dead replica twice"


@dataclass(frozen=True)
class ElementStructure:
    """The structure of an element, what it leaves open, and what it takes for granted."""

    structure: Structure
    gaps: tuple[Gap, ...] = ()
    assumptions: tuple[str, ...] = ()


@dataclass
class Components:
    """The structures of a system's elements, with the gaps that they leave open.

    ``as_sold`` takes what a provider runs as one unit, whose availability is its agreement, and
    lets no zone fail but with ``zones_fail``: an agreement that is declared holds whatever happens
    to the provider's zones.
    ``worst`` takes what is not declared as it is worst. ``noticed`` lets every caller know which
    replicas are dead. ``by_chance`` asks how often a request is answered instead of whether all
    are: where dead replicas are chosen too, at best the one that is chosen is enough, and any of
    them where somebody asks again.
    """

    graph: Graph
    as_sold: bool = False
    worst: bool = False
    noticed: bool = False
    by_chance: bool = False
    zones_fail: bool = False
    _groups: dict[tuple[str, int, int, tuple[str, ...]], Structure] = field(default_factory=dict)

    def of_member(self, member: Named, step: Interaction | None) -> ElementStructure:
        """A service or an external party, as the caller sees it who takes this step.

        Without a step the users ask, who neither retry nor eject.
        """
        if isinstance(member, Service):
            own, touched = self._service(member, step), self._touched(member)
            if not touched or self.by_chance:
                return own
            gap = Gap(member, "probes that touch nothing else")
            parts = (own.structure, *touched) if self.worst else (own.structure,)
            return ElementStructure(all_of(parts), (*own.gaps, gap), own.assumptions)
        return ElementStructure(Unit("external", member.name))

    def _touched(self, service: Service) -> list[Structure]:
        """What the probes of a service ask, without which no replica may be ready."""
        deployment, found = service.deployment, dict[Structure, None]()
        for kind in ("readiness", "liveness", "startup"):
            probe = getattr(deployment, kind, None)
            for name in probe.touches if isinstance(probe, Probe) else ():
                asked = self.graph.system.find(str(name).partition(".")[0])
                if isinstance(asked, Datastore):
                    found.setdefault(self.of_store(asked, "read").structure)
                elif isinstance(asked, Service) and asked is not service:
                    found.setdefault(self._service(asked, None).structure)
                elif isinstance(asked, External):
                    found.setdefault(Unit("external", asked.name))
        return list(found)

    def of_step(self, step: Interaction) -> ElementStructure:
        """What a step asks beside the operations of others: a store or a broker."""
        target = step.target
        if isinstance(target, Datastore):
            stale = isinstance(step.step, Read) and step.step.stale is True
            kind: QueryKind = "write" if step.mode == "write" else "stale" if stale else "read"
            return self.of_store(target, kind)
        if isinstance(target, Channel) and isinstance(step.step, Publish) and not step.step.outbox:
            return self._channel(target, step, step.step)
        return ElementStructure(_SURE)  # an outbox keeps the message until the broker takes it

    def _either(self, best: Structure, *gaps: Gap, worst: Structure = NEVER) -> ElementStructure:
        """What is not declared: at best one structure, at worst another, or none that works."""
        return ElementStructure(worst if self.worst else best, gaps)

    # -- services -------------------------------------------------------------------------------

    def _service(self, service: Service, step: Interaction | None) -> ElementStructure:
        deployment = service.deployment
        if deployment is None:
            return self._either(_SURE, Gap(service, "deployment"))
        if self._is_sold(deployment):
            return ElementStructure(Unit("element", service.name))
        replicas = deployment.fewest_replicas()
        spread = getattr(deployment, "spread", None)
        zones = deployment.zones[:1] if isinstance(spread, Absent) else deployment.zones
        gaps = () if deployment.zones else (Gap(service, "deployment.zones"),)
        if replicas is None:
            return self._either(_SURE, Gap(service, "deployment.replicas"), *gaps)
        needed, open_, assumptions = self._unnoticed(service, replicas, step)
        if needed > 1 and self.by_chance and not self.worst:
            replicas, needed = replicas if service.name in self.asked_again else 1, 1
        group = self._group("replica", service.name, replicas, needed, zones)
        if gaps and self._zones_count:
            return self._either(group, *gaps, *open_)
        return ElementStructure(group, (*gaps, *open_), assumptions)

    @cached_property
    def asked_again(self) -> frozenset[str]:
        """Who may be asked several times for a request, another replica each: behind a retry, a
        hedge or a fallback, at any distance."""
        return self._behind(lambda guard: guard.attempts != 1 or guard.hedged > 1)

    @cached_property
    def asked_after_errors(self) -> frozenset[str]:
        """The same of who answers with an error by itself, which not every retry is made for."""
        return self._behind(_retries_errors)

    def _behind(self, asks_again: Callable[[Protection], bool]) -> frozenset[str]:
        behind = dict[str, None]()
        for step in self.graph.every_call():
            if asks_again(step.protection):
                behind |= asked_behind(self.graph, step.target_name, fallbacks=True)
            if step.fallback is not None:
                behind |= asked_behind(self.graph, step.fallback.target_name, fallbacks=True)
        operations = self.graph.operations
        return frozenset(
            operations[name].owner.name if name in operations else name for name in behind
        )

    def _unnoticed(
        self, service: Service, replicas: int, step: Interaction | None
    ) -> tuple[int, tuple[Gap, ...], tuple[str, ...]]:
        """How many replicas must work for a caller who may not know which of them are dead."""
        readiness = getattr(service.deployment, "readiness", None)
        guard = step.protection if step is not None else Protection()
        if self.noticed or replicas == 1 or isinstance(readiness, Probe):
            return 1, (), ()
        if guard.mesh is not None and guard.mesh.outlier_detection:
            return replicas if self.worst else 1, (Gap(service, _SEEN_BY_ALL),), ()
        if not self.worst and service.name in asked_in_rounds(self.graph):
            return 1, (), ()
        if not isinstance(readiness, Absent):
            return replicas if self.worst else 1, (Gap(service, "deployment.readiness"),), ()
        balancing = getattr(step.step, "balancing", None) if step is not None else None
        in_turn = balancing == "round_robin" or isinstance(balancing, Absent | None)
        if not (tries_elsewhere(guard) or _asks_again(step, service)) or not in_turn:
            return replicas, (), ()
        return replicas if self.worst else 1, (Gap(service, _SEEN),), ()

    # -- datastores and brokers -----------------------------------------------------------------

    def of_store(self, store: Datastore, kind: QueryKind) -> ElementStructure:
        """A datastore that is asked for a read, a stale read or a write."""
        deployment = getattr(store, "deployment", None)
        if isinstance(store, LocalCache):
            return ElementStructure(_SURE)
        if self._is_sold(deployment):
            return ElementStructure(Unit("element", store.name))
        zones = zones_of(store)
        gaps = () if zones or store.spread_by_provider else (Gap(store, "zones"),)
        needed = needed_for(store, kind)
        open_ = (Gap(store, needed.unknown),) if needed.unknown else ()
        if needed.copies is None:
            return self._either(_SURE, *open_, *gaps)
        most = needed.worst if self.worst else needed.best
        counted = 1 if most == 0 else needed.copies
        groups = tuple(
            self._group("copy", store.name, counted, most or 1, places)
            for places in self._placed(store, zones)
        )
        shards = groups[0] if len(groups) == 1 else AtLeast(len(groups), groups)
        if gaps and self._zones_count:
            return self._either(shards, *open_, *gaps)
        return ElementStructure(shards, (*open_, *gaps))

    def _placed(self, store: Datastore, zones: Sequence[str]) -> list[Sequence[str]]:
        """The zones of the copies of each shard; a request, by chance, asks one shard."""
        shards = effective(store, "shards").value or 1
        if self.by_chance or not zones:
            return [zones]
        return [
            zones_of_copies(zones, len(zones), shard) for shard in range(min(shards, len(zones)))
        ]

    def _channel(self, channel: Channel, step: Interaction, publish: Publish) -> ElementStructure:
        if channel.broker is None:
            return self._either(_SURE, Gap(channel, "broker"))
        broker = self.graph.system.find(str(channel.broker))
        if not isinstance(broker, Broker):
            return ElementStructure(_SURE)
        if self._is_sold(getattr(broker, "deployment", None)):
            return ElementStructure(Unit("element", broker.name))
        zones = zones_of(broker)
        gaps = () if zones else (Gap(broker, "zones"),)
        if broker.nodes is None:
            return self._either(_SURE, Gap(broker, "nodes"), *gaps)
        copies, needed, open_ = broker.nodes, tuple[int, ...]((1,)), tuple[Gap, ...]()
        if isinstance(channel, Topic):
            if channel.copies is None:
                return self._either(_SURE, Gap(channel, "copies"), *gaps)
            copies = min(copies, channel.copies)
            needed, open_ = _in_sync(channel, step, publish.acks, copies)
        most = needed[-1] if self.worst else needed[0]
        group = self._group("node", broker.name, copies, most, zones)
        if gaps and self._zones_count:
            return self._either(group, *open_, *gaps)
        return ElementStructure(group, (*open_, *gaps))

    # -- units ----------------------------------------------------------------------------------

    @property
    def _zones_count(self) -> bool:
        return self.zones_fail or not self.as_sold

    def _is_sold(self, deployment: Deployment | None) -> bool:
        """Whether a provider runs it who says how available it is, whatever it is made of.

        Where zones fail, an agreement that is not declared says nothing about them.
        """
        if not self.as_sold or not isinstance(deployment, Managed):
            return False
        return not self.zones_fail or deployment.availability is not None

    def _group(
        self, kind: UnitKind, name: str, count: int, needed: int, zones: Sequence[str]
    ) -> Structure:
        """So many units, each in its zone, of which some must work; the same for the same."""
        key = (name, count, needed, tuple(zones))
        if key not in self._groups:
            places = zones if self._zones_count else ()
            self._groups[key] = AtLeast(
                needed,
                tuple(
                    all_of(
                        [
                            Unit(kind, name, number + 1),
                            *([Unit("zone", places[number % len(places)])] if places else []),
                        ]
                    )
                    for number in range(count)
                ),
            )
        return self._groups[key]


def _asks_again(step: Interaction | None, service: Service) -> bool:
    """Whether the fallback of a step asks the service that has failed, where another replica may be
    next: a retry by another name."""
    fallback = step.fallback if step is not None else None
    return fallback is not None and fallback.target is service


def _retries_errors(guard: Protection) -> bool:
    """Whether somebody may ask again after an error: a retry that nobody declares may."""
    own, mesh = guard.retry, guard.mesh.retry if guard.mesh is not None else None
    unknown = own is None or (guard.mesh is not None and mesh is None)
    return unknown or any("failed" in retry.on for retry in guard.retries)


def tries_elsewhere(guard: Protection) -> int:
    """How often a request that fails is sure to be tried again, by the code and its mesh."""
    tries = 1
    for retry in guard.retries:
        if "failed" in retry.on and retry.budget is None:
            tries *= retry.attempts
    return tries - 1


def _in_sync(
    topic: Topic, step: Interaction, acks: str | None, copies: int
) -> tuple[tuple[int, ...], tuple[Gap, ...]]:
    """How many copies of a topic must work for a publisher, at best and at worst; the gaps."""
    if acks not in ("all", None):
        return (1,), ()
    gaps: list[Gap] = []
    if topic.min_in_sync is None and copies > 1:
        gaps.append(Gap(topic, "min_in_sync"))
    least, most = topic.min_in_sync or 1, topic.min_in_sync or copies
    if acks is None and most > 1:
        gaps.append(Gap(step, "acks"))
        least = 1
    return (least, most), tuple(gaps)


def up_probability(graph: Graph, unit: Unit) -> tuple[float | None, Gap | None]:
    """The declared availability of a unit, or the attribute that would say it."""
    member = graph.system.find(unit.element)
    if isinstance(member, External):
        declared = member.availability
        return (None, Gap(member, "availability")) if declared is None else (float(declared), None)
    deployment = getattr(member, "deployment", None)
    declared = deployment.availability if deployment else None
    if declared is None:
        return None, Gap(member, "deployment.availability")
    return float(declared), None
