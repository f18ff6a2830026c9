"""What must be true of rules on every system: a mend never makes things worse."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable

from depth import examples
from hypothesis import given
from strategies import systems

from archcheck import Cached, Client, Element, Kubernetes, Load, MySQL, Retry, Service, System
from archcheck.findings import evaluate
from archcheck.graph import Graph
from archcheck.model import Docker
from archcheck.model.scenarios import Closed, Poisson
from archcheck.model.steps import RemoteStep
from archcheck.plugins import rules
from archcheck.units import Duration, Rate

RULES = {rule.id: rule for rule in rules()}


def changed(part: Element, change: Callable[[Element], Element]) -> Element:
    """``part`` with ``change`` applied to everything inside it, innermost first."""
    updates = {}
    for field in dataclasses.fields(part):  # type: ignore[arg-type]
        value = getattr(part, field.name)
        if isinstance(value, Element):
            updates[field.name] = changed(value, change)
        elif isinstance(value, tuple):
            updates[field.name] = tuple(
                changed(item, change) if isinstance(item, Element) else item for item in value
            )
    return change(dataclasses.replace(part, **updates))  # type: ignore[type-var]


def subjects(identity: str, system: System) -> set[str]:
    outcome = evaluate(RULES[identity], Graph(system))
    assert not outcome.broken
    return {place.subject for finding in outcome.findings for place in finding.occurrences}


def mended(system: System, change: Callable[[Element], Element]) -> System:
    result = changed(system, change)
    assert isinstance(result, System)
    return result


def with_timeouts(part: Element) -> Element:
    if isinstance(part, RemoteStep | Cached):
        return dataclasses.replace(part, timeout=Duration(0.05))  # type: ignore[type-var]
    if isinstance(part, Service):  # what a fallback asks has the timeout of its client
        return dataclasses.replace(part, clients=[Client("cache", timeout=Duration(0.05))])
    return part


def with_jitter(part: Element) -> Element:
    if isinstance(part, Retry):
        return dataclasses.replace(part, jitter=True, backoff=Duration(0.01))
    return part


def with_replicas(part: Element) -> Element:
    if isinstance(part, Kubernetes | Docker):
        return dataclasses.replace(part, replicas=(part.replicas or 1) + 1)
    return part


def with_connections(part: Element) -> Element:
    if isinstance(part, MySQL):
        return dataclasses.replace(part, max_connections=(part.max_connections or 151) * 2)
    return part


def with_owners(part: Element) -> Element:
    return dataclasses.replace(part, owner="team") if isinstance(part, Service) else part


def with_half_the_load(part: Element) -> Element:
    if isinstance(part, Poisson):
        return Poisson(Rate(float(part.rate) / 2))
    if isinstance(part, Closed):
        return dataclasses.replace(part, users=max(1, part.users // 2))
    return part


def without_load(part: Element) -> Element:
    return dataclasses.replace(part, weight=1e-9) if isinstance(part, Load) else part


MENDS: dict[str, Callable[[Element], Element]] = {
    "RES001": with_timeouts,
    "RES005": with_jitter,
    "RES006": with_jitter,
    "RES012": with_replicas,
    "DAT005": with_connections,
    "BND007": with_owners,
    "TEC002": with_half_the_load,
    "DAT002": with_half_the_load,
    "PRF004": with_half_the_load,
    "PRF008": with_half_the_load,
    "PRF010": with_half_the_load,
}


OVERLOADS = ("TEC002", "DAT002", "PRF004", "PRF008", "PRF010", "RES024")


@examples()
@given(systems())
def test_what_is_true_of_every_system(system: System) -> None:
    """Drawing a system takes longer than judging it: each is drawn once for all of it."""
    a_mend_never_adds_a_finding(system)
    the_mend_of_everything_leaves_nothing(system)
    nothing_is_overloaded_without_a_load(system)
    a_service_that_calls_nobody_adds_no_cycle(system)


def a_mend_never_adds_a_finding(system: System) -> None:
    for identity, mend in MENDS.items():
        before, after = subjects(identity, system), subjects(identity, mended(system, mend))
        fewer = identity == "PRF010" and len(after) <= len(before)
        assert after <= before or fewer, identity


def the_mend_of_everything_leaves_nothing(system: System) -> None:
    for identity in ("RES001", "RES006"):
        assert not subjects(identity, mended(system, MENDS[identity])), identity


def nothing_is_overloaded_without_a_load(system: System) -> None:
    idle = mended(system, without_load)
    for identity in OVERLOADS:
        assert not subjects(identity, idle), identity


def a_service_that_calls_nobody_adds_no_cycle(system: System) -> None:
    more = System("more", [*system.elements, Service("lonely")], journeys=system.journeys)
    for identity in ("BND001", "BND002", "BND003", "BND011"):
        assert subjects(identity, more) == subjects(identity, system)
