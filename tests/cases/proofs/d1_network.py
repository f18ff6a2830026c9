from archcheck import *
from archcheck.units import ms, s

system = System(
    "d1",
    elements=[
        Service(
            "a",
            endpoints=[
                Endpoint(
                    "x",
                    steps=[
                        Work(Constant(1 * ms)),
                        Call("b.y", timeout=100 * ms, retry=Absent("declared")),
                    ],
                )
            ],
        ),
        Service("b", endpoints=[Endpoint("y", steps=[Work(Constant(10 * ms))])]),
    ],
    journeys=[Journey("j", "a.x", timeout=150 * ms)],
    scenarios=[Scenario("calm", load=[Load("j", Deterministic(5 / s))], duration=20 * s)],
    network=Network(delay=80 * ms),
)
