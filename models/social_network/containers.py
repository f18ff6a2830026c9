"""The pieces that the Compose file repeats: a Thrift service, a store, a cache."""

from collections.abc import Sequence

from archcheck import (
    Absent,
    CppThrift,
    Docker,
    Endpoint,
    Memcached,
    MongoDB,
    Redis,
    Service,
    Thrift,
    Tracing,
)
from archcheck.units import ms

NOT_IN_COMPOSE = Absent("the Compose file has none")
IMAGE = "deathstarbench/social-network-microservices:latest"
MONGO_TIME = 1 * ms
"""Assumption: an indexed query."""
CACHE_TIME = 0.2 * ms
"""Assumption: a lookup in Redis or Memcached."""


def thrift_service(name: str, boundary: str, endpoints: Sequence[Endpoint]) -> Service:
    """One container of the benchmark's image: a thread per connection, traces to Jaeger."""
    return Service(
        name,
        boundary=boundary,
        runtime=CppThrift(),
        deployment=Docker(image=IMAGE, restart="always", readiness=NOT_IN_COMPOSE),
        endpoints=endpoints,
        tracing=Tracing("jaeger-agent", propagation="jaeger"),
        metrics=NOT_IN_COMPOSE,
        start_after=["jaeger-agent"],
    )


def thrift(service: str) -> Thrift:
    """A service of social_network.thrift."""
    return Thrift(service, contract="social_network.thrift", encrypted=False)


def mongo(name: str, owner: str) -> MongoDB:
    """A single mongod."""
    return MongoDB(
        name,
        belongs_to=owner,
        version="4.4.6",
        copies=1,
        read=MONGO_TIME,
        write=MONGO_TIME,
        deployment=Docker(image="mongo:4.4.6", restart="always"),
    )


def redis(name: str, owner: str) -> Redis:
    """A single Redis."""
    return Redis(
        name,
        belongs_to=owner,
        copies=1,
        read=CACHE_TIME,
        write=CACHE_TIME,
        deployment=Docker(image="redis", restart="always"),
    )


def memcached(name: str, owner: str) -> Memcached:
    """A single Memcached."""
    return Memcached(
        name,
        belongs_to=owner,
        copies=1,
        read=CACHE_TIME,
        write=CACHE_TIME,
        deployment=Docker(image="memcached", restart="always"),
    )
