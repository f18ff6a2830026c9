"""Products and stock: Go kit, a Redis cache in front of MySQL, MongoDB for product pages."""

from archcheck import (
    Absent,
    Backup,
    Cached,
    Call,
    Client,
    Endpoint,
    Fallback,
    GoKit,
    Growth,
    Grpc,
    MongoDB,
    MySQL,
    Parallel,
    Pool,
    Quorum,
    Read,
    Redis,
    Service,
    ShardKey,
    WithProbability,
    Work,
    Write,
)
from archcheck.units import GB, KiB, hours, minutes, ms, percent

from .platform import (
    CAREFUL,
    CLOUD,
    LOGS,
    MESH,
    METRICS,
    TRACING,
    ZONES,
    kubernetes,
    objective,
    pipeline,
)

HOURLY = Backup(
    every=6 * hours,
    log_shipping=True,
    recovery_point=15 * minutes,
    recovery_time=1 * hours,
    restored_on="2026-08-15",
)

pages = MongoDB(
    "product-pages",
    belongs_to="catalogue",
    version="7.0",
    copies=3,
    failover="automatic",
    zones=ZONES,
    consistency="session",
    quorum=Quorum(copies=3, read=1, write=2),
    max_connections=51_200,  # 80% of the 64,000 files that its unit may open
    parallelism=64,
    read=2 * ms,
    write=4 * ms,
    entities=["product"],
    encrypted_at_rest=True,
    backup=HOURLY,
    deployment=CLOUD,
    growth=Growth(size=80 * GB, per_month=2 * GB),
)
page_cache = Redis(
    "page-cache",
    belongs_to="catalogue",
    version="7.4",
    copies=2,
    failover="automatic",
    zones=ZONES,
    shards=3,
    shard_key=ShardKey(
        name="product_id",
        cardinality=200_000,
        immutable=True,
        monotonic=False,
        in_queries=100 * percent,
        skew=0.7,
    ),
    sharding="hash",
    ttl=5 * minutes,
    jitter=True,
    coalesced=True,
    invalidation="event",
    eviction="allkeys-lru",
    read=0.1 * ms,
    write=0.1 * ms,
    encrypted_at_rest=True,
)
stock_db = MySQL(
    "stock-db",
    belongs_to="stock",
    version="8.4",
    copies=3,
    replication="semi_sync",
    failover="automatic",
    zones=ZONES,
    consistency="strong",
    max_connections=500,
    parallelism=16,
    read=0.8 * ms,
    write=1.5 * ms,
    entities=["stock"],
    encrypted_at_rest=True,
    backup=HOURLY,
    deployment=CLOUD,
    growth=Growth(size=40 * GB, per_month=1 * GB),
)

catalogue = Service(
    "catalogue",
    boundary="catalogue",
    owner="team-catalogue",
    tier=2,
    runtime=GoKit("0.13", parallelism=2, accept_queue=1000, libraries=["gobreaker"]),
    deployment=kubernetes("catalogue", "2.4.0"),
    mesh=MESH,
    metrics=METRICS,
    logs=LOGS,
    tracing=TRACING,
    pipeline=pipeline("edge"),
    pools=[Pool("product-pages", 50), Pool("page-cache", 100)],
    clients=[Client("page-cache", timeout=10 * ms)],
    entities=["product"],
    endpoints=[
        Endpoint(
            "Get",
            Grpc("catalogue.v2.Catalogue", contract="contracts/catalogue.proto", encrypted=True),
            idempotent=True,
            request_size=1 * KiB,
            response_size=20 * KiB,
            slo=objective(120 * ms, "catalogue_get", availability=99.98 * percent),
            steps=[
                Work(0.6 * ms),
                Parallel(
                    [
                        Cached(
                            "page-cache",
                            [
                                Read(
                                    "product-pages",
                                    timeout=60 * ms,
                                    request_size=1 * KiB,
                                    fallback=Fallback("cache", target="page-cache"),
                                )
                            ],
                            hit_ratio=92 * percent,
                            timeout=10 * ms,
                            hot_keys=True,
                        ),
                        WithProbability(
                            30 * percent,
                            [
                                Call(
                                    "stock.Level",
                                    timeout=80 * ms,
                                    optional=True,
                                    fallback=Fallback("omit"),
                                    retry=Absent("the page does without"),
                                    result_used=True,
                                    balancing="round_robin",
                                )
                            ],
                        ),
                    ]
                ),
            ],
        )
    ],
)

STOCK = Grpc("stock.v1.Stock", contract="contracts/stock.proto", encrypted=True)

stock = Service(
    "stock",
    boundary="catalogue",
    owner="team-catalogue",
    tier=1,
    runtime=GoKit("0.13", parallelism=2, accept_queue=1000),
    deployment=kubernetes("stock", "1.9.3", rollout=CAREFUL),
    mesh=MESH,
    metrics=METRICS,
    logs=LOGS,
    tracing=TRACING,
    pipeline=pipeline("orders", "catalogue"),
    pools=[Pool("stock-db", 30)],
    entities=["stock"],
    endpoints=[
        Endpoint(
            "Level",
            STOCK,
            idempotent=True,
            request_size=1 * KiB,
            steps=[Work(0.3 * ms), Read("stock-db", timeout=40 * ms, request_size=1 * KiB)],
        ),
        Endpoint(
            "Reserve",
            STOCK,
            idempotent=True,
            request_size=1 * KiB,
            steps=[Work(0.5 * ms), Write("stock-db", timeout=60 * ms, request_size=1 * KiB)],
        ),
        Endpoint(
            "Release",
            STOCK,
            idempotent=True,
            request_size=1 * KiB,
            steps=[Work(0.5 * ms), Write("stock-db", timeout=60 * ms, request_size=1 * KiB)],
        ),
    ],
)
