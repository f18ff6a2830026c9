"""The cheapest sizes that carry every load: the synthesis behind ``prove --suggest replicas``.

What a service needs does not depend on the size of another one, so the fewest replicas of each are
the fewest of all. A pool needs as many connections as queries of a replica are in progress at its
limit of utilisation (Little's law), at least one. Only the connections that a datastore accepts tie
sizes together: where the smallest pools of the fewest replicas do not fit, no sizes do.
"""

from __future__ import annotations

import math
from collections import defaultdict
from dataclasses import dataclass

from archcheck.capacity import Demand
from archcheck.editing import Edit
from archcheck.graph import Graph
from archcheck.graph.exact import Rational, exact
from archcheck.model import Datastore, Rollout, Service, effective
from archcheck.proof.limits.figures import figures_of, least_units, worst_demands
from archcheck.proof.limits.load import LIMIT


@dataclass(frozen=True)
class Sizes:
    """``edits`` give every service and pool the smallest size that carries every load."""

    edits: tuple[Edit, ...] = ()
    conflicts: tuple[str, ...] = ()
    """What no size of services and pools can carry."""
    undecided: tuple[str, ...] = ()
    """Services whose need cannot be told, and why."""


def suggest_sizes(graph: Graph, limit: Rational = LIMIT) -> Sizes:
    """The fewest replicas and smallest pools with which all resources stay under ``limit``."""
    replicas: dict[str, int] = {}
    conflicts: dict[str, None] = {}
    undecided: dict[str, None] = {}
    scenarios = worst_demands(graph)
    for demand in scenarios:
        for figure in figures_of(demand):
            holder = figure.holder
            if not isinstance(holder, Service):
                if figure.each is not None and figure.busy > limit * figure.each:
                    conflicts.setdefault(f"{holder.name} ({figure.what}): not a matter of replicas")
            elif figure.each is None or figure.gaps:
                names = ", ".join(gap.attribute for gap in figure.gaps)
                undecided.setdefault(f"{holder.name}: not declared: {names}")
            else:
                needed = least_units(figure, limit)
                replicas[holder.name] = max(needed, replicas.get(holder.name, 1))
    edits = [edit for name, count in replicas.items() for edit in _resized(graph, name, count)]
    pools, full = _pools(graph, scenarios, replicas, limit)
    return Sizes((*edits, *pools), (*conflicts, *full), tuple(undecided))


def _resized(graph: Graph, name: str, count: int) -> list[Edit]:
    """The change of a deployment's size, if it changes."""
    service = graph.system.find(name)
    deployment = service.deployment if isinstance(service, Service) else None
    if deployment is None:
        return []
    scale = deployment.autoscale
    if scale is None:
        same = effective(deployment, "replicas").value == count
        return [] if same else [Edit(deployment, {"replicas": count}, f"{name}: deployment")]
    if scale.max == count:
        return []
    lowest = {"min": count} if scale.min > count else {}
    return [Edit(scale, {**lowest, "max": count}, f"{name}: autoscale")]


def _pools(
    graph: Graph, scenarios: tuple[Demand, ...], replicas: dict[str, int], limit: Rational
) -> tuple[list[Edit], list[str]]:
    """The smallest pool of each service for each datastore, and the datastores that take fewer."""
    busy: dict[tuple[str, str], Rational] = defaultdict(Rational)
    for demand in scenarios:
        for pair, queries in queries_in_progress(demand).items():
            busy[pair] = max(queries, busy[pair])
    edits: list[Edit] = []
    total: dict[str, int] = defaultdict(int)
    for service in graph.system.services:
        count = replicas.get(service.name, 1)
        for pool in service.pools:
            queries = busy.get((service.name, str(pool.target)), Rational(0))
            if not queries:
                continue
            size = max(1, math.ceil(queries / (limit * count * pool.processes)))
            total[str(pool.target)] += _at_most(service, count) * size * pool.processes
            if size != pool.size:
                edits.append(Edit(pool, {"size": size}, f"{service.name}: pool of {pool.target}"))
    full = []
    for name, connections in total.items():
        store = graph.system.find(name)
        accepted = effective(store, "max_connections") if isinstance(store, Datastore) else None
        reserved = effective(store, "reserved_connections").value or 0 if accepted else 0
        if accepted and accepted.is_known and connections > accepted.value - reserved:
            full.append(
                f"{name}: the smallest pools need {connections} connections, and it accepts "
                f"{accepted.value - reserved}"
            )
    return edits, full


def queries_in_progress(demand: Demand) -> dict[tuple[str, str], Rational]:
    """Queries in progress between each service and datastore, by Little's law."""
    found: dict[tuple[str, str], Rational] = defaultdict(Rational)
    for step, rate in demand.steps.items():
        if isinstance(step.target, Datastore):
            held = exact(demand.held(step).seconds)
            found[step.source.name, step.target.name] += exact(rate) * held
    return found


def _at_most(service: Service, count: int) -> int:
    """Replicas while a rollout adds its surge."""
    rollout = effective(service.deployment, "rollout").value
    return count + (rollout.surplus(count) if isinstance(rollout, Rollout) else 0)
