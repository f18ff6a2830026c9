"""Connection pools are not larger than the threads that use them.

Why it matters: a connection that no thread can use costs memory in the database and takes the
place of another replica's; and a database works best with few connections that are busy.

Each request of a blocking service uses at most one connection to a target at a time, more only
where it runs queries in parallel. Pools that are too small for the load are rule PRF004's.

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

rule = Rule("TEC004", "pool-mismatch", severity="warning", method="calc")


@rule.check
def check(graph: Graph) -> Iterator[Result]:
    pooled = [(service, pool) for service in graph.system.services for pool in service.pools]
    if not pooled:
        yield NotApplicable("no service declares a connection pool")
    for service, pool in pooled:
        model = effective(service.runtime, "concurrency")
        if not model.is_known:
            yield Undecided(service, "runtime")
            continue
        if model.value != "blocking":
            continue
        threads = effective(service.runtime, "threads")
        if not threads.is_known:
            yield Undecided(service, "runtime.threads", f"holds with at least {pool.size}")
            continue
        consumers = sum(part.concurrency or 1 for part in service.consumers)
        most = (threads.value + consumers) * _at_once(graph, service, str(pool.target))
        if pool.size > most:
            yield Violation(
                service,
                f"{service.name} keeps {pool.size} connections to {pool.target} in each replica, "
                f"and its {threads.value} threads use at most {most}",
                fix=f'Pool("{pool.target}", {most})',
            )


def _at_once(graph: Graph, service: Service, target: str) -> int:
    """Queries that one request has in flight at the same time, at most."""
    counts: dict[str, int] = {}
    for step in graph.made_by.get(service.name, ()):
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


@rule.bad("orders")
def more_connections_than_threads() -> System:
    return _pooled(21, SpringBoot(threads=20))


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
