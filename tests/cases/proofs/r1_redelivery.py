from archcheck import *
from archcheck.units import ms, s

system = System(
    "r1",
    elements=[
        Service("a", endpoints=[Endpoint("x", steps=[Work(Constant(1 * ms)), Publish("q")])]),
        Sqs("k"),
        Queue("q", broker="k", visibility_timeout=1 * s),
        Service(
            "b",
            consumers=[
                Consumer(
                    "q",
                    concurrency=100,
                    max_deliveries=50,
                    steps=[Call("c.y", timeout=1 * s, retry=Absent("no"))],
                )
            ],
        ),
        Service("c", endpoints=[Endpoint("y", steps=[Work(Constant(1 * ms))])]),
    ],
    journeys=[Journey("j", "a.x", timeout=150 * ms)],
    scenarios=[Scenario("calm", load=[Load("j", Deterministic(1 / s))], duration=200 * s)],
)
