"""Requests that fail together are retried together, unless jitter spreads them.

The stock service is down for three seconds; all calls fail and are tried again exactly three
seconds later, on top of the calls that come anyway. For that moment it is more than the service can
take: calls time out, their retries are the next wave, and so on. With jitter the same number of
retries is spread over time, and the service catches up.
"""

from archcheck import (
    Absent,
    Call,
    Constant,
    CustomRuntime,
    Deterministic,
    Docker,
    Endpoint,
    Journey,
    Kill,
    Load,
    Network,
    Retry,
    Scenario,
    Service,
    System,
    Work,
)
from archcheck.units import ms, s


def shop(name: str, *, jitter: bool) -> System:
    backoff = 6 * s if jitter else 3 * s  # three seconds on average
    retry = Retry(attempts=9, backoff=backoff, factor=1, jitter=jitter, on=["timeout", "failed"])
    call = Call("stock.reserve", timeout=500 * ms, retry=retry, propagates_deadline=True)
    return System(
        name,
        [
            Service(
                "orders",
                runtime=CustomRuntime(concurrency="lightweight", parallelism=8),
                deployment=Docker(replicas=2),
                endpoints=[Endpoint("place", steps=[call])],
            ),
            Service(
                "stock",
                runtime=CustomRuntime(
                    concurrency="blocking", threads=12, accept_queue=Absent("unbounded")
                ),
                deployment=Docker(replicas=1),
                endpoints=[Endpoint("reserve", steps=[Work(Constant(40 * ms))])],
            ),
        ],
        journeys=[Journey("order", "orders.place")],
        scenarios=[
            Scenario(
                "down for three seconds",
                load=[Load("order", Deterministic(200 / s))],
                faults=[Kill("stock", start=10 * s, end=13 * s)],
                duration=60 * s,
            )
        ],
        network=Network(delay=0.5 * ms),
    )


happens = shop("a fixed backoff of 3 s", jitter=False)
fixed = shop("a backoff with jitter", jitter=True)
