from archcheck import *
from archcheck.units import ms, percent, s

system = System(
    "r5",
    elements=[
        Service(
            "a",
            deployment=Kubernetes(replicas=1),
            endpoints=[
                Endpoint(
                    "x",
                    steps=[
                        Call(
                            "b.y",
                            timeout=1 * s,
                            breaker=CircuitBreaker(
                                failure_rate=50 * percent,
                                window=10 * s,
                                minimum_calls=100,
                                open_for=60 * s,
                            ),
                            retry=Retry(attempts=15, backoff=0 * s),
                        )
                    ],
                )
            ],
        ),
        Service("b", endpoints=[Endpoint("y", steps=[Work(Constant(1 * ms))])]),
    ],
    journeys=[Journey("j", "a.x", timeout=15 * s)],
    scenarios=[Scenario("calm", load=[Load("j", Deterministic(0.5 / s))], duration=600 * s)],
)
