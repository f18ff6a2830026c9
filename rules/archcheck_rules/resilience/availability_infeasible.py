"""A promised availability can be reached with what the promise rests on.

Why it matters: an objective above the availability of its own hard dependencies is missed by
design; no effort in the service can make up for it.

An operation is up when a replica of its service is up and so is everything that it cannot answer
without. With availability a, n replicas give 1 - (1 - a)^n; hard dependencies multiply, taken as
independent. A dependency counts with what it promises itself (its objective, an external's or a
provider's agreement), else with what its own dependencies allow. Optional steps, fallbacks and
caches do not count against it.

How to fix: make a dependency soft (a fallback, a cache, an event), replicate it, or promise less.

False positives: failures that always coincide make the product too low; the smallest single
availability is printed beside it.

Sources: Beyer et al., The Site Reliability Workbook, 2018; Treynor, Dahlin, Rau and Beyer, The
Calculus of Service Availability, ACM Queue, 2017.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass

from archcheck import (
    Call,
    Datastore,
    Endpoint,
    External,
    Fallback,
    Journey,
    Kubernetes,
    MySQL,
    Named,
    Read,
    Service,
    Slo,
    System,
)
from archcheck.findings import NotApplicable, Result, Rule, Undecided, Violation
from archcheck.graph import Graph, Interaction, Operation
from archcheck.model import Managed
from archcheck.units import Fraction, percent

rule = Rule("RES015", "availability-infeasible", severity="error", method="calc")


@dataclass(frozen=True)
class _Bound:
    """The availability of some parts together, and what would be needed to know it exactly."""

    value: float = 1.0
    parts: tuple[tuple[str, float], ...] = ()
    missing: tuple[Named, ...] = ()

    def __and__(self, other: _Bound) -> _Bound:
        return _Bound(
            self.value * other.value,
            tuple(dict.fromkeys((*self.parts, *other.parts))),
            tuple(dict.fromkeys((*self.missing, *other.missing))),
        )


@rule.check
def check(graph: Graph) -> Iterator[Result]:
    below = _Availabilities(graph)
    promises: list[tuple[Journey | Operation, Slo, _Bound]] = []
    for journey in graph.system.journeys:
        if journey.slo is not None:
            promises.append((journey, journey.slo, below.of_entries(journey)))
    for operation in graph.operations.values():
        slo = getattr(operation.part, "slo", None)
        if slo is not None:
            promises.append((operation, slo, below.of_parts(operation)))
    promised = [entry for entry in promises if entry[1].availability is not None]
    if not promised:
        yield NotApplicable("nothing promises an availability")
    for subject, slo, bound in promised:
        target = float(slo.availability or 0)
        if target > bound.value + 1e-12:
            yield _violation(subject, Fraction(target), bound)
        else:
            room = Fraction(target / bound.value)
            for member in bound.missing:
                attribute = "availability" if isinstance(member, External) else _ATTRIBUTE
                yield Undecided(member, attribute, f"{subject.name} needs at least {room}")


_ATTRIBUTE = "deployment.availability"


def _violation(subject: Journey | Operation, target: Fraction, bound: _Bound) -> Violation:
    worst = min(value for _, value in bound.parts)
    shown = sorted(bound.parts, key=lambda part: part[1])
    return Violation(
        subject,
        f"{subject.name} promises {target}, and what it rests on reaches "
        f"{Fraction(bound.value):.6} together",
        fix=f"availability={Fraction(math.floor(bound.value * 1e4) / 1e4)}".replace(
            "%", " * percent"
        )
        + ", or fewer hard dependencies",
        evidence=(
            *(f"{name}: {Fraction(value):.6}" for name, value in shown),
            f"even if all failed together: {Fraction(worst):.6}",
        ),
    )


class _Availabilities:
    """What operations can reach, each computed once; a call back is not followed."""

    def __init__(self, graph: Graph) -> None:
        self._graph = graph
        self._known: dict[str, _Bound] = {}

    def of_entries(self, journey: Journey) -> _Bound:
        bound = _Bound()
        for entry in journey.all_entries():
            owner, endpoint = self._graph.system.endpoint(entry)
            bound &= self._promised(owner, endpoint)
        return bound

    def of_parts(self, operation: Operation) -> _Bound:
        """Of an operation by its own service and its hard dependencies, its promise aside."""
        if operation.name not in self._known:
            self._known[operation.name] = _Bound()
            bound = _own(operation.owner)
            for step in self._graph.outgoing.get(operation.name, ()):
                if not step.can_fail_softly and step.mode != "publish" and step.visits >= 1:
                    bound &= self._of_target(step)
            self._known[operation.name] = bound
        return self._known[operation.name]

    def _of_target(self, step: Interaction) -> _Bound:
        if step.mode == "call":
            return self._promised(step.target, step.endpoint)
        return _own(step.target)

    def _promised(self, owner: Named, endpoint: Endpoint | None) -> _Bound:
        slo = endpoint.slo if endpoint else None
        if endpoint and slo and slo.availability is not None:
            name = f"{owner.name}.{endpoint.name}"
            return _Bound(float(slo.availability), ((name, float(slo.availability)),))
        if endpoint and isinstance(owner, Service):
            return self.of_parts(self._graph.operations[f"{owner.name}.{endpoint.name}"])
        return _own(owner)


def _own(member: Named) -> _Bound:
    """Of one element by itself: a provider's word, or its replicas."""
    if isinstance(member, External):
        declared, copies = member.availability, 1
    else:
        deployment = getattr(member, "deployment", None)
        declared = deployment.availability if deployment else None
        copies = 1 if isinstance(deployment, Managed) else _copies(member)
    if declared is None:
        return _Bound(missing=(member,))
    value = 1 - (1 - float(declared)) ** copies
    return _Bound(value, ((member.name, value),))


def _copies(member: Named) -> int:
    if isinstance(member, Datastore):
        return (member.replicas or 0) + 1
    deployment = getattr(member, "deployment", None)
    return (deployment.fewest_replicas() if deployment else None) or 1


def _shop(
    promise: float,
    bank: float | None = 99.5,
    *,
    fallback: Fallback | None = None,
    replicas: int = 2,
) -> System:
    up = Kubernetes(replicas=replicas, availability=99 * percent)
    pay = Call("bank", fallback=fallback)
    agreed = bank * percent if bank is not None else None
    objective = Slo(availability=promise * percent)
    return System(
        "shop",
        [
            External("bank", availability=agreed),
            Service("orders", deployment=up, endpoints=[Endpoint("place", steps=[pay])]),
        ],
        journeys=[Journey("checkout", "orders.place", slo=objective)],
    )


@rule.bad("checkout")
def more_than_the_bank_promises() -> System:
    return _shop(99.9)


@rule.bad("checkout")
def one_replica_less() -> System:
    return _shop(99.4, replicas=1)


@rule.bad("orders.place")
def the_database_is_down_too_often() -> System:
    store = MySQL("ledger", replicas=0, deployment=Kubernetes(availability=99 * percent))
    place = Endpoint("place", steps=[Read("ledger")], slo=Slo(availability=99.9 * percent))
    alone = Kubernetes(replicas=3, availability=99.9 * percent)
    return System("shop", [store, Service("orders", deployment=alone, endpoints=[place])])


@rule.borderline()
def the_product_is_just_enough() -> System:
    return _shop(99.49)  # 99.5% x 99.99% = 99.49005%


@rule.borderline("checkout")
def the_product_is_just_too_low() -> System:
    return _shop(99.4901)


@rule.good
def a_fallback_answers() -> System:
    return _shop(99.9, fallback=Fallback("static"))


@rule.unknown("availability")
def the_bank_does_not_say() -> System:
    return _shop(99.9, bank=None)
