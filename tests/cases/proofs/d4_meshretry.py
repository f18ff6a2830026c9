from archcheck import *
from archcheck.units import ms, s

system = System(
    "d4",
    elements=[
        Service(
            "a",
            mesh=Mesh("istio", timeout=100 * ms, retry=Retry(attempts=5, backoff=0 * s)),
            endpoints=[Endpoint("x", steps=[Call("b.y")])],
        ),
        Service("b", endpoints=[Endpoint("y", steps=[Work(Constant(10 * ms))])]),
    ],
    journeys=[Journey("j", "a.x", timeout=150 * ms)],
    scenarios=[Scenario("calm", load=[Load("j", Deterministic(5 / s))], duration=20 * s)],
)
