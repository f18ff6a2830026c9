"""Does what lies behind an endpoint's rate limit carry all that the limit lets through?"""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator

from archcheck.capacity import Demand
from archcheck.graph import Graph, Operation
from archcheck.graph.exact import Rational, exact
from archcheck.model import External, Journey, RateLimit, Scenario, Service
from archcheck.proof.answers import Answer, Gap, Proved, Refuted, Undecided, missing
from archcheck.proof.budget import left
from archcheck.proof.limits.figures import Figure, WorstPoint, figures_of
from archcheck.units import Rate

_NONE = Rational(0)


def admissions(graph: Graph) -> Iterator[Answer]:
    """Does what lies behind each limited endpoint carry all that its limit lets through?

    Everything that a request waits for counts, at its largest scale and full, and external parties
    that it cannot do without; the other endpoints are idle.
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
        demand = Demand(probed, scenario, {probe.name: float(rate)})
        claim = f"what lies behind {operation.name} carries the {Rate(float(rate))} it admits"
        yield _behind(graph, operation, claim, rate, demand)


def _admitted(owner: Service, limit: RateLimit) -> Rational | None:
    """What a limit lets through in the long run; one for each client does not bound the sum."""
    if limit.per == "client":
        return None
    replicas = owner.deployment.most_replicas() if owner.deployment else None
    if limit.per == "replica":
        return exact(limit.rate) * replicas if replicas else None
    return exact(limit.rate)


def _behind(graph: Graph, subject: Operation, claim: str, rate: Rational, demand: Demand) -> Answer:
    gaps: list[Gap] = []
    waited_for = _waited_for(graph, subject.name)
    for figure in (*figures_of(demand), *_parties(demand)):
        if figure.holder.name not in waited_for:
            continue
        gaps += figure.gaps
        if figure.each is None or figure.units is None:
            if figure.units is None and figure.each is not None:
                gaps.append(Gap(figure.holder, "deployment.replicas"))
            continue
        capacity = figure.each * figure.units
        if figure.busy > capacity:
            carries = Rate(float(rate * capacity / figure.busy))
            name = figure.holder.name
            shown = WorstPoint(
                f"the limit of {Rate(float(rate))} lets through more than {name} can take: "
                f"{carries:.4}",
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
    if gaps:
        found = tuple(dict.fromkeys(gaps))
        return Undecided(subject, claim, missing(found), found)
    return Proved(subject, claim)


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


def _parties(demand: Demand) -> Iterator[Figure]:
    """External parties that say what they take, by the calls that cannot do without them."""
    asked: dict[External, Rational] = {}
    for step, rate in demand.steps.items():
        if isinstance(step.target, External) and not step.can_fail_softly:
            asked[step.target] = asked.get(step.target, _NONE) + exact(rate)
    for party, total in asked.items():
        if party.rate_limit is not None:
            yield Figure(party, "calls a second", total, exact(party.rate_limit.rate))
