from archcheck import *
from archcheck.units import ms, s

system = System(
    "d6",
    elements=[
        Service(
            "a",
            endpoints=[
                Endpoint(
                    "x",
                    steps=[
                        Call(
                            "b.y",
                            timeout=100 * ms,
                            retry=Absent("declared"),
                            fallback=Fallback("cache", target="r"),
                        )
                    ],
                )
            ],
        ),
        Service("b", endpoints=[Endpoint("y", steps=[Work(Constant(10 * ms))])]),
        Redis("r", read=Constant(400 * ms)),
    ],
    journeys=[Journey("j", "a.x", timeout=150 * ms)],
    scenarios=[Scenario("calm", load=[Load("j", Deterministic(5 / s))], duration=20 * s)],
)
