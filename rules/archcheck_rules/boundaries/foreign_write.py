"""Only the service that owns a datastore writes to it.

Why it matters: invariants live in the owner's code; whoever writes past it breaks them, and
nobody can tell which service left a row behind.

How to fix: call an endpoint of the owner, or send it an event.

False positives: migrations and imports that run once; leave them out of the model or declare
them as endpoints of the owner.

Sources: Neri, Soldani, Zimmermann and Brogi, 2020 (shared persistency); Newman, Building
Microservices, 2nd ed., 2021, chapter 4.
"""

from __future__ import annotations

from collections.abc import Iterator

from archcheck import Endpoint, MySQL, Named, Service, System, Team, Write
from archcheck.findings import Result, Rule, Undecided, Violation
from archcheck.graph import Graph

rule = Rule("BND004", "foreign-write", severity="error", method="attr")


@rule.check
def check(graph: Graph) -> Iterator[Result]:
    unowned = set()
    for step in graph.edges:
        if step.mode != "write":
            continue
        owner = _owner(step.target)
        if owner is None:
            if step.target.name not in unowned:
                unowned.add(step.target.name)
                yield Undecided(step.target, "belongs_to")
        elif owner not in (step.source.name, getattr(step.source, "owner", None)):
            yield Violation(
                step,
                f"{step.source.name} writes {step.target.name}, which {owner} owns",
                fix=f"call an endpoint of {owner} instead of writing its data",
                evidence=(step,),
            )


def _owner(store: Named) -> str | None:
    """The service whose data a datastore holds; where nobody says it, the team."""
    return getattr(store, "belongs_to", None) or getattr(store, "owner", None)


@rule.bad("orders.place -> ledger")
def a_stranger_writes() -> System:
    return System(
        "shop",
        [
            MySQL("ledger", belongs_to="billing"),
            Service("billing", endpoints=[Endpoint("charge", steps=[Write("ledger")])]),
            Service("orders", endpoints=[Endpoint("place", steps=[Write("ledger")])]),
        ],
    )


@rule.good
def the_owner_writes() -> System:
    return System(
        "shop",
        [
            MySQL("ledger", belongs_to="billing"),
            Service("billing", endpoints=[Endpoint("charge", steps=[Write("ledger")])]),
        ],
    )


@rule.unknown("belongs_to")
def nobody_is_known_to_own_it() -> System:
    return System(
        "shop",
        [
            MySQL("ledger"),
            Service("billing", endpoints=[Endpoint("charge", steps=[Write("ledger")])]),
        ],
    )


@rule.borderline()
def a_team_owns_writer_and_datastore() -> System:
    return System(
        "shop",
        [
            Team("money"),
            MySQL("ledger", owner="money"),
            Service(
                "billing", owner="money", endpoints=[Endpoint("charge", steps=[Write("ledger")])]
            ),
        ],
    )


@rule.borderline("billing.charge -> ledger")
def another_team_owns_the_datastore() -> System:
    return System(
        "shop",
        [
            Team("money"),
            Team("web"),
            MySQL("ledger", owner="money"),
            Service(
                "billing", owner="web", endpoints=[Endpoint("charge", steps=[Write("ledger")])]
            ),
        ],
    )
