"""Messages: consumer groups of topics and queues, redelivery, dead letters."""

from __future__ import annotations

from typing import TYPE_CHECKING

from archcheck.simulation.attribution import Notes
from archcheck.simulation.engines.reference.requests import Request
from archcheck.simulation.engines.reference.servers import Servers
from archcheck.simulation.plan import Channel, Outcome, Subscription
from archcheck.simulation.randomness import child, place_hash, uniform

if TYPE_CHECKING:
    from archcheck.simulation.engines.reference.engine import Engine
    from archcheck.simulation.engines.reference.node_groups import Replica

_PARTITION = place_hash("partition")


class Subscribers:
    """A consumer group of a channel.

    Its node_group has a node for each member (ordered), or one for all (competing). Members live on
    the replicas of their service: member n on replica n modulo replicas.
    """

    def __init__(self, engine: Engine, channel: Channel, spec: Subscription) -> None:
        self.engine = engine
        self.channel = channel
        self.spec = spec
        operation = engine.plan.operations[spec.operation]
        self.place = operation.place
        self.node_group = engine.node_groups[operation.group]
        self.host = engine.node_groups[self.node_group.spec.host]
        self.share = 0.0
        servers = self.node_group.nodes[0].slots
        if not spec.ordered and servers is not None and servers.servers is not None:
            self.share = servers.servers / len(self.host.nodes)
        self._turn = 0
        self._stranded: list[Delivery] = []

    def receive(self, root: int, key: int) -> None:
        """A message has arrived at the broker."""
        if self.channel.keyed:
            draws = self.engine.streams[self.channel.place ^ _PARTITION]
            partition = int(uniform(draws, key) * self.spec.partitions)
        else:
            partition = self._turn % self.spec.partitions
            self._turn += 1
        Delivery(self, root, child(key, self.place, 0), partition).start()

    def member(self, partition: int) -> Replica | None:
        """The live member that a partition belongs to; ``None`` when all are gone."""
        if not self.host.nodes:
            return None
        if not self.spec.ordered:
            return self.node_group.nodes[0]
        alive = [node for node in self.node_group.nodes if self.home_of(node.index) is not None]
        return alive[partition % len(alive)] if alive else None

    def home_of(self, member: int) -> Replica | None:
        """The replica that a member lives on, if it is up."""
        if self.spec.ordered:
            home = self.host.by_index.get(member % self.host.spec.nodes)
            if home is None or home.is_dead:
                nodes = self.host.nodes
                return nodes[member % len(nodes)] if self.host.is_renewed and nodes else None
            return home
        nodes = self.host.nodes
        self._turn += 1
        return nodes[self._turn % len(nodes)] if nodes else None

    def strand(self, delivery: Delivery) -> None:
        """There is nobody to work on a message: it stays with the broker."""
        self._stranded.append(delivery)

    def host_lost(self, replica: Replica) -> None:
        """A replica of the service is gone: its messages go to the other members."""
        moved = []
        for node in self.node_group.nodes:
            for request in list(node.inside):
                waits = request.visit is not None and not request.visit.is_served
                if request.home is replica or (waits and self.home_of(node.index) is None):
                    moved.append(request)
        for request in moved:
            if isinstance(request.origin, Delivery):
                request.origin.interrupted(request)
        self._resize()

    def host_back(self) -> None:
        """A replica of the service is up again."""
        self._resize()
        stranded, self._stranded = self._stranded, []
        for delivery in stranded:
            delivery.start()

    def _resize(self) -> None:
        slots = self.node_group.nodes[0].slots
        if not self.spec.ordered and isinstance(slots, Servers):
            now = self.engine.time
            slots.tick(now)
            slots.servers = max(1, round(self.share * len(self.host.nodes)))
            slots.serve_next(now)


class Delivery:
    """A message on its way to a consumer, and again when it failed."""

    sender = None

    def __init__(self, group: Subscribers, root: int, key: int, partition: int) -> None:
        self.group = group
        self.root = root
        self.key = key
        self.partition = partition
        self.number = 0

    def start(self, *, first: bool = False) -> None:
        """Give the message to a member of the group."""
        group = self.group
        member = group.member(self.partition)
        if member is None:
            group.strand(self)
            return
        self.number += 1
        key = self.key if self.number == 1 else child(self.key, 0, self.number)
        request = Request(group.engine, group.spec.operation, member, self, key)
        request.home = group.home_of(member.index)
        request.admit(first=first)

    def answer(self, outcome: int, notes: Notes) -> None:
        """The consumer is done with it, or has failed."""
        if outcome > Outcome.DEGRADED:
            self.group.engine.soon.append(self._failed)

    def _failed(self) -> None:
        engine, spec = self.group.engine, self.group.spec
        if self.number < spec.deliveries:
            self._count("redelivered")
            if spec.ordered:
                self.start(first=True)
            else:
                engine.after(spec.visibility, self.start)
        elif spec.dead >= 0:
            self._count("dead letters")
            engine.publish(spec.dead, self.root, self.key)
        else:
            self._count("dropped")

    def interrupted(self, request: Request) -> None:
        """The process that held the message is gone: another one gets it."""
        node = request.replica
        if node is not None:
            node.inside.pop(request, None)
            if request.visit is not None and node.slots is not None:
                node.slots.release(request.visit)
        self.number = min(self.number, self.group.spec.deliveries - 1)
        request.abort()

    def _count(self, what: str) -> None:
        engine = self.group.engine
        engine.count(f"{what}: {engine.plan.operations[self.group.spec.operation].name}")
