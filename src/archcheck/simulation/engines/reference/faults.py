"""What goes wrong: slow and failing elements, dead replicas, cut links, lost caches, releases."""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial
from typing import TYPE_CHECKING

from archcheck.simulation.engines.reference.scaling import Replacement
from archcheck.simulation.plan import CallSite, FaultKind, PlannedFault

if TYPE_CHECKING:
    from archcheck.simulation.engines.reference.clock import Thunk
    from archcheck.simulation.engines.reference.engine import Engine
    from archcheck.simulation.engines.reference.node_groups import Replica


class Faults:
    """The faults of a run, and what they do at the moment.

    ``slowness``: factor for each operation that is slow. ``cuts``: pairs of groups that cannot
    reach each other (group, operation), with those who wait for the link. ``errors``: share of the
    requests to each operation that fail.
    """

    def __init__(self, engine: Engine) -> None:
        self.engine = engine
        self.slowness: dict[int, float] = {}
        self.cuts: dict[tuple[int, int], list[Thunk]] = {}
        self.errors = [operation.error_rate for operation in engine.plan.operations]
        self._flushed: dict[int, int] = {}
        self._victims: dict[int, list[Replica]] = {}

    def start(self) -> None:
        """Plan all faults; those that are there from the start begin before anybody comes."""
        for fault in self.engine.plan.faults:
            begin, end = _HANDLERS[fault.kind]
            if fault.start > 0:
                self.engine.after(fault.start, partial(begin, self, fault))
            else:
                begin(self, fault)
            if end is not None:
                self.engine.after(fault.end, partial(end, self, fault))

    def is_cut(self, site: CallSite, restored: Thunk) -> bool:
        """Whether a request from a call site gets nowhere; ``restored``: the link is back."""
        waiting = self.cuts.get((site.source, site.operation))
        if waiting is None:
            return False
        waiting.append(restored)
        return True

    def is_flushed(self, site: int) -> bool:
        """Whether a cache with a given hit ratio answers nothing at the moment."""
        return self._flushed.get(self.engine.plan.calls[site].operation, 0) > 0

    def is_lost(self, group: int, zone: int) -> bool:
        """Whether all nodes of a group in a zone are gone at the moment."""
        return any(
            fault.kind == FaultKind.KILL
            and (fault.group, fault.zone) == (group, zone)
            and fault.start <= self.engine.time < fault.end
            for fault in self.engine.plan.faults
        )

    # -- one pair for each kind -----------------------------------------------------------------

    def slow(self, fault: PlannedFault) -> None:
        self._add_slowness(fault, fault.operations)

    def _add_slowness(self, fault: PlannedFault, operations: tuple[int, ...]) -> None:
        for operation in set(fault.operations) & set(operations):
            self.slowness[operation] = self.slowness.get(operation, 1.0) * fault.factor

    def _others_on(self, fault: PlannedFault) -> Iterator[PlannedFault]:
        """The other faults of the same kind that go on."""
        for other in self.engine.plan.faults:
            is_on = other.start <= self.engine.time < other.end
            if is_on and other.kind == fault.kind and other is not fault:
                yield other

    def fast_again(self, fault: PlannedFault) -> None:
        for operation in fault.operations:
            self.slowness.pop(operation, None)
        for other in self._others_on(fault):
            self._add_slowness(other, fault.operations)

    def fail(self, fault: PlannedFault) -> None:
        self._add_errors(fault, fault.operations)

    def healed(self, fault: PlannedFault) -> None:
        for operation in fault.operations:
            self.errors[operation] = self.engine.plan.operations[operation].error_rate
        for other in self._others_on(fault):
            self._add_errors(other, fault.operations)

    def _add_errors(self, fault: PlannedFault, operations: tuple[int, ...]) -> None:
        for operation in set(fault.operations) & set(operations):
            self.errors[operation] = 1 - (1 - self.errors[operation]) * (1 - fault.factor)

    def kill(self, fault: PlannedFault) -> None:
        """The last nodes, or those in a zone, whatever their number is by now."""
        node_group = self.engine.node_groups[fault.group]
        in_zone = [node for node in node_group.nodes if node.zone == fault.zone]
        victims = in_zone if fault.zone >= 0 else node_group.nodes[-fault.count :]
        self._victims.setdefault(id(fault), []).extend(victims)
        for replica in victims:
            for request in node_group.crash(replica):
                request.abort()
            if node_group.spec.detection < fault.end - fault.start:
                leave = partial(node_group.leave_rotation, replica)
                self.engine.after(node_group.spec.detection, leave)

    def restart(self, fault: PlannedFault) -> None:
        """What was killed is back, unless its zone is lost in the meantime."""
        for replica in self._victims.pop(id(fault), ()):
            lost = [
                other
                for other in self._others_on(fault)
                if other.group == fault.group and other.zone == replica.zone >= 0
            ]
            if lost:
                self._victims.setdefault(id(lost[0]), []).append(replica)
            elif not replica.is_draining:
                replica.node_group.add(replica.index)

    def cut(self, fault: PlannedFault) -> None:
        for operation in fault.operations:
            self.cuts.setdefault((fault.group, operation), [])

    def restore(self, fault: PlannedFault) -> None:
        others = [other for other in self._others_on(fault) if other.group == fault.group]
        for operation in fault.operations:
            if not any(operation in other.operations for other in others):
                self.engine.soon.extend(self.cuts.pop((fault.group, operation), ()))

    def flush(self, fault: PlannedFault) -> None:
        for cache in fault.caches:
            self.engine.contents[cache].flush()
            for node_group in self.engine.node_groups:
                for replica in node_group.nodes:
                    replica.flush(cache)
        for operation in fault.operations:
            self._flushed[operation] = self._flushed.get(operation, 0) + 1

    def filled_again(self, fault: PlannedFault) -> None:
        for operation in fault.operations:
            self._flushed[operation] -= 1

    def release(self, fault: PlannedFault) -> None:
        Replacement(self.engine, self.engine.node_groups[fault.group], fault).start()


_HANDLERS = {
    FaultKind.SLOW: (Faults.slow, Faults.fast_again),
    FaultKind.ERRORS: (Faults.fail, Faults.healed),
    FaultKind.KILL: (Faults.kill, Faults.restart),
    FaultKind.CUT: (Faults.cut, Faults.restore),
    FaultKind.FLUSH: (Faults.flush, Faults.filled_again),
    FaultKind.RELEASE: (Faults.release, None),
}
