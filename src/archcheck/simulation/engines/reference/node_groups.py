"""Replicas, and who chooses among them.

A :class:`Caller` is a process that calls: everything that a client library keeps lives in it. A
:class:`Replica` is a caller that can also be called. A :class:`NodeGroup` answers together: a
service's replicas, a store's shards, the members of a consumer group.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from archcheck.simulation.attribution import FailureReason
from archcheck.simulation.engines.reference.client_state import (
    Breaker,
    RetryBudgetState,
    TokenBucket,
)
from archcheck.simulation.engines.reference.servers import Servers, Shared
from archcheck.simulation.engines.reference.throttling import Throttled
from archcheck.simulation.plan import FOREVER, Balance, CallSite, Discipline, GroupSpec, Station
from archcheck.simulation.randomness import child, place_hash, uniform

if TYPE_CHECKING:
    from archcheck.simulation.engines.reference.caches import Content, Loading
    from archcheck.simulation.engines.reference.engine import Engine
    from archcheck.simulation.engines.reference.requests import Request

_NODE = place_hash("node")
_EJECT_AFTER = 5
"""Failures in a row: Envoy's default of ``consecutive_5xx`` (envoyproxy.io, Outlier detection)."""
_EJECT_FOR = 30.0
"""Seconds: Envoy's default of ``base_ejection_time``."""


class Caller:
    """What belongs to a process that calls: counters, pools, breakers, budgets, local caches."""

    def __init__(self, engine: Engine, place: int, zone: int = -1) -> None:
        self.engine = engine
        self.place = place
        self.zone = zone
        self.is_dead = False
        self.born = engine.time
        self._turn: dict[int, int] = {}
        self.outstanding: dict[Replica, int] = {}
        self._pools: dict[int, Servers] = {}
        self._bulkheads: dict[int, Servers] = {}
        self._breakers: dict[int, Breaker] = {}
        self._budgets: dict[int, RetryBudgetState] = {}
        self._limits: dict[int, TokenBucket] = {}
        self._contents: dict[int, Content] = {}
        self._failures: dict[Replica, int] = {}
        self._ejected: dict[Replica, float] = {}
        self.loadings: dict[Loading, None] = {}
        """What its requests are filling in to caches."""

    def pool(self, index: int) -> Servers:
        """This caller's connections to a target."""
        found = self._pools.get(index)
        if found is None:
            spec = self.engine.plan.pools[index]
            found = Servers(self.engine, self.engine.record.pools[index], spec.size)
            found.is_there_since(self.born)
            self._pools[index] = found
        return found

    def bulkhead(self, index: int) -> Servers:
        """This caller's permits for concurrent calls."""
        found = self._bulkheads.get(index)
        if found is None:
            spec = self.engine.plan.bulkheads[index]
            record = self.engine.record.bulkheads[index]
            found = self._bulkheads[index] = Servers(self.engine, record, spec.size)
            found.is_there_since(self.born)
        return found

    def breaker(self, index: int) -> Breaker:
        """This caller's circuit breaker."""
        found = self._breakers.get(index)
        if found is None:
            found = self._breakers[index] = Breaker(self.engine.plan.breakers[index])
        return found

    def budget(self, index: int) -> RetryBudgetState:
        """This caller's retry budget."""
        found = self._budgets.get(index)
        if found is None:
            found = self._budgets[index] = RetryBudgetState(self.engine.plan.budgets[index])
        return found

    def limit(self, index: int) -> TokenBucket:
        """This caller's own token bucket."""
        found = self._limits.get(index)
        if found is None:
            found = self._limits[index] = TokenBucket(self.engine.plan.limits[index])
        return found

    def content(self, index: int) -> Content:
        """This caller's own cache."""
        found = self._contents.get(index)
        if found is None:
            found = self._contents[index] = self.engine.new_content(index)
        return found

    def flush(self, index: int) -> None:
        """This caller's own cache loses its content."""
        if index in self._contents:
            self._contents[index].flush()

    # -- choosing a replica ---------------------------------------------------------------------

    def choose(self, node_group: NodeGroup, site: CallSite, key: int) -> Replica | None:
        """The replica that a request goes to; ``None`` when none is known to be up."""
        nodes = self._without_ejected(node_group.rotation) if self._ejected else node_group.rotation
        balance = site.balance
        count = len(nodes)
        if count <= 1:
            return nodes[0] if nodes else None
        if balance == Balance.ROUND_ROBIN:
            turn = self._turn.get(node_group.index)
            if turn is None:
                turn = int(uniform(self.engine.streams[self.place], node_group.place) * count)
            self._turn[node_group.index] = turn + 1
            return nodes[turn % count]
        draws = self.engine.streams[site.place ^ _NODE]
        first = int(uniform(draws, key, 0) * count)
        if balance == Balance.RANDOM:
            return nodes[first]
        load = self.outstanding
        if balance == Balance.POWER_OF_TWO:
            second = (first + 1 + int(uniform(draws, key, 1) * (count - 1))) % count
            less = load.get(nodes[first], 0) <= load.get(nodes[second], 0)
            return nodes[first] if less else nodes[second]
        index = min(range(count), key=lambda n: (load.get(nodes[n], 0), (n - first) % count))
        return nodes[index]

    def answered(self, replica: Replica, failed: bool) -> None:
        """Outlier ejection: five failures in a row, and a replica is left alone for 30 s."""
        if not failed:
            self._failures.pop(replica, None)
            return
        self._failures[replica] = self._failures.get(replica, 0) + 1
        if self._failures[replica] >= _EJECT_AFTER:
            del self._failures[replica]
            self._ejected[replica] = self.engine.time + _EJECT_FOR

    def _without_ejected(self, nodes: list[Replica]) -> list[Replica]:
        now = self.engine.time
        self._ejected = {node: until for node, until in self._ejected.items() if until > now}
        kept = [node for node in nodes if node not in self._ejected]
        return kept or nodes


class Replica(Caller):
    """A node of a node_group: servers that are held, cores that work, and the requests inside."""

    def __init__(self, node_group: NodeGroup, index: int) -> None:
        engine, spec = node_group.engine, node_group.spec
        zone = spec.zones[index % len(spec.zones)] if spec.zones else -1
        super().__init__(engine, child(node_group.place, _NODE, index), zone)
        self.node_group = node_group
        self.index = index
        self.is_draining: bool = False
        self.ranks = spec.ranks
        """How important each class of requests is here; 0 is served first."""
        self.inside: dict[Request, None] = {}
        self.messages = 0
        """How many messages its consumers work on."""
        self.slots = self._held(spec.slots) if spec.slots >= 0 else None
        self.cores = self._working(spec.cores) if spec.cores >= 0 else None
        self.gate = self.slots if self.slots is not None else self.cores
        bounded = self.gate is not None and self.gate.limit is not None
        self.is_gated = bounded or spec.shed < FOREVER

    def _held(self, station: int) -> Servers:
        spec = self.engine.plan.stations[station]
        record = self.engine.record.stations[station]
        ranks = self._lines_of(spec)
        return Servers(self.engine, record, spec.servers, spec.queue, ranks, station)

    def _lines_of(self, spec: Station) -> int:
        ranks = self.node_group.spec.ranks
        return max(ranks) + 1 if spec.discipline == Discipline.PRIORITY else 1

    def _working(self, station: int) -> Servers | Shared | Throttled:
        spec = self.engine.plan.stations[station]
        if spec.limit is not None:
            ranks = self._lines_of(spec)
            shared = spec.discipline == Discipline.SHARING
            record = self.engine.record.stations[station]
            return Throttled(self.engine, record, spec, shared, ranks, station)
        if spec.discipline != Discipline.SHARING or spec.servers is None:
            return self._held(station)
        record = self.engine.record.stations[station]
        return Shared(self.engine, record, spec.servers, spec.queue, station)

    def turns_away(self, rank: int) -> FailureReason | None:
        """Why a newcomer is rejected, if it is: shed, or because the queue is full.

        A more important newcomer takes the place of the least important one that waits.
        """
        gate = self.gate
        if gate is None:
            return None
        may_be_shed = rank > 0 or not self.ranks  # without priorities, whoever comes
        limit = self.node_group.spec.shed
        if may_be_shed and gate.is_busier_than(limit):
            gate.reject()
            return FailureReason.SHED
        if not gate.is_full:
            return None
        gate.reject()
        loser = gate.least_important(rank)
        if loser is None:
            return FailureReason.QUEUE_FULL
        loser.owner.displace()
        return None

    def go_if_drained(self) -> None:
        """The last request of a replica that is to go has ended."""
        is_empty = not self.inside and not self.messages
        if self.is_draining and is_empty and not self.is_dead:
            self.node_group.crash(self)

    def die(self) -> list[Request]:
        """The process is gone; returns the requests that it held."""
        self.is_dead = True
        held = list(self.inside)
        self.inside.clear()
        for loading in list(self.loadings):
            loading.fail()
        now = self.engine.time
        for servers in (self.slots, self.cores):
            if servers is not None:
                servers.empty()
                servers.close(now)
        return held


class NodeGroup:
    """The nodes of a group. ``rotation``: those among which callers choose."""

    def __init__(self, engine: Engine, index: int) -> None:
        self.engine = engine
        self.index = index
        self.spec: GroupSpec = engine.plan.groups[index]
        self.place = place_hash(self.spec.name)
        self.started = 0
        self.nodes: list[Replica] = []
        self.rotation: list[Replica] = []
        self.by_index: dict[int, Replica] = {}
        for _ in range(self.spec.nodes):
            self.add()

    def add(self, index: int | None = None) -> Replica:
        """A new process is ready, cold and empty: one more node, or the one with this index."""
        if index is None:
            index, self.started = self.started, self.started + 1
        replica = Replica(self, index)
        before = self.by_index.get(index)
        if before is not None and before in self.rotation:
            self.rotation.remove(before)  # dead, and nobody had noticed yet
        self.by_index[index] = replica
        for nodes in (self.nodes, self.rotation):
            nodes.append(replica)
            nodes.sort(key=lambda node: node.index)
        for subscribers in self.engine.consumers_on(self.index):
            subscribers.rebalance()
        return replica

    def free_index(self) -> int | None:
        """The index of a further node, in the next zone that is there; ``None``: all are lost."""
        zones = self.spec.zones
        for _ in range(max(1, len(zones))):
            index, self.started = self.started, self.started + 1
            if not zones or not self.engine.faults.is_lost(self.index, zones[index % len(zones)]):
                return index
        return None

    def crash(self, replica: Replica) -> list[Request]:
        """A process dies, with everything inside; callers go on choosing it until they notice."""
        if replica.is_dead:
            return []
        self.nodes.remove(replica)
        held = replica.die()
        for subscribers in self.engine.consumers_on(self.index):
            subscribers.rebalance(replica)
        return held

    def leave_rotation(self, replica: Replica) -> None:
        """Callers do not choose this replica any more."""
        if replica in self.rotation:
            self.rotation.remove(replica)

    def drain(self, replica: Replica) -> None:
        """A replica gets no new requests, and goes when it is empty."""
        replica.is_draining = True
        self.leave_rotation(replica)
        for subscribers in self.engine.consumers_on(self.index):
            subscribers.rebalance()
        replica.go_if_drained()
