"""What images, ports, settings and URL schemes say about products: one table for all importers.

To teach archcheck a product, add a line. A product is a class of the vocabulary, with the name of a
variant where one class stands for several products (MariaDB is a :class:`MySQL`). An image is known
by its last words, whoever's registry it lies in: ``docker.io/library/redis``, ``bitnami/redis`` and
``ghcr.io/valkey-io/valkey`` are told by ``redis`` and ``valkey``.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass

from archcheck.model import (
    Cassandra,
    CockroachDB,
    DynamoDB,
    Elasticsearch,
    ElasticStack,
    Element,
    Grafana,
    Jaeger,
    Kafka,
    Loki,
    Memcached,
    MongoDB,
    Mqtt,
    MySQL,
    Nats,
    ObjectStore,
    OpenTelemetryCollector,
    PostgreSQL,
    Prometheus,
    Pulsar,
    RabbitMQ,
    Redis,
    SqlServer,
    Sqs,
    TiDB,
)


@dataclass(frozen=True)
class Product:
    """A product: its class, and all signs of it."""

    kind: type[Element]
    images: tuple[str, ...] = ()
    """Names of images, without registry and tag; ``owner/name`` where the name alone is common."""
    variant: str = ""
    """What to put before a version, where the class stands for other products as well."""
    ports: tuple[int, ...] = ()
    """Ports that only this product listens on, as its documentation gives them."""
    schemes: tuple[str, ...] = ()
    """URL schemes that its clients write."""
    settings: tuple[str, ...] = ()
    """Environment variables that only its server reads (the documentation of its image)."""
    fields: Mapping[str, str] | None = None
    """Fields that the product's name decides."""


PRODUCTS: dict[str, Product] = {
    "MySQL": Product(
        MySQL, ("mysql", "mysql-server", "percona", "percona-server"), "", (3306,),
        ("mysql", "mysqlx", "mysql2"),
        ("MYSQL_ROOT_PASSWORD", "MYSQL_ALLOW_EMPTY_PASSWORD", "MYSQL_RANDOM_ROOT_PASSWORD",
         "MYSQL_ROOT_HOST"),
    ),
    "MariaDB": Product(
        MySQL, ("mariadb", "mariadb-galera"), "MariaDB", (), ("mariadb",),
        ("MARIADB_ROOT_PASSWORD", "MARIADB_ALLOW_EMPTY_ROOT_PASSWORD",
         "MARIADB_RANDOM_ROOT_PASSWORD"),
    ),
    "PostgreSQL": Product(
        PostgreSQL, ("postgres", "postgresql", "postgresql-repmgr", "postgis", "pgvector",
                     "timescaledb", "timescaledb-ha", "spilo", "spilo-15", "alloydbomni"),
        "", (5432,), ("postgres", "postgresql", "psql", "postgis"),
        ("POSTGRES_INITDB_ARGS", "POSTGRES_HOST_AUTH_METHOD", "POSTGRES_INITDB_WALDIR",
         "POSTGRES_MULTIPLE_DATABASES"),
    ),
    "SQL Server": Product(
        SqlServer, ("mssql/server", "azure-sql-edge", "mssql-server-linux"), "", (1433,),
        ("sqlserver", "mssql"), ("MSSQL_SA_PASSWORD", "SA_PASSWORD", "MSSQL_PID"),
    ),
    "TiDB": Product(TiDB, ("tidb",), "", (), ("tidb",)),
    "CockroachDB": Product(
        CockroachDB, ("cockroach", "cockroachdb"), "", (26257,), ("cockroachdb", "cockroach")
    ),
    "MongoDB": Product(
        MongoDB, ("mongo", "mongodb", "mongodb-community-server", "percona-server-mongodb"),
        "", (27017,), ("mongodb",), ("MONGO_INITDB_ROOT_USERNAME", "MONGO_INITDB_DATABASE",
                                     "MONGO_INITDB_ROOT_PASSWORD"),
    ),
    "Cassandra": Product(
        Cassandra, ("cassandra", "cassandra-dse"), "", (9042,), ("cassandra",),
        ("CASSANDRA_SEEDS", "CASSANDRA_CLUSTER_NAME"),
    ),
    "ScyllaDB": Product(Cassandra, ("scylla",), "ScyllaDB"),
    "DynamoDB local": Product(DynamoDB, ("dynamodb-local",), "DynamoDB local"),
    "Elasticsearch": Product(Elasticsearch, ("elasticsearch", "elasticsearch-oss"), "", (9300,)),
    "OpenSearch": Product(Elasticsearch, ("opensearch",), "OpenSearch"),
    "SeaweedFS": Product(
        ObjectStore, ("seaweedfs",), "", (), (), (), {"product": "SeaweedFS"}
    ),
    "MinIO": Product(
        ObjectStore, ("minio",), "", (), (), ("MINIO_ROOT_USER", "MINIO_ROOT_PASSWORD"),
        {"product": "MinIO"},
    ),
    "Redis": Product(
        Redis, ("redis", "redis-stack", "redis-stack-server", "redis-cluster"), "", (6379,),
        ("redis", "rediss"),
    ),
    "Valkey": Product(Redis, ("valkey",), "Valkey", (), ("valkey", "valkeys")),
    "KeyDB": Product(Redis, ("keydb",), "KeyDB"),
    "Dragonfly": Product(Redis, ("dragonfly",), "Dragonfly"),
    "Memcached": Product(Memcached, ("memcached",), "", (11211,), ("memcached", "memcache")),
    "Kafka": Product(
        Kafka, ("kafka", "cp-kafka", "cp-server", "confluent-local", "kafka-native",
                "fast-data-dev"), "", (), ("kafka",),
        ("KAFKA_ADVERTISED_LISTENERS", "KAFKA_BROKER_ID", "KAFKA_NODE_ID",
         "KAFKA_CFG_ADVERTISED_LISTENERS", "KAFKA_CFG_NODE_ID", "KAFKA_PROCESS_ROLES"),
    ),
    "Redpanda": Product(Kafka, ("redpanda",), "Redpanda"),
    "RabbitMQ": Product(
        RabbitMQ, ("rabbitmq", "rabbitmq-server"), "", (5672, 15672), ("amqp", "amqps"),
        ("RABBITMQ_DEFAULT_USER", "RABBITMQ_DEFAULT_PASS", "RABBITMQ_ERLANG_COOKIE"),
    ),
    "Pulsar": Product(Pulsar, ("pulsar", "pulsar-all"), "", (6650,), ("pulsar",)),
    "NATS": Product(Nats, ("nats", "nats-streaming"), "", (4222,), ("nats",)),
    "Mosquitto": Product(
        Mqtt, ("eclipse-mosquitto", "mosquitto"), "Mosquitto", (1883,), ("mqtt", "mqtts")
    ),
    "EMQX": Product(Mqtt, ("emqx",), "EMQX"),
    "Prometheus": Product(Prometheus, ("prometheus",)),
    "Grafana": Product(Grafana, ("grafana", "grafana-oss", "grafana-enterprise")),
    "Loki": Product(Loki, ("loki",)),
    "Jaeger": Product(
        Jaeger, ("jaegertracing/all-in-one", "jaeger", "jaeger-agent", "jaeger-collector",
                 "jaeger-query"),
    ),
    "OpenTelemetry Collector": Product(
        OpenTelemetryCollector,
        ("opentelemetry-collector", "opentelemetry-collector-contrib",
         "opentelemetry-collector-contrib-dev", "opentelemetry-collector-k8s", "otel-collector"),
    ),
    "Kibana": Product(ElasticStack, ("kibana", "kibana-oss", "logstash", "logstash-oss"), ""),
    "DynamoDB": Product(DynamoDB),
    "a store with the API of S3": Product(ObjectStore, (), "", (), ("s3", "s3a", "s3n")),
    "S3": Product(ObjectStore, (), "", (), (), (), {"product": "S3"}),
    "SQS": Product(Sqs, (), "", (), ("sqs",)),
}  # fmt: skip
"""Product to its signs."""

PLAIN_IMAGES = frozenset(
    {
        "envoy", "nginx", "haproxy", "traefik", "pgpool", "pgbouncer", "proxysql", "caddy",
        "kong", "twemproxy", "redis-commander", "redisinsight", "mongo-express", "pgadmin4",
        "adminer", "phpmyadmin", "kafka-ui", "redis_exporter", "mysqld-exporter",
        "postgres-exporter", "toxiproxy", "socat", "cloud-sql-proxy", "kafka-exporter",
    }
)  # fmt: skip
"""Images that listen on a product's port, or are named like one, and are none."""

IMAGE, SCHEME, SETTING, PORT, NAME = 5, 4, 3, 2, 1
"""The strength of signs: what runs, what its clients speak, what it is told, where it listens, what
it is called."""

ACTIONS = frozenset(
    {
        "backup", "client", "create", "exporter", "export", "import", "init", "load", "migrate",
        "migration", "proxy", "restore", "seed", "setup", "test", "wait", "with", "to", "from",
        "for", "no",
    }
)  # fmt: skip
"""Words in names of what does something with a product, and is none: ``backup-mysql``."""

ROLES = frozenset(
    {
        "broker", "cache", "data", "database", "db", "follower", "leader", "master", "primary",
        "replica", "server", "slave", "standalone", "store",
    }
)  # fmt: skip
"""Words in names that say what a product is there for."""

_BY_IMAGE = {image: name for name, product in PRODUCTS.items() for image in product.images}
_BY_PORT = {port: name for name, product in PRODUCTS.items() for port in product.ports}
_BY_SCHEME = {scheme: name for name, product in PRODUCTS.items() for scheme in product.schemes}
_BY_SETTING = {setting: name for name, product in PRODUCTS.items() for setting in product.settings}
_VERSION = re.compile(r"v?(\d+(?:\.\d+){0,3})(?:[-_.+].*)?")


@dataclass(frozen=True)
class Image:
    """The parts of an image's name."""

    repository: str
    tag: str

    @property
    def name(self) -> str:
        """The last word of the repository."""
        return self.repository.rpartition("/")[2]


def parsed_image(image: str) -> Image:
    """An image without its digest, split into repository and tag."""
    name = image.partition("@")[0]
    head, slash, last = name.rpartition("/")
    last, _, tag = last.partition(":")
    return Image(f"{head}{slash}{last}", tag)


def product_of_image(image: str) -> str | None:
    """The product that an image is, by the last one or two words of its name."""
    found = parsed_image(image)
    words = found.repository.lower().split("/")
    return _BY_IMAGE.get("/".join(words[-2:])) or _BY_IMAGE.get(words[-1])


def is_plain(image: str) -> bool:
    """Whether an image is known to be none of the products, whatever it listens on."""
    return parsed_image(image).name.lower() in PLAIN_IMAGES


_NUMBERED_APART = frozenset({"cp-kafka", "cp-server", "confluent-local", "fast-data-dev"})
"""Images whose tags number a distribution: Confluent Platform 7.5 holds Kafka 3.5 (Confluent,
Supported Versions and Interoperability)."""


def version_of(product: str, image: str) -> str | None:
    """The version in the image's tag, with the variant's name; ``None``: the tag says none."""
    found = parsed_image(image)
    match = _VERSION.fullmatch(found.tag)
    if match is None or found.name.lower() in _NUMBERED_APART:
        return None
    variant = PRODUCTS[product].variant
    return f"{variant} {match[1]}" if variant else match[1]


def product_of_port(port: int) -> str | None:
    """The product that alone listens on a port."""
    return _BY_PORT.get(port)


def product_of_name(name: str) -> str | None:
    """The product that an element is called after, by its last word (``orders-mongodb``), before
    which its role may follow: ``redis-cache``."""
    words = re.split(r"[-_.]", name.lower())
    if ACTIONS & set(words):
        return None
    is_with_role = bool(words[1:]) and all(w in ROLES or w.isdigit() for w in words[1:])
    return _BY_IMAGE.get(words[-1]) or (_BY_IMAGE.get(words[0]) if is_with_role else None)


def product_of_scheme(scheme: str) -> str | None:
    """The product whose clients write a URL scheme."""
    return _BY_SCHEME.get(scheme)


def product_of_setting(setting: str) -> str | None:
    """The product whose server alone reads an environment variable, or a file that it names."""
    return _BY_SETTING.get(setting.removesuffix("_FILE"))
