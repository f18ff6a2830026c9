"""What can be done about a violation: for each rule the edits that mend it, one of them enough.

Timeouts and attempts are not here: their values depend on each other, and are found by
:mod:`archcheck.proof.repair.trial`.
"""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace

from archcheck.editing import Edit, kind_of
from archcheck.findings import Subject, Violation
from archcheck.graph import Graph, Interaction
from archcheck.graph.exact import Rational
from archcheck.graph.idempotence import is_read
from archcheck.graph.once import once
from archcheck.graph.reach import zones_in
from archcheck.model import (
    Broker,
    CircuitBreaker,
    Datastore,
    Deployment,
    Fallback,
    Pool,
    Retry,
    Service,
    effective,
)
from archcheck.proof.limits.figures import figures_of, least_units, worst_demands
from archcheck.proof.limits.load import LIMIT
from archcheck.proof.limits.sizing import queries_in_progress
from archcheck.proof.survival.journeys import Survival
from archcheck.proof.survival.questions import gone_with
from archcheck.units import ms, percent

BREAKS_AT = Rational(1, 2)
"""The failure rate at which a breaker that is added opens: Resilience4j's default."""


@dataclass(frozen=True)
class EditChoice:
    """Edits that mend a violation together; ``kinds`` are what they cost."""

    kinds: tuple[str, ...]
    edits: tuple[Edit, ...]

    @property
    def key(self) -> tuple[object, ...]:
        """The same for the same changes of the same parts."""
        return tuple(
            (id(e.part), tuple(sorted((k, repr(v)) for k, v in e.values.items())))
            for e in self.edits
        )


@once
def _alike(graph: Graph) -> dict[str, list[Interaction]]:
    """The steps of each name, those that one part declares once."""
    found: dict[str, dict[int, Interaction]] = defaultdict(dict)
    for step in graph.interactions:
        found[step.name].setdefault(id(step.declared), step)
    return {name: [*steps.values()] for name, steps in found.items()}


def label_of(graph: Graph, step: Interaction) -> str:
    """``pay.do -> db``, and where others are called so: ``pay.do -> db (write)``, ``(read 2)``."""
    alike = _alike(graph)[step.name]
    if len(alike) < 2:
        return step.name
    same = [other.declared for other in alike if other.mode == step.mode]
    place = next((n for n, part in enumerate(same, 1) if part is step.declared), 1)
    return f"{step.name} ({f'{step.mode} {place}' if len(same) > 1 else step.mode})"


def timeout_label(graph: Graph, step: Interaction) -> str:
    """The same, with the timeout that a step has from its client and declares nowhere else."""
    own, inherited = getattr(step.declared, "timeout", None), step.timeout
    said = f" ({inherited} from its client)" if own is None and inherited is not None else ""
    return f"{label_of(graph, step)}{said}"


def merged(edits: Iterable[Edit]) -> list[Edit]:
    """One edit for what changes in a part at the same cost; without those that change nothing.

    Of two sizes that are asked for, the one that gives both: more replicas, smaller pools.
    """
    found: dict[tuple[int, str], Edit] = {}
    for edit in edits:
        key = (id(edit.part), kind_of(edit))
        known = found.get(key)
        if known is not None:
            values = {**known.values, **edit.values}
            for name in known.values.keys() & edit.values.keys() & _SIZED:
                better = min if name == "size" else max
                values[name] = better(known.values[name], edit.values[name])
            edit = replace(known, values=values)
        found[key] = edit
    return [
        edit
        for edit in found.values()
        if any(getattr(edit.part, name) != value for name, value in edit.values.items())
    ]


_SIZED = frozenset({"replicas", "copies", "nodes", "min", "max", "size"})
ARITHMETIC = frozenset({"RES001", "RES002", "RES003", "RES007"})
"""Rules about timeouts and attempts."""


def choices_for(
    graph: Graph, rule: str, violation: Violation, busy: Rational = LIMIT
) -> list[EditChoice]:
    """Everything that would mend a violation, each choice by itself; none where none is known.

    ``busy`` is the share of a resource that rule PRF001 allows to be busy.
    """
    if rule in _SIZES:
        found = _capacity(graph, violation, busy if rule == "PRF001" else Rational(1))
    else:
        found = _CHOICES[rule](graph, violation)
    return [choice for choice in found if choice.edits]


def _retry(graph: Graph, violation: Violation) -> Iterator[EditChoice]:
    step = violation.subject
    if isinstance(step, Interaction) and isinstance(
        retry := getattr(step.step, "retry", None), Retry
    ):
        values = {"factor": 2.0, "backoff": retry.backoff or 20 * ms, "jitter": True}
        changed = {k: v for k, v in values.items() if getattr(retry, k) != v}
        yield EditChoice(("pause",), (Edit(retry, changed, label_of(graph, step)),))


def _breaker(graph: Graph, violation: Violation) -> Iterator[EditChoice]:
    if isinstance(violation.subject, Interaction):
        label = label_of(graph, violation.subject)
        yield EditChoice(("breaker",), (breaker_for(violation.subject, label),))


def breaker_for(step: Interaction, label: str) -> Edit:
    """A circuit breaker with Resilience4j's default rate."""
    return Edit(step.declared, {"breaker": CircuitBreaker(failure_rate=50 * percent)}, label)


def _fallback(graph: Graph, violation: Violation) -> Iterator[EditChoice]:
    step = violation.subject
    if isinstance(step, Interaction) and (step.optional or _is_only_asked(graph, step)):
        edit = Edit(step.declared, {"fallback": Fallback("static")}, label_of(graph, step))
        yield EditChoice(("fallback",), (edit,))


def _is_only_asked(graph: Graph, step: Interaction) -> bool:
    """Whether a fixed answer can stand in: for a page, and for no payment that nobody made."""
    inside = graph.outgoing.get(step.target_name, ())
    return is_read(step) or (bool(inside) and all(map(is_read, inside)))


def _second(graph: Graph, violation: Violation) -> Iterator[EditChoice]:
    """Another replica of what exists once."""
    edits = _replicated(violation.subject, 2)
    yield EditChoice(("replica",) * bool(edits), tuple(edits))


def _replicated(member: object, count: int) -> list[Edit]:
    """At least so many replicas, or copies of a datastore."""
    match member:
        case Service(deployment=Deployment() as deployment):
            if (deployment.fewest_replicas() or 0) >= count:
                return []
            scale = deployment.autoscale
            if scale is None:
                return [Edit(deployment, {"replicas": count}, f"{member.name}: deployment")]
            most = {"max": count} if scale.max < count else {}
            return [Edit(scale, {"min": count, **most}, f"{member.name}: autoscale")]
        case Datastore() if (effective(member, "copies").value or 1) < count:
            return [Edit(member, {"copies": count}, member.name)]
        case Broker() if (member.nodes or 0) < count:
            return [Edit(member, {"nodes": count}, member.name)]
        case _:
            return []


def _failover(member: object) -> list[Edit]:
    if isinstance(member, Datastore) and getattr(member, "failover", None) in (
        None,
        "none",
        "manual",
    ):
        return [Edit(member, {"failover": "automatic"}, member.name)]
    return []


def _zones(graph: Graph, member: Subject) -> list[Edit]:
    """All zones that the system uses, two at least."""
    known = sorted(zones_in(graph.system))
    zones = tuple(
        [*known, *(z for z in ("zone-1", "zone-2") if z not in known)][: max(2, len(known))]
    )
    if isinstance(member, Service):
        deployment = member.deployment
        if deployment is None or len(set(deployment.zones)) > 1:
            return []
        return [Edit(deployment, {"zones": zones}, f"{member.name}: deployment")]
    if isinstance(member, Datastore | Broker) and len(set(member.zones)) < 2:
        return [Edit(member, {"zones": zones}, member.name)]
    return []


def _spread(graph: Graph, violation: Violation) -> Iterator[EditChoice]:
    """The element in one zone, spread with enough replicas."""
    yield _survives_zone(graph, violation.subject)


def _survives_zone(graph: Graph, member: Subject) -> EditChoice:
    zones, replicas, failover = _zones(graph, member), _replicated(member, 2), _failover(member)
    kinds = ("zone",) * len(zones) + ("replica",) * len(replicas) + ("failover",) * len(failover)
    return EditChoice(kinds, (*zones, *replicas, *failover))


def _zone_loss(graph: Graph, violation: Violation) -> Iterator[EditChoice]:
    """All elements that some zone takes with it; a single choice, since each of them is needed."""
    (journey,) = [j for j in graph.critical_journeys if j is violation.subject]
    needs = Survival(graph).of_journey(journey)
    zones = sorted(unit for unit in needs.structure.units if unit.kind == "zone")
    names = sorted({name for zone in zones for name in gone_with(needs, zone)})
    every = [_survives_zone(graph, graph.system.find(name)) for name in names]
    yield EditChoice(
        tuple(kind for choice in every for kind in choice.kinds),
        tuple(edit for choice in every for edit in choice.edits),
    )


def _capacity(graph: Graph, violation: Violation, busy: Rational) -> Iterator[EditChoice]:
    """As many replicas as the worst load needs, one zone lost."""
    service = violation.subject
    if not isinstance(service, Service) or service.deployment is None:
        return
    needed = max(
        (
            least_units(figure, busy)
            for demand in worst_demands(graph)
            for figure in figures_of(demand)
            if figure.holder.name == service.name and figure.each is not None
        ),
        default=0,
    )
    scale = service.deployment.autoscale
    if scale is None:
        edits = (Edit(service.deployment, {"replicas": needed}, f"{service.name}: deployment"),)
    else:
        edits = (Edit(scale, {"max": max(needed, scale.min)}, f"{service.name}: autoscale"),)
    if (service.deployment.most_replicas() or 0) < needed:
        yield EditChoice(("replica",), edits)


def _connections(graph: Graph, violation: Violation) -> Iterator[EditChoice]:
    """All pools for a datastore smaller, so that they fit."""
    store = violation.subject
    if not isinstance(store, Datastore):
        return
    accepted = effective(store, "max_connections").value
    room = accepted - (effective(store, "reserved_connections").value or 0)
    pools = [
        (pool, service)
        for service in graph.system.services
        for pool in service.pools
        if str(pool.target) == store.name
    ]
    edits = tuple(
        Edit(pool, {"size": size}, f"{service.name}: pool of {store.name}")
        for (pool, service), size in zip(pools, _pool_sizes(graph, pools, room), strict=True)
        if size < pool.size
    )
    yield EditChoice(("pool",) * len(edits), edits)


def _pool_sizes(graph: Graph, pools: Sequence[tuple[Pool, Service]], room: int) -> Iterator[int]:
    """Sizes of pools that take no more than ``room`` connections together.

    Each has its queries in progress and the same multiple of their root beside, the square-root
    rule of staffing (Whitt, Understanding the Efficiency of Multi-Server Service Systems, 1992);
    where a pool has no declared load, all shrink in proportion.
    """
    counts = [_at_once(service) * pool.processes for pool, service in pools]
    most = _most_queries(graph)
    busy = [
        most.get((service.name, str(pool.target)), Rational(0))
        / (_fewest(service) * pool.processes)
        for pool, service in pools
    ]
    total = sum(count * pool.size for count, (pool, _) in zip(counts, pools, strict=True))
    if not all(busy):
        yield from (max(1, math.floor(pool.size * Rational(room, total))) for pool, _ in pools)
        return
    roots = [math.sqrt(each) for each in busy]
    used = sum(count * float(each) for count, each in zip(counts, busy, strict=True))
    spare = (room - used) / sum(count * root for count, root in zip(counts, roots, strict=True))
    for (pool, _), each, root in zip(pools, busy, roots, strict=True):
        yield min(pool.size, max(1, math.floor(float(each) + spare * root)))


@once
def _most_queries(graph: Graph) -> Mapping[tuple[str, str], Rational]:
    """Queries in progress between each service and datastore, under the worst load for each."""
    most: dict[tuple[str, str], Rational] = defaultdict(Rational)
    for demand in worst_demands(graph):
        for key, queries in queries_in_progress(demand).items():
            most[key] = max(most[key], queries)
    return most


def _fewest(service: Service) -> int:
    return (service.deployment.fewest_replicas() if service.deployment else None) or 1


def _at_once(service: Service) -> int:
    return (service.deployment.most_at_once() if service.deployment else None) or 1


_CHOICES: Mapping[str, Callable[[Graph, Violation], Iterator[EditChoice]]] = {
    "RES005": _retry,
    "RES006": _retry,
    "RES009": _breaker,
    "RES011": _fallback,
    "RES012": _second,
    "RES013": _zone_loss,
    "RES026": _fallback,
    "DAT001": _second,
    "DAT005": _connections,
    "DEP002": _spread,
}
_SIZES = frozenset({"DEP005", "PRF001"})
REPAIRABLE = ARITHMETIC | _SIZES | frozenset(_CHOICES)
"""The rules whose violations can be repaired."""
