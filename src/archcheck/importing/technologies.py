"""What catalogues call technologies: ``PostgreSQL 14``, ``Amazon RDS for MySQL``, ``Kafka topic``.

A product is what an element *is* only where the text names the product and nothing else that is not
a vendor's name, a version or a common word: ``Go, Redis`` is a service that is written in Go and
uses Redis.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

from archcheck.importing.products import PRODUCTS
from archcheck.model import (
    AspNetCore,
    Broker,
    Django,
    Element,
    Envoy,
    FastApi,
    Go,
    GoKit,
    Micronaut,
    Nginx,
    NodeJs,
    PhpFpm,
    Quarkus,
    Queue,
    Rails,
    Runtime,
    Rust,
    SpringBoot,
    SpringWebFlux,
    Topic,
)

_WORD = re.compile(r"[a-z0-9][a-z0-9.+#_]*")
_VERSION = re.compile(r"v?\d+(?:\.[\dx]+){0,3}(?:\.x)?\+?")
_COMMON_WORDS = (
    "a all amazon and apache aurora aws azure bucket bus cache cloud cluster clustered collection "
    "community confluent container data database databases datastore db default dedicated docker "
    "document edition elasticache engine enterprise event events ext for gcp google hosted image "
    "in index instance key local managed master memory memorystore message messages messaging "
    "microsoft msk node nosql object of on oracle primary queue queues rds read rdbms relational "
    "replica replicas replicated replication schema search secondary server serverless service "
    "services set sharded single sql storage store stream streaming table tables the topic topics "
    "value version via web with broker event-store"
)
_COMMON = frozenset(_COMMON_WORDS.split())
"""Words beside a product's name that do not make it something else."""
_ALIASES = {
    "postgres": "PostgreSQL", "mongo": "MongoDB", "mongo db": "MongoDB", "maria db": "MariaDB",
    "my sql": "MySQL", "elastic search": "Elasticsearch", "ms sql": "SQL Server",
    "mssql": "SQL Server", "sql server": "SQL Server", "rabbit mq": "RabbitMQ",
    "dynamo db": "DynamoDB", "dynamodb": "DynamoDB", "cockroach": "CockroachDB",
    "scylla": "ScyllaDB", "opentelemetry collector": "OpenTelemetry Collector",
    "simple storage service": "S3", "simple queue service": "SQS", "mqtt": "Mosquitto",
}  # fmt: skip
_PRODUCTS = {name.lower(): name for name in PRODUCTS} | _ALIASES
_PRODUCTS.pop("mqtt")  # a protocol as well
_MOST_WORDS = 3

_RUNTIMES: dict[str, type[Runtime]] = {
    "spring boot": SpringBoot, "springboot": SpringBoot, "spring webflux": SpringWebFlux,
    "micronaut": Micronaut, "quarkus": Quarkus, "go kit": GoKit, "gokit": GoKit, "go": Go,
    "golang": Go, "node.js": NodeJs, "nodejs": NodeJs, "node js": NodeJs, "nestjs": NodeJs,
    "express.js": NodeJs, "fastapi": FastApi, "django": Django, "flask": Django,
    "asp.net core": AspNetCore, "ruby on rails": Rails, "rails": Rails, "php fpm": PhpFpm,
    "rust": Rust, "nginx": Nginx, "envoy": Envoy,
}  # fmt: skip


@dataclass(frozen=True)
class Technology:
    """What a text says that an element is, or runs on; ``None``: it does not say."""

    product: str | None = None
    kind: type[Element] | None = None
    """A topic or queue of the product."""
    runtime: type[Runtime] | None = None
    version: str | None = None
    """Of the product or of the runtime."""


def technology_of(text: str) -> Technology:
    """What a text such as ``Java and Spring Boot 3.2`` says."""
    words = [word.strip(".") for word in _WORD.findall(text.lower()[:300])]
    product, rest = _product(words)
    if product is not None:
        variant, version = PRODUCTS[product].variant, _version(rest)
        if version is not None and variant:
            version = f"{variant} {version}"
        channel = _channel(product, words)
        if channel is not None:
            return Technology(None, channel)
        return Technology(product, version=version)
    return _runtime(words)


def _product(words: list[str]) -> tuple[str | None, list[str]]:
    """The only product that the words name, and the words that are left."""
    found: dict[str, None] = {}
    rest: list[str] = []
    at = 0
    while at < len(words):
        size = next((n for n in range(_MOST_WORDS, 0, -1) if _phrase(words, at, n) in _PRODUCTS), 0)
        if size:
            found[_PRODUCTS[_phrase(words, at, size)]] = None
        else:
            rest.append(words[at])
        at += size or 1
    plain = all(word in _COMMON or _VERSION.fullmatch(word) for word in rest)
    return (next(iter(found)), rest) if len(found) == 1 and plain else (None, rest)


def _phrase(words: list[str], at: int, size: int) -> str:
    return " ".join(words[at : at + size]) if at + size <= len(words) else ""


def _version(words: list[str]) -> str | None:
    versions = [word for word in words if _VERSION.fullmatch(word)]
    return versions[0].removeprefix("v") if len(versions) == 1 else None


def _channel(product: str, words: list[str]) -> type[Element] | None:
    """A topic or queue of a broker; a *message queue* is the broker itself."""
    if not issubclass(PRODUCTS[product].kind, Broker):
        return None
    if "topic" in words:
        return Topic
    return Queue if "queue" in words and not {"message", "simple"} & {*words} else None


def _runtime(words: list[str]) -> Technology:
    """The only runtime that the words name; the version is the word behind it."""
    found: dict[type[Runtime], str | None] = {}
    at = 0
    while at < len(words):
        size = next((n for n in range(_MOST_WORDS, 0, -1) if _phrase(words, at, n) in _RUNTIMES), 0)
        if size:
            kind = _RUNTIMES[_phrase(words, at, size)]
            found[kind] = found.get(kind) or _version(words[at + size : at + size + 1])
        at += size or 1
    if len(found) != 1:
        return Technology()
    kind, version = next(iter(found.items()))
    return Technology(runtime=kind, version=version)
