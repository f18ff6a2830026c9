from archcheck import *
from archcheck.units import MiB, ms, s

system = System(
    "d10",
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
                            request_size=100 * MiB,
                        )
                    ],
                )
            ],
        ),
        Service(
            "b",
            endpoints=[
                Endpoint(
                    "y", Grpc("b.v1.Y", coding_rate=100 * MiB / s), steps=[Work(Constant(10 * ms))]
                )
            ],
        ),
    ],
    journeys=[Journey("j", "a.x", timeout=150 * ms)],
    scenarios=[Scenario("calm", load=[Load("j", Deterministic(0.5 / s))], duration=20 * s)],
    network=Network(delay=0 * ms, bandwidth=None),
)
