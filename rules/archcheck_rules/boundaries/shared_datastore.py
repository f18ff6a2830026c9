"""A datastore is used by services of one boundary only: its own, where it says which.

Why it matters: services that share tables are coupled through every column; a schema change
needs a joint release, and one service's load is everybody's latency.

How to fix: give the data one owner; the others ask its API or keep a projection that is fed by
its events.

A datastore is at home in its ``boundary``, else in that of the service it ``belongs_to``. One that
names neither is at home where it is used. A cache in the process is nobody else's: each service has
one of its own.

False positives: infrastructure that reads everything (backup, change capture); model it as an
external without a boundary of its own.

Sources: Taibi and Lenarduzzi, 2018 (shared persistency); Neri, Soldani, Zimmermann and Brogi,
Design principles, architectural smells and refactorings for microservices, 2020.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator

from archcheck import (
    Client,
    Datastore,
    Endpoint,
    LocalCache,
    MySQL,
    Named,
    Read,
    Service,
    System,
)
from archcheck.findings import Result, Rule, Undecided, Violation
from archcheck.graph import Graph, Interaction

rule = Rule("BND003", "shared-datastore", severity="error", method="graph")


@rule.check
def check(graph: Graph) -> Iterator[Result]:
    uses: dict[str, list[Interaction]] = defaultdict(list)
    for step in graph.edges:
        if step.mode in ("read", "write", "cache") and not step.is_in_process:
            uses[step.target.name].append(step)
    connected = _connected(graph)
    for name in dict.fromkeys((*uses, *connected)):
        steps = uses[name]
        users: dict[str, Named] = {step.source.name: step.source for step in steps}
        users.update((user.name, user) for user in connected.get(name, ()))
        store = graph.system.find(name)
        home = graph.boundary_of(store)
        if len(users) == 1 and home is None:
            continue
        for user in users.values():
            if isinstance(user, Service) and user.boundary is None:
                yield Undecided(user, "boundary")
        boundaries = sorted({b for user in users.values() if (b := graph.boundary_of(user))})
        foreign = [s for s in steps if home and graph.boundary_of(s.source) not in (home, None)]
        if len(boundaries) < 2 and (home is None or boundaries in ([], [home])):
            continue
        used = f"used from {len(boundaries)} boundaries: {', '.join(boundaries)}"
        yield Violation(
            foreign[0] if foreign else store,
            f"{name} is {used}"
            if len(boundaries) > 1
            else f"{name} belongs to {home} and is used from {boundaries[0]}",
            fix=f"call the owner of {name} instead, or keep a projection fed by its events",
            evidence=tuple(foreign or steps),
        )


def _connected(graph: Graph) -> dict[str, list[Named]]:
    """Datastores that services reach by a client that no step uses, each with these services."""
    found: dict[str, list[Named]] = {}
    for source, target in graph.connections:
        store = graph.system.find(target)
        if isinstance(store, Datastore) and not isinstance(store, LocalCache):
            found.setdefault(target, []).append(graph.system.find(source))
    return found


@rule.bad("ledger")
def two_contexts_read_the_same_tables() -> System:
    return System(
        "shop",
        [
            MySQL("ledger"),
            Service(
                "orders", boundary="ordering", endpoints=[Endpoint("get", steps=[Read("ledger")])]
            ),
            Service(
                "billing", boundary="money", endpoints=[Endpoint("due", steps=[Read("ledger")])]
            ),
        ],
    )


@rule.good
def services_of_one_context() -> System:
    return System(
        "shop",
        [
            MySQL("ledger"),
            Service(
                "billing", boundary="money", endpoints=[Endpoint("due", steps=[Read("ledger")])]
            ),
            Service(
                "refunds", boundary="money", endpoints=[Endpoint("get", steps=[Read("ledger")])]
            ),
        ],
    )


@rule.unknown("boundary")
def a_user_without_boundary() -> System:
    return System(
        "shop",
        [
            MySQL("ledger"),
            Service(
                "billing", boundary="money", endpoints=[Endpoint("due", steps=[Read("ledger")])]
            ),
            Service("reports", endpoints=[Endpoint("all", steps=[Read("ledger")])]),
        ],
    )


@rule.borderline()
def one_service_reads_it_twice() -> System:
    return System(
        "shop",
        [
            MySQL("ledger"),
            Service("billing", endpoints=[Endpoint("due", steps=[Read("ledger"), Read("ledger")])]),
        ],
    )


@rule.bad("reports.all -> ledger")
def its_only_user_is_in_another_boundary() -> System:
    return System(
        "shop",
        [
            MySQL("ledger", boundary="money"),
            Service(
                "reports", boundary="office", endpoints=[Endpoint("all", steps=[Read("ledger")])]
            ),
        ],
    )


@rule.borderline("reports.all -> ledger")
def the_owner_shares_it() -> System:
    return System(
        "shop",
        [
            MySQL("ledger", belongs_to="billing"),
            Service(
                "billing", boundary="money", endpoints=[Endpoint("due", steps=[Read("ledger")])]
            ),
            Service(
                "reports", boundary="office", endpoints=[Endpoint("all", steps=[Read("ledger")])]
            ),
        ],
    )


@rule.borderline()
def each_has_a_cache_in_its_process() -> System:
    return _used(LocalCache("ledger"), Endpoint("all", steps=[Read("ledger")]))


@rule.borderline("ledger")
def a_client_tells_of_the_second_user() -> System:
    return _used(MySQL("ledger"), None)


def _used(store: Datastore, endpoint: Endpoint | None) -> System:
    """Used from two boundaries, by a step or by a client alone."""
    due = Endpoint("due", steps=[Read("ledger")])
    client = [] if endpoint else [Client("ledger")]
    return System(
        "shop",
        [
            store,
            Service("billing", boundary="money", endpoints=[due]),
            Service(
                "reports",
                boundary="office",
                endpoints=[endpoint] if endpoint else [],
                clients=client,
            ),
        ],
    )
