"""What users do, and the load of the release's load generator (Locust)."""

from archcheck import (
    Call,
    Choice,
    Closed,
    Endpoint,
    Journey,
    Kubernetes,
    Mix,
    Move,
    Person,
    Poisson,
    Resources,
    Scenario,
    Service,
    Session,
    Uniform,
)
from archcheck.units import MiB, millicores, minutes, s

from .deployments import NOT_IN_MANIFESTS, REPOSITORY

shopper = Person("shopper", description="Somebody with a browser.")

load_generator = Service(
    "loadgenerator",
    boundary="test",
    description="Locust: ten users by default. Its requests are the journeys of the scenarios.",
    deployment=Kubernetes(
        image=f"{REPOSITORY}/loadgenerator:v0.10.6",
        replicas=1,
        resources=Resources(
            cpu=300 * millicores,
            cpu_limit=500 * millicores,
            memory=256 * MiB,
            memory_limit=512 * MiB,
        ),
        readiness=NOT_IN_MANIFESTS,
        liveness=NOT_IN_MANIFESTS,
        grace=5 * s,
    ),
    metrics=NOT_IN_MANIFESTS,
    tracing=NOT_IN_MANIFESTS,
    endpoints=[Endpoint("task", steps=[Call("frontend.home")])],
)

journeys = [
    Journey("index", "frontend.home", public=True, users=shopper),
    Journey("set_currency", "frontend.set_currency", public=True, users=shopper),
    Journey("browse_product", "frontend.product", public=True, users=shopper, critical=True),
    Journey(
        "add_to_cart",
        entries=["frontend.product", "frontend.add_to_cart"],
        public=True,
        users=shopper,
    ),
    Journey("view_cart", "frontend.view_cart", public=True, users=shopper),
    Journey(
        "checkout",
        entries=["frontend.product", "frontend.add_to_cart", "frontend.checkout"],
        public=True,
        users=shopper,
        critical=True,
    ),
]

MIX = [
    Choice("index", 1),
    Choice("set_currency", 2),
    Choice("browse_product", 10),
    Choice("add_to_cart", 2),
    Choice("view_cart", 3),
    Choice("checkout", 1),
]
"""The weights of the load generator's tasks."""

PAUSE = Uniform(1 * s, 10 * s)
"""Between two tasks of a user: Locust's ``between(1, 10)``."""

scenarios = [
    Scenario(
        "release",
        description="The release as it is: ten users who begin with the home page and stay.",
        load=[Session("index", Closed(10, think=PAUSE), moves=[Move(to=MIX)], pause=PAUSE)],
        duration=5 * minutes,
    ),
    Scenario(
        "busy",
        description="Ten tasks a second, whether or not earlier ones were answered.",
        load=[Mix(MIX, Poisson(10 / s))],
        duration=2 * minutes,
    ),
]
