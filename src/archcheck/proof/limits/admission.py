"""Does what lies behind an endpoint's rate limit carry all that the limit lets through?"""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator, Sequence

from archcheck.graph import Graph, Operation
from archcheck.graph.exact import Rational, exact
from archcheck.graph.reach import waited_for, waited_on
from archcheck.model import Journey, RateLimit, Scenario, Service, System
from archcheck.proof.answers import Answer, Gap, Proved, Refuted, Undecided, missing
from archcheck.proof.budget import left
from archcheck.proof.feature_flags import configured
from archcheck.proof.limits.barriers import Barrier, barriers
from archcheck.proof.limits.figures import Corner, Occupancy, WorstPoint, worst_of_claims
from archcheck.proof.limits.load import assumptions
from archcheck.proof.limits.open_hits import whatever_hits
from archcheck.proof.limits.ranges import Loads, worst_system
from archcheck.units import Rate

_NONE = Rational(0)


def admissions(graph: Graph) -> Iterator[Answer]:
    """Does what lies behind each limited endpoint carry all that its limit lets through?

    Everything that a request waits for counts, at its largest scale and full, and external parties
    that it cannot do without; the other endpoints are idle, but for what schedules start.
    """
    yield from whatever_hits(graph, _admissions)


def _admissions(graph: Graph) -> Iterator[Answer]:
    """The worst answer of all configurations of flags, with uncertain values at their worst."""
    systems = configured(worst_system(graph.system))
    answers = (answer for system in systems for answer in _admitted_in(graph, system))
    yield from worst_of_claims(answers)


def _admitted_in(graph: Graph, system: System) -> Iterator[Answer]:
    limited = list(_limited(graph))
    known = [(operation, limit, rate) for operation, limit, rate in limited if rate is not None]
    for operation, _, rate in limited:
        if rate is None:
            claim = f"what lies behind {operation.name} carries what it admits"
            gap = Gap(operation.owner, "deployment.replicas")
            yield Undecided(operation, claim, missing((gap,)), (gap,))
    probes = [Journey(f"limit of {op.name.replace('.', ' ')}", op.name) for op, _, _ in known]
    journeys = [*system.journeys, *probes]
    probed = Graph(
        dataclasses.replace(system, journeys=journeys),
        today=graph.today,
        cold_caches=graph.cold_caches,
    )
    scenario = Scenario("all that is admitted", load=[])
    shared: dict[str, list[tuple[Operation, str, Rational]]] = {}
    for probe, (operation, limit, rate) in zip(probes, known, strict=True):
        left()
        corner = Corner(probed, Loads(scenario, {}, {probe.name: rate}))
        claim = f"what lies behind {operation.name} carries the {Rate(float(rate))} it admits"
        answer = _behind(graph, [operation], claim, rate, corner)
        if limit.per == "client" and not isinstance(answer, Refuted):
            continue  # more clients may come, and nothing bounds their sum
        yield answer
        if isinstance(answer, Proved):
            entry = operation, probe.name, rate
            shared.setdefault(operation.owner.name, []).append(entry)
    for together in shared.values():
        if len(together) > 1:
            yield _together(graph, probed, scenario, together)


def _limited(graph: Graph) -> Iterator[tuple[Operation, RateLimit, Rational | None]]:
    """The endpoints with a limit, and what it admits; ``None``: nobody says."""
    for operation in graph.operations.values():
        limit = getattr(operation.part, "rate_limit", None)
        if isinstance(operation.owner, Service) and isinstance(limit, RateLimit):
            yield operation, limit, _admitted(operation.owner, limit)


def _together(
    graph: Graph,
    probed: Graph,
    scenario: Scenario,
    limited: Sequence[tuple[Operation, str, Rational]],
) -> Answer:
    """The same for all limited endpoints of a service at once, each of which is carried alone."""
    left()
    operations = [operation for operation, _, _ in limited]
    rates = {probe: rate for _, probe, rate in limited}
    total = sum(rates.values(), _NONE)
    names = " and ".join(operation.name for operation in operations)
    claim = f"what lies behind {names} carries the {Rate(float(total))} they admit together"
    corner = Corner(probed, Loads(scenario, {}, rates))
    return _behind(graph, operations, claim, total, corner)


def _admitted(owner: Service, limit: RateLimit) -> Rational | None:
    """What a limit lets through in the long run; one for each client that of a single one."""
    replicas = owner.deployment.most_replicas() if owner.deployment else None
    if limit.per == "replica":
        return exact(limit.rate) * replicas if replicas else None
    return exact(limit.rate)


def _behind(
    graph: Graph, operations: Sequence[Operation], claim: str, rate: Rational, corner: Corner
) -> Answer:
    subject = operations[0] if len(operations) == 1 else operations[0].owner
    gaps: list[Gap] = []
    unseen: Undecided | None = None
    assumed: dict[str, None] = {"the other endpoints are idle": None}
    needed = waited_for(corner.graph, [each.name for each in operations])
    idle = {(f.holder.name, f.what): f.busy for f in corner.figures_and_parties({})}
    for figure in corner.figures_and_parties():
        if figure.holder.name not in needed:
            continue
        gaps += figure.gaps
        if figure.each is None or figure.units is None:
            if figure.units is None and figure.each is not None:
                gaps.append(Gap(figure.holder, "deployment.replicas"))
            continue
        if figure.busy > figure.room(figure.there(surely=True) or 0):
            besides = idle.get((figure.holder.name, figure.what), _NONE)
            return _overrun(graph, operations, claim, rate, figure, besides, corner)
        room = figure.room(figure.there() or 0)
        if not figure.fits(room):
            unseen = unseen or figure.unseen(subject, claim, room)
        assumed |= dict.fromkeys(assumptions(figure))
    small = _small(corner, needed, {each.name for each in operations})
    if small is not None:
        return _overrun(graph, operations, claim, rate, *small, corner)
    if gaps:
        found = tuple(dict.fromkeys(gaps))
        return Undecided(subject, claim, missing(found), found)
    if unseen:
        return unseen
    return Proved(subject, claim, tuple(assumed))


def _small(corner: Corner, needed: set[str], limited: set[str]) -> tuple[Barrier, Rational] | None:
    """Another limit on the way that lets too little through, with what schedules ask of it."""
    idle = {barrier.what: barrier.busy for barrier in barriers(corner.surely({}))}
    waited = waited_on(corner.graph, limited)
    for barrier in barriers(corner.surely()):
        units = barrier.there(surely=True)
        is_asked = barrier.kind == "rate_limit" and barrier.leads_to() <= limited
        if barrier.holder.name not in needed or not units or barrier.each is None or is_asked:
            continue
        if (origin := barrier.comes_from()) and not origin & waited:
            continue  # only messages meet it
        if barrier.exceeds(barrier.room(units)):
            return barrier, idle.get(barrier.what, _NONE)
    return None


def _overrun(
    graph: Graph,
    operations: Sequence[Operation],
    claim: str,
    rate: Rational,
    figure: Occupancy,
    besides: Rational,
    corner: Corner,
) -> Refuted:
    """What is full at a lower rate, beside what schedules ask of it."""
    units = figure.there(surely=True)
    capacity = figure.room(units or 0)
    room = max(_NONE, capacity - besides)
    carries = Rate(float(rate * room / (figure.busy - besides)))
    name = figure.holder.name
    barrier = figure if isinstance(figure, Barrier) else None
    full = barrier.what if barrier else name
    lets = f"the limit of {Rate(float(rate)):.6} lets"
    if len(operations) > 1:
        names = " and ".join(operation.name for operation in operations)
        lets = f"the limits of {names}, together {Rate(float(rate)):.6}, let"
    shown = WorstPoint(
        f"{lets} through more than {full} can take: {carries:.4}",
        (
            graph.system.find(name),
            figure.shown(capacity),
        ),
        (),
        {name: f"{full if barrier else ''} full at {carries:.4}".strip()},
        dict(zip((op.name for op in operations), corner.loads.high.values(), strict=True)),
        figure.busy,
        capacity,
        units=units,
        barrier=barrier.what if barrier else "",
        asked=barrier.asked if barrier else (),
        watched=barrier.watched if barrier else (),
    )
    fix = f"RateLimit({carries:.3})".replace("/s", " / s")
    if len(operations) == 1:
        return Refuted(operations[0], claim, shown, fix)
    return Refuted(operations[0].owner, claim, shown, f"limits that add up to {carries:.3}")
