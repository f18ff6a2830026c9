"""Elements do not wait for each other to start.

Why it matters: after a full outage nothing in the cycle can come up, because each waits for
another; it shows on the worst day only.

How to fix: let one of them start without the other and answer *not ready* until it is there;
remove it from ``start_after``.

False positives: an orchestrator that ignores the order; then it should not be declared.

Sources: Google, Site Reliability Engineering, 2016, chapter 22 (cold start, dependency cycles);
Docker Compose, depends_on, which refuses cycles.
"""

from __future__ import annotations

from collections.abc import Iterator

from archcheck import Kubernetes, Probe, Service, System
from archcheck.findings import Result, Rule, Violation
from archcheck.graph import Graph
from archcheck.graph.cycles import shortest_cycles

rule = Rule("RES023", "startup-cycle", severity="error", method="graph", on_unknown="never")


@rule.check
def check(graph: Graph) -> Iterator[Result]:
    for cycle in shortest_cycles(graph.start_up()):
        ring = (*cycle, cycle[0])
        alone = len(cycle) == 1
        yield Violation(
            graph.system.find(ring[0]),
            f"{ring[0]} waits for itself to start"
            if alone
            else f"none of these can start before the others: {' -> '.join(ring)}",
            fix=f"take {ring[1]} out of the start_after and the checks of {ring[0]}",
            evidence=tuple(graph.system.find(name) for name in cycle),
        )


def _starting(*, config_waits: bool) -> System:
    return System(
        "shop",
        [
            Service("orders", start_after=["config"]),
            Service("config", start_after=["orders"] if config_waits else []),
        ],
    )


@rule.bad("config")
def each_waits_for_the_other() -> System:
    return _starting(config_waits=True)


@rule.bad("orders")
def a_service_waits_for_itself() -> System:
    return System("shop", [Service("orders", start_after=["orders"])])


@rule.good
def one_starts_first() -> System:
    return _starting(config_waits=False)


@rule.borderline()
def both_wait_for_a_third() -> System:
    return System(
        "shop",
        [
            Service("orders", start_after=["config", "stock"]),
            Service("stock", start_after=["config"]),
            Service("config"),
        ],
    )


@rule.bad("orders")
def each_is_ready_after_the_other() -> System:
    def service(name: str, other: str) -> Service:
        return Service(name, deployment=Kubernetes(readiness=Probe("http", touches=[other])))

    return System("shop", [service("orders", "stock"), service("stock", "orders")])


@rule.bad("config")
def three_in_a_ring() -> System:
    return System(
        "shop",
        [
            Service("orders", start_after=["config"]),
            Service("stock", start_after=["orders"]),
            Service("config", start_after=["stock"]),
        ],
    )
