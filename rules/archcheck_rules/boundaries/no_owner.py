"""Every service and datastore has one owning team.

Why it matters: what nobody owns nobody patches, nobody is woken for, and nobody may change.

How to fix: declare ``owner="team-..."`` on the service, and the owning service on a datastore.

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
    members: list[Service | Datastore] = [*graph.system.services, *graph.system.datastores]
    for member in members:
        if member.owner is None:
            what = "owning service" if isinstance(member, Datastore) else "owning team"
            example = "payments" if isinstance(member, Datastore) else "team-payments"
            yield Violation(
                member,
                f"the {member.kind} {member.name} has no {what}",
                fix=f'owner="{example}"',
                cause=f"there is no {what}",
            )


@rule.bad("legacy", "ledger")
def nobody_owns_them() -> System:
    return System("shop", [Service("legacy"), MySQL("ledger")])


@rule.good
def a_team_owns_both() -> System:
    return System(
        "shop", [Service("billing", owner="team-money"), MySQL("ledger", owner="billing")]
    )


@rule.borderline("ledger")
def only_the_service_has_one() -> System:
    return System("shop", [Service("billing", owner="team-money"), MySQL("ledger")])
