from archcheck import *
from archcheck.units import ms, s

system = System(
    "r7",
    elements=[
        Service(
            "g",
            endpoints=[
                Endpoint(
                    "x",
                    steps=[
                        Call("a.x", timeout=200 * ms, propagates_deadline=True, retry=Absent("no"))
                    ],
                )
            ],
        ),
        Service(
            "a",
            endpoints=[
                Endpoint(
                    "x",
                    steps=[
                        Call(
                            "b.y",
                            timeout=100 * ms,
                            retry=Retry(attempts=15, backoff=0 * s, on=["timeout"]),
                        )
                    ],
                )
            ],
        ),
        Service("b", endpoints=[Endpoint("y", steps=[Work(Constant(1 * ms))])]),
    ],
    journeys=[Journey("j", "g.x", timeout=15 * s), Journey("direct", "a.x")],
    scenarios=[Scenario("calm", load=[Load("direct", Deterministic(1 / s))], duration=100 * s)],
)
