"""While a service is rolled out, does the loss of any zone leave enough replicas for the load?"""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from archcheck.capacity import busy_servers
from archcheck.graph import Graph
from archcheck.graph.exact import Rational
from archcheck.model import Rollout, Scenario, Service, effective
from archcheck.proof.answers import Answer, Gap, Proved, Refuted, Undecided, missing
from archcheck.proof.limits.figures import Occupancy, WorstPoint, count, worst_for_each
from archcheck.proof.limits.load import assumptions, worst_figures


@dataclass(frozen=True)
class RolloutPoint(WorstPoint):
    """``zone_alone``: the loss of the zone is too much already, whatever the rollout takes."""

    zone_alone: bool = False


def rollouts(graph: Graph) -> Iterator[Answer]:
    """While a service is rolled out, does the loss of any zone leave enough replicas?

    At its largest scale, with as many replicas away as the rollout allows, all of them outside
    the zone that is lost. A service of which too few are left is one answer.
    """
    yield from worst_for_each(_rollouts(graph))


def _rollouts(graph: Graph) -> Iterator[Answer]:
    for scenario, figure, rates in worst_figures(graph):
        if isinstance(figure.holder, Service):
            yield from _rolled(graph, scenario, figure, figure.holder, rates)


def _rolled(
    graph: Graph,
    scenario: Scenario,
    figure: Occupancy,
    service: Service,
    rates: Mapping[str, Rational],
) -> Iterator[Answer]:
    holder = graph.system.find(service.name)
    claim = f"{service.name} carries {scenario.name} while it is rolled out and a zone is lost"
    rollout = effective(service.deployment, "rollout")
    gaps = list(figure.gaps)
    if not rollout.is_known:
        gaps.append(Gap(holder, "deployment.rollout"))
    if not figure.zones:
        gaps.append(Gap(holder, "deployment.zones"))
    if gaps or figure.each is None or figure.units is None:
        yield Undecided(holder, claim, missing(gaps), tuple(dict.fromkeys(gaps)))
        return
    if figure.zones < 2:
        return  # without another zone nothing is left: that is rule RES013's
    away = rollout.value.unavailable(figure.units)
    without = figure.left() or 0
    left = max(0, without - away)
    room = figure.each * left
    if figure.busy < room:
        if figure.most is None or figure.most >= room:
            yield figure.unseen(holder, claim, room, scenario.name)
            return
        yield Proved(holder, claim, (*assumptions(figure), "replicas are spread evenly over zones"))
        return
    needed = math.floor(figure.busy / figure.each) + 1  # a queue at exactly 100% has no end
    stops_first = getattr(service.deployment, "kind", "") == "StatefulSet"  # it has no surge
    is_short = needed > without or stops_first
    enough = _enough(figure, needed, rollout.value) if is_short else None
    fix = "rollout=RollingUpdate(max_surge=1, max_unavailable=0)"
    fix = f"at least {enough} replicas" if enough else fix
    shown = RolloutPoint(
        f"a rollout and the loss of a zone leave {left} of {figure.units} replicas of "
        f"{service.name}, and the load needs {needed} in scenario {scenario.name!r}",
        (
            f"{away} are away for the rollout",
            f"{figure.units - (figure.left() or 0)} are in the zone that is lost",
            f"{busy_servers(count(figure.busy), figure.servers)}, {float(figure.each):g} in each "
            "replica",
        ),
        (),
        {service.name: f"{left} of {figure.units} left"},
        rates,
        figure.busy,
        figure.each * left,
        units=left,
        scenario=scenario.name,
        zone_alone=needed > without,
    )
    yield Refuted(holder, claim, shown, fix)


def _enough(figure: Occupancy, needed: int, rollout: Rollout) -> int | None:
    """The fewest replicas of which so many are left; ``None``: the rollout takes too many away."""
    sizes = range(needed, 4 * figure.zones * (needed + 1))
    rest = (n - math.ceil(n / figure.zones) - rollout.unavailable(n) for n in sizes)
    return next((n for n, left in zip(sizes, rest, strict=True) if left >= needed), None)
