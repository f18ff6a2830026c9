"""Does what lies behind an endpoint's rate limit carry all that the limit lets through?"""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator, Mapping

from archcheck.capacity import Demand
from archcheck.graph import Graph, Operation
from archcheck.graph.exact import Rational, exact
from archcheck.model import External, Journey, RateLimit, Scenario, Service
from archcheck.proof.answers import Answer, Gap, Proved, Refuted, Undecided, missing
from archcheck.proof.budget import left
from archcheck.proof.limits.figures import Corner, Figure, WorstPoint
from archcheck.proof.limits.load import assumptions
from archcheck.proof.limits.ranges import Loads
from archcheck.units import Rate

_NONE = Rational(0)


def admissions(graph: Graph) -> Iterator[Answer]:
    """Does what lies behind each limited endpoint carry all that its limit lets through?

    Everything that a request waits for counts, at its largest scale and full, and external parties
    that it cannot do without; the other endpoints are idle, but for what schedules start.
    """
    limited: list[tuple[Operation, Rational]] = []
    for operation in graph.operations.values():
        limit = getattr(operation.part, "rate_limit", None)
        if not isinstance(operation.owner, Service) or not isinstance(limit, RateLimit):
            continue
        rate = _admitted(operation.owner, limit)
        if rate is not None:
            limited.append((operation, rate))
        elif limit.per == "replica":
            claim = f"what lies behind {operation.name} carries what it admits"
            gap = Gap(operation.owner, "deployment.replicas")
            yield Undecided(operation, claim, missing((gap,)), (gap,))
    if not limited:
        return
    probes = [Journey(f"limit of {op.name.replace('.', ' ')}", op.name) for op, _ in limited]
    journeys = [*graph.system.journeys, *probes]
    probed = Graph(dataclasses.replace(graph.system, journeys=journeys), today=graph.today)
    scenario = Scenario("all that is admitted", load=[])
    for probe, (operation, rate) in zip(probes, limited, strict=True):
        left()
        corner = Corner(probed, Loads(scenario, {}, {probe.name: rate}))
        claim = f"what lies behind {operation.name} carries the {Rate(float(rate))} it admits"
        yield _behind(graph, operation, claim, rate, corner)


def _admitted(owner: Service, limit: RateLimit) -> Rational | None:
    """What a limit lets through in the long run; one for each client does not bound the sum."""
    if limit.per == "client":
        return None
    replicas = owner.deployment.most_replicas() if owner.deployment else None
    if limit.per == "replica":
        return exact(limit.rate) * replicas if replicas else None
    return exact(limit.rate)


def _behind(graph: Graph, subject: Operation, claim: str, rate: Rational, corner: Corner) -> Answer:
    gaps: list[Gap] = []
    unseen = ""
    assumed: dict[str, None] = {"the other endpoints are idle": None}
    waited_for = _waited_for(graph, subject.name)
    idle = {(f.holder.name, f.what): f.busy for f in _all_figures(corner, {})}
    for figure in _all_figures(corner, None):
        if figure.holder.name not in waited_for:
            continue
        gaps += figure.gaps
        if figure.each is None or figure.units is None:
            if figure.units is None and figure.each is not None:
                gaps.append(Gap(figure.holder, "deployment.replicas"))
            continue
        capacity = figure.each * figure.units
        if figure.busy > capacity:
            besides = idle.get((figure.holder.name, figure.what), _NONE)
            return _overrun(graph, subject, claim, rate, figure, besides)
        if not figure.fits(capacity):
            unseen = unseen or figure.unseen(capacity)
        assumed |= dict.fromkeys(assumptions(figure))
    if gaps:
        found = tuple(dict.fromkeys(gaps))
        return Undecided(subject, claim, missing(found), found)
    if unseen:
        return Undecided(subject, claim, unseen)
    return Proved(subject, claim, tuple(assumed))


def _all_figures(corner: Corner, rates: Mapping[str, float] | None) -> Iterator[Figure]:
    yield from corner.figures(rates)
    yield from _parties(corner, rates)


def _overrun(
    graph: Graph, subject: Operation, claim: str, rate: Rational, figure: Figure, besides: Rational
) -> Refuted:
    """What is full at a lower rate, beside what schedules ask of it."""
    capacity = (figure.each or _NONE) * (figure.units or 0)
    room = max(_NONE, capacity - besides)
    carries = Rate(float(rate * room / (figure.busy - besides)))
    name = figure.holder.name
    shown = WorstPoint(
        f"the limit of {Rate(float(rate))} lets through more than {name} can take: {carries:.4}",
        (
            graph.system.find(name),
            f"{float(figure.busy):.4g} {figure.what} busy of {float(capacity):.4g}",
        ),
        (),
        {name: f"full at {carries:.4}"},
        {},
        figure.busy,
        capacity,
    )
    return Refuted(subject, claim, shown, f"RateLimit({carries:.3})".replace("/s", " / s"))


def _waited_for(graph: Graph, operation: str) -> set[str]:
    """The elements that a request waits for; what messages cause can wait for a quieter time."""
    found: set[str] = set()
    waiting, seen = [operation], {operation}
    while waiting:
        name = waiting.pop()
        if name in graph.operations:
            found.add(graph.operations[name].owner.name)
        for step in graph.outgoing.get(name, ()):
            if step.is_synchronous:
                found.add(step.target.name)
                if step.target_name not in seen:
                    seen.add(step.target_name)
                    waiting.append(step.target_name)
    return found


def _parties(corner: Corner, rates: Mapping[str, float] | None) -> Iterator[Figure]:
    """External parties that say what they take, by the calls that cannot do without them."""
    most = _calls(corner.at_most(rates))
    for party, total in _calls(corner.surely(rates)).items():
        if party.rate_limit is not None:
            limit = exact(party.rate_limit.rate)
            bound = most.get(party, total)
            yield Figure(party, "calls a second", total, limit, most=bound)


def _calls(demand: Demand) -> dict[External, Rational]:
    asked: dict[External, Rational] = {}
    for step, rate in demand.steps.items():
        if isinstance(step.target, External) and not step.can_fail_softly:
            asked[step.target] = asked.get(step.target, _NONE) + exact(rate)
    return asked
