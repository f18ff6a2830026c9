"""Messages: consumer groups of topics and queues, redelivery, dead letters."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

from archcheck.simulation.attribution import Notes
from archcheck.simulation.engines.reference.requests import Request
from archcheck.simulation.plan import ChannelSpec, Outcome, Subscription
from archcheck.simulation.randomness import child, place_hash, uniform

if TYPE_CHECKING:
    from archcheck.simulation.engines.reference.engine import Engine
    from archcheck.simulation.engines.reference.node_groups import Replica
    from archcheck.simulation.engines.reference.servers import Servers

_PARTITION = place_hash("partition")


class Subscribers:
    """A consumer group of a channel, whose members live on the replicas of their service.

    Its node_group has a node for each line of messages: one for each member (ordered), which works
    on its partitions, or one for all (competing). A line has as many servers as replicas that are
    up, and are to stay, have consumers for it; a replica is chosen when the message is taken.
    """

    def __init__(self, engine: Engine, channel: ChannelSpec, spec: Subscription) -> None:
        self.engine = engine
        self.channel = channel
        self.spec = spec
        operation = engine.plan.operations[spec.operation]
        self.place = operation.place
        self.node_group = engine.node_groups[operation.group]
        self.host = engine.node_groups[self.node_group.spec.host]
        self._homes: list[Replica] = []
        self._members = 1
        self._held: dict[Replica, int] = {}
        self._next_partition = 0
        self._next_home = 0

    def start(self) -> None:
        """The service's first replicas are there."""
        self._close()
        self._reopen()

    def receive(self, root: int, key: int) -> None:
        """A message has arrived at the broker."""
        partition = 0
        if self.spec.ordered and self.channel.keyed:
            draws = self.engine.streams[self.channel.place ^ _PARTITION]
            partition = int(uniform(draws, key) * self.spec.partitions)
        elif self.spec.ordered:
            partition = self._next_partition % self.spec.partitions
            self._next_partition += 1
        Delivery(self, root, child(key, self.place, 0), partition).start()

    def line(self, partition: int) -> Replica:
        """The node at which the messages of a partition wait."""
        return self.node_group.nodes[partition % self._members if self.spec.ordered else 0]

    # -- who works on a message -------------------------------------------------------------------

    def take(self, request: Consumption) -> Replica:
        """The replica that works on a message: the member's, or the one with most to spare."""
        if self.spec.ordered:
            home = self._homes[request.node.index % len(self._homes)]
        else:
            home = self._free_home()
        self._held[home] = self._held.get(home, 0) + 1
        home.messages += 1
        return home

    def _free_home(self) -> Replica:
        """The replica that works on the fewest messages; of several, the next in turn."""
        homes, best = self._homes, self._next_home % len(self._homes)
        first = best
        for step in range(1, len(homes)):
            other = (first + step) % len(homes)
            if self._held.get(homes[other], 0) < self._held.get(homes[best], 0):
                best = other
        self._next_home = best + 1
        return homes[best]

    def give_back(self, request: Consumption) -> None:
        """A message is done with; a replica that is to go takes no other one."""
        home = request.home
        if home is None or home.is_dead:
            return
        self._held[home] -= 1
        home.messages -= 1
        if home.is_draining:
            self._resize(but=request)

    # -- replicas that come and go ----------------------------------------------------------------

    def rebalance(self, lost: Replica | None = None) -> None:
        """Replicas have come or gone: whoever has no member any more gets another one.

        Until all messages that were held by a lost replica are back in line, nobody takes one.
        """
        self._close()
        if lost is not None:
            self._held.pop(lost, None)
        for request in [each for node in self.node_group.nodes for each in node.inside]:
            assert isinstance(request, Consumption)  # noqa: S101  # nobody else comes here
            if request.home is lost if request.home is not None else self._is_orphan(request):
                request.delivery.interrupted(request)
        self.engine.soon.append(self._reopen)

    def _close(self) -> None:
        """Count who is up; the lines are closed until all is back in line."""
        self._homes = [node for node in self.host.nodes if not node.is_draining]
        members = min(self.spec.partitions, len(self._homes) * self.spec.concurrency)
        if members and self.spec.ordered:
            self._members = members
        while len(self.node_group.nodes) < self._members:
            self.node_group.add()
        for node in self.node_group.nodes:
            self._set_servers(node, 0)

    def _is_orphan(self, request: Consumption) -> bool:
        """Whether a message was just given to a member that is gone before it began."""
        has_member = bool(self._homes) and request.node.index < self._members
        return request.visit is not None and request.visit.is_served and not has_member

    def _reopen(self) -> None:
        """Messages that wait go to the member that has their partition now."""
        self._resize()
        for node in self.node_group.nodes:
            for visit in _line_of(node).in_line():
                request: Consumption = visit.owner
                if self.line(request.delivery.partition) is not node:
                    request.move(self.line(request.delivery.partition))
        for node in self.node_group.nodes:
            _line_of(node).serve_next(self.engine.time)

    def _resize(self, but: Consumption | None = None) -> None:
        """As many servers as consumers are there, and as still work where a replica is to go."""
        for node in self.node_group.nodes:
            up = min(self.spec.partitions, len(self._homes) * self.spec.concurrency)
            if self.spec.ordered:
                up = int(bool(self._homes) and node.index < self._members)
            homes = [each.home for each in node.inside if each is not but]
            leaving = sum(home is not None and home.is_draining for home in homes)
            self._set_servers(node, max(up, leaving) if self.spec.ordered else up + leaving)

    def _set_servers(self, node: Replica, servers: int) -> None:
        line = _line_of(node)
        line.tick(self.engine.time)
        line.servers = servers


def _line_of(node: Replica) -> Servers:
    """The line of messages at a node."""
    assert node.slots is not None  # noqa: S101  # a plan gives every group of consumers slots
    return node.slots


class Consumption(Request):
    """A message at a consumer. Its ``home`` is known when a consumer takes it."""

    __slots__ = ("delivery",)

    def __init__(self, delivery: Delivery, line: Replica, key: int) -> None:
        group = delivery.group
        super().__init__(group.engine, group.spec.operation, line, Receipt(self, delivery), key)
        self.delivery = delivery
        self.home = None

    @property
    def node(self) -> Replica:
        """Where it waits."""
        assert self.replica is not None  # noqa: S101  # it was made with one, and keeps one
        return self.replica

    def begin(self) -> None:
        self.home = self.delivery.group.take(self)
        self.delivery.taken()
        super().begin()

    def move(self, line: Replica) -> None:
        """Wait in the line of another member, at its end."""
        assert self.visit is not None  # noqa: S101  # who waits in a line visits it
        del self.node.inside[self]
        _line_of(self.node).release(self.visit)
        self.replica = line
        line.inside[self] = None
        self.visit = _line_of(line).acquire(self.granted, self)
        if self.visit.is_served:
            self.engine.soon.append(self.granted)

    def leave(self, outcome: int) -> None:
        home = self.home
        self.delivery.group.give_back(self)
        super().leave(outcome)
        if home is not None:
            home.go_if_drained()

    def leave_line(self) -> None:
        """Wait no more; a server that was just given goes to the next."""
        del self.node.inside[self]
        if self.visit is not None:
            _line_of(self.node).release(self.visit)

    def withdraw(self) -> None:
        """The message is done with while this copy of it waits: as if it had not come."""
        self.is_over = True
        self.leave_line()
        if self.since >= self.engine.warmup:
            self.engine.record.operations[self.index].started -= 1


class Receipt:
    """Who is told how one delivery of a message ends."""

    __slots__ = ("delivery", "request", "root")

    sender = None

    def __init__(self, request: Consumption, delivery: Delivery) -> None:
        self.request = request
        self.delivery = delivery
        self.root = delivery.root

    def answer(self, outcome: int, notes: Notes) -> None:
        """The consumer is done with it, or has failed."""
        self.delivery.answered(self.request, outcome)


class Delivery:
    """A message on its way to a consumer, and again when it failed or took too long.

    With a ``visibility``, a message that a consumer took comes again after that time unless it was
    done by then: whether its consumer failed, is gone, or is still working on it. Who ends after it
    was taken again cannot acknowledge it any more (Amazon SQS: DeleteMessage needs the most recent
    receipt handle).
    """

    def __init__(self, group: Subscribers, root: int, key: int, partition: int) -> None:
        self.group = group
        self.root = root
        self.key = key
        self.partition = partition
        self.number = 0
        self.latest: Consumption | None = None
        """The newest delivery, until it has ended."""
        self._is_done = False
        self._is_out_of_time = False

    def start(self, *, first: bool = False) -> None:
        """Let the message wait for a member of the group."""
        self.number += 1
        key = self.key if self.number == 1 else child(self.key, 0, self.number)
        self.latest = request = Consumption(self, self.group.line(self.partition), key)
        request.admit(first=first)

    def taken(self) -> None:
        """A consumer has taken it."""
        if self.group.spec.visibility > 0:
            again = partial(self._visible, self.number)
            self.group.engine.timer(self.group.spec.visibility, again)

    def answered(self, request: Consumption, outcome: int) -> None:
        """One of its deliveries has ended."""
        latest, is_good = self.latest, outcome <= Outcome.DEGRADED
        if request is not latest:
            if is_good and latest is not None and latest.home is None and not latest.is_over:
                latest.withdraw()
                self._end()
            return
        self.latest = None
        if is_good:
            self._end()
        elif self.group.spec.visibility <= 0 or request.home is None:
            self.group.engine.soon.append(self._again)
        elif self._is_out_of_time:
            self.group.engine.soon.append(self._give_up)

    def _end(self) -> None:
        self._is_done, self.latest = True, None

    def _visible(self, number: int) -> None:
        """Its time is over; whoever is done at this very moment is done in time."""
        if not self._is_done and self.number == number:
            self.group.engine.timer(0.0, partial(self._expire, number))

    def _expire(self, number: int) -> None:
        if self._is_done or self.number != number:
            return
        spec = self.group.spec
        if self.number >= spec.deliveries and spec.dead < 0 and self.latest is not None:
            self._is_out_of_time = True  # its last consumer may still succeed
        else:
            self._again()

    def _again(self) -> None:
        """It comes again, or was delivered as often as it may be."""
        engine, spec = self.group.engine, self.group.spec
        if self.number >= spec.deliveries:
            self._give_up()
            return
        self._count("redelivered")
        if spec.ordered:
            self.start(first=True)
        else:
            engine.after(0.0, self.start)

    def _give_up(self) -> None:
        spec = self.group.spec
        self._end()
        if spec.dead >= 0:
            self._count("dead letters")
            self.group.engine.publish(spec.dead, self.root, self.key)
        else:
            self._count("dropped")

    def interrupted(self, request: Consumption) -> None:
        """The process that held the message is gone: another one gets it, if it comes again."""
        request.leave_line()
        if self.group.spec.once and request.home is not None:
            self._end()
            self._count("dropped")
        elif self.group.spec.visibility <= 0 or request.home is None:
            self.number = min(self.number, self.group.spec.deliveries - 1)
        request.abort()

    def _count(self, what: str) -> None:
        engine = self.group.engine
        engine.count(f"{what}: {engine.plan.operations[self.group.spec.operation].name}")
