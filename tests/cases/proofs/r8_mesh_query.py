from archcheck import *
from archcheck.units import ms, s

system = System(
    "r8",
    elements=[
        Service(
            "a",
            mesh=Mesh("istio", timeout=1 * s, retry=Retry(attempts=20, backoff=0 * s)),
            endpoints=[Endpoint("x", steps=[Read("db", timeout=50 * ms, retry=Absent("no"))])],
        ),
        MySQL("db", read=Constant(1 * ms)),
    ],
    journeys=[Journey("j", "a.x", timeout=60 * ms)],
    scenarios=[Scenario("calm", load=[Load("j", Deterministic(1 / s))], duration=100 * s)],
)
