"""Every service and broker has a team, and every datastore and topic a service it belongs to.

Why it matters: what nobody owns nobody patches, nobody is woken for, and nobody may change.

How to fix: declare ``owner="team-..."`` on the service or broker, and ``belongs_to="..."`` on the
datastore, topic or queue: the service whose data it holds, or that decides about its messages. The
team that answers for it (``owner``), or for its boundary, will do too.

False positives: none; an element that is about to be removed still fails at night.

Sources: kube-linter, required-label-owner; Skelton and Pais, Team Topologies, 2019.
"""

from __future__ import annotations

from collections.abc import Iterator

from archcheck import (
    Boundary,
    Broker,
    Channel,
    Datastore,
    Endpoint,
    Kafka,
    LocalCache,
    MySQL,
    Named,
    Read,
    Service,
    System,
    Topic,
)
from archcheck.findings import Result, Rule, Violation
from archcheck.graph import Graph

rule = Rule("BND007", "no-owner", severity="warning", method="attr", on_unknown="violation")


@rule.check
def check(graph: Graph) -> Iterator[Result]:
    for member in graph.system.elements:
        if graph.owner_of(member) is not None:
            continue
        match member:
            case LocalCache():
                continue  # it is in the process of whoever asks it
            case Service(owner=None) | Broker(owner=None):
                yield _unowned(member, "owning team", 'owner="team-payments"')
            case Datastore(belongs_to=None, owner=None) | Channel(belongs_to=None, owner=None):
                yield _unowned(member, "owning service", 'belongs_to="payments"')


def _unowned(member: Named, what: str, fix: str) -> Violation:
    kind = "broker" if isinstance(member, Broker) else member.kind
    return Violation(
        member,
        f"the {kind} {member.name} has no {what}",
        fix=fix,
        cause=f"there is no {what}",
    )


@rule.bad("legacy", "ledger")
def nobody_owns_them() -> System:
    return System("shop", [Service("legacy"), MySQL("ledger")])


@rule.bad("kafka", "paid")
def nobody_owns_the_messages() -> System:
    return System("shop", [Kafka("kafka"), Topic("paid", broker="kafka")])


@rule.good
def messages_have_owners() -> System:
    return System(
        "shop",
        [
            Kafka("kafka", owner="team-platform"),
            Topic("paid", broker="kafka", belongs_to="billing"),
            Topic("seen", broker="kafka", owner="team-web"),
            Service("billing", owner="team-money"),
        ],
    )


@rule.good
def a_team_owns_the_boundary() -> System:
    sales = Boundary("sales", owner="team-money")
    inside = [Service("billing", boundary="sales"), MySQL("ledger", boundary="sales")]
    return System("shop", [sales, *inside])


@rule.good
def a_team_owns_both() -> System:
    return System(
        "shop", [Service("billing", owner="team-money"), MySQL("ledger", belongs_to="billing")]
    )


@rule.borderline("ledger")
def only_the_service_has_one() -> System:
    return System("shop", [Service("billing", owner="team-money"), MySQL("ledger")])


@rule.borderline()
def a_cache_in_the_process_is_of_whoever_asks_it() -> System:
    look = Endpoint("look", steps=[Read("hot")])
    return System("shop", [LocalCache("hot"), Service("shelf", owner="red", endpoints=[look])])
