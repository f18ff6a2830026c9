"""How available journeys and endpoints are: exact, by chance, and from the call graph alone.

:func:`estimate_availability` takes the declared availability of replicas, copies, externals and
zones: exactly by the structure of what is needed (see :mod:`archcheck.proof`), and by Monte Carlo,
each of which checks the other. :func:`when_killed` knows only who calls whom and how many replicas
there are, and kills a share of all containers: the model that Krasnovsky and Zorkin discover from
traces (Model Discovery and Graph Simulation, 2025).
"""

from __future__ import annotations

import math
from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass
from random import Random

from archcheck.findings import Objective, State
from archcheck.graph import Graph
from archcheck.graph.exact import Rational, exact
from archcheck.model import Datastore, Journey, ModelError, Service, System
from archcheck.proof import Gap
from archcheck.proof.survival.journeys import Survival
from archcheck.proof.survival.needs import Needs
from archcheck.proof.survival.structure import Bounds, Structure, Unit, probability
from archcheck.simulation.estimates import wilson

SAMPLES = 200_000
"""Draws: the 95% interval of a share near 99.9% is then 0.03% wide."""
MOST_SAMPLES = 10_000_000
"""Draws at most: the interval is then 0.004% wide, and a system of 50 units takes 65 MB."""


@dataclass(frozen=True)
class Available:
    """A journey or an endpoint: the share of the time for which it can answer.

    ``exact`` is between two bounds, which are the same where the value itself is known. ``sampled``
    with its 95% interval (Wilson) comes from ``samples`` draws. ``gaps``: availabilities that are
    not declared, and counted as one.
    """

    name: str
    is_journey: bool
    promised: float | None
    exact: Bounds
    sampled: float
    low: float
    high: float
    gaps: tuple[Gap, ...]

    @property
    def is_unknown(self) -> bool:
        """Whether next to nothing is known, as hardly anything that it needs is declared."""
        return bool(self.gaps) and float(self.exact.high) > 1 - 1e-8

    @property
    def state(self) -> State | None:
        """Whether what is promised is met; ``None`` where nothing is.

        Open where the exact value is not known well enough: what is not declared can be worse.
        """
        if self.promised is None:
            return None
        low = 0.0 if self.gaps else float(self.exact.low)
        objective = Objective(self.name, "availability", self.promised)
        return objective.judged(low, float(self.exact.high))

    @property
    def agrees(self) -> bool:
        """Whether the interval of the samples and the exact bounds have a value in common."""
        return self.low <= float(self.exact.high) and float(self.exact.low) <= self.high


@dataclass(frozen=True)
class AvailabilityResult:
    """The availability of all journeys of a system, then of all its endpoints."""

    system: System
    found: tuple[Available, ...]

    @property
    def is_fine(self) -> bool:
        """Whether nothing that is promised is missed."""
        return not any(each.state == "missed" for each in self.found)


def estimate_availability(
    graph: Graph,
    *,
    zone_availability: float | None = None,
    samples: int = SAMPLES,
    seed: int = 1,
) -> AvailabilityResult:
    """The availability of all journeys, then of all endpoints, units failing independently.

    ``zone_availability``: the share of the time that a zone is up, with all that runs in it;
    without it zones do not fail. What a provider promises includes its zones. Raises
    :class:`~archcheck.model.ModelError` for numbers that mean nothing.
    """
    if samples < 1:
        raise ModelError(f"an estimate needs samples, got {samples}")
    if zone_availability is not None and not 0 <= zone_availability <= 1:
        raise ModelError(f"the availability of a zone is a share, got {zone_availability:g}")
    zones_fail = zone_availability is not None
    best = Survival(graph, as_sold=True, by_chance=True, zones_fail=zones_fail)
    worst = Survival(graph, as_sold=True, by_chance=True, zones_fail=zones_fail, worst=True)
    random = Random(seed)  # noqa: S311  # samples, not secrets
    drawn: dict[Unit, int] = {}
    found = []
    for (name, is_journey, promised, needs), (*_, at_worst) in zip(
        _asked(graph, best), _asked(graph, worst), strict=True
    ):
        up, gaps = _up((best, needs), (worst, at_worst), zone_availability)
        for unit in sorted(needs.structure.units):
            if unit not in drawn:
                drawn[unit] = _drawn(random, float(up.get(unit, 1)), samples)
        share = _works(needs.structure, drawn, samples, {}).bit_count() / samples
        low, high = wilson(share, samples)
        bounds = probability(needs.structure, up)
        if not needs.gaps:  # else gaps count as never failing
            bounds = Bounds(probability(at_worst.structure, up).low, bounds.high)
        found.append(Available(name, is_journey, promised, bounds, share, low, high, gaps))
    return AvailabilityResult(graph.system, tuple(found))


def _asked(graph: Graph, survival: Survival) -> Iterator[tuple[str, bool, float | None, Needs]]:
    for journey in graph.system.journeys:
        promised = journey.slo.availability if journey.slo is not None else None
        share = float(promised) if promised is not None else None
        yield journey.name, True, share, survival.of_journey(journey)
    for service in graph.system.services:
        for endpoint in service.endpoints:
            promised = endpoint.slo.availability if endpoint.slo is not None else None
            share = float(promised) if promised is not None else None
            name = f"{service.name}.{endpoint.name}"
            yield name, False, share, survival.of(name)


def _up(
    best: tuple[Survival, Needs], worst: tuple[Survival, Needs], zone: float | None
) -> tuple[dict[Unit, Rational], tuple[Gap, ...]]:
    (at_best, needs), (at_worst, also) = best, worst
    up: dict[Unit, Rational] = {}
    gaps = dict.fromkeys(gap for gap in needs.gaps if "zones" not in gap.attribute)
    for unit in sorted(needs.structure.units | also.structure.units):
        if unit.kind == "zone":
            up[unit] = exact(zone if zone is not None else 1.0)
            continue
        source = at_worst if unit in also.structure.units else at_best
        share, gap = source.up(unit)
        if gap is not None:
            gaps.setdefault(gap)
        if share is not None:
            up[unit] = share
    return up, tuple(gaps)


def _drawn(random: Random, share: float, samples: int) -> int:
    """A bit for each sample, which is set with a probability: each draw of bits decides by one
    binary digit of it, the last one first.
    """
    numerator, denominator = share.as_integer_ratio()
    everywhere = (1 << samples) - 1
    if numerator >= denominator:
        return everywhere
    bits = 0
    while denominator > 1:
        drawn = random.getrandbits(samples)
        bits = bits | drawn if numerator & 1 else bits & drawn
        numerator, denominator = numerator >> 1, denominator >> 1
    return bits


def _works(
    structure: Structure, drawn: Mapping[Unit, int], samples: int, known: dict[int, int]
) -> int:
    """In which samples a structure works, a bit for each."""
    if isinstance(structure, Unit):
        return drawn[structure]
    if id(structure) not in known:
        enough = [(1 << samples) - 1] + [0] * max(0, structure.needed)  # so many, or more
        for part in structure.parts:
            works = _works(part, drawn, samples, known)
            for count in range(structure.needed, 0, -1):
                enough[count] |= enough[count - 1] & works
        known[id(structure)] = enough[-1]
    return known[id(structure)]


# -- from the call graph alone ----------------------------------------------------------------


@dataclass(frozen=True)
class Answers:
    """The probability that a journey answers when ``killed`` of ``containers`` are gone.

    ``needed``: the elements without which it does not answer, with their replicas.
    """

    journey: str
    needed: tuple[tuple[str, int], ...]
    containers: int
    killed: int
    probability: Rational


def when_killed(
    graph: Graph,
    share: float,
    *,
    journeys: Collection[str] | None = None,
    replicas: Mapping[str, int] | None = None,
    stores: bool = False,
) -> tuple[Answers, ...]:
    """The chance that each journey answers when a share of the containers is killed at random.

    Every set of so many containers is equally likely; the number is rounded up, and at least one.
    A journey answers while each element that it calls, directly or through others and without a
    way around, has a replica left. ``journeys``: only these, and only what they need is there (as
    in traces of one workload). ``replicas``: other numbers than the declared ones. ``stores``:
    datastores count as elements too; traces often do not show them.

    The value is exact: of all sets of k containers, those that leave a replica of each needed
    element are counted by the coefficient of x^k in the product of (1 + x)^r - x^r over needed
    elements with r replicas, and of (1 + x)^r over the others. Raises
    :class:`~archcheck.model.ModelError` for shares and replicas that mean nothing.
    """
    if not 0 <= share <= 1:
        raise ModelError(f"a share of containers is between 0% and 100%, got {share:g}")
    asked = [j for j in graph.system.journeys if journeys is None or j.name in journeys]
    counts = _containers(graph, asked, replicas or {}, stores)
    total = sum(counts.values())
    killed = min(total, max(1, math.ceil(share * total - 1e-9))) if share and total else 0
    found = []
    for journey in asked:
        needed = [name for name in _closure(graph, journey.all_entries(), stores) if name in counts]
        chance = surviving([counts[name] for name in needed], total, killed)
        pairs = tuple((name, counts[name]) for name in needed)
        found.append(Answers(journey.name, pairs, total, killed, chance))
    return tuple(found)


def surviving(needed: list[int], containers: int, killed: int) -> Rational:
    """The chance that each of some elements keeps a replica when containers are killed at random.

    ``needed``: the replicas of each element, all of them among the ``containers``.
    """
    ways = [1]
    for count in needed:
        row = [math.comb(count, dead) for dead in range(count)]
        ways = _product(ways, row)
    others = containers - sum(needed)
    good = sum(
        ways[dead] * math.comb(others, killed - dead)
        for dead in range(min(killed, len(ways) - 1) + 1)
    )
    return Rational(good, math.comb(containers, killed))


def _product(one: list[int], other: list[int]) -> list[int]:
    found = [0] * (len(one) + len(other) - 1)
    for i, a in enumerate(one):
        for j, b in enumerate(other):
            found[i + j] += a * b
    return found


def _containers(
    graph: Graph, journeys: Iterable[Journey], replicas: Mapping[str, int], stores: bool
) -> dict[str, int]:
    """Containers of each element that takes part in one of some journeys."""
    names: dict[str, None] = {}
    for journey in journeys:
        names.update(dict.fromkeys(_closure(graph, journey.all_entries(), stores)))
    unknown = next((name for name in replicas if name not in graph.system.directory.elements), None)
    if unknown is not None:
        raise ModelError(f"there is no {unknown!r} in the system {graph.system.name!r}")
    found = {}
    for name in names:
        member = graph.system.find(name)
        if not isinstance(member, Service | Datastore):
            continue
        deployment = getattr(member, "deployment", None)
        declared = deployment.fewest_replicas() if deployment is not None else None
        count = replicas.get(name, declared or 1)
        if count < 1:
            raise ModelError(f"{name!r} needs at least one replica, got {count}")
        found[name] = count
    return found


def _closure(graph: Graph, entries: tuple[str, ...], stores: bool) -> list[str]:
    """The elements that some endpoints need, themselves included."""
    found: dict[str, None] = {}
    waiting, seen = list(entries), set(entries)
    while waiting:
        reference = waiting.pop(0)
        owner, endpoint = graph.system.endpoint(reference)
        found[owner.name] = None
        name = f"{owner.name}.{endpoint.name}" if endpoint else owner.name
        for step in graph.outgoing.get(name, ()):
            if step.can_fail_softly or step.mode == "publish":
                continue
            if step.mode == "call" and step.target_name not in seen:
                seen.add(step.target_name)
                waiting.append(step.target_name)
            elif step.mode != "call" and stores:
                found[step.target.name] = None
    return list(found)
