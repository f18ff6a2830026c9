"""A promised availability can be reached with what the promise rests on.

Why it matters: an objective above the availability of its own hard dependencies is missed by
design; no effort in the service can make up for it.

An operation is up when a replica of its service is up and so is everything that it cannot answer
without. With availability a, n replicas give 1 - (1 - a)^n; hard dependencies multiply, taken as
independent. A dependency counts with what it promises itself (its objective, an external's or a
provider's agreement), else with what its own dependencies allow, and with the share of requests
that it does not answer with an error (``error_rate``), retries and each of several calls counted.
Errors that nobody declares are not counted: what is left is the most that can be reached. Optional
steps, fallbacks and caches do not count against it.

How to fix: make a dependency soft (a fallback, a cache, an event), replicate it, or promise less.

False positives: failures that always coincide make the product too low; the smallest single
availability is printed beside it.

Sources: Beyer et al., The Site Reliability Workbook, 2018; Treynor, Dahlin, Rau and Beyer, The
Calculus of Service Availability, ACM Queue, 2017.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass, field

from archcheck import (
    Absent,
    Call,
    Datastore,
    Endpoint,
    External,
    Fallback,
    Journey,
    Kubernetes,
    MySQL,
    Named,
    Publish,
    Read,
    Repeat,
    Retry,
    Service,
    Slo,
    System,
    Topic,
    WithProbability,
)
from archcheck.findings import NotApplicable, Result, Rule, Undecided, Violation
from archcheck.graph import Graph, Interaction, Operation
from archcheck.graph.error_rates import error_rate_of
from archcheck.model import Managed
from archcheck.units import Fraction, percent

rule = Rule("RES015", "availability-infeasible", severity="error", method="calc")


@dataclass
class _Bound:
    """What a promise rests on: name to availability, and the elements that declare none."""

    parts: dict[str, float] = field(default_factory=dict)
    alone: dict[str, float] = field(default_factory=dict)
    """The same with one call of those that may fail by themselves, however often they are made."""
    missing: dict[str, Named] = field(default_factory=dict)

    @property
    def value(self) -> float:
        """All of them up at once, taken as independent; each counts once, errors for each call."""
        return math.prod(self.parts.values())

    def add(self, name: str, value: float) -> None:
        """Something that is up or down for all who ask."""
        self.parts[name] = self.alone[name] = value

    def add_errors(self, name: str, good: float, calls: int) -> None:
        """A share of good answers, on which each call relies anew."""
        self.parts[name] = self.parts.get(name, 1.0) * good**calls
        self.alone[name] = good


@rule.check
def check(graph: Graph) -> Iterator[Result]:
    promises: list[tuple[Journey | Operation, Slo, _Bound]] = []
    for journey in graph.system.journeys:
        if journey.slo is not None and journey.slo.availability is not None:
            promises.append((journey, journey.slo, _of_journey(graph, journey)))
    for operation in graph.operations.values():
        slo = getattr(operation.part, "slo", None)
        if slo is not None and slo.availability is not None:
            promises.append((operation, slo, _of_parts(graph, operation)))
    if not promises:
        yield NotApplicable("nothing promises an availability")
    for subject, slo, bound in promises:
        target = float(slo.availability or 0)
        if target > bound.value + 1e-12:
            yield _violation(subject, Fraction(target), bound)
        else:
            room = Fraction(math.ceil(target / bound.value * 1e6 - 1e-6) / 1e6)  # 99.9101%
            for member in bound.missing.values():
                attribute = "availability" if isinstance(member, External) else _ATTRIBUTE
                yield Undecided(member, attribute, f"{subject.name} needs at least {room}")


_ATTRIBUTE = "deployment.availability"


def _violation(subject: Journey | Operation, target: Fraction, bound: _Bound) -> Violation:
    worst = min(bound.alone.values())
    shown = sorted(bound.parts.items(), key=lambda part: part[1])
    return Violation(
        subject,
        f"{subject.name} promises {target}, and what it rests on reaches "
        f"{Fraction(bound.value):.6} together",
        fix=f"availability={math.floor(bound.value * 1e4) / 1e2:g} * percent, or fewer hard "
        "dependencies",
        evidence=(
            *(f"{name}: {Fraction(value):.6}" for name, value in shown),
            f"even if all failed together: {Fraction(worst):.6}",
        ),
    )


def _of_journey(graph: Graph, journey: Journey) -> _Bound:
    bound = _Bound()
    for entry in journey.all_entries():
        owner, endpoint = graph.system.endpoint(entry)
        _collect(graph, bound, owner, endpoint, set())
    return bound


def _of_parts(graph: Graph, operation: Operation) -> _Bound:
    """Of an operation by its own service and its hard dependencies, its own promise aside."""
    bound = _Bound()
    _collect_parts(graph, bound, operation, set())
    return bound


def _collect(
    graph: Graph,
    bound: _Bound,
    owner: Named,
    endpoint: Endpoint | None,
    seen: set[str],
    tries: int = 1,
    calls: int = 1,
) -> None:
    """Add an endpoint: by its promise, else by its errors and by what it rests on."""
    slo = endpoint.slo if endpoint else None
    name = f"{owner.name}.{endpoint.name}" if endpoint else owner.name
    if slo is not None and slo.availability is not None:
        bound.add(name, float(slo.availability))
        return
    if wrong := error_rate_of(owner, endpoint):
        bound.add_errors(f"errors of {name}", 1 - wrong**tries, calls)
    if name in graph.operations and isinstance(owner, Service):
        _collect_parts(graph, bound, graph.operations[name], seen)
    else:
        _add(bound, owner)


def _collect_parts(graph: Graph, bound: _Bound, operation: Operation, seen: set[str]) -> None:
    if operation.name in seen:
        return
    seen.add(operation.name)
    _add(bound, operation.owner)
    for step in graph.outgoing[operation.name]:
        if step.can_fail_softly or step.mode == "publish" or step.visits < 1:
            continue
        if step.mode == "call":
            tries, calls = _tries_after_errors(step), int(step.visits)
            _collect(graph, bound, step.target, step.endpoint, seen, tries, calls)
        else:
            _add(bound, step.target)


def _add(bound: _Bound, member: Named) -> None:
    """One element by itself: a provider's word, or its replicas."""
    if isinstance(member, External):
        declared, copies = member.availability, 1
    else:
        deployment = getattr(member, "deployment", None)
        declared = deployment.availability if deployment else None
        copies = 1 if isinstance(deployment, Managed) else _copies(member)
    if declared is None:
        bound.missing[member.name] = member
    else:
        bound.add(member.name, 1 - (1 - float(declared)) ** copies)


def _tries_after_errors(step: Interaction) -> int:
    """How often a call is tried whose answers are errors, each taken as independent."""
    found = (retry.attempts for retry in step.protection.retries if "failed" in retry.on)
    return math.prod(found)


def _copies(member: Named) -> int:
    if isinstance(member, Datastore):
        return member.copies or 1
    deployment = getattr(member, "deployment", None)
    return (deployment.fewest_replicas() if deployment else None) or 1


def _shop(
    promise: float,
    bank: float | None = 99.5,
    *,
    fallback: Fallback | None = None,
    replicas: int = 2,
    error_rate: Fraction | None = None,
    retry: Retry | None = None,
) -> System:
    up = Kubernetes(replicas=replicas, availability=99 * percent)
    pay = Call("bank", fallback=fallback, retry=retry)
    agreed = bank * percent if bank is not None else None
    objective = Slo(availability=promise * percent)
    return System(
        "shop",
        [
            External("bank", availability=agreed, error_rate=error_rate),
            Service("orders", deployment=up, endpoints=[Endpoint("place", steps=[pay])]),
        ],
        journeys=[Journey("checkout", "orders.place", slo=objective)],
    )


def _asking(times: int) -> System:
    """A journey that promises 98%, and asks a party which fails 1% of the requests."""
    place = Endpoint("place", steps=[Repeat(times, [Call("bank", retry=Absent("no"))])])
    up = Kubernetes(replicas=2, availability=99.9 * percent)
    bank = External("bank", availability=99.9 * percent, error_rate=1 * percent)
    return System(
        "shop",
        [bank, Service("orders", deployment=up, endpoints=[place])],
        journeys=[Journey("checkout", "orders.place", slo=Slo(availability=98 * percent))],
    )


@rule.bad("checkout")
def more_than_the_bank_promises() -> System:
    return _shop(99.9)


@rule.bad("checkout")
def one_replica_less() -> System:
    return _shop(99.4, replicas=1)


@rule.bad("checkout")
def the_bank_answers_with_errors() -> System:
    return _shop(98.5, error_rate=1 * percent)


@rule.bad("checkout")
def each_of_three_calls_may_fail() -> System:
    return _asking(3)


@rule.borderline()
def one_call_may_fail() -> System:
    return _asking(1)


@rule.borderline()
def errors_are_tried_again() -> System:
    return _shop(99.4, error_rate=1 * percent, retry=Retry(attempts=2))


@rule.bad("orders.place")
def the_database_is_down_too_often() -> System:
    store = MySQL("ledger", copies=1, deployment=Kubernetes(availability=99 * percent))
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


@rule.bad("checkout")
def two_parties_and_one_of_them_twice() -> System:
    steps = [Call("bank"), Call("post"), Call("bank"), Call("ads", optional=True)]
    parties = [External(name, availability=99.9 * percent) for name in ("bank", "post", "ads")]
    up = Kubernetes(replicas=3, availability=99.9 * percent)
    return System(
        "shop",
        [*parties, Service("orders", deployment=up, endpoints=[Endpoint("place", steps=steps)])],
        journeys=[Journey("checkout", "orders.place", slo=Slo(availability=99.85 * percent))],
    )


@rule.borderline()
def a_provider_answers_for_all_copies() -> System:
    store = MySQL("ledger", copies=3, deployment=Managed("RDS", availability=99.95 * percent))
    promised = Slo(availability=99.95 * percent)
    place = Endpoint("place", steps=[Read("ledger"), Publish("placed")], slo=promised)
    up = Kubernetes(replicas=9, availability=99.9 * percent)
    orders = Service("orders", deployment=up, endpoints=[place])
    return System("shop", [store, Topic("placed"), orders])


@rule.borderline("web.page", "mid.get")
def a_promise_stands_for_what_is_below_it() -> System:
    up = Kubernetes(replicas=9, availability=99 * percent)
    down = Kubernetes(replicas=1, availability=50 * percent)
    get = Endpoint("get", slo=Slo(availability=99.5 * percent), steps=[Call("deep")])
    page = Endpoint("page", slo=Slo(availability=99.9 * percent), steps=[Call("mid"), Call("odd")])
    return System(
        "shop",
        [
            Service("web", deployment=up, endpoints=[page]),
            Service("mid", deployment=up, endpoints=[get]),
            Service("odd", deployment=up, endpoints=[Endpoint("get")]),
            Service("deep", deployment=down, endpoints=[Endpoint("get")]),
        ],
    )


@rule.borderline()
def what_few_requests_need_does_not_count() -> System:
    up = Kubernetes(replicas=9, availability=99.9 * percent)
    steps = [WithProbability(50 * percent, [Call("bank")])]
    promised = Slo(availability=99.99 * percent)
    return System(
        "shop",
        [
            External("bank", availability=90 * percent),
            Service("orders", deployment=up, endpoints=[Endpoint("a", steps=steps, slo=promised)]),
        ],
    )


@rule.unknown("deployment.availability")
def nobody_says_how_often_a_replica_is_up() -> System:
    promised = Slo(availability=99 * percent)
    return System(
        "shop",
        [Service("orders", deployment=Kubernetes(), endpoints=[Endpoint("a", slo=promised)])],
    )
