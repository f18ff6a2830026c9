"""Connection pools are not larger than the threads that use them.

Why it matters: a connection that no thread can use costs memory in the database and takes the
place of another replica's; and a database works best with few connections that are busy.

Each request of a blocking service uses at most one connection to a target at a time, more only
where it runs queries in parallel. Pools that are too small for the load are rule PRF004's.
Each process of a replica has a pool of its own; where nobody declares one, the documented pool of
the framework counts.

How to fix: ``Pool("ledger", size)`` with at most the threads of the runtime.

False positives: threads outside the request pool (schedulers, consumers) that use the same pool;
their consumers are counted.

Sources: HikariCP, About Pool Sizing; PostgreSQL wiki, Number Of Database Connections.
"""

from __future__ import annotations

from collections.abc import Iterator

from archcheck import (
    Consumer,
    Endpoint,
    GoKit,
    MySQL,
    Named,
    Parallel,
    Pool,
    PythonGrpc,
    Read,
    Runtime,
    Service,
    SpringBoot,
    System,
    Topic,
    effective,
)
from archcheck.findings import NotApplicable, Result, Rule, Undecided, Violation
from archcheck.graph import Graph
from archcheck.graph.pools import pool_of

rule = Rule("TEC004", "pool-mismatch", severity="warning", method="calc")


@rule.check
def check(graph: Graph) -> Iterator[Result]:
    pooled = [
        (service, target, *pool)
        for service in graph.system.services
        for target in _pooled_by(graph, service)
        if (pool := pool_of(service, target)) is not None
    ]
    if not pooled:
        yield NotApplicable("no service declares a connection pool, and no framework brings one")
    for service, target, size, source in pooled:
        model = effective(service.runtime, "concurrency")
        if not model.is_known:
            yield Undecided(service, "runtime")
            continue
        if model.value != "blocking":
            continue
        threads = effective(service.runtime, "threads")
        if not threads.is_known:
            yield Undecided(service, "runtime.threads", f"holds with at least {size}")
            continue
        consumers = sum(part.concurrency or 1 for part in service.consumers)
        most = (threads.value + consumers) * _at_once(graph, service, target.name)
        if size > most:
            documented = f" ({source})" if source else ""
            yield Violation(
                service,
                f"{service.name} keeps {size} connections to {target.name} in each replica"
                f"{documented}, and its {threads.value} threads use at most {most}",
                fix=f'Pool("{target.name}", {most}), over all processes of a replica',
            )


def _pooled_by(graph: Graph, service: Service) -> list[Named]:
    """What a service keeps connections to: what its pools name, and the stores that it asks."""
    named = [str(pool.target).partition(".")[0] for pool in service.pools]
    asked = [step.target.name for step in graph.asked_by.get(service.name, ())]
    return [graph.system.find(name) for name in dict.fromkeys((*named, *asked))]


def _at_once(graph: Graph, service: Service, target: str) -> int:
    """Queries that one request has in flight at the same time, at most."""
    counts: dict[str, int] = {}
    for step in graph.asked_by.get(service.name, ()):
        if step.target.name == target and step.in_parallel:
            counts[step.operation.name] = counts.get(step.operation.name, 0) + 1
    return max(counts.values(), default=1)


def _pooled(
    size: int, runtime: Runtime | None, *, parallel: bool = False, consumers: int = 0
) -> System:
    queries = [Read("ledger"), Read("ledger")]
    steps = [Parallel(queries)] if parallel else queries
    listeners = [
        Consumer("placed", name=f"c{n}", concurrency=2 if n else None) for n in range(consumers)
    ]
    return System(
        "shop",
        [
            MySQL("ledger"),
            Topic("placed"),
            Service(
                "orders",
                runtime=runtime,
                pools=[Pool("ledger", size)],
                endpoints=[Endpoint("get", steps=steps)],
                consumers=listeners,
            ),
        ],
    )


def _keeping(runtime: Runtime, *pools: Pool) -> System:
    get = Endpoint("get", steps=[Read("ledger")])
    orders = Service("orders", runtime=runtime, pools=pools, endpoints=[get])
    return System("shop", [MySQL("ledger"), orders])


@rule.bad("orders")
def more_connections_than_threads() -> System:
    return _pooled(21, SpringBoot(threads=20))


@rule.bad("orders")
def each_process_has_a_pool() -> System:
    return _keeping(SpringBoot(threads=20), Pool("ledger", 10, processes=4))


@rule.bad("orders")
def the_frameworks_pool_is_larger_than_its_threads() -> System:
    return _keeping(SpringBoot(threads=5))


@rule.borderline()
def one_for_each_thread() -> System:
    return _pooled(20, SpringBoot(threads=20))


@rule.borderline()
def consumers_need_some_too() -> System:
    return _pooled(23, SpringBoot(threads=20), consumers=2)


@rule.borderline("orders")
def but_not_that_many() -> System:
    return _pooled(24, SpringBoot(threads=20), consumers=2)


@rule.good
def two_queries_at_once() -> System:
    return _pooled(40, SpringBoot(threads=20), parallel=True)


@rule.good
def goroutines_are_many() -> System:
    return _pooled(100, GoKit())


@rule.unknown("runtime")
def no_runtime() -> System:
    return _pooled(20, None)


@rule.unknown("runtime.threads")
def a_thread_pool_of_unknown_size() -> System:
    return _pooled(20, PythonGrpc())
