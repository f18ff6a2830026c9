"""A large system as a company grows it: domains with most of their calls inside."""

from __future__ import annotations

import random

from archcheck import (
    Call,
    Consumer,
    Endpoint,
    External,
    Gateway,
    GoKit,
    Grpc,
    Http2,
    Journey,
    Kafka,
    Kubernetes,
    Load,
    Micronaut,
    MySQL,
    Named,
    Person,
    Poisson,
    Publish,
    Read,
    Redis,
    Scenario,
    Service,
    SpringBoot,
    System,
    Topic,
    Work,
    Write,
)
from archcheck.units import ms, s

DOMAINS = (
    "accounts", "ads", "billing", "cart", "catalogue", "chat", "checkout", "content", "crm",
    "delivery", "fraud", "identity", "inventory", "loyalty", "notification", "orders", "payments",
    "pricing", "recommendation", "returns", "reviews", "search", "sellers", "support", "warehouse",
)  # fmt: skip


def landscape(services: int = 300, seed: int = 1) -> System:
    """So many services in 25 domains: about a tenth of the calls leave their domain."""
    rng = random.Random(seed)
    inside = max(1, services // len(DOMAINS))
    elements: list[Named] = [
        Person("customer", uses=["edge.page"]),
        External("bank", protocol=Http2("POST", "/pay")),
        Kafka("kafka", nodes=3, zones=["a", "b", "c"]),
        Gateway(
            "edge",
            boundary="web",
            owner="team-web",
            runtime=Micronaut("4.7"),
            endpoints=[
                Endpoint(
                    "page",
                    Http2("GET", "/"),
                    steps=[Work(1 * ms), *(Call(f"{d}-0.get", timeout=1 * s) for d in DOMAINS[:8])],
                )
            ],
        ),
    ]
    for position, domain in enumerate(DOMAINS):
        elements += _domain(domain, position, inside, rng)
    return System(
        f"landscape-{services}",
        elements,
        journeys=[Journey("visit", "edge.page", critical=True, users="customer")],
        scenarios=[Scenario("usual", load=[Load("visit", Poisson(5 / s))])],
        description="A generated company.",
        revision="1",
    )


def _domain(domain: str, position: int, inside: int, rng: random.Random) -> list[Named]:
    found: list[Named] = [
        MySQL(
            f"{domain}-db", belongs_to=f"{domain}-1", shards=2, copies=2, read=2 * ms, write=3 * ms
        ),
        Redis(f"{domain}-cache", belongs_to=f"{domain}-0", read=1 * ms, write=1 * ms),
        Topic(f"{domain}-events", broker="kafka", belongs_to=f"{domain}-0", partitions=6),
    ]
    for number in range(inside):
        runtime = (SpringBoot("4.1"), GoKit("0.13"), Micronaut("4.7"))[number % 3]
        steps: list[Work | Call | Read | Write | Publish] = [Work(1 * ms)]
        below = [n for n in (2 * number + 1, 2 * number + 2) if n < inside]
        steps += [Call(f"{domain}-{n}.get", timeout=(900 - 50 * n) * ms) for n in below]
        if number and number % 5 == 0 and position:
            other = DOMAINS[rng.randrange(position)]
            steps.append(Call(f"{other}-{inside - 1}.get", timeout=300 * ms))
        if number in (0, 1):
            steps.append(Read(f"{domain}-cache", timeout=20 * ms))
        if number in (1, 2):
            steps.append(Write(f"{domain}-db", timeout=60 * ms))
        if number == 0:
            steps.append(Publish(f"{domain}-events"))
        listens = number == 3 and position > 0
        consumed = [Consumer(f"{DOMAINS[rng.randrange(position)]}-events")] if listens else []
        found.append(
            Service(
                f"{domain}-{number}",
                boundary=domain,
                owner=f"team-{position // 2}",
                runtime=runtime,
                deployment=Kubernetes(replicas=3, zones=["a", "b", "c"], namespace=domain),
                endpoints=[Endpoint("get", Grpc(f"{domain}.v1.S{number}"), steps=steps)],
                consumers=consumed,
                tags=["core"] if number == 0 else [],
            )
        )
    return found
