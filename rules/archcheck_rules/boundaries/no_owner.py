"""Every service has an owning team, and every datastore a service that it belongs to.

Why it matters: what nobody owns nobody patches, nobody is woken for, and nobody may change.

How to fix: declare ``owner="team-..."`` on the service, and ``belongs_to="..."`` on the datastore:
the service whose data it holds.

False positives: none; an element that is about to be removed still fails at night.

Sources: kube-linter, required-label-owner; Skelton and Pais, Team Topologies, 2019.
"""

from __future__ import annotations

from collections.abc import Iterator

from archcheck import Datastore, MySQL, Service, System
from archcheck.findings import Result, Rule, Violation
from archcheck.graph import Graph

rule = Rule("BND007", "no-owner", severity="warning", method="attr", on_unknown="violation")


@rule.check
def check(graph: Graph) -> Iterator[Result]:
    for service in graph.system.services:
        if service.owner is None:
            yield _unowned(service, "owning team", 'owner="team-payments"')
    for store in graph.system.datastores:
        if store.belongs_to is None and store.owner is None:
            yield _unowned(store, "owning service", 'belongs_to="payments"')


def _unowned(member: Service | Datastore, what: str, fix: str) -> Violation:
    return Violation(
        member,
        f"the {member.kind} {member.name} has no {what}",
        fix=fix,
        cause=f"there is no {what}",
    )


@rule.bad("legacy", "ledger")
def nobody_owns_them() -> System:
    return System("shop", [Service("legacy"), MySQL("ledger")])


@rule.good
def a_team_owns_both() -> System:
    return System(
        "shop", [Service("billing", owner="team-money"), MySQL("ledger", belongs_to="billing")]
    )


@rule.borderline("ledger")
def only_the_service_has_one() -> System:
    return System("shop", [Service("billing", owner="team-money"), MySQL("ledger")])
