from archcheck import *
from archcheck.units import ms, s

system = System(
    "r2",
    elements=[
        Service(
            "a",
            endpoints=[
                Endpoint(
                    "x", steps=[Call("b.y", timeout=1 * s, retry=Retry(attempts=5, backoff=0 * s))]
                )
            ],
        ),
        Service(
            "b",
            endpoints=[
                Endpoint(
                    "y",
                    steps=[
                        Call(
                            "c.y",
                            timeout=1 * s,
                            retry=Absent("no"),
                            fallback=Fallback("call", target="d.y"),
                        )
                    ],
                )
            ],
        ),
        Service("c", endpoints=[Endpoint("y", steps=[Work(Constant(1 * ms))])]),
        Service(
            "d",
            endpoints=[
                Endpoint(
                    "y", steps=[Call("e.y", timeout=1 * s, retry=Retry(attempts=5, backoff=0 * s))]
                )
            ],
        ),
        Service("e", endpoints=[Endpoint("y", steps=[Work(Constant(1 * ms))])]),
    ],
    journeys=[Journey("j", "a.x", timeout=15 * s)],
    scenarios=[Scenario("calm", load=[Load("j", Deterministic(1 / s))], duration=200 * s)],
)
