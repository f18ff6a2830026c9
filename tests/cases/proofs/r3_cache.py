from archcheck import *
from archcheck.units import ms, percent, s

system = System(
    "r3",
    elements=[
        Service(
            "a",
            endpoints=[
                Endpoint(
                    "x",
                    steps=[
                        Cached(
                            "r",
                            hit_ratio=98 * percent,
                            timeout=10 * ms,
                            steps=[Read("db", timeout=1 * s, retry=Absent("no"))],
                        )
                    ],
                )
            ],
        ),
        Redis("r", read=Constant(0.2 * ms)),
        PostgreSQL("db", read=Constant(1 * ms)),
    ],
    journeys=[Journey("j", "a.x", timeout=15 * s)],
    scenarios=[Scenario("calm", load=[Load("j", Deterministic(100 / s))], duration=100 * s)],
)
