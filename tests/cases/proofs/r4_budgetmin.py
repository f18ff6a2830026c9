from archcheck import *
from archcheck.units import ms, percent, s

system = System(
    "r4",
    elements=[
        Service(
            "a",
            deployment=Kubernetes(replicas=20),
            endpoints=[
                Endpoint(
                    "x",
                    steps=[
                        Call(
                            "b.y",
                            timeout=1 * s,
                            retry=Retry(
                                attempts=30,
                                backoff=0 * s,
                                budget=RetryBudget(0 * percent, minimum=10 / s),
                            ),
                        )
                    ],
                )
            ],
        ),
        Service("b", endpoints=[Endpoint("y", steps=[Work(Constant(1 * ms))])]),
    ],
    journeys=[Journey("j", "a.x", timeout=15 * s)],
    scenarios=[Scenario("calm", load=[Load("j", Deterministic(10 / s))], duration=200 * s)],
)
