"""Slow reports hold every thread of the gateway, and orders wait behind them.

A blocking gateway has 40 threads. One request in ten is for a report. When reports become thirty
times slower, each holds its thread for three seconds; ten a second need 30 threads, then all of
them. A bulkhead of ten leaves thirty for the rest.
"""

from archcheck import (
    Bulkhead,
    Call,
    CustomRuntime,
    Docker,
    Endpoint,
    Gateway,
    Journey,
    Load,
    Network,
    Poisson,
    Scenario,
    Service,
    Slow,
    System,
    Work,
)
from archcheck.units import ms, s


def backend(name: str, time: Work) -> Service:
    return Service(
        name,
        runtime=CustomRuntime(concurrency="lightweight", parallelism=400),
        deployment=Docker(replicas=1),
        endpoints=[Endpoint("run", steps=[time])],
    )


def front(name: str, bulkhead: Bulkhead | None) -> System:
    return System(
        name,
        [
            Gateway(
                "edge",
                runtime=CustomRuntime(concurrency="blocking", threads=40, accept_queue=200),
                deployment=Docker(replicas=1),
                endpoints=[
                    Endpoint("order", steps=[Call("orders.run")]),
                    Endpoint("report", steps=[Call("reports.run", bulkhead=bulkhead)]),
                ],
            ),
            backend("orders", Work(20 * ms)),
            backend("reports", Work(100 * ms)),
        ],
        journeys=[Journey("order", "edge.order"), Journey("report", "edge.report")],
        scenarios=[
            Scenario(
                "reports are slow",
                load=[Load("order", Poisson(180 / s)), Load("report", Poisson(20 / s))],
                faults=[Slow("reports", factor=30, start=20 * s, end=50 * s)],
                duration=90 * s,
            )
        ],
        network=Network(delay=0.5 * ms),
    )


happens = front("without a bulkhead", None)
fixed = front("with a bulkhead of ten", Bulkhead(10))
