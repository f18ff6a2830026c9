"""Databases and object stores, with what is true of each product.

Connection limits, worker threads and largest items are the documented defaults of the product
and can be overridden. How fast a query is depends on data and hardware: it has no default.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Annotated, ClassVar, Literal

from pydantic import Field

from archcheck.model.deployment import Deployment, Probe, Volume
from archcheck.model.distributions import Distribution
from archcheck.model.element import Absent, Element, Many, Probability, element
from archcheck.model.named import Described, Named, Part, Ref, ServiceRef, TeamRef
from archcheck.model.resilience import Copies, Count, Parts, Workers
from archcheck.model.values import Default, Documented
from archcheck.units import Duration, Fraction, KiB, MiB, Rate, Size

DataClass = Literal["public", "internal", "personal", "confidential", "secret", "payment"]
"""Classes of data, for rules about who may see what."""
SENSITIVE = frozenset({"personal", "confidential", "secret", "payment"})
"""Those that not everybody may see."""

Category = Literal[
    "relational", "document", "wide_column", "key_value", "search", "object", "cache"
]
"""Families of data models."""


@element
class ShardKey(Element):
    """The attribute that decides in which shard a record lives."""

    name: str
    """The attribute."""
    cardinality: Count | None = None
    """How many values it has."""
    immutable: bool | None = None
    """Whether it never changes."""
    monotonic: bool | None = None
    """Whether new records get ever larger values (dates, sequences)."""
    in_queries: Probability | None = None
    """Share of the queries that name it."""
    skew: Annotated[float, Field(ge=0, le=5)] | None = None
    """Zipf exponent of its popularity: 0 is even, 1 is the classic skew."""


@element
class Backup(Element):
    """How data come back after a loss."""

    every: Duration | None = None
    """Time between backups."""
    log_shipping: bool | None = None
    """Whether the log is kept elsewhere as it grows, for recovery to any point in time."""
    recovery_point: Duration | None = None
    """Recovery point objective (RPO): the most data that may be lost."""
    recovery_time: Duration | None = None
    """Recovery time objective (RTO): the longest time to be back."""
    restored_on: str | None = None
    """Date of the last restore that was tried, ``YYYY-MM-DD``."""


@element
class Quorum(Element):
    """How many of the copies a write and a read wait for."""

    copies: Copies
    """N, the replication factor."""
    read: Copies
    """R."""
    write: Copies
    """W."""


@element
class Growth(Element):
    """How data and traffic grow; for the question when a store is full."""

    size: Size | None = None
    """Data today."""
    per_month: Size | None = None
    """Data added in a month."""
    traffic_per_month: Fraction | None = None
    """Growth of the traffic in a month."""


class Datastore(Named, Documented):
    """A place where data live."""

    referred_as = "datastore"

    label: ClassVar[str] = ""
    """Its product name."""
    category: ClassVar[Category] = "relational"
    """The family of its data model."""
    is_distributed: ClassVar[bool] = False
    """Whether it spreads over nodes by itself."""
    is_transactional: ClassVar[bool] = False
    """Whether it has transactions over several records."""

    spread_by_provider: ClassVar[str] = ""
    """Where it is documented that its provider keeps copies in several zones by itself."""

    owner: str | Named | None
    belongs_to: str | Named | Part | None
    shards: int | None
    copies: int | None
    zones: Sequence[str]
    max_connections: int | None
    parallelism: int | None
    read: Duration | Distribution | None
    write: Duration | Distribution | None
    data: Sequence[str]

    @property
    def kind(self) -> str:
        return "cache" if self.is_cache else "datastore"

    @property
    def is_cache(self) -> bool:
        """Whether its content can be lost without losing data."""
        return self.category == "cache"


@element
class StoreFields(Described, Datastore):
    """Fields that every datastore has."""

    _is_abstract = True

    owner: TeamRef | None = None
    """The team that answers for it."""
    belongs_to: ServiceRef | None = None
    """The service whose data it holds."""
    version: str | None = None
    """Version in use."""
    boundary: str | None = None
    """Bounded context; ``None``: that of the service it belongs to."""
    shards: Parts | None = None
    """Partitions of the data; ``None``: not known to be sharded, treated as one."""
    shard_key: ShardKey | str | None = None
    """What decides the shard."""
    sharding: Literal["hash", "range", "directory"] | None = None
    """How the key decides."""
    copies: Copies | None = None
    """Copies of each shard, the primary counted."""
    replication: Literal["async", "semi_sync", "sync", "consensus"] | None = None
    """How copies follow the primary."""
    failover: Literal["automatic", "manual", "none"] | None = None
    """What happens when the primary is lost."""
    consistency: Literal["strong", "bounded", "session", "eventual"] | None = None
    """What a reader may see."""
    quorum: Quorum | None = None
    """Copies, reads, writes."""
    zones: Many[str] = ()
    """Failure domains of the copies."""
    max_connections: Workers | None = None
    """Connections that each node accepts."""
    reserved_connections: Annotated[int, Field(ge=0)] | None = None
    """Connections kept for administration."""
    parallelism: Workers | None = None
    """Queries that each node works on at the same time; ``None``: as many as it has connections."""
    read: Duration | Distribution | None = None
    """Service time of a read, without waiting."""
    write: Duration | Distribution | None = None
    """Service time of a write, without waiting."""
    max_item: Size | None = None
    """The largest record."""
    max_rate: Rate | None = None
    """Operations that each shard can do, where the product or the contract states it."""
    data: Many[DataClass] = ()
    """Classes of the data that it holds."""
    entities: Many[str] = ()
    """Business entities whose system of record it is."""
    encrypted_at_rest: bool | None = None
    """Whether files are encrypted."""
    backup: Backup | Absent | None = None
    """How data come back."""
    growth: Growth | None = None
    """How it fills."""
    trust_zone: str | None = None
    """Network zone."""
    deployment: Deployment | None = None
    """Where it runs."""
    readiness: Probe | Absent | None = None
    """Health check."""
    volumes: Many[Volume] = ()
    """Storage."""
    start_after: Many[Ref] = ()
    """Elements that must be up before it starts."""


@element
class MySQL(StoreFields):
    """MySQL or MariaDB: 151 connections unless ``max_connections`` is set.

    MySQL reference manual and MariaDB documentation, Server System Variables. A version such as
    ``MariaDB 10.11`` says that it is MariaDB.
    """

    label: ClassVar[str] = "MySQL"
    is_transactional: ClassVar[bool] = True
    documented: ClassVar[Mapping[str, Default]] = {
        "max_connections": Default(151, "MySQL: max_connections", "2026-11-30"),
        "reserved_connections": Default(
            0, "MySQL: one extra connection for administrators", "2026-11-30"
        ),
        "max_item": Default(
            64 * MiB,
            "MySQL 8: max_allowed_packet",
            "2026-11-30",
            since=(8,),
            of=("MySQL",),
            others=(
                Default(16 * MiB, "MariaDB: max_allowed_packet", "2026-11-30", of=("MariaDB",)),
                Default(
                    4 * MiB,
                    "MySQL before 8: max_allowed_packet",
                    "2026-11-30",
                    before=(8,),
                    of=("MySQL",),
                ),
            ),
        ),
    }


@element
class PostgreSQL(StoreFields):
    """PostgreSQL: 100 connections, 3 of them reserved for superusers.

    postgresql.org, Connections and Authentication: ``max_connections``,
    ``superuser_reserved_connections``.
    """

    label: ClassVar[str] = "PostgreSQL"
    is_transactional: ClassVar[bool] = True
    documented: ClassVar[Mapping[str, Default]] = {
        "max_connections": Default(100, "PostgreSQL: max_connections", "2026-11-30"),
        "reserved_connections": Default(
            3, "PostgreSQL: superuser_reserved_connections", "2026-11-30"
        ),
    }


@element
class SqlServer(StoreFields):
    """Microsoft SQL Server: 32,767 user connections (``user connections`` 0 means the maximum)."""

    label: ClassVar[str] = "SQL Server"
    is_transactional: ClassVar[bool] = True
    documented: ClassVar[Mapping[str, Default]] = {
        "max_connections": Default(32_767, "SQL Server: user connections", "2026-11-30"),
    }


@element
class TiDB(StoreFields):
    """TiDB: distributed SQL in MySQL's protocol; three Raft copies of each region.

    docs.pingcap.com: PD ``replication.max-replicas`` 3; connections are unlimited by default.
    """

    label: ClassVar[str] = "TiDB"
    is_distributed: ClassVar[bool] = True
    is_transactional: ClassVar[bool] = True
    documented: ClassVar[Mapping[str, Default]] = {
        "copies": Default(3, "PD: replication.max-replicas", "2026-11-30"),
        "replication": Default("consensus", "TiDB: a Raft group for each region", "2026-11-30"),
        "consistency": Default("strong", "TiDB: snapshot isolation over Raft", "2026-11-30"),
        "sharding": Default("range", "TiDB: a region is a range of keys", "2026-11-30"),
    }


@element
class CockroachDB(StoreFields):
    """CockroachDB: distributed SQL in PostgreSQL's protocol; three copies, serializable.

    cockroachlabs.com: zone configuration ``num_replicas`` 3.
    """

    label: ClassVar[str] = "CockroachDB"
    is_distributed: ClassVar[bool] = True
    is_transactional: ClassVar[bool] = True
    documented: ClassVar[Mapping[str, Default]] = {
        "copies": Default(3, "CockroachDB: num_replicas", "2026-11-30"),
        "replication": Default(
            "consensus", "CockroachDB: a Raft group for each range", "2026-11-30"
        ),
        "consistency": Default("strong", "CockroachDB: serializable isolation", "2026-11-30"),
        "sharding": Default(
            "range", "CockroachDB: ranges, but for hash-sharded indexes", "2026-11-30"
        ),
    }


@element
class MongoDB(StoreFields):
    """MongoDB: documents of at most 16 MiB.

    mongodb.com: BSON Document Size. How many connections it takes depends on the machine: 80% of
    the files that the process may open (``net.maxIncomingConnections``).
    """

    label: ClassVar[str] = "MongoDB"
    category: ClassVar[Category] = "document"
    is_transactional: ClassVar[bool] = True
    documented: ClassVar[Mapping[str, Default]] = {
        "max_item": Default(16 * MiB, "MongoDB: BSON document size", "2026-11-30"),
    }


@element
class Cassandra(StoreFields):
    """Apache Cassandra: 32 concurrent reads and 32 concurrent writes on a node.

    cassandra.yaml: ``concurrent_reads``, ``concurrent_writes``.
    """

    label: ClassVar[str] = "Cassandra"
    category: ClassVar[Category] = "wide_column"
    is_distributed: ClassVar[bool] = True
    documented: ClassVar[Mapping[str, Default]] = {
        "parallelism": Default(
            32,
            "cassandra.yaml: concurrent_reads, concurrent_writes",
            "2026-11-30",
            of=("Cassandra",),
        ),
        "consistency": Default(
            "eventual", "Cassandra drivers: consistency level LOCAL_ONE", "2026-11-30"
        ),
        "sharding": Default("hash", "cassandra.yaml: partitioner Murmur3Partitioner", "2026-11-30"),
    }


@element
class DynamoDB(StoreFields):
    """Amazon DynamoDB: items up to 400 KB, eventually consistent reads unless asked otherwise.

    docs.aws.amazon.com, DynamoDB quotas and read consistency. Data live in three zones.
    """

    label: ClassVar[str] = "DynamoDB"
    category: ClassVar[Category] = "key_value"
    is_distributed: ClassVar[bool] = True
    is_transactional: ClassVar[bool] = True
    spread_by_provider: ClassVar[str] = "DynamoDB: data are kept in three zones"
    documented: ClassVar[Mapping[str, Default]] = {
        "copies": Default(3, "DynamoDB: data are kept in three zones", of=("DynamoDB",)),
        "consistency": Default(
            "eventual", "DynamoDB: reads are eventually consistent by default", "2026-11-30"
        ),
        "max_item": Default(400 * KiB, "DynamoDB: item size", "2026-11-30"),
        "sharding": Default("hash", "DynamoDB: partition keys are hashed", "2026-11-30"),
    }


@element
class Elasticsearch(StoreFields):
    """Elasticsearch or OpenSearch: one primary shard and one replica of an index by default.

    elastic.co, Index settings: ``number_of_shards`` 1 (5 before Elasticsearch 7),
    ``number_of_replicas`` 1.
    """

    label: ClassVar[str] = "Elasticsearch"
    category: ClassVar[Category] = "search"
    is_distributed: ClassVar[bool] = True
    documented: ClassVar[Mapping[str, Default]] = {
        "shards": Default(
            1,
            "Elasticsearch 7: index.number_of_shards",
            "2026-11-30",
            since=(7,),
            others=(
                Default(
                    5, "Elasticsearch before 7: index.number_of_shards", "2026-11-30", before=(7,)
                ),
            ),
        ),
        "copies": Default(
            2, "Elasticsearch: index.number_of_replicas is 1 beside the primary", "2026-11-30"
        ),
        "consistency": Default("eventual", "Elasticsearch: near real-time search", "2026-11-30"),
        "sharding": Default("hash", "Elasticsearch: _routing is hashed", "2026-11-30"),
    }


_S3 = ("object store", "S3", "Amazon S3", "AWS S3")
"""The products that do as S3 does; an object store that nobody names counts as one."""


@element
class ObjectStore(StoreFields):
    """Amazon S3, MinIO and their like; of S3: 3,500 writes and 5,500 reads a second on a prefix.

    docs.aws.amazon.com, S3 performance guidelines; strong read-after-write consistency. Others
    promise other things, so nothing is assumed where ``product`` names one of them.
    """

    label: ClassVar[str] = "object store"
    category: ClassVar[Category] = "object"
    is_distributed: ClassVar[bool] = True
    documented: ClassVar[Mapping[str, Default]] = {
        "max_rate": Default(Rate(3_500.0), "S3: writes a second on a prefix", "2026-11-30", of=_S3),
        "consistency": Default("strong", "S3: read-after-write", "2026-11-30", of=_S3),
    }

    product: str | None = None
    """Which one."""

    @property
    def stands_for(self) -> str:
        """The declared product."""
        return self.product or ""

    @property
    def spread_by_provider(self) -> str:  # type: ignore[override]  # one class, several products
        """Amazon S3 keeps objects in three zones at least, but for its class of one zone."""
        product = (self.product or "").lower()
        return "S3: data are kept in at least three zones" if _is_s3(product) else ""


def _is_s3(product: str) -> bool:
    words = product.replace("-", " ").split()
    return "s3" in words and "one" not in words and "onezone" not in words
