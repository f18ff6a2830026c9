"""What a service, a datastore or a broker is made of, as units that fail.

Replicas and copies are spread evenly over the declared zones, in their order. A service works
while one of its replicas does. A datastore works while enough copies do: as many as its quorum
asks, a majority where copies agree by consensus, any one where it fails over automatically or
where a stale answer will do, else the primary; its shards are placed alike, so that one stands
for all. What is not declared is taken as it is best for the system, and listed as a gap: a claim
that is refuted is refuted whatever the gaps are, and none is proved over a gap.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

from archcheck.graph import Graph, Interaction
from archcheck.model import (
    Broker,
    Channel,
    Datastore,
    External,
    LocalCache,
    Managed,
    Named,
    Publish,
    Quorum,
    Read,
    Service,
    Topic,
    effective,
)
from archcheck.proof.answers import Gap
from archcheck.proof.survival.structure import (
    AtLeast,
    Structure,
    Unit,
    UnitKind,
    all_of,
)

_SURE: Structure = AtLeast(0, ())


@dataclass
class Components:
    """The structures of a system's elements; ``gaps`` lists what they had to leave open.

    ``as_sold`` takes what a provider runs as one unit, whose availability is its agreement.
    """

    graph: Graph
    as_sold: bool = False
    _known: dict[tuple[str, str], tuple[Structure, tuple[Gap, ...]]] = field(default_factory=dict)

    def of_member(self, member: Named) -> tuple[Structure, tuple[Gap, ...]]:
        """A service or an external party."""
        key = (member.name, "")
        if key not in self._known:
            if isinstance(member, Service):
                self._known[key] = self._service(member)
            else:
                self._known[key] = Unit("external", member.name), ()
        return self._known[key]

    def of_step(self, step: Interaction) -> tuple[Structure, tuple[Gap, ...]]:
        """What a step asks beside the operations of others: a store or a broker."""
        target = step.target
        if isinstance(target, Datastore):
            stale = isinstance(step.step, Read) and step.step.stale is True
            return self.of_store(target, "stale" if stale else step.mode)
        if isinstance(target, Channel) and isinstance(step.step, Publish) and not step.step.outbox:
            return self._channel(target, step.step)
        return _SURE, ()  # an outbox keeps the message until the broker takes it

    def of_store(self, store: Datastore, kind: str) -> tuple[Structure, tuple[Gap, ...]]:
        """A datastore that is asked for a read, a stale read or a write."""
        key = (store.name, kind)
        if key not in self._known:
            self._known[key] = self._store(store, kind)
        return self._known[key]

    def _service(self, service: Service) -> tuple[Structure, tuple[Gap, ...]]:
        deployment = service.deployment
        if deployment is None:
            return _SURE, (Gap(service, "deployment"),)
        if self.as_sold and isinstance(deployment, Managed):
            return Unit("element", service.name), ()
        replicas = deployment.fewest_replicas()
        gap = () if deployment.zones else (Gap(service, "deployment.zones"),)
        if replicas is None:
            return _SURE, (Gap(service, "deployment.replicas"), *gap)
        return self._group("replica", service.name, replicas, 1, deployment.zones), gap

    def _store(self, store: Datastore, kind: str) -> tuple[Structure, tuple[Gap, ...]]:
        deployment = getattr(store, "deployment", None)
        if isinstance(store, LocalCache):
            return _SURE, ()
        if self.as_sold and isinstance(deployment, Managed):
            return Unit("element", store.name), ()
        zones = store.zones or (deployment.zones if deployment else ())
        gaps = [] if zones else [Gap(store, "zones")]
        quorum: Quorum | None = getattr(store, "quorum", None)
        copies, needed = self._copies(store, quorum, kind)
        if copies is None:
            return _SURE, (Gap(store, "copies"), *gaps)
        if needed is None:
            gaps.append(Gap(store, "failover"))
        counted = 1 if needed == 0 else copies
        return self._group("copy", store.name, counted, needed or 1, zones), tuple(gaps)

    @staticmethod
    def _copies(
        store: Datastore, quorum: Quorum | None, kind: str
    ) -> tuple[int | None, int | None]:
        """Copies of a shard, and how many must work: 0 for the primary, ``None`` for unknown."""
        if quorum is not None:
            return quorum.copies, quorum.write if kind == "write" else quorum.read
        copies = effective(store, "copies").value
        if copies is None:
            return None, None
        consistency = effective(store, "consistency").value
        if kind == "stale" or copies == 1:
            return copies, 1
        if getattr(store, "replication", None) == "consensus" or (
            store.is_distributed and consistency == "strong"
        ):
            return copies, copies // 2 + 1
        failover = getattr(store, "failover", None)
        if store.is_distributed or failover == "automatic":
            return copies, 1
        return copies, None if failover is None else 0

    def _channel(self, channel: Channel, step: Publish) -> tuple[Structure, tuple[Gap, ...]]:
        if channel.broker is None:
            return _SURE, (Gap(channel, "broker"),)
        broker = self.graph.system.find(str(channel.broker))
        if not isinstance(broker, Broker):
            return _SURE, ()
        if self.as_sold and isinstance(getattr(broker, "deployment", None), Managed):
            return Unit("element", broker.name), ()
        gap = () if broker.zones else (Gap(broker, "zones"),)
        if broker.nodes is None:
            return _SURE, (Gap(broker, "nodes"), *gap)
        copies, needed = broker.nodes, 1
        if isinstance(channel, Topic):
            if channel.copies is None:
                return _SURE, (Gap(channel, "copies"), *gap)
            copies = min(copies, channel.copies)
            needed = (channel.min_in_sync or 1) if step.acks == "all" else 1
        return self._group("node", broker.name, copies, needed, broker.zones), gap

    def _group(
        self, kind: UnitKind, name: str, count: int, needed: int, zones: Sequence[str]
    ) -> Structure:
        """So many units, each in its zone, of which some must work."""
        if self.as_sold:  # zones have no declared availability
            zones = ()
        return AtLeast(
            needed,
            tuple(
                all_of(
                    [
                        Unit(kind, name, number + 1),
                        *([Unit("zone", zones[number % len(zones)])] if zones else []),
                    ]
                )
                for number in range(count)
            ),
        )


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
