"""The connection pools of all replicas fit the connections that a datastore accepts.

Why it matters: the limit is met when an autoscaler or a rollout adds replicas, that is, under
load; from then on new replicas cannot connect and fail their checks.

How to fix: smaller pools (``Pool("ledger", 10)``), a higher ``max_connections``, a lower
autoscaler ``max``, or a pooler in between.

Each user counts with the most replicas that its autoscaler or its rollout (Kubernetes adds 25%
unless told otherwise) may reach, times the size of its pool. Replica counts do not limit each
other, so the sum of the largest values is reached by some state: the answer is exact for every
state of the autoscalers.

False positives: pools that are declared larger than they ever become.

Sources: MySQL, max_connections (151); PostgreSQL, max_connections (100); HikariCP, About Pool
Sizing; Kubernetes, Deployment strategy maxSurge.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator

from archcheck import (
    Autoscale,
    BlueGreen,
    Canary,
    Client,
    Datastore,
    Endpoint,
    Kubernetes,
    LocalCache,
    MySQL,
    Pool,
    Read,
    Recreate,
    RollingUpdate,
    Rollout,
    Service,
    System,
    effective,
)
from archcheck.findings import Result, Rule, Undecided, Violation
from archcheck.graph import Graph
from archcheck.graph.pools import pool_of
from archcheck.units import percent, s

rule = Rule("DAT005", "connection-exhaustion", severity="error", method="proof")


@rule.check
def check(graph: Graph) -> Iterator[Result]:
    by_clients = defaultdict[str, list[str]](list)
    for source, target in graph.connections:
        by_clients[target].append(source)
    for store in graph.system.datastores:
        if isinstance(store, LocalCache):
            continue  # nobody connects to what is in the process
        steps = graph.reaching.get(store.name, ())
        users = {s.source.name: s.source for s in steps if isinstance(s.source, Service)}
        for name in by_clients[store.name]:
            if isinstance(service := graph.system.find(name), Service):
                users.setdefault(name, service)
        if users:
            yield from _judge(store, list(users.values()))


def _judge(store: Datastore, users: list[Service]) -> Iterator[Result]:
    accepted = effective(store, "max_connections")
    if not accepted.is_known:
        yield Undecided(store, "max_connections")
        return
    limit = accepted.value - (effective(store, "reserved_connections").value or 0)
    terms, total, unknown = [], 0, False
    for service in users:
        deployment = service.deployment
        replicas = deployment.most_at_once() if deployment else None
        found = pool_of(service, store)
        if replicas is None or found is None:
            unknown = True
            missing = "deployment.replicas" if replicas is None else "pools"
            yield Undecided(
                service, missing, f"holds while all pools for {store.name} fit {limit} connections"
            )
            continue
        pool = found[0]
        total += replicas * pool
        terms.append(f"{service.name}: {replicas} replicas x {pool} = {replicas * pool}")
    if total > limit:
        yield Violation(
            store,
            f"{'at least ' if unknown else ''}{total} connections can be opened to {store.name}, "
            f"which accepts {limit}" + (f" ({accepted.source})" if accepted.source else ""),
            fix=f"max_connections={total + accepted.value - limit}, or smaller pools",
            evidence=tuple(terms),
        )


def _billing(pool: Pool | None, most: int = 12) -> System:
    return System(
        "shop",
        [
            MySQL("ledger", max_connections=200),
            Service(
                "billing",
                deployment=Kubernetes(autoscale=Autoscale(min=2, max=most)),
                pools=[pool] if pool else [],
                endpoints=[Endpoint("due", steps=[Read("ledger")])],
            ),
        ],
    )


@rule.bad("ledger")
def the_rollout_at_full_scale_does_not_fit() -> System:
    return _billing(Pool("ledger", 15))  # 12 x 15 = 180 fits; 15 x 15 = 225 does not


@rule.bad("ledger")
def both_versions_of_a_blue_green_rollout_are_connected() -> System:
    return _rolled(BlueGreen())


@rule.bad("ledger")
def the_old_version_stays_whole_beside_a_canary() -> System:
    return _rolled(Canary(steps=[50 * percent, 100 * percent]))


@rule.borderline()
def nothing_is_there_twice_when_all_are_stopped_first() -> System:
    return _rolled(Recreate())


def _rolled(rollout: Rollout) -> System:
    return System(
        "shop",
        [
            MySQL("ledger", max_connections=120),
            Service(
                "billing",
                deployment=Kubernetes(replicas=5, rollout=rollout),
                pools=[Pool("ledger", 20)],
                endpoints=[Endpoint("due", steps=[Read("ledger")])],
            ),
        ],
    )


@rule.good
def it_fits_in_every_state() -> System:
    return _billing(Pool("ledger", 13))


@rule.unknown("pools")
def the_pool_is_not_declared() -> System:
    return _billing(None)


@rule.borderline()
def exactly_as_many_as_it_accepts() -> System:
    return _fixed(1)


@rule.borderline("ledger")
def one_connection_too_many() -> System:
    return _fixed(2)


def _fixed(reserved: int) -> System:
    """Two replicas, and one more while a rollout lasts: 300 connections."""
    return System(
        "shop",
        [
            MySQL("ledger", max_connections=301, reserved_connections=reserved),
            Service(
                "billing",
                deployment=Kubernetes(replicas=2, rollout=RollingUpdate(max_surge=1)),
                pools=[Pool("ledger", 50, processes=2)],
                endpoints=[Endpoint("due", steps=[Read("ledger")])],
            ),
        ],
    )


@rule.borderline()
def nobody_connects_to_a_cache_in_the_process() -> System:
    due = Endpoint("due", steps=[Read("rates")])
    return System("shop", [LocalCache("rates"), Service("billing", endpoints=[due])])


@rule.bad("ledger")
def a_client_without_a_step_has_a_pool() -> System:
    client = Client("ledger", timeout=1 * s)
    up = Kubernetes(replicas=16)
    pools = [Pool("ledger", 20)]
    billing = Service("billing", deployment=up, pools=pools, clients=[client])
    return System("shop", [MySQL("ledger", max_connections=200), billing])
