"""What users do, and the mixed workload of the benchmark (60% home, 30% user, 10% compose)."""

from archcheck import Choice, Journey, Mix, Person, Poisson, Scenario
from archcheck.units import s

member = Person("member", description="Somebody with an account.")

journeys = [
    Journey("compose_post", "nginx-thrift.compose", public=True, users=member, critical=True),
    Journey("read_home_timeline", "nginx-thrift.home_timeline", public=True, users=member),
    Journey("read_user_timeline", "nginx-thrift.user_timeline", public=True, users=member),
    Journey("register", "nginx-thrift.register", public=True, users=member),
    Journey("follow", "nginx-thrift.follow", public=True, users=member),
    Journey("look_at_media", "media-frontend.get_media", public=True, users=member),
]

mixed = Scenario(
    "mixed",
    description="The benchmark's mixed workload at 200 requests a second.",
    load=[
        Mix(
            [
                Choice("read_home_timeline", 0.60),
                Choice("read_user_timeline", 0.30),
                Choice("compose_post", 0.10),
            ],
            Poisson(200 / s),
        )
    ],
    duration=60 * s,
)
