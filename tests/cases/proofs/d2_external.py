from archcheck import *
from archcheck.units import ms, s

system = System(
    "d2",
    elements=[
        Service(
            "a",
            endpoints=[
                Endpoint("x", steps=[Call("bank.pay", timeout=100 * ms, retry=Absent("declared"))])
            ],
        ),
        External("bank", latency=Constant(5 * s), endpoints=[Endpoint("pay")]),
    ],
    journeys=[Journey("j", "a.x", timeout=150 * ms)],
    scenarios=[Scenario("calm", load=[Load("j", Deterministic(5 / s))], duration=20 * s)],
)
