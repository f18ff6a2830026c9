"""A marketplace as a review meets it: domains of four services, journeys with objectives, zones.

``marketplace(7)`` has 29 services and 21 stores, ``marketplace(25)`` has 101 services. Some of it
is wrong on purpose: a store in one zone, a call without a timeout, a resource that is nearly full.
"""

from __future__ import annotations

from archcheck import (
    Autoscale,
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
    Parallel,
    Person,
    Poisson,
    PostgreSQL,
    Probe,
    Publish,
    Read,
    Redis,
    Resources,
    Scenario,
    Service,
    Slo,
    SpringBoot,
    Step,
    System,
    Topic,
    Work,
    Write,
)
from archcheck.units import MiB, cores, ms, percent, s

DOMAINS = (
    "catalogue", "cart", "orders", "payments", "search", "stock", "identity", "accounts", "ads",
    "billing", "chat", "content", "crm", "delivery", "fraud", "loyalty", "mail", "pricing",
    "promotions", "returns", "reviews", "sellers", "support", "tax", "warehouse",
)  # fmt: skip
ZONES = ["a", "b", "c"]


def marketplace(domains: int = 7) -> System:
    """So many domains, from 7 to 25, behind one gateway."""
    names = DOMAINS[:domains]
    elements: list[Named] = [
        Person("shopper", uses=["edge.checkout", "edge.browse"]),
        External("bank", protocol=Http2("POST", "/pay")),
        Kafka("kafka", nodes=3, zones=ZONES),
        _edge(names),
    ]
    for domain in names:
        elements += _domain(domain)
    slo = Slo(p95=400 * ms, availability=99.5 * percent)
    return System(
        f"marketplace-{domains}",
        elements,
        journeys=[
            Journey("checkout", "edge.checkout", critical=True, users="shopper", slo=slo),
            Journey("browse", "edge.browse", users="shopper", slo=Slo(p95=30 * ms)),
            Journey("look-around", "edge.home", users="shopper"),
        ],
        scenarios=[
            Scenario(
                "evening",
                load=[
                    Load("checkout", Poisson(60 / s)),
                    Load("browse", Poisson(100 / s)),
                    Load("look-around", Poisson(10 / s)),
                ],
            )
        ],
        description="A marketplace: shoppers browse, fill carts and pay.",
        revision="1",
    )


def _edge(domains: tuple[str, ...]) -> Gateway:
    patience = {"timeout": 300 * ms}
    checkout: list[Step] = [
        Work(1 * ms),
        Call("cart-api.get", **patience),
        Parallel([Call("stock-api.get", **patience), Call("identity-api.get", **patience)]),
        Call("orders-api.put", timeout=600 * ms),
        Call("payments-api.put"),
    ]
    browse: list[Step] = [
        Work(1 * ms),
        Call("search-api.get", **patience),
        Call("catalogue-api.get", **patience),
    ]
    home: list[Step] = [Call(f"{d}-api.get", optional=True, **patience) for d in domains]
    endpoints = [
        Endpoint("checkout", Http2("POST", "/checkout"), steps=checkout),
        Endpoint("browse", Http2("GET", "/browse"), steps=browse),
        Endpoint("home", Http2("GET", "/"), steps=home),
    ]
    deployment = Kubernetes(image="edge:3.1", replicas=3, zones=ZONES, readiness=Probe("http"))
    runtime = Micronaut("4.7")
    return Gateway(
        "edge", boundary="web", owner="team-web", runtime=runtime, deployment=deployment,
        endpoints=endpoints,
    )  # fmt: skip


def _domain(domain: str) -> list[Named]:
    one_zone = domain in ("payments", "reviews")
    found: list[Named] = [
        PostgreSQL(
            f"{domain}-db", belongs_to=f"{domain}-core", copies=1 if one_zone else 3, read=2 * ms,
            write=3 * ms, zones=ZONES[:1] if one_zone else ZONES, max_connections=60,
        ),
        Redis(f"{domain}-cache", belongs_to=f"{domain}-api", read=1 * ms, write=1 * ms, copies=2),
        MySQL(
            f"{domain}-archive", belongs_to=f"{domain}-jobs", copies=2, read=4 * ms, write=5 * ms
        ),
        Topic(f"{domain}-events", broker="kafka", belongs_to=f"{domain}-core", partitions=6),
    ]  # fmt: skip
    get: list[Step] = [
        Work(2 * ms),
        Read(f"{domain}-cache", timeout=20 * ms),
        Call(f"{domain}-core.find", timeout=200 * ms),
    ]
    put: list[Step] = [
        Work(2 * ms),
        Call(f"{domain}-rules.check", timeout=100 * ms),
        Call(f"{domain}-core.save", timeout=300 * ms),
        *([Call("bank", timeout=500 * ms)] if domain == "payments" else []),
    ]
    save: list[Step] = [
        Work(3 * ms),
        Write(f"{domain}-db", timeout=80 * ms),
        Publish(f"{domain}-events"),
    ]
    find: list[Step] = [Work(3 * ms), Read(f"{domain}-db", timeout=50 * ms)]
    keep: list[Step] = [Work(1 * ms), Write(f"{domain}-archive", timeout=100 * ms)]
    found += [
        _service(domain, "api", [("get", get), ("put", put)]),
        _service(domain, "core", [("find", find), ("save", save)]),
        _service(domain, "rules", [("check", [Work(10 * ms)])]),
        _service(domain, "jobs", [], [Consumer(f"{domain}-events", steps=keep)]),
    ]
    return found


def _service(
    domain: str,
    part: str,
    operations: list[tuple[str, list[Step]]],
    consumers: list[Consumer] | None = None,
) -> Service:
    few = 1 if part == "rules" else 3
    scale = Autoscale(min=3, max=9, target_cpu=60 * percent) if part == "api" else None
    one = Resources(cpu=1 * cores, cpu_limit=1 * cores, memory=512 * MiB)
    size = one if part == "rules" else None
    runtime = SpringBoot("4.1", threads=40) if part == "core" else GoKit("0.13")
    return Service(
        f"{domain}-{part}",
        boundary=domain,
        owner=f"team-{domain}",
        runtime=runtime,
        deployment=Kubernetes(
            image=f"{domain}/{part}:1.4.2", replicas=few, zones=ZONES[:few], namespace=domain,
            autoscale=scale, readiness=Probe("http"),
            resources=size,
        ),
        endpoints=[
            Endpoint(name, Grpc(f"{domain}.v1.{part.title()}"), steps=steps)
            for name, steps in operations
        ],
        consumers=consumers or [],
    )  # fmt: skip
