from archcheck import *
from archcheck.units import ms, s

system = System(
    "d3",
    elements=[
        Service(
            "a",
            endpoints=[
                Endpoint("x", steps=[Call("b.y", timeout=100 * ms, retry=Retry(attempts=3))])
            ],
        ),
        Service("b", endpoints=[Endpoint("y", steps=[Work(Constant(10 * ms))])]),
    ],
    journeys=[Journey("j", "a.x", timeout=300 * ms)],
    scenarios=[Scenario("calm", load=[Load("j", Deterministic(5 / s))], duration=20 * s)],
)
