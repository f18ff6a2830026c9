"""Replicas that come and go on purpose: the autoscaler, and the release of a new version."""

from __future__ import annotations

import math
from collections import deque
from functools import partial
from typing import TYPE_CHECKING

from archcheck.simulation.engines.reference.servers import Recorder
from archcheck.simulation.plan import PlannedFault, Scaling

if TYPE_CHECKING:
    from archcheck.simulation.engines.reference.engine import Engine
    from archcheck.simulation.engines.reference.node_groups import NodeGroup, Replica

PENDING = 10.0
"""Seconds after which a replica that found all its zones lost is tried again. A choice: a scheduler
tries when a node comes back."""
_TOLERANCE = 1e-9
"""What sums of seconds may be off by before a ratio is rounded up to one more replica."""


class _Start:
    """A replica that is not ready yet."""

    is_cancelled = False


class Autoscaler:
    """Kubernetes' horizontal autoscaler.

    Every period: wanted = ceil(ready replicas * usage / target), nothing within the tolerance.
    Replicas that are still starting are set aside; where the usage is too high, they count with a
    usage of zero. At most 4 replicas or 100% more at a time; fewer only as the highest wish of the
    stabilisation window allows (kubernetes.io, Horizontal Pod Autoscaling, Algorithm details).
    Replicas that are starting go first, then ready ones, the newest first of each (kubernetes.io,
    ReplicaSet, Scaling a ReplicaSet).
    """

    def __init__(self, engine: Engine, node_group: NodeGroup, spec: Scaling) -> None:
        self.engine = engine
        self.node_group = node_group
        self.spec = spec
        self._starting: list[_Start] = []
        self._used: dict[Replica, float] = {}
        self._wishes: deque[tuple[float, int]] = deque()

    def start(self) -> None:
        """Look at the node_group in every period."""
        self.engine.after(self.spec.period, self._look)

    def _look(self) -> None:
        self.engine.after(self.spec.period, self._look)
        now = self.engine.time
        usage = self._usage(now)
        ready = [node for node in self.node_group.nodes if not node.is_draining]
        count = len(ready) + len(self._starting)
        wish = self._wish(usage, len(ready), count)
        self._wishes.append((now, wish))
        while len(self._wishes) > 1 and self._wishes[0][0] <= now - self.spec.stabilisation:
            self._wishes.popleft()
        if wish > count:
            self._grow(min(wish, max(2 * count, count + 4)) - count)
        else:
            self._shrink(ready, count - max(size for _, size in self._wishes))

    def _usage(self, now: float) -> float:
        """Mean share of the requested CPU that the ready replicas used in the last period."""
        total, counted = 0.0, 0
        used: dict[Replica, float] = {}
        for node in self.node_group.nodes:
            recorder: Recorder | None = node.cores if node.cores is not None else node.slots
            if recorder is None or node.is_draining:
                continue
            recorder.tick(now)
            used[node] = recorder.busy_seconds
            measured = min(self.spec.period, now - node.born)
            total += (
                (recorder.busy_seconds - self._used.get(node, 0.0)) / measured if measured else 0
            )
            counted += 1
        self._used = used
        return total / counted / self.spec.requested if counted else 0.0

    def _wish(self, usage: float, ready: int, count: int) -> int:
        ratio = usage / self.spec.target
        if ratio > 1 and count > ready:
            ratio = max(1.0, ratio * ready / count)
        if abs(ratio - 1) <= self.spec.tolerance + _TOLERANCE:
            return count
        size = count if ratio > 1 else ready
        wanted = math.ceil(size * ratio - _TOLERANCE)
        return min(max(wanted, self.spec.least), self.spec.most)

    def _grow(self, number: int) -> None:
        for _ in range(number):
            self._note("scaled out")
            start = _Start()
            self._starting.append(start)
            self.engine.after(self.spec.start_up, partial(self._ready, start))

    def _ready(self, start: _Start) -> None:
        if start.is_cancelled:
            return
        index = self.node_group.free_index()
        if index is None:
            self.engine.after(PENDING, partial(self._ready, start))
            return
        self._starting.remove(start)
        self.node_group.add(index)

    def _shrink(self, ready: list[Replica], number: int) -> None:
        for _ in range(number):
            if self._starting:
                self._starting.pop().is_cancelled = True
            elif ready:
                self.node_group.drain(ready.pop())
            else:
                break
            self._note("scaled in")

    def _note(self, what: str) -> None:
        self.engine.count(f"{what}: {self.node_group.spec.name}")


class Replacement:
    """A release: old replicas are replaced by new ones, a few at a time.

    As many new replicas start as the surge allows; as soon as enough are ready, old ones are told
    to stop: they get no new requests, finish what they hold, and are killed after their grace.
    """

    def __init__(self, engine: Engine, node_group: NodeGroup, fault: PlannedFault) -> None:
        self.engine = engine
        self.node_group = node_group
        self.fault = fault
        self.old = [node for node in node_group.nodes if not node.is_draining]
        self.size = len(self.old)
        self.starting = 0
        self.ready = 0

    def start(self) -> None:
        """Begin the release."""
        self._go_on()

    def _go_on(self) -> None:
        while self.old and self.ready + len(self.old) > self.size - self.fault.gone:
            self._stop(self.old.pop(0))
        room = self.size + self.fault.surge - self.ready - len(self.old) - self.starting
        for _ in range(min(room, self.size - self.ready - self.starting)):
            self.starting += 1
            self.engine.after(self.fault.start_up, self._is_ready)

    def _is_ready(self) -> None:
        index = self.node_group.free_index()
        if index is None:
            self.engine.after(PENDING, self._is_ready)
            return
        self.starting -= 1
        self.ready += 1
        self.node_group.add(index)
        self._go_on()

    def _stop(self, replica: Replica) -> None:
        self.node_group.drain(replica)
        self.engine.after(self.fault.grace, lambda: self._kill(replica))

    def _kill(self, replica: Replica) -> None:
        held = self.node_group.crash(replica)
        for request in held:
            request.abort()
