"""A retry storm that goes on after its trigger is gone, and the retry budget that prevents it.

Payments can serve 400 requests a second and gets 280. For ten seconds it is five times slower;
calls time out and are tried again, up to four times. The load is now up to four times 280, more
than payments can serve, so calls go on timing out. A callee does not know that its caller has given
up, so it goes on working for nobody.
"""

from archcheck import (
    Absent,
    Call,
    CustomRuntime,
    Docker,
    Endpoint,
    Journey,
    Load,
    Network,
    Poisson,
    Retry,
    RetryBudget,
    Scenario,
    Service,
    Slow,
    System,
    Work,
)
from archcheck.units import ms, percent, s


def shop(name: str, budget: RetryBudget | None) -> System:
    retry = Retry(attempts=4, backoff=50 * ms, jitter=True, on=["timeout"], budget=budget)
    return System(
        name,
        [
            Service(
                "orders",
                runtime=CustomRuntime(concurrency="lightweight", parallelism=8),
                deployment=Docker(replicas=2),
                endpoints=[
                    Endpoint(
                        "place", steps=[Call("payments.charge", timeout=300 * ms, retry=retry)]
                    )
                ],
            ),
            Service(
                "payments",
                runtime=CustomRuntime(
                    concurrency="blocking", threads=20, accept_queue=Absent("unbounded")
                ),
                deployment=Docker(replicas=1),
                endpoints=[Endpoint("charge", steps=[Work(50 * ms)])],
            ),
        ],
        journeys=[Journey("order", "orders.place")],
        scenarios=[
            Scenario(
                "slow for ten seconds",
                load=[Load("order", Poisson(280 / s))],
                faults=[Slow("payments", factor=5, start=20 * s, end=30 * s)],
                duration=120 * s,
            )
        ],
        network=Network(delay=0.5 * ms),
    )


happens = shop("retries without a budget", None)
fixed = shop("retries within a budget of 10%", RetryBudget(10 * percent))
