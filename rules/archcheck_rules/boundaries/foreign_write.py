"""Only the service that owns a datastore writes to it, and only the owner of a topic publishes.

Why it matters: invariants live in the owner's code; whoever writes past it breaks them, and
nobody can tell which service left a row behind. The same is true of the events of a topic.

A service and its workers are one owner: whoever has the same team and the same boundary as the
owner may write. A topic or queue that its owner consumes is its inbox: everybody may publish to it.
Who owns a topic or queue is rule BND007's question.

How to fix: call an endpoint of the owner, or send it an event; publish to a topic of your own.

False positives: migrations and imports that run once; leave them out of the model or declare
them as endpoints of the owner.

Sources: Neri, Soldani, Zimmermann and Brogi, 2020 (shared persistency); Newman, Building
Microservices, 2nd ed., 2021, chapter 4.
"""

from __future__ import annotations

from collections.abc import Iterator

from archcheck import (
    Channel,
    Consumer,
    Endpoint,
    External,
    MySQL,
    Named,
    Publish,
    Service,
    System,
    Team,
    Topic,
    Write,
)
from archcheck.findings import Result, Rule, Undecided, Violation
from archcheck.graph import Graph

rule = Rule("BND004", "foreign-write", severity="error", method="attr")


@rule.check
def check(graph: Graph) -> Iterator[Result]:
    unowned = set()
    for step in graph.edges:
        if step.mode not in ("write", "publish") or step.is_in_process:
            continue
        owner = _owner(step.target)
        is_channel = isinstance(step.target, Channel)
        if owner is None:
            if not is_channel and step.target.name not in unowned:
                unowned.add(step.target.name)
                yield Undecided(step.target, "belongs_to")
        elif _is_owner(graph, step.source, owner) or _is_inbox(graph, step.target, owner):
            continue
        elif unsaid := _may_be_one(graph, step.source, owner):
            yield Undecided(unsaid, "boundary", f"holds if it is that of {owner}")
        else:
            done = "publishes to" if is_channel else "writes"
            yield Violation(
                step,
                f"{step.source.name} {done} {step.target.name}, which {owner} owns",
                fix=f"publish to a topic of {step.source.name}, or call an endpoint of {owner}"
                if is_channel
                else f"call an endpoint of {owner} instead of writing its data",
                evidence=(step,),
            )


def _owner(member: Named) -> str | None:
    """The service that decides about a datastore or topic; where nobody says it, the team."""
    return getattr(member, "belongs_to", None) or getattr(member, "owner", None)


def _is_owner(graph: Graph, member: Service | External, owner: str) -> bool:
    """Whether it is the owner, of the owning team, or a part of the owning service."""
    team = graph.owner_of(member)
    if owner in (member.name, team):
        return True
    whole = graph.system.directory.elements.get(owner)
    return (
        isinstance(whole, Service)
        and team is not None
        and graph.owner_of(whole) == team
        and graph.boundary_of(member) is not None
        and graph.boundary_of(member) == getattr(whole, "boundary", None)
    )


def _may_be_one(graph: Graph, member: Service | External, owner: str) -> Named | None:
    """Who does not say its boundary, of a service and the owning one that are of the same team."""
    whole = graph.system.directory.elements.get(owner)
    team = graph.owner_of(member)
    if not isinstance(whole, Service) or team is None or graph.owner_of(whole) != team:
        return None
    return next((each for each in (member, whole) if graph.boundary_of(each) is None), None)


def _is_inbox(graph: Graph, channel: Named, owner: str) -> bool:
    """Whether the owner of a channel is who consumes it."""
    readers = (graph.operations[name].owner for name in graph.consumers.get(channel.name, ()))
    return any(_is_owner(graph, reader, owner) for reader in readers)


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


def _workers(boundary: str) -> System:
    """A worker of the same team writes what the service of that team owns."""
    work = Endpoint("run", steps=[Write("ledger")])
    return System(
        "shop",
        [
            MySQL("ledger", belongs_to="billing"),
            Service("billing", owner="money", boundary="payment"),
            Service("worker", owner="money", boundary=boundary, endpoints=[work]),
        ],
    )


@rule.good
def a_worker_of_the_owner() -> System:
    return _workers("payment")


@rule.borderline("worker.run -> ledger")
def a_worker_of_another_boundary() -> System:
    return _workers("reports")


def _event(*readers: Consumer) -> System:
    place = Endpoint("place", steps=[Publish("paid")])
    return System(
        "shop",
        [
            Topic("paid", belongs_to="billing"),
            Service("billing", consumers=readers),
            Service("orders", endpoints=[place]),
        ],
    )


@rule.bad("orders.place -> paid")
def a_stranger_publishes() -> System:
    return _event()


@rule.borderline()
def the_owner_takes_orders_from_all() -> System:
    return _event(Consumer("paid"))


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
