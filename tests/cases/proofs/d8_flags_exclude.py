from archcheck import *
from archcheck.units import ms, s

system = System(
    "d8",
    elements=[
        Flag("old"),
        Flag("new", excludes=["old"]),
        Service(
            "a",
            endpoints=[
                Endpoint(
                    "x",
                    steps=[
                        Feature("old", [Call("b.y", timeout=100 * ms, retry=Absent("declared"))]),
                        Feature("new", [Call("b.y", timeout=100 * ms, retry=Absent("declared"))]),
                    ],
                )
            ],
        ),
        Service("b", endpoints=[Endpoint("y", steps=[Work(Constant(10 * ms))])]),
    ],
    journeys=[Journey("j", "a.x", timeout=150 * ms)],
    scenarios=[Scenario("calm", load=[Load("j", Deterministic(5 / s))], duration=20 * s)],
)
