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
from archcheck.proof.limits.barriers import Barrier
from archcheck.proof.limits.figures import (
    Occupancy,
    WorstPoint,
    count,
    left_without_a_zone,
    worst_for_each,
    worst_of_claims,
)
from archcheck.proof.limits.let_through import Claimed, too_little
from archcheck.proof.limits.load import assumptions
from archcheck.proof.limits.lost_caches import that_stay
from archcheck.proof.limits.open_hits import whatever_hits
from archcheck.proof.limits.phases import in_runs, said, uncounted
from archcheck.proof.limits.upstream import held_up, shed_at
from archcheck.proof.limits.worst import ZoneCase, losses, worst_barriers, worst_figures

_ALL = Rational(1)
_NONE = Rational(0)


@dataclass(frozen=True)
class RolloutPoint(WorstPoint):
    """``zone_alone``: the loss of the zone is too much already, whatever the rollout takes."""

    zone_alone: bool = False


def rollouts(graph: Graph) -> Iterator[Answer]:
    """While a service is rolled out, does the loss of any zone leave enough replicas?

    At its largest scale, with as many replicas away as the rollout allows, all of them outside
    the zone that is lost. A service of which too few are left is one answer.
    """
    yield from whatever_hits(graph, lambda each: worst_for_each(_rollouts(each)))


def _rollouts(graph: Graph) -> Iterator[Answer]:
    """One answer for each service and scenario, whatever it has too little of."""
    yield from worst_of_claims(
        answer
        for scenario, figure, rates in worst_figures(graph)
        if isinstance(figure.holder, Service)
        for answer in _rolled(graph, scenario, figure, figure.holder, rates)
    )


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
    case = _worst_loss(figure)
    left, safe = (_left(case.figure, rollout.value, surely=each) for each in (True, False))
    shed = shed_at(holder) or _ALL
    if case.figure.busy < figure.each * left * shed:
        yield _carried(graph, scenario, case, Claimed(holder, claim), (left, safe))
        return
    before = held_up(graph, scenario, case, figure.each * left * shed)
    if before:
        needs = f"with {left} replicas it is asked for {case.figure.shown(figure.each * left)}"
        yield Undecided(holder, claim, f"how much {before} let through: {needs}")
        return
    needed = math.floor(case.figure.busy / (figure.each * shed)) + 1  # at 100% no queue ends
    yield Refuted(holder, claim, *_shown(scenario, case, rollout.value, rates, (needed, shed)))


def _worst_loss(figure: Occupancy) -> ZoneCase[Occupancy]:
    """The loss of a zone that is worst: of the fullest, or of one that takes caches with it."""
    _, *lost = losses(figure)
    return max(lost, key=lambda case: case.figure.busy / max(1, case.surely))


def _left(figure: Occupancy, rollout: Rollout, *, surely: bool) -> int:
    """Replicas that a rollout and the loss of a zone leave, what an autoscaler adds included."""
    there = figure.there(surely=surely) or 0
    size = _size(figure, there)
    left = max(0, left_without_a_zone(size, figure.zones) - rollout.unavailable(size))
    return min(left, there)


def _size(figure: Occupancy, there: int) -> int:
    """The replicas of which a rollout and a zone take some: all that an autoscaler may add."""
    return there if figure.rest is not None and figure.rest.is_stuck else figure.units or 0


def _carried(
    graph: Graph,
    scenario: Scenario,
    case: ZoneCase[Occupancy],
    claimed: Claimed,
    sizes: tuple[int, int],
) -> Answer:
    """What is said where the replicas that are left are enough for what surely comes."""
    left, safe = sizes
    figure, holder = case.figure, claimed.subject
    room = (figure.each or _NONE) * safe * (shed_at(holder) or _ALL)
    if figure.most is None or figure.most >= room:
        return figure.unseen(holder, claimed.claim, room, scenario.name)
    small = _too_small(graph, scenario, figure.holder.name, left)
    if small is not None:
        return too_little(graph, scenario, *small, claimed)
    faults = uncounted(scenario)
    if faults:
        return Undecided(holder, claimed.claim, f"an account of what {faults} comes to")
    spread = "replicas are spread evenly over zones"
    stay = that_stay(graph)
    return Proved(holder, claimed.claim, (*assumptions(figure), spread, *stay))


def _shown(
    scenario: Scenario,
    case: ZoneCase[Occupancy],
    rollout: Rollout,
    rates: Mapping[str, Rational],
    need: tuple[int, Rational],
) -> tuple[RolloutPoint, str]:
    figure, (needed, shed) = case.figure, need
    name, each = figure.holder.name, figure.each or _NONE
    left, there = _left(figure, rollout, surely=True), figure.there(surely=True) or 0
    units = _size(figure, there)
    without = figure.left(surely=True) or 0
    place = getattr(figure.holder, "deployment", None)
    stops_first = getattr(place, "kind", "") == "StatefulSet"  # it has no surge
    enough = _enough(figure, needed, rollout) if needed > without or stops_first else None
    fix = "rollout=RollingUpdate(max_surge=1, max_unavailable=0)"
    fix = f"at least {enough} replicas" if enough else fix
    shown = RolloutPoint(
        f"a rollout and the loss of a zone leave {left} of {units} replicas of "
        f"{name}, and the load needs {needed} in scenario {scenario.name!r}"
        f"{said(figure.faults)}",
        (
            f"{rollout.unavailable(units)} are away for the rollout",
            f"{units - left_without_a_zone(units, figure.zones)} are in the zone that is lost",
            *([f"its autoscaler rests at {there}"] if there < units else []),
            f"{busy_servers(count(figure.busy), figure.servers)}, {float(each):g} in each replica",
        ),
        (),
        {name: f"{left} of {units} left"},
        rates,
        figure.busy,
        each * left,
        shed,
        units=left,
        scenario=scenario.name,
        faults=in_runs(case.faults),
        zone_alone=needed > without,
    )
    return shown, fix


def _too_small(
    graph: Graph, scenario: Scenario, service: str, left: int
) -> tuple[ZoneCase[Barrier], Mapping[str, Rational]] | None:
    """A limit of a service that so many replicas let too little through of."""
    for other, barrier, rates in worst_barriers(graph):
        if other.name != scenario.name or barrier.holder.name != service or barrier.each is None:
            continue
        units = min(barrier.units, left) if barrier.is_sized and barrier.units else barrier.units
        if units is not None and barrier.exceeds(barrier.room(units)):
            where = f"a rollout and the loss of a zone leave {left} of {barrier.units} replicas"
            text = f" when {where}" if barrier.is_sized else ""
            return ZoneCase(barrier, units, units, text, barrier.faults, is_lost=True), rates
    return None


def _enough(figure: Occupancy, needed: int, rollout: Rollout) -> int | None:
    """The fewest replicas of which so many are left; ``None``: the rollout takes too many away."""
    sizes = range(needed, 4 * figure.zones * (needed + 1))
    rest = (n - math.ceil(n / figure.zones) - rollout.unavailable(n) for n in sizes)
    return next((n for n, left in zip(sizes, rest, strict=True) if left >= needed), None)
