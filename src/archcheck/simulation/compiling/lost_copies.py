"""Zones that a datastore loses: when each of its shards answers again, with a copy elsewhere.

All losses of a scenario count together, since a copy that took over may be lost, too. The shards
whose first copies are in one zone have the others in the same zones, so they have the same fate,
and a fault of that zone is theirs alone.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise
from math import inf

from archcheck.graph.copies import (
    QueryKind,
    copies_of,
    is_taken_over,
    needed_for,
    zones_of,
    zones_of_copies,
)
from archcheck.model import Datastore, Kill
from archcheck.simulation import plan as p
from archcheck.simulation.compiling.assumed import FAILOVER
from archcheck.simulation.compiling.tables import PlanRows

Span = tuple[float, float]
_KINDS: tuple[QueryKind, ...] = ("read", "write")


@dataclass(frozen=True)
class CopyLoss:
    """A zone that is gone for a while."""

    zone: str
    start: float
    end: float


def copies_lost(
    tables: PlanRows, store: Datastore, losses: Sequence[CopyLoss]
) -> Iterator[p.PlannedFault]:
    """The faults of a datastore's nodes and queries while zones are lost."""
    hit = [loss for loss in losses if loss.zone in zones_of(store)]
    if not hit:
        return
    _note(tables, store, hit)
    outages = _Outages(store, copies_of(store) or 1, hit)
    yield from _of_primaries(tables, store, outages)
    beside = tables.group_of.get(f"{store.name} replicas")
    if beside is not None:
        yield from _of_copies_beside(tables, beside, outages)


def _note(tables: PlanRows, store: Datastore, losses: Sequence[CopyLoss]) -> None:
    copies = copies_of(store) or 1
    for kind in _KINDS:
        needed = needed_for(store, kind)
        if needed.unknown and needed.best != needed.worst:
            said = f"{needed.best} of {copies} copies are enough for a {kind}"
            reason = "the datastore does not declare it"
            tables.assumed.add(store.name, needed.unknown, said, reason)
    beside = f"{store.name} replicas" in tables.group_of
    if copies > 1 and (is_taken_over(store, "read") or beside):
        tables.assumed.add(store.name, "failover time", FAILOVER, "no datastore declares it")


def shards_killed(tables: PlanRows, store: Datastore, fault: Kill) -> Iterator[p.PlannedFault]:
    """Shards lose their first copies: others take over, if enough are left, or it comes back."""
    start, end = float(fault.start), float(fault.end)
    left = (copies_of(store) or 1) - 1
    asked = {kind: _queries(tables, store, kind) for kind in _KINDS}
    stopped = {
        kind: queries
        for kind, queries in asked.items()
        if not is_taken_over(store, kind) or needed_for(store, kind).best > left
    }
    back, group = end, tables.group_of[store.name]
    if any(queries for kind, queries in asked.items() if kind not in stopped):
        tables.assumed.add(store.name, "failover time", FAILOVER, "no datastore declares it")
        back = min(end, start + float(FAILOVER))
        share = fault.replicas / tables.groups[group].nodes
        for queries in stopped.values():
            if queries and back < end:
                yield p.PlannedFault(p.FaultKind.ERRORS, back, end, queries, share)
    yield p.PlannedFault(p.FaultKind.KILL, start, back, group=group, count=fault.replicas)
    beside = tables.group_of.get(f"{store.name} replicas")
    if beside is not None and needed_for(store, "stale").best > left:
        count = left * fault.replicas
        yield p.PlannedFault(p.FaultKind.KILL, start, end, group=beside, count=count)


# -- who is down when -----------------------------------------------------------------------------


@dataclass(frozen=True)
class _Outages:
    """When a query finds nobody: the copy that answers is lost, or too few are left."""

    store: Datastore
    copies: int
    losses: Sequence[CopyLoss]

    def of(self, shard: int, kind: QueryKind, first: int = 0) -> list[Span]:
        """Of queries to a shard that its copy number ``first`` answers while it can."""
        zones = zones_of_copies(zones_of(self.store), self.copies, shard)
        needed = needed_for(self.store, kind).best
        found: list[Span] = []
        serving, since = zones[first], inf
        for now, then in pairwise([*self._moments(), inf]):
            lost = {loss.zone for loss in self.losses if loss.start <= now < loss.end}
            left = [zone for zone in zones if zone not in lost]
            since = min(since, now) if serving in lost else inf
            back = then
            if len(left) >= max(1, needed):
                if since == inf:
                    continue
                back = min(then, max(now, self._taken_over(kind, since)))
                if back < then:
                    serving, since = left[0], inf
            if now < back:
                found.append((now, back))
        return joined(found)

    def _moments(self) -> list[float]:
        return sorted({time for loss in self.losses for time in (loss.start, loss.end)})

    def _taken_over(self, kind: QueryKind, since: float) -> float:
        return since + float(FAILOVER) if is_taken_over(self.store, kind) else inf


def joined(spans: Sequence[Span]) -> list[Span]:
    """The same times in as few spans as possible, ascending."""
    found: list[Span] = []
    for start, end in sorted(spans):
        if found and start <= found[-1][1]:
            found[-1] = found[-1][0], max(found[-1][1], end)
        else:
            found.append((start, end))
    return found


# -- what a run plays -----------------------------------------------------------------------------


def _of_primaries(
    tables: PlanRows, store: Datastore, outages: _Outages
) -> Iterator[p.PlannedFault]:
    """Shards that answer none of the queries that there are, are dead.

    Where too few copies are left for reads only, or for writes only, these fail: as large a share
    of them as there are such shards, since no other fault is of single shards.
    """
    group = tables.group_of[store.name]
    spec = tables.groups[group]
    alike = dict.fromkeys(range(min(spec.nodes, len(zones_of(store)))), 0)
    for shard in range(spec.nodes):
        alike[shard % len(zones_of(store))] += 1
    asked = {kind: _queries(tables, store, kind) for kind in _KINDS}
    down = {
        kind: {shard: outages.of(shard, kind) for shard in alike} for kind in _KINDS if asked[kind]
    }
    dead: dict[int, list[Span]] = defaultdict(list)
    failing: dict[tuple[QueryKind, float], list[Span]] = defaultdict(list)
    for span in _pieces(
        span for each in down.values() for spans in each.values() for span in spans
    ):
        hit = {kind: {n for n in alike if _is_in(span, each[n])} for kind, each in down.items()}
        gone = set.intersection(*hit.values())
        for shard in gone:
            dead[shard].append(span)
        up = sum(count for shard, count in alike.items() if shard not in gone)
        for kind, shards in hit.items():
            if shards - gone:
                share = sum(alike[shard] for shard in shards - gone) / up
                failing[kind, share].append(span)
    for shard, spans in sorted(dead.items()):
        yield from _killed(group, spec.zones[shard], spans)
    for (kind, share), spans in failing.items():
        for start, end in joined(spans):
            yield p.PlannedFault(p.FaultKind.ERRORS, start, end, asked[kind], share)


def _of_copies_beside(tables: PlanRows, group: int, outages: _Outages) -> Iterator[p.PlannedFault]:
    """Copies that answer stale reads: another one of the shard, or its first, takes the place."""
    spec, beside = tables.groups[group], outages.copies - 1
    by_zone: Mapping[int, list[Span]] = defaultdict(list)
    for number, zone in enumerate(spec.zones):
        shard, copy = divmod(number, beside)
        by_zone[zone] += outages.of(shard, "stale", copy + 1)
    for zone, spans in sorted(by_zone.items()):
        yield from _killed(group, zone, spans)


def _killed(group: int, zone: int, spans: Sequence[Span]) -> Iterator[p.PlannedFault]:
    for start, end in joined(spans):
        yield p.PlannedFault(p.FaultKind.KILL, start, end, group=group, zone=zone)


def _pieces(spans: Iterator[Span]) -> list[Span]:
    """Spans cut at each other's ends."""
    whole = list(spans)
    times = sorted({time for span in whole for time in span})
    return [piece for piece in pairwise(times) if _is_in(piece, whole)]


def _is_in(piece: Span, spans: Sequence[Span]) -> bool:
    return any(start <= piece[0] and piece[1] <= end for start, end in spans)


def _queries(tables: PlanRows, store: Datastore, kind: str) -> tuple[int, ...]:
    return tuple(
        operation
        for operation in tables.operations_by_owner.get(store.name, ())
        if tables.operations[operation].name.startswith(f"{store.name}.{kind}")
    )
